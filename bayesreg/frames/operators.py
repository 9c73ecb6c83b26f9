"""The operators of formulas that multiply terms, bounded: each factor can double the terms."""

from __future__ import annotations

import ast
import warnings
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from formulaic.parser import DefaultOperatorResolver
from formulaic.parser.types import Operator, OrderedSet

from bayesreg._visible import shown
from bayesreg.errors import BayesregWarning, InputError

if TYPE_CHECKING:
    from collections.abc import Collection

# Of all products that are made, those that turn out alike too.
_MOST_FACTORS = 500_000
# Operators that no formula has, which Python writes between their operands only.
_BETWEEN = {"LShift": "<<", "RShift": ">>", "BitXor": "^", "MatMult": "@", "Not": "not"}
_SIGNS = _BETWEEN | {"Is": "is", "IsNot": "is not", "In": "in", "NotIn": "not in"}


@dataclass
class Operators(DefaultOperatorResolver):  # type: ignore[misc]
    """formulaic's operators, which stop where their products would take forever."""

    formula: str = ""
    made: int = 0

    @property
    def operators(self) -> list[Operator]:
        """All of formulaic's."""
        return [self._bounded(operator) for operator in super().operators]

    def _bounded(self, operator: Operator) -> Operator:
        if operator.symbol in ("**", "^"):
            terms = self._power
        elif operator.symbol in ("*", ":", "/", "in"):
            terms = partial(self._product, operator)
        else:
            return operator
        return Operator(
            operator.symbol,
            arity=operator.arity,
            precedence=operator.precedence,
            associativity=operator.associativity,
            to_terms=terms,
        )

    def _product(self, operator: Operator, left: Any, right: Any) -> Any:
        self._count(left, right)
        return operator.to_terms(left, right)

    def _power(self, base: Any, exponent: Any) -> Any:
        """Multiply, until nothing new comes: formulaic's order of terms, without their repeats."""
        times = _whole(exponent)
        if not times or _whole(base) is not None:
            msg = (
                f"formula: {shown(self.formula)} holds a power that is not terms to a whole "
                "number; write (a + b)**2 for terms, and I(a**2) for numbers"
            )
            raise InputError(msg)
        if times > 1 and len(base) == 1:
            msg = (
                f"formula: {shown(self.formula)} holds a power of one term, which is that term "
                "again; write I(a**2) for numbers"
            )
            warnings.warn(msg, BayesregWarning, stacklevel=2)
        made, before = list(base), None
        while times > 1 and made != before:
            self._count(made, base)
            before, made = made, list(OrderedSet(one * other for one in made for other in base))
            times -= 1
        return OrderedSet(made)

    def _count(self, left: Collection[Any], right: Collection[Any]) -> None:
        """Count the factors of the products of two sets of terms."""
        one, other = (sum(len(term.factors) for term in side) for side in (left, right))
        self.made += len(right) * one + len(left) * other
        if self.made > _MOST_FACTORS:
            msg = (
                f"formula: {shown(self.formula)} makes too many products of terms; write a "
                "lower power, as in (a + b)**2, or those that are wanted, as in a + b + a:b"
            )
            raise InputError(msg)


def _whole(terms: Collection[Any]) -> int | None:
    """Return the number that terms are, where they are one."""
    factors = [factor for term in terms for factor in term.factors]
    if len(factors) != 1 or not factors[0].expr.isdecimal():
        return None
    return int(factors[0].expr)


def written(node: ast.AST) -> str:
    """Return a part of an expression as it is written, an operator by itself too.

    Examples
    --------
    >>> written(ast.LShift())
    '<<'
    """
    return _SIGNS.get(type(node).__name__) or ast.unparse(node)
