r"""AIC and BIC along the path of modes, halved: ``−log p(y | mode, σ) + c · df`` in nats.

With ``c = 1`` or ``c = log(n)/2``. The degrees of freedom are those of `MapPath.df`: of the lasso
the rank of the columns not at 0, an unbiased estimate (Zou, Hastie & Tibshirani 2007), of ridge the
trace of the hat matrix, and an intercept counts one. Along a piecewise linear path the loss falls
between knots while df stays, so the lowest value is just before a column enters: the scales of the
knots are tried, too.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from bayesreg.errors import InputError
from bayesreg.path import map_path
from bayesreg.penalties import ElasticNetPenalty
from bayesreg.selection.request import penalty_of
from bayesreg.selection.result import Curve

if TYPE_CHECKING:
    from bayesreg._validation import Vector
    from bayesreg.path import MapPath
    from bayesreg.problem import Problem
    from bayesreg.selection.request import Request
    from bayesreg.selection.result import ScaleSelection

_SCALES = 100
# So much before a knot, relatively, the column that enters there is at 0 without question.
_BEFORE = 1e-12
_MEANING = "at most two nats (four of AIC or BIC) above the best"
_NATS = 2.0


def obstacle(problem: Problem) -> str | None:
    """Say why there are no degrees of freedom; None where there are."""
    if not isinstance(penalty_of(problem), ElasticNetPenalty):
        return f"it needs degrees of freedom, and none are known for a {problem.prior.name} prior"
    return None


def choose_aic(request: Request) -> ScaleSelection:
    """Choose by Akaike's criterion, halved."""
    return _choose(request, "aic", 1.0)


def choose_bic(request: Request) -> ScaleSelection:
    """Choose by Schwarz's criterion, halved."""
    return _choose(request, "bic", 0.5 * math.log(request.problem.n))


def _choose(request: Request, name: str, price: float) -> ScaleSelection:
    problem = request.known.problem
    path = map_path(problem, request.grid(_SCALES))
    scales = _with_knots(path) if request.scales is None else path.scales
    if scales.size > path.scales.size:
        path = map_path(problem, scales)
    df = path.df + problem.design.intercept
    if np.isnan(df).any():
        msg = f"by: no degrees of freedom are known for a {problem.prior.name} prior"
        raise InputError(msg)
    loss = _losses(path)
    curve = Curve.of(path.scales, loss + price * df, None, df=df, loss=loss)
    return request.by_rule(name, curve, curve.near(_NATS, _MEANING), *_notes(request))


def _losses(path: MapPath) -> Vector:
    """Negative log likelihood at every mode, constants included; shape (k,)."""
    problem = path.problem_at(float(path.scales[0]))
    constant = problem.constant - problem.coef_prior.log_normalizer(problem.p)
    pairs = zip(path.coef, path.intercept, strict=True)
    return np.array([problem.loss(coef, float(level)) + constant for coef, level in pairs])


def _with_knots(path: MapPath) -> Vector:
    """Scales of a path, and those just before each knot within it."""
    bends = path.readable_bends
    if bends is None:
        return path.scales
    knots = (1 - _BEFORE) / bends.lam[bends.lam > 0]
    inside = knots[(knots > path.scales.min()) & (knots < path.scales.max())]
    return np.unique(np.concatenate([path.scales, inside]))


def _notes(request: Request) -> list[str]:
    """Say what holds of the value of sigma that the loss is measured by."""
    if "unknown" in request.known.source and request.problem.n <= request.problem.p + 1:
        return ["with so few rows the price of a coefficient hangs on that sigma; give one"]
    return []
