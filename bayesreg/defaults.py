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
from bayesreg.likelihoods import Bernoulli, Poisson
from bayesreg.likelihoods.base import Noise
from bayesreg.scale_priors import HalfCauchy, HalfNormal

if TYPE_CHECKING:
    from bayesreg.datasets import Dataset
    from bayesreg.likelihoods import Likelihood
    from bayesreg.scale_priors import ScalePrior


@dataclass(frozen=True)
class Setting:
    """One number of a model or a prior, and where it comes from.

    With a `hyperprior` it is unknown, and `value` the median of that.
    """

    value: float
    rule: str
    hyperprior: ScalePrior | None = None

    @property
    def content(self) -> float | ScalePrior:
        """The number, or the prior of the number."""
        return self.value if self.hyperprior is None else self.hyperprior


# Of the absolute value of a standard normal number.
_NORMAL_MEDIAN = 0.6744897501960817
# What a scale of 1 is, by the family that a model is named after.
_UNIT = {
    "logistic": "log-odds per sd of a column; scikit-learn's default",
    "poisson": "log rate per sd of a column",
}
# Where least squares leave no residual sd.
_HALF = "sd of half the variance of the target"
_PERFECT = "least squares fits it perfectly"


def settings(data: Dataset, model: str, *, intercept: bool = True) -> dict[str, Setting]:
    """Return keywords for ``gallery.load(model).build`` on standardised columns.

    With more rows than columns the Gaussian models start from least squares: sigma is its residual
    sd, and a Laplace scale is the mean |coefficient| (the start of Park & Casella 2008, sec. 3.1),
    a normal one the root mean square; of dependent columns the coefficients are those of least
    norm, and the residual has n - rank degrees of freedom; constant columns count for nothing.
    Otherwise signal and noise each get half the variance of y, and after a perfect fit so does the
    noise.
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
    found = _sizes(data, intercept=intercept)
    noise = {"sigma": Setting(found.sigma, found.sigma_rule)}
    scale, spread = found.mean_abs, found.root_mean_square
    if model == "ridge":
        return noise | {"scale": spread}
    if model == "elastic_net":
        twice = Setting(2 * scale.value, f"twice the {scale.rule}")
        return noise | {"l1_scale": twice, "l2_scale": spread}
    if model == "lasso_park_casella":
        rule = f"{scale.rule}, over the noise sd by the same rule"
        return {"scale": Setting(scale.value / found.sigma, rule)}
    if model == "lasso_unknown_scale":
        return noise | {"hyper_scale": scale}
    return noise | {"scale": scale}


def prior_settings(
    data: Dataset, prior: str, likelihood: Likelihood, *, intercept: bool = True
) -> dict[str, Setting]:
    r"""Return numbers for ``named_priors.named_prior``, on standardised columns.

    A prior that has a mean or a median of |β| takes that of the least-squares coefficients (1 on
    the scale of log-odds and log rates). Those that sort coefficients into small and large do not:

    - the τ of a horseshoe is unknown, half-Cauchy with the median ``p₀/(p − p₀) · σ/√n`` (Piironen
      & Vehtari 2017), at which p₀ coefficients are expected to stay unshrunk: half of them, or of
      the rows if these are fewer. For counts and classes σ is that of the working response at their
      mean, and τ half-normal: classes may be separated, and then tell τ from no larger one.
    - a slab has room for every effect: one sd of a column moves the target by one sd of it. That is
      the unit information of Kass & Wasserman (1995) about a coefficient that is 0. With classes it
      is 2 log-odds (as for even ones), with counts 1 log rate (as for a rate of 1).

    Parameters
    ----------
    data : Dataset
        The data.
    prior : str
        One of ``named_priors.NAMES``.
    likelihood : Likelihood
        Of the problem; its sigma is used where it is a number.
    intercept : bool
        Whether there is one.

    Returns
    -------
    dict of Setting
        Its scale, that of the slab for spike and slab; also slab_scale for a regularised horseshoe.

    Examples
    --------
    >>> from bayesreg import Gaussian, datasets
    >>> diabetes = datasets.load("diabetes")
    >>> tau = prior_settings(diabetes, "horseshoe", Gaussian(sigma=54.0))["scale"]
    >>> round(tau.value, 3), tau.rule
    (2.569, 'median: 5 coefficients of 10 expected unshrunk, σ/√n of Piironen & Vehtari 2017')
    """
    if prior == "spike_slab":
        return {"scale": _slab(data, likelihood)}
    if prior == "horseshoe":
        return {"scale": _global_scale(data, likelihood, intercept=intercept)}
    if prior == "regularized_horseshoe":
        tau = _global_scale(data, likelihood, intercept=intercept)
        return {"scale": tau, "slab_scale": _slab(data, likelihood)}
    if not isinstance(likelihood, Noise):
        return {"scale": Setting(1.0, _UNIT[_family(likelihood)])}
    found = _sizes(data, intercept=intercept)
    spread = found.root_mean_square
    return {
        "scale": {
            "normal": spread,
            "student_t": Setting(spread.value / math.sqrt(2), f"its sd is the {spread.rule}"),
            "laplace": found.mean_abs,
            "double_pareto": found.median_abs,
        }[prior]
    }


def _family(likelihood: Likelihood) -> str:
    return "poisson" if isinstance(likelihood, Poisson) else "logistic"


def _global_scale(data: Dataset, likelihood: Likelihood, *, intercept: bool) -> Setting:
    """Return the median of the τ of a horseshoe."""
    n, p = data.X.shape
    mean = float(data.y.mean())
    if isinstance(likelihood, Bernoulli):
        sigma = 1 / math.sqrt(mean * (1 - mean))
    elif isinstance(likelihood, Poisson):
        sigma = 1 / math.sqrt(mean)
    elif isinstance(likelihood, Noise) and isinstance(likelihood.sigma, float):
        sigma = likelihood.sigma
    else:
        sigma = _sizes(data, intercept=intercept).sigma
    few = p > n
    unshrunk = min(n, p) / 2
    rule = (
        f"median: {unshrunk:g} coefficients of {p} expected unshrunk, "
        f"{'p₀/(p − p₀)·' if few else ''}σ/√n of Piironen & Vehtari 2017"
    )
    odds = unshrunk / (p - unshrunk) if p else 1.0
    median = odds * sigma / math.sqrt(n)
    noise = isinstance(likelihood, Noise)
    prior = HalfCauchy(median) if noise else HalfNormal(median / _NORMAL_MEDIAN)
    return Setting(median, rule, prior)


def _slab(data: Dataset, likelihood: Likelihood) -> Setting:
    """Return the sd of coefficients that are not near 0."""
    if isinstance(likelihood, Bernoulli):
        return Setting(2.0, "log-odds per sd of a column: unit information at even odds")
    if isinstance(likelihood, Poisson):
        return Setting(1.0, "log rate per sd of a column: unit information at a rate of 1")
    return Setting(_target_sd(data), "sd of the target per sd of a column: unit information")


def _target_sd(data: Dataset) -> float:
    y = data.y if data.offset is None else data.y - data.offset
    return float(y.std()) or 1.0


@dataclass(frozen=True)
class _Sizes:
    """How large noise and coefficients of standardised columns are, and by which rule."""

    sigma: float
    sigma_rule: str
    mean_abs: Setting
    median_abs: Setting
    root_mean_square: Setting


def _sizes(data: Dataset, *, intercept: bool) -> _Sizes:
    """Measure by least squares; where that is not possible, share the variance out."""
    design = Design.of(data.X, data.y, intercept=intercept, offset=data.offset)
    spread, p = _target_sd(data), int(np.count_nonzero(design.column_sd))
    found = least_squares(design, design.column_sd)
    if found is None:
        share, columns = spread / math.sqrt(2), max(p, 1)
        mean_abs = share / math.sqrt(2 * columns)  # of a Laplace prior of that variance

        def shared(value: float, what: str) -> Setting:
            return Setting(
                value, f"{what} if columns share the other half of the target's variance"
            )

        return _Sizes(
            share,
            f"{_HALF}: too few rows for least squares",
            shared(mean_abs, "mean |coefficient|"),
            shared(mean_abs * math.log(2), "median |coefficient|"),
            shared(share / math.sqrt(columns), "root mean square coefficient"),
        )
    sizes, few = np.abs(found.coef) if p else np.zeros(1), found.rank < p
    sigma, kind = noise_sd(found, spread), "minimum-norm " * few + "least-squares coefficient"

    def setting(value: float, what: str) -> Setting:
        return Setting(value or spread, f"{what} per sd of a column")

    rule = "residual sd of least squares" if sigma == found.residual_sd else f"{_HALF}: {_PERFECT}"
    return _Sizes(
        sigma,
        f"{rule}; {found.rank} of {p} columns are independent" if few else rule,
        setting(float(sizes.mean()), f"mean |{kind}|"),
        setting(float(np.median(sizes)), f"median |{kind}|"),
        setting(math.sqrt(float((sizes**2).mean())), f"root mean square {kind}"),
    )
