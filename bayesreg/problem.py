"""Problem: data × likelihood × prior. Its objective is the negative log posterior in nats."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np

from bayesreg._validation import Vector, as_answer, as_flag, as_positive, set_fields
from bayesreg.assembly import as_likelihood, as_prior, check_parts
from bayesreg.blocks import same_prior
from bayesreg.design import Design
from bayesreg.errors import InputError
from bayesreg.likelihoods import ConvexLikelihood, Gaussian, Likelihood, Noise
from bayesreg.penalties import ElasticNetPenalty
from bayesreg.problem_words import formula_of, in_words
from bayesreg.propriety import check_proper_directions
from bayesreg.pseudo_rows import PseudoRows
from bayesreg.scale_priors import ScalePrior

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bayesreg.assembly import PriorLike
    from bayesreg.penalties import Penalty
    from bayesreg.priors import Prior

type Unknown = Literal["sigma", "scale"]


@dataclass(frozen=True, eq=False, init=False)
class Problem:
    """A posterior of regression coefficients, and the penalised problem that it is.

    With every scale known, the objective is ``loss(β₀ + Xβ) + penalty(β)`` plus a constant, all in
    nats: minus the log of likelihood times prior.

    Parameters
    ----------
    X : array_like, frame (pandas, polars, Arrow) or SciPy sparse matrix, shape (n, p)
        Predictors. A sparse matrix stays sparse.
    y : array_like or pandas.Series, shape (n,)
        Target.
    likelihood : Likelihood
        `Gaussian` or `StudentTNoise` (sigma known or with a prior), `Bernoulli` or `Poisson`. There
        is no default: a noise sd and a prior scale mean nothing apart from the units of the data.
    prior : Prior or list of (Prior, columns)
        One prior for all coefficients, or one per block of columns (names or positions).
        `HalfNormal` and `Exponential` are `Normal` and `Laplace` with ``nonnegative=True``.
    intercept : bool
        Whether to add an unpenalised intercept.
    names : iterable of str, optional
        Column names; those of a frame by default, else x0, x1, ...
    weights : array_like, shape (n,), optional
        Positive prior weights of the rows: a Gaussian row has variance ``sigma²/w``, a Bernoulli
        or Poisson row counts w times.
    offset : array_like, shape (n,), optional
        Known part of the linear predictor.
    standardize : bool
        If true the prior acts on ``coef * sd(column)``, the coefficient of the standardised
        column; the sd has the divisor n and counts every row once, whatever its weight.
        Coefficients are always reported on the user's own scale.

    Raises
    ------
    InputError
        If anything does not fit; the message names the argument.

    Examples
    --------
    >>> from bayesreg import Gaussian, Laplace, Problem
    >>> problem = Problem([[1.0], [2.0]], [1.0, 2.0], likelihood=Gaussian(sigma=2.0),
    ...                   prior=Laplace(scale=0.5), intercept=False)
    >>> print(problem)
    ‖y − Xβ‖²/(2·2²) + Σ|βⱼ|/0.5: lasso
      y ~ gaussian, 2 rows; 1 coefficient, Laplace prior; no intercept
    """

    design: Design
    likelihood: Likelihood
    prior: Prior

    def __init__(
        self,
        X: object,
        y: object,
        *,
        likelihood: Likelihood | None = None,
        prior: PriorLike | None = None,
        intercept: bool = True,
        names: Iterable[object] | None = None,
        weights: object = None,
        offset: object = None,
        standardize: bool = False,
    ) -> None:
        design = Design.of(
            X,
            y,
            intercept=intercept,
            names=names,
            weights=weights,
            offset=offset,
            standardize=standardize,
        )
        _assemble(self, design, as_likelihood(likelihood), as_prior(prior, design))

    @classmethod
    def of(cls, design: Design, likelihood: Likelihood, prior: Prior) -> Problem:
        """Make a problem of parts that are validated already."""
        problem = cls.__new__(cls)
        _assemble(problem, design, likelihood, prior)
        return problem

    @classmethod
    def from_statistics(
        cls,
        gram: object,
        xty: object,
        yty: object,
        n: object,
        *,
        x_mean: object = None,
        y_mean: object = None,
        centred: bool = False,
        likelihood: Likelihood | None = None,
        prior: PriorLike | None = None,
        intercept: bool = True,
        names: Iterable[object] | None = None,
        standardize: bool = False,
    ) -> Problem:
        """Make a problem of sums of products, where the rows are too many or not at hand.

        Parameters
        ----------
        gram : array_like, shape (p, p)
            ``X.T @ X`` of the columns as they are; about their means if `centred`.
        xty : array_like, shape (p,)
            ``X.T @ y``.
        yty : float
            ``y @ y``.
        n : int
            Number of observations.
        x_mean : array_like, shape (p,), or float
            Means of the columns; with `y_mean` needed for an intercept and for `standardize`.
        y_mean : float
            Mean of the target.
        centred : bool
            Whether the three sums of products are about the means. They then have more digits.
        likelihood : Gaussian
            No other likelihood depends on these numbers alone.
        prior, intercept, names, standardize
            As for a problem made of rows.

        Returns
        -------
        Problem
            With the objective of the rows, but for rounding; what needs rows (sampling, PyMC,
            other packages) refuses it.

        Raises
        ------
        InputError
            If anything does not fit, or no data have these sums of products.

        Examples
        --------
        >>> from bayesreg import Flat, Gaussian, Problem
        >>> problem = Problem.from_statistics([[21.0]], [27.0], 35.0, 3, likelihood=Gaussian(2.0),
        ...                                   prior=Flat(), intercept=False)
        >>> round(problem.loss(np.array([1.5])), 6)  # (35 − 2·27·1.5 + 21·1.5²)/(2·2²)
        0.15625
        """
        family = as_likelihood(likelihood)
        if not isinstance(family, Gaussian):
            msg = f"likelihood: sums of products suffice for a Gaussian one, found {family.name}"
            raise InputError(msg)
        rows = PseudoRows.of(
            gram, xty, yty, n, x_mean=x_mean, y_mean=y_mean, centred=as_flag(centred, "centred")
        )
        design = Design.of_pseudo_rows(
            rows, intercept=intercept, names=names, standardize=standardize
        )
        return cls.of(design, family, as_prior(prior, design))

    # ------------------------------------------------------------------ what it is

    @property
    def n(self) -> int:
        """Number of observations."""
        return self.design.count

    @property
    def p(self) -> int:
        """Number of coefficients, without the intercept."""
        return self.design.p

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the coefficients."""
        return self.design.names

    @property
    def unknown(self) -> tuple[Unknown, ...]:
        """Which of sigma and scale have a prior instead of a value."""
        sigma: tuple[Unknown, ...] = () if self.likelihood.conditional else ("sigma",)
        scale: tuple[Unknown, ...] = () if self.prior.hyperprior is None else ("scale",)
        return sigma + scale

    @cached_property
    def coef_prior(self) -> Prior:
        """The prior on the user's own scale: as given, or divided by the columns' sd."""
        if not self.design.standardize:
            return self.prior
        return self.prior.rescaled(1.0 / self.design.column_scale)

    @cached_property
    def penalty(self) -> Penalty:
        """The penalty on the user's own scale; InputError while a scale is unknown."""
        return self.coef_prior.penalty(self.p)

    @property
    def convex(self) -> bool:
        """Whether loss and penalty are convex, so that a stationary point is the mode."""
        return isinstance(self.likelihood, ConvexLikelihood) and self.penalty.convex

    @property
    def elastic_net(self) -> ElasticNetPenalty:
        """The penalty, where it consists of absolute values and squares; else InputError."""
        if isinstance(self.penalty, ElasticNetPenalty):
            return self.penalty
        msg = f"prior: must be Normal, Laplace, ElasticNet or Flat here, found {self.prior.name}"
        raise InputError(msg)

    @property
    def free(self) -> tuple[int, ...]:
        """Positions of the coefficients with a flat prior."""
        known = self.given_ones() if self.unknown else self
        return tuple(np.flatnonzero(known.penalty.flat).tolist())

    @property
    def relative(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Which coefficients have a scale that is a multiple of an unknown sigma; shape (p,)."""
        if "sigma" not in self.unknown:
            return np.zeros(self.p, dtype=bool)
        one = self.given_ones().elastic_net
        two = self.given(**(dict.fromkeys(self.unknown, 1.0) | {"sigma": 2.0})).elastic_net
        return np.asarray((one.l1 != two.l1) | (one.l2 != two.l2))

    def given_ones(self) -> Problem:
        """Return the conditional problem with each unknown at 1, for questions of structure."""
        return self.given(**dict.fromkeys(self.unknown, 1.0))

    def given(self, *, sigma: float | None = None, scale: float | None = None) -> Problem:
        """Condition on values of unknown sigma or scale.

        Parameters
        ----------
        sigma : float, optional
            Value of the noise sd.
        scale : float, optional
            Value of the unknown prior scale.

        Returns
        -------
        Problem
            The posterior of what is left, given these values.

        Raises
        ------
        InputError
            If a value is not positive, or what it stands for is not unknown.
        """
        likelihood, prior = self.likelihood, self.prior
        for argument, value in (("sigma", sigma), ("scale", scale)):
            if value is not None and argument not in self.unknown:
                msg = f"{argument}: is not unknown in this problem, so it cannot be given"
                raise InputError(msg)
        if sigma is not None and isinstance(likelihood, Noise):
            likelihood = likelihood.given(as_positive(sigma, "sigma"))
            prior = prior.given(sigma=sigma)
        if scale is not None:
            prior = prior.given(scale=as_positive(scale, "scale"))
        return Problem.of(self.design, likelihood, prior)

    def with_prior(self, prior: PriorLike) -> Problem:
        """Return the same data and likelihood under another prior.

        What is unpenalised stays so: the intercept, and the columns that `from_formula` was told to
        leave ``unpenalised=``, unless the prior is a list that names them. Every other coefficient
        gets the new prior: the flat ones of a list of priors, and an intercept that `read_model`
        read as a coefficient because it has a prior.

        Parameters
        ----------
        prior : Prior or list of (Prior, columns)
            As for `Problem`; a vector of scales has one number per column, or one per penalised
            column.

        Returns
        -------
        Problem
            With the same design.

        Examples
        --------
        >>> from bayesreg import Gaussian, Laplace, Normal, from_formula
        >>> data = {"y": [1.0, 2.0, 4.0], "dose": [1.0, 2.0, 3.0], "age": [3.0, 1.0, 2.0]}
        >>> lasso = from_formula("y ~ dose + age", data, likelihood=Gaussian(1.0),
        ...                      prior=Laplace(2.0), unpenalised=["dose"])
        >>> lasso.with_prior(Normal(2.0)).formula()
        '‖y − β₀ − Xβ‖²/(2·1²) + Σβⱼ²/(2·2²) [age] (no penalty on dose)'
        """
        return Problem.of(self.design, self.likelihood, as_prior(prior, self.design))

    def dense(self, purpose: str) -> Problem:
        """Return the same problem with a dense X and a row for every observation.

        Raises
        ------
        InputError
            If X is sparse and large, or was never given; the message says that `purpose` needs it.
        """
        design = self.design.dense(purpose)
        return self if design is self.design else Problem.of(design, self.likelihood, self.prior)

    def standardized(self) -> tuple[Problem, Vector]:
        """Return the problem of the standardised columns, and the scale that maps back.

        Returns
        -------
        problem : Problem
            With ``X`` centred and scaled where the prior acts on standardised columns, else itself.
            A sparse ``X`` is scaled only: centring it would fill it, and moves the intercept alone.
        scale : ndarray, shape (p,)
            ``coef = coef_standardized / scale``.
        """
        design = self.design.standardized()
        problem = self if design is self.design else Problem.of(design, self.likelihood, self.prior)
        return problem, self.design.column_scale

    # ------------------------------------------------------------------ numbers

    def check_answer(self, coef: object, intercept: object) -> tuple[Vector, float]:
        """Validate an answer to judge: real numbers of the right count, NaN and inf among them.

        Raises
        ------
        InputError
            If they are not numbers, do not fit, or there is no intercept to set.
        """
        return as_answer(coef, intercept, self.names, level=self.design.intercept)

    def predictor(self, coef: object, intercept: float = 0.0) -> Vector:
        """Return the linear predictor ``offset + intercept + X coef``, shape (n,)."""
        return self.design.predictor_at(*self.check_answer(coef, intercept))

    def loss(self, coef: object, intercept: float = 0.0) -> float:
        """Negative log likelihood without its constants, in nats; inf beyond double precision."""
        return _loss(self, *self.check_answer(coef, intercept))

    def gradient(self, coef: object, intercept: float = 0.0) -> tuple[Vector, float]:
        """Gradient of the loss: with respect to the coefficients (p,), and to the intercept."""
        design, eta = self.design, self.predictor(coef, intercept)
        with np.errstate(over="ignore"):  # of what is infinite there is no gradient
            rows = self.likelihood.gradient(eta, design.y, design.row_weights)
        return design.gradient_at(rows)

    def penalised(self, coef: object, intercept: float = 0.0) -> float:
        """Loss plus penalty: the objective without the constants."""
        return _penalised(self, *self.check_answer(coef, intercept))

    @cached_property
    def constant(self) -> float:
        """The normalising constants that `penalised` leaves out, in nats."""
        design = self.design
        if design.observations is None:
            rows = self.likelihood.constant(design.y, design.row_weights)
        else:  # a Gaussian constant is that of any row, as often as there are observations
            rows = design.count * self.likelihood.constant(np.zeros(1), np.ones(1))
        return rows + self.coef_prior.log_normalizer(self.p)

    def objective(
        self,
        coef: object,
        intercept: float = 0.0,
        *,
        sigma: float | None = None,
        scale: float | None = None,
    ) -> float:
        """Negative log of likelihood times prior, with every constant, in nats.

        Equals minus the joint log density of the equivalent PyMC model (``jacobian=False``).

        Parameters
        ----------
        coef : array_like, shape (p,)
            Coefficients on the user's own scale.
        intercept : float
            Intercept; its prior is flat with density 1.
        sigma, scale : float, optional
            Values of what is unknown; required then, and their own log density is included (that
            of ``sigma**2`` for an `InverseGamma`, which is a density of the square).

        Returns
        -------
        float
            The negative log joint density.

        Raises
        ------
        InputError
            If the shape is wrong, an unknown has no value, or there is no intercept to set.

        Examples
        --------
        >>> from bayesreg import Flat, Gaussian, Problem
        >>> p = Problem([[1.0]], [3.0], likelihood=Gaussian(1.0), prior=Flat(), intercept=False)
        >>> round(p.objective([1.0]), 6)  # 2²/2 + log(2π)/2
        2.918939
        """
        design = self.design
        vector, level = as_answer(coef, intercept, self.names, level=design.intercept, finite=True)
        values = {"sigma": sigma, "scale": scale}
        missing = [name for name in self.unknown if values[name] is None]
        if missing:
            msg = f"{missing[0]}: is unknown in this problem; give the value to evaluate at"
            raise InputError(msg)
        problem = self.given(sigma=sigma, scale=scale)
        priors = self.hyperpriors().items()
        hyper = sum(prior.log_density(as_positive(values[name], name)) for name, prior in priors)
        return _penalised(problem, vector, level) + problem.constant - hyper

    def hyperpriors(self) -> dict[Unknown, ScalePrior]:
        """Return the priors of the unknown sigma and scale, by name."""
        out: dict[Unknown, ScalePrior] = {}
        if isinstance(self.likelihood, Noise) and isinstance(self.likelihood.sigma, ScalePrior):
            out["sigma"] = self.likelihood.sigma
        if self.prior.hyperprior is not None:
            out["scale"] = self.prior.hyperprior
        return out

    def require_proper(self) -> None:
        """Raise ImproperPosterior if flat priors leave a direction in which nothing ends."""
        known = self.given_ones() if self.unknown else self
        bounded = np.flatnonzero(known.penalty.half_flat).tolist()
        check_proper_directions(self.likelihood, self.design, self.free, bounded)

    # ------------------------------------------------------------------ words

    def formula(self) -> str:
        """Return the penalised form on one line, in nats, with its numbers."""
        return formula_of(self)

    def __str__(self) -> str:
        """State the penalised form, in nats, and what it is called."""
        return in_words(self)

    def __repr__(self) -> str:
        """Return the class, the sizes and the parts."""
        return (
            f"Problem(n={self.n}, p={self.p}, likelihood={self.likelihood!r}, prior={self.prior!r})"
        )

    def __eq__(self, other: object) -> bool:
        """Compare posteriors: data, names, likelihood, and the prior of every coefficient."""
        if not isinstance(other, Problem):
            return NotImplemented
        return (
            self.names == other.names
            and self.design.intercept == other.design.intercept
            and self.likelihood == other.likelihood
            and self.design.same_numbers(other.design)
            and same_prior(self.coef_prior, other.coef_prior, self.p)
        )

    __hash__ = None  # type: ignore[assignment]


def _loss(problem: Problem, vector: Vector, level: float) -> float:
    """Negative log likelihood at an answer that is validated already."""
    design, family = problem.design, problem.likelihood
    eta = design.predictor_at(vector, level)
    with np.errstate(over="ignore"):  # where the density is 0 in double precision, inf
        return family.loss(eta, design.y, design.row_weights)


def _penalised(problem: Problem, vector: Vector, level: float) -> float:
    """Loss plus penalty at an answer that is validated already."""
    with np.errstate(over="ignore"):
        return _loss(problem, vector, level) + problem.penalty.value(vector)


def _assemble(problem: Problem, design: Design, likelihood: Likelihood, prior: Prior) -> None:
    """Check that the parts fit each other, and put them into a frozen problem."""
    prior = check_parts(design, likelihood, prior)
    set_fields(problem, design=design, likelihood=likelihood, prior=prior)
