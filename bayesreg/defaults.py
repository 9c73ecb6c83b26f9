"""Scales to start from where the user gives none, each with the rule that it comes from.

They are starting points, not choices by the data: the rules are stated beside the numbers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bayesreg.design import Design
from bayesreg.least_squares import least_squares, noise_sd

if TYPE_CHECKING:
    from bayesreg.datasets import Dataset


@dataclass(frozen=True)
class Setting:
    """One keyword of a gallery model: its value, and where that comes from."""

    value: float
    rule: str


# What a scale of 1 is, by the family that a model is named after.
_UNIT = {
    "logistic": "log-odds per sd of a column; scikit-learn's default",
    "poisson": "log rate per sd of a column",
}


def settings(data: Dataset, model: str, *, intercept: bool = True) -> dict[str, Setting]:
    """Return keywords for ``gallery.load(model).build`` on standardised columns.

    With more rows than columns the Gaussian models start from least squares: sigma is its residual
    sd, and a Laplace scale is the mean |coefficient| (the start of Park & Casella 2008, sec. 3.1),
    a normal one the root mean square. Otherwise signal and noise each get half the variance of y.
    Logistic models start at 1 (log-odds per sd of a column), scikit-learn's own default, and so do
    Poisson models (log rate per sd of a column).

    Parameters
    ----------
    data : Dataset
        The data.
    model : str
        Name of a gallery model.
    intercept : bool
        Whether it has an intercept; without one columns are scaled, and not centred.

    Returns
    -------
    dict of Setting
        By keyword of `build`.

    Examples
    --------
    >>> from bayesreg import datasets
    >>> for key, setting in settings(datasets.load("diabetes"), "lasso").items():
    ...     print(key, round(setting.value, 2), "·", setting.rule)
    sigma 54.15 · residual sd of least squares
    scale 16.46 · mean |least-squares coefficient| per sd of a column
    """
    family = model.partition("_")[0]
    if family in _UNIT:
        return {"scale": Setting(1.0, _UNIT[family])}
    sigma, mean_abs, rms, why_not = _least_squares(data, intercept=intercept)
    if why_not is None:
        noise = {"sigma": Setting(sigma, "residual sd of least squares")}
        scale = Setting(mean_abs, "mean |least-squares coefficient| per sd of a column")
        spread = Setting(rms, "root mean square least-squares coefficient per sd of a column")
    else:
        share = "half the variance of the target"
        noise = {"sigma": Setting(sigma, f"{share}; {why_not}")}
        scale = Setting(mean_abs, f"the other {share}, shared by the columns")
        spread = Setting(rms, scale.rule)
    if model == "ridge":
        return noise | {"scale": spread}
    if model == "elastic_net":
        twice = Setting(2 * mean_abs, f"twice the {scale.rule}")
        return noise | {"l1_scale": twice, "l2_scale": spread}
    if model == "lasso_park_casella":
        relative = Setting(mean_abs / sigma, f"{scale.rule}, over its residual sd")
        return {"scale": relative}
    if model == "lasso_unknown_scale":
        return noise | {"hyper_scale": scale}
    return noise | {"scale": scale}


def _least_squares(data: Dataset, *, intercept: bool) -> tuple[float, float, float, str | None]:
    """Residual sd, mean |coefficient|, its root mean square; why not by least squares, if not."""
    p = data.X.shape[1]
    y = data.y if data.offset is None else data.y - data.offset
    spread = float(y.std()) or 1.0
    share, columns = spread / math.sqrt(2), max(p, 1)
    halves = share, share / math.sqrt(2 * columns), share / math.sqrt(columns)
    sd = data.X.std(axis=0)
    if p == 0:
        return *halves, "there are no columns"
    if (sd == 0).any():
        constant = data.names[int(np.argmin(sd))]
        return *halves, f"no least squares, as column {constant!r} is constant"
    design = Design.of(data.X, y, intercept=intercept)
    found = least_squares(design, sd)
    if found is None:
        return *halves, "too few rows for least squares"
    if found.rank < p:
        return *halves, "no least squares, as columns are linearly dependent"
    mean_abs, rms = float(np.abs(found.coef).mean()), math.sqrt(float((found.coef**2).mean()))
    return noise_sd(found, spread), mean_abs or spread, rms or spread, None
