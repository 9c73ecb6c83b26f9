"""The exact mode under any prior and likelihood."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bayesreg.estimators import _scales
from bayesreg.estimators._base import BayesianRegressor
from bayesreg.estimators._posterior import conditional
from bayesreg.likelihoods import Gaussian, Likelihood, Noise
from bayesreg.map import find_map
from bayesreg.priors import Normal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bayesreg._validation import Vector
    from bayesreg.assembly import PriorLike
    from bayesreg.certificate import Certificate
    from bayesreg.design import Design
    from bayesreg.map import MapEstimate

_LOGIT_SD = 2.5


class MAPRegressor(BayesianRegressor):
    """The mode of any `Problem`, with its certificate; nothing is drawn unless it is asked for.

    Parameters
    ----------
    prior : Prior, list of (Prior, columns) or None
        Prior of the coefficients, as of `bayesreg.Problem`.
    likelihood : Likelihood or None
        `Gaussian`, `StudentTNoise`, `Bernoulli` (of 0 and 1) or `Poisson` (counts with exposures
        need `bayesreg.Problem`, which takes an ``offset``). By default normal noise, see below.
    given : mapping, optional
        Values of an unknown ``"sigma"`` or ``"scale"`` to condition on, as for `bayesreg.find_map`.
    fit_intercept, standardize, prob, draws, chains, tune, random_state
        As in `BayesianEstimator`. Draws are made for `draws_`, and where the posterior has no
        closed form for `interval_`, `predict_interval` and ``predict(X, return_std=True)``.

    Attributes
    ----------
    coef_, intercept_, sigma_, scale_
        Those of `mode_`.
    mode_ : MapEstimate
        The mode; ``print(mode_)`` says of which density.
    certificate_ : Certificate
        Its proof.

    Notes
    -----
    Nothing is learnt from draws, so sigma and the scale of a normal prior are numbers where none
    are given. Sigma is the residual sd of least squares; with no more rows than columns + 1, over
    2000 columns, or a perfect fit, it has half the variance of the target. The coefficients have
    the rest of that variance, in equal parts, and no less than noise alone would give them; in a
    model without noise their sd is ``2.5/√p``. What is not known of sigma is therefore in no
    interval; with few rows per column `BayesianRidge` has it in.

    Examples
    --------
    >>> from bayesreg import Gaussian, Laplace
    >>> from bayesreg.estimators import MAPRegressor
    >>> model = MAPRegressor(Laplace(1.0), Gaussian(1.0), standardize=False, fit_intercept=False)
    >>> model = model.fit([[1.0, 0.0], [0.0, 1.0]], [3.0, 0.5])
    >>> model.coef_, model.certificate_.optimal
    (array([2., 0.]), True)
    """

    point = "mode"

    def __init__(
        self,
        prior: PriorLike | None = None,
        likelihood: Likelihood | None = None,
        *,
        given: Mapping[str, float] | None = None,
        fit_intercept: bool = True,
        standardize: bool = True,
        prob: float = 0.95,
        draws: int = 1000,
        chains: int = 4,
        tune: int = 500,
        random_state: Any = None,
    ) -> None:
        self.prior = prior
        self.likelihood = likelihood
        self.given = given
        self.fit_intercept = fit_intercept
        self.standardize = standardize
        self.prob = prob
        self.draws = draws
        self.chains = chains
        self.tune = tune
        self.random_state = random_state

    def _model(self, design: Design, columns: int) -> tuple[Likelihood, PriorLike]:
        likelihood, prior = self.likelihood, self.prior
        if likelihood is None or (prior is None and isinstance(likelihood, Noise)):
            sigma, sd = _scales.of_least_squares(design, standardize=bool(self.standardize))
            likelihood = Gaussian(sigma) if likelihood is None else likelihood
            prior = Normal(sd) if prior is None else prior
        return likelihood, Normal(_LOGIT_SD / columns**0.5) if prior is None else prior

    def _point(self) -> tuple[Vector, float]:
        self._mode = find_map(self.problem_, given=self.given)
        return self._mode.coef, self._mode.intercept

    @property
    def mode_(self) -> MapEstimate:
        """The mode."""
        self._fitted()
        return self._mode

    @property
    def certificate_(self) -> Certificate:
        """Proof of the mode."""
        return self.mode_.certificate

    @property
    def sigma_(self) -> float | None:
        """Noise sd: as given, or that of the mode; None where the likelihood has none."""
        found, likelihood = self.mode_.sigma, self.problem_.likelihood
        if found is None and isinstance(likelihood, Noise):
            return float(likelihood.variance**0.5)
        return found

    @property
    def scale_(self) -> float | None:
        """Value of an unknown prior scale that the mode is given; None where it is known."""
        return self.mode_.scale

    def _predicted(self, X: Any) -> Vector:
        """Return the mean of the target at the mode."""
        eta = np.asarray(X @ self.coef_ + self.intercept_)
        return np.asarray(conditional(self.problem_.likelihood, eta[None, :], 1.0)[0][0])
