"""What a PyMC model was read as: a problem, and the map between their variables, both ways."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from bayesreg._validation import as_positive, as_real, as_vector, set_fields
from bayesreg.errors import InputError
from bayesreg.problem import Problem
from bayesreg.pymc_ball_prior import ball_coordinates

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bayesreg.priors import UniformBall
    from bayesreg.pymc_graph import Array

__all__ = ["ModelProblem", "ModelReading", "Role", "VariableReading"]

type Role = Literal["coefficients", "intercept", "sigma", "scale"]


@dataclass(frozen=True)
class VariableReading:
    """One free variable of the model, and what it is in the problem.

    Attributes
    ----------
    name, value_name : str
        Name of the variable, and of its value variable (such as ``"sigma_log__"``).
    role : {"coefficients", "intercept", "sigma", "scale"}
        What it is in the problem.
    shape : tuple of int
        Its shape in the model.
    columns : tuple of int
        Where its entries, in C order, stand among the coefficients of the problem.
    is_square : bool
        Whether the variable is the square of what it stands for.
    is_log : bool
        Whether the value variable is the logarithm of the variable. That of a coefficient of 0 is
        minus infinity, where log densities without Jacobians are finite.
    ball : UniformBall, optional
        The ball whose coordinates (see `IntoBall`) the value variable holds.
    """

    name: str
    value_name: str
    role: Role
    shape: tuple[int, ...] = ()
    columns: tuple[int, ...] = ()
    is_square: bool = False
    is_log: bool = False
    ball: UniformBall | None = None

    @property
    def part(self) -> str:
        """What draws call what it is: beta, intercept, sigma (or sigma²) or scale."""
        if self.role == "coefficients":
            return "beta"
        return f"{self.role}²" if self.is_square else self.role

    def of(self, numbers: Mapping[str, Any]) -> Array:
        """Return the variable, given arrays of all roles whose first dimensions are draws.

        Parameters
        ----------
        numbers : mapping of str to ndarray
            ``"coefficients"`` (..., p) and the other roles (...).

        Returns
        -------
        ndarray, shape (..., *shape)
            On the variable's own scale.
        """
        if self.role == "coefficients":
            coef = np.asarray(numbers["coefficients"], np.float64)
            own: Array = coef[..., list(self.columns)].reshape((*coef.shape[:-1], *self.shape))
            return own
        number = np.asarray(numbers[self.role], np.float64)
        return number**2 if self.is_square else number

    def value(self, numbers: Mapping[str, Any]) -> Array:
        """Return the value of the value variable, given the numbers of all roles."""
        own = self.of(numbers)
        if self.ball is not None:
            return ball_coordinates(self.ball, own)
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(own) if self.is_log else own, np.float64)


@dataclass(frozen=True)
class ModelReading:
    """A PyMC model read as a problem, and the way back for points, draws and names.

    Attributes
    ----------
    problem : Problem
        The penalised form of the model.
    variables : tuple of VariableReading
        All free variables of the model.
    observed : str
        Name of the observed variable.
    """

    problem: Problem
    variables: tuple[VariableReading, ...]
    observed: str

    def point(
        self,
        coef: object,
        intercept: float = 0.0,
        sigma: float | None = None,
        scale: float | None = None,
    ) -> dict[str, Array]:
        """Return a point of the problem as values of the model's own value variables.

        Parameters
        ----------
        coef : array_like, shape (p,)
            Coefficients of the problem.
        intercept : float
            Its intercept.
        sigma, scale : float, optional
            Values of what is unknown; required then.

        Returns
        -------
        dict
            Arrays by the name of the value variable, for ``model.compile_logp()`` and friends.

        Raises
        ------
        InputError
            If a shape is wrong or an unknown has no value.
        """
        numbers = self._numbers(coef, intercept, sigma, scale)
        return {variable.value_name: variable.value(numbers) for variable in self.variables}

    def values(
        self,
        coef: object,
        intercept: float = 0.0,
        sigma: float | None = None,
        scale: float | None = None,
    ) -> dict[str, Array]:
        """Return a point of the problem as values of the model's own free variables.

        Parameters and errors are those of `point`.

        Returns
        -------
        dict
            Arrays by the name of the variable, on its own scale and of its own shape.
        """
        numbers = self._numbers(coef, intercept, sigma, scale)
        return {variable.name: variable.of(numbers) for variable in self.variables}

    def _numbers(
        self, coef: object, intercept: float, sigma: float | None, scale: float | None
    ) -> dict[str, Any]:
        """Return the numbers of all roles, validated."""
        numbers: dict[str, Any] = {
            "coefficients": as_vector(coef, "coef", self.problem.p),
            "intercept": as_real(intercept, "intercept"),
        }
        for name, value in (("sigma", sigma), ("scale", scale)):
            if name in self.problem.unknown:
                numbers[name] = as_positive(value, name)
        return numbers

    # ------------------------------------------------------------------ names

    @property
    def parts(self) -> str:
        """Which variable plays which part, where names do not tell: ``"noise is sigma"``."""
        names: dict[str, list[str]] = {}
        for variable in self.variables:
            names.setdefault(variable.part, []).append(variable.name)
        return "; ".join(
            f"{', '.join(own)} {'is' if len(own) == 1 else 'are'} {part}"
            for part, own in names.items()
            if own != [part]
        )

    @property
    def named_problem(self) -> Problem:
        """The problem, which says who plays which part where its names do not tell."""
        told = all(self._is_told(variable) for variable in self.variables)
        parts = "" if told else self.parts
        if not (parts or self.penalised_level):
            return self.problem
        return ModelProblem.told(self.problem, parts, self.penalised_level)

    @property
    def penalised_level(self) -> str:
        """Which variable is an intercept with a prior: a coefficient of a column of ones."""
        design = self.problem.design
        found = [
            variable.name
            for variable in self.variables
            if len(variable.columns) == 1 and (design.X[:, variable.columns] == 1.0).all()
        ]
        if design.intercept or not found:
            return ""
        return f"no unpenalised intercept: {found[0]} is a coefficient with a prior"

    def _is_told(self, variable: VariableReading) -> bool:
        """Whether names of the problem say what a variable is: its own, or those of its columns."""
        start = f"{variable.name}["
        names = [self.problem.names[j] for j in variable.columns]
        by_columns = all(name == variable.name or name.startswith(start) for name in names)
        return variable.name == variable.part or (variable.role == "coefficients" and by_columns)

    @property
    def _scales(self) -> dict[str, VariableReading]:
        """Unknown sigma and scale, by the name of their variable."""
        return {v.name: v for v in self.variables if v.role in ("sigma", "scale")}

    @property
    def scale_names(self) -> tuple[str, ...]:
        """Names of the variables that are sigma or scale, or the square of it."""
        return tuple(self._scales)

    def roles(self, given: Mapping[str, float]) -> dict[str, float]:
        """Return values by role, given by role or by the model's own names, which come first.

        Raises
        ------
        InputError
            If a value is not positive, or given twice.
        """
        found: dict[str, float] = {}
        source: dict[str, str] = {}
        for name, value in given.items():
            variable = self._scales.get(name)
            role = name if variable is None else variable.role
            if role in found:
                msg = f"given: {source[role]!r} and {name!r} are one, the {role}; give it once"
                raise InputError(msg)
            source[role], found[role] = name, value
            if variable is not None:
                size = as_positive(value, name)
                found[role] = size**0.5 if variable.is_square else size
        return found

    def called(self, role: str) -> str:
        """Return the name of sigma or scale with the model's own, where that is another.

        Of a variance nothing is added: it is not the number that is called sigma.
        """
        own = next((v.name for v in self._scales.values() if v.role == role), role)
        square = own != role and self._scales[own].is_square
        return role if own == role or square else f"{role} (your {own!r})"

    def in_own_words(self, text: str) -> str:
        """Add the model's own names to a message about sigma or scale."""
        for name, variable in self._scales.items():
            role = variable.role
            if self.called(role) == role:
                continue
            both = _literal(self.called(role))
            text = re.sub(rf"^{role}:", f"{both}:", text)
            text = re.sub(rf"\b{role} = ", f"{both} = ", text)
            asked = rf"given={{\g<1>{_literal(name)}\g<1>"
            text = re.sub(rf"given=\{{([\"'])({role})\1", asked, text)
        return text


def _literal(text: str) -> str:
    """Write a text so that a replacement holds it as it is."""
    return text.replace("\\", r"\\")


class ModelProblem(Problem):
    """A problem read from a model, which says which variable plays which part, and what to mind."""

    parts: str
    note: str

    @classmethod
    def told(cls, problem: Problem, parts: str, note: str = "") -> ModelProblem:
        """Return the same problem, with lines to print, those that are not empty."""
        named = cls.__new__(cls)
        set_fields(
            named,
            design=problem.design,
            likelihood=problem.likelihood,
            prior=problem.prior,
            parts=parts,
            note=note,
        )
        return named

    def __str__(self) -> str:
        """Return the penalised form, the parts of the model's variables, and the note."""
        parts = f"\n  variables of the model: {self.parts}" if self.parts else ""
        note = f"\n  {self.note}" if self.note else ""
        return f"{super().__str__()}{parts}{note}"
