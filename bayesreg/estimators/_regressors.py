"""Regressions by their priors: ridge, lasso, elastic net, horseshoe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bayesreg.estimators import _scales
from bayesreg.estimators._base import BayesianRegressor
from bayesreg.likelihoods import Gaussian
from bayesreg.priors import ElasticNet, Horseshoe, Laplace, Normal

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bayesreg.assembly import PriorLike
    from bayesreg.design import Design
    from bayesreg.likelihoods import Likelihood
    from bayesreg.scale_priors import ScalePrior


class _OneScale(BayesianRegressor):
    """Normal noise, and a prior with one scale."""

    def __init__(
        self,
        scale: float | ArrayLike | ScalePrior | None = None,
        *,
        sigma: float | ScalePrior | None = None,
        fit_intercept: bool = True,
        standardize: bool = True,
        point: str = "mean",
        prob: float = 0.95,
        draws: int = 1000,
        chains: int = 4,
        tune: int = 500,
        random_state: Any = None,
    ) -> None:
        self.scale = scale
        self.sigma = sigma
        self.fit_intercept = fit_intercept
        self.standardize = standardize
        self.point = point
        self.prob = prob
        self.draws = draws
        self.chains = chains
        self.tune = tune
        self.random_state = random_state

    def _noise(self, design: Design) -> Likelihood:
        return (
            _scales.gaussian(design)
            if self.sigma is None
            else Gaussian(_scales.as_given(self.sigma, "sigma", each=False))
        )


class BayesianRidge(_OneScale):
    """Linear regression under a normal prior, exactly.

    The posterior is known in closed form, or by quadrature over an unknown sigma and scale: mean
    and standard deviations carry no Monte Carlo error, and draws are independent.

    Parameters
    ----------
    scale : float, array_like (p,), ScalePrior or None
        Standard deviation of the coefficients, or the prior
        of it. By default it is unknown, and its prior weak: see `bayesreg.estimators`.
    sigma : float, ScalePrior or None
        Noise sd, in units of the target, or the prior of one; by default it is unknown.
    fit_intercept, standardize, point, prob, draws, chains, tune, random_state
        As in `BayesianEstimator`, and so are the attributes.

    See Also
    --------
    bayesreg.Normal : The prior.

    Examples
    --------
    >>> from bayesreg.estimators import BayesianRidge
    >>> model = BayesianRidge(scale=1.0, sigma=1.0, standardize=False, fit_intercept=False)
    >>> model = model.fit([[1.0], [1.0]], [1.0, 3.0])
    >>> model.coef_.round(4)  # the sum of y over 2 + sigma²/scale²
    array([1.3333])
    >>> mean, std = model.predict([[1.0]], return_std=True)
    >>> std.round(4)  # sqrt(1 + 1/3)
    array([1.1547])
    """

    def _model(self, design: Design, columns: int) -> tuple[Likelihood, PriorLike]:
        if self.scale is None:
            return self._noise(design), Normal(_scales.of_normal(columns), relative_to="sigma")
        return self._noise(design), Normal(_scales.as_given(self.scale, "scale"))


class BayesianLasso(_OneScale):
    """Linear regression under a Laplace prior, whose mode is the lasso.

    Parameters
    ----------
    scale : float, array_like (p,), ScalePrior or None
        Scale b of the density ``exp(−|β|/b)/(2b)``, or the prior
        of it. By default it is unknown, and its prior weak: see `bayesreg.estimators`.
    sigma : float, ScalePrior or None
        Noise sd, in units of the target, or the prior of one; by default it is unknown.
    fit_intercept, standardize, point, prob, draws, chains, tune, random_state
        As in `BayesianEstimator`, and so are the attributes.

    See Also
    --------
    bayesreg.Laplace : The prior.

    Notes
    -----
    By default the scale is relative to sigma, as in Park & Casella (2008), and unknown.

    Examples
    --------
    >>> from bayesreg.estimators import BayesianLasso
    >>> model = BayesianLasso(scale=1.0, sigma=1.0, standardize=False, fit_intercept=False)
    >>> model = model.fit([[1.0, 0.0], [0.0, 1.0]], [3.0, 0.5])
    >>> model.mode_.coef, model.certificate_.optimal  # the mode has exact zeros, the mean has none
    (array([2., 0.]), True)
    >>> model.coef_.round(4)
    array([2.0258, 0.241 ])
    """

    def _model(self, design: Design, columns: int) -> tuple[Likelihood, PriorLike]:
        if self.scale is None:
            return self._noise(design), Laplace(_scales.of_laplace(columns), relative_to="sigma")
        return self._noise(design), Laplace(_scales.as_given(self.scale, "scale"))


class BayesianHorseshoe(_OneScale):
    """Linear regression under a horseshoe prior: most coefficients near 0, others left alone.

    It has no mode, so `mode_` and `certificate_` are None.

    Parameters
    ----------
    scale : float, array_like (p,), ScalePrior or None
        Global scale of the coefficients, or the prior
        of it. By default it is unknown, and its prior weak: see `bayesreg.estimators`.
    sigma : float, ScalePrior or None
        Noise sd, in units of the target, or the prior of one; by default it is unknown.
    fit_intercept, standardize, point, prob, draws, chains, tune, random_state
        As in `BayesianEstimator`, and so are the attributes.

    See Also
    --------
    bayesreg.Horseshoe : The prior.

    Examples
    --------
    >>> import numpy as np
    >>> from bayesreg.estimators import BayesianHorseshoe
    >>> X = np.random.default_rng(0).normal(size=(100, 5))
    >>> model = BayesianHorseshoe(random_state=0).fit(X, 2 * X[:, 0] + np.sin(9 * X[:, 1]))
    >>> bool(np.abs(model.coef_ - [2, 0, 0, 0, 0]).max() < 0.1)
    True
    """

    def _model(self, design: Design, columns: int) -> tuple[Likelihood, PriorLike]:
        if self.scale is None:
            return self._noise(design), Horseshoe(
                _scales.of_horseshoe(design.n), relative_to="sigma"
            )
        return self._noise(design), Horseshoe(_scales.as_given(self.scale, "scale"))


class BayesianElasticNet(BayesianRegressor):
    """Linear regression under a density ``∝ exp(−|β|/l1_scale − β²/(2 l2_scale²))``.

    Parameters
    ----------
    l1_scale, l2_scale : float, array_like (p,) or None
        Scales of the two factors; ``np.inf`` leaves one of them out. They are numbers, and none is
        learnt, so that `scale_` is None. By default ``l2_scale = sd(y)/√(2p)`` and ``l1_scale =
        √2 · l2_scale``, p columns varying: either factor, alone, has at most the variance of the
        target to give to all coefficients together.
    sigma : float, ScalePrior or None
        Noise sd, in units of the target, or the prior of one; by default it is unknown.
    fit_intercept, standardize, point, prob, draws, chains, tune, random_state
        As in `BayesianEstimator`, and so are the attributes.

    See Also
    --------
    bayesreg.ElasticNet : The prior.

    Examples
    --------
    >>> from bayesreg.estimators import BayesianElasticNet
    >>> model = BayesianElasticNet(1.0, 1.0, sigma=1.0, standardize=False, fit_intercept=False)
    >>> model.fit([[1.0, 0.0], [0.0, 1.0]], [3.0, 0.5]).mode_.coef  # (3 − 1)/(1 + 1), and 0
    array([1., 0.])
    """

    def __init__(
        self,
        l1_scale: float | ArrayLike | None = None,
        l2_scale: float | ArrayLike | None = None,
        *,
        sigma: float | ScalePrior | None = None,
        fit_intercept: bool = True,
        standardize: bool = True,
        point: str = "mean",
        prob: float = 0.95,
        draws: int = 1000,
        chains: int = 4,
        tune: int = 500,
        random_state: Any = None,
    ) -> None:
        self.l1_scale = l1_scale
        self.l2_scale = l2_scale
        self.sigma = sigma
        self.fit_intercept = fit_intercept
        self.standardize = standardize
        self.point = point
        self.prob = prob
        self.draws = draws
        self.chains = chains
        self.tune = tune
        self.random_state = random_state

    def _model(self, design: Design, columns: int) -> tuple[Likelihood, PriorLike]:
        noise = (
            _scales.gaussian(design)
            if self.sigma is None
            else Gaussian(_scales.as_given(self.sigma, "sigma", each=False))
        )
        _, sd = _scales.half_of_variance(design, columns)
        given = (
            default if value is None else _scales.as_given(value, name, unknown=False)
            for name, value, default in (
                ("l1_scale", self.l1_scale, 2**0.5 * sd),
                ("l2_scale", self.l2_scale, sd),
            )
        )
        return noise, ElasticNet(*given)
