"""What all estimators share: fitting, summaries of the posterior, predictions of numbers."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from bayesreg._frames import refuse_dates, table_names
from bayesreg._validation import (
    as_count,
    as_design_matrix,
    as_flag,
    as_float_array,
    as_fraction,
    as_names,
    refuse_masked,
)
from bayesreg.assembly import as_likelihood, as_prior
from bayesreg.design import Design
from bayesreg.errors import DegenerateMode, InputError, SamplingWarning, unknown_name
from bayesreg.estimators._posterior import Posterior, as_seed
from bayesreg.estimators._rows import Rows, weighted_sd
from bayesreg.likelihoods import Noise
from bayesreg.problem import Problem
from bayesreg.units.estimators import as_standard_scaler

if TYPE_CHECKING:
    from xarray import DataTree

    from bayesreg._validation import Matrix, Vector
    from bayesreg.assembly import PriorLike
    from bayesreg.certificate import Certificate
    from bayesreg.likelihoods import Likelihood
    from bayesreg.map import MapEstimate
    from bayesreg.posterior import Diagnosis

_POINTS = ("mean", "median", "mode")
# Chains that disagree by this much have not found the posterior; `diagnosis_` is stricter.
_RHAT_LIMIT = 1.1


class BayesianEstimator(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A posterior behind scikit-learn's interface.

    A subclass names its parameters, and says which likelihood and prior they mean.

    Parameters
    ----------
    fit_intercept : bool
        Whether there is an intercept; its prior is flat.
    standardize : bool
        Whether the prior acts on ``coef * sd(column)``, so that it means the same in all units;
        coefficients are reported in those of X. A constant column is left as it is.
    point : {"mean", "median", "mode"}
        Which centre of the posterior ``coef_`` and ``intercept_`` are. Predictions are those of the
        whole posterior, whatever it is.
    prob : float
        Probability of `interval_`.
    draws, chains, tune : int
        How much to draw where draws are needed: per chain, after `tune` steps.
    random_state : int, RandomState, Generator or None
        Of the draws. The same rows, in any order, give the same draws.

    Attributes
    ----------
    coef_ : ndarray, shape (p,)
        Centre of the posterior; shape (1, p) of a classifier. Where the mean is asked for and a
        coefficient has none (a constant column under a horseshoe), its median.
    intercept_ : float
        Centre of the intercept, 0.0 without one; shape (1,) of a classifier.
    sigma_, scale_, interval_, draws_, diagnosis_, mode_, certificate_
        See the properties. They are computed when first asked for; of a posterior without a mode,
        such as a horseshoe's, the last two are None.
    problem_ : Problem
        Data, likelihood and prior; ``print(problem_)`` states the penalised form.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of str, shape (p,)
        Their names, where X had names.
    """

    fit_intercept: bool
    standardize: bool
    point: str
    prob: float
    draws: int
    chains: int
    tune: int
    random_state: Any

    @abstractmethod
    def _model(self, design: Design, columns: int) -> tuple[Likelihood, PriorLike]:
        """Return likelihood and prior; `columns` counts those that vary, and is at least 1."""

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags: a sparse X is welcome."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    # ------------------------------------------------------------------ fitting

    def _validated(self, X: object, y: object, **checks: Any) -> tuple[Any, Any]:
        """Validate predictors and target, as scikit-learn wants it; two columns have two names."""
        refuse_masked(X, "X")
        refuse_masked(y, "y")
        refuse_dates(X, "X")
        names = table_names(X)
        if names is not None:
            as_names(names, len(names))
        found = validate_data(self, X, y, accept_sparse="csc", dtype=np.float64, **checks)
        return found[0], found[1]

    def _fit(self, X: Any, y: Vector, sample_weight: object) -> None:
        """Make the problem of validated data, and its posterior; nothing is drawn yet."""
        rows = Rows.of(X, y, sample_weight)
        design = Design.of(
            rows.X,
            rows.y,
            intercept=as_flag(self.fit_intercept, "fit_intercept"),
            names=getattr(self, "feature_names_in_", None),
            weights=rows.weights,
        )
        sd = weighted_sd(design)
        likelihood, prior = self._model(design, max(int(np.count_nonzero(sd)), 1))
        if rows.weights is not None and isinstance(likelihood, Noise):
            _check_fractions(likelihood)
        problem = Problem.of(design, as_likelihood(likelihood), as_prior(prior, design))
        if as_flag(self.standardize, "standardize"):
            problem = as_standard_scaler(problem, sd)
        as_fraction(self.prob, "prob")
        self.problem_ = problem
        self._posterior = Posterior(
            problem,
            draws=as_count(self.draws, "draws"),
            chains=as_count(self.chains, "chains"),
            tune=as_count(self.tune, "tune"),
            seed=as_seed(self.random_state),
        )

    def _point(self) -> tuple[Vector, float]:
        """Return coefficients and intercept as `point` says."""
        if self.point not in _POINTS:
            raise unknown_name("point", self.point, _POINTS)
        posterior = self._posterior
        found = posterior.centre(self.point)
        if posterior.was_drawn and posterior.disagreement > _RHAT_LIMIT:
            message = (
                f"chains disagree (R-hat {posterior.disagreement:.3g}), so these draws are not yet "
                "those of the posterior; raise tune and draws, and look at diagnosis_"
            )
            warnings.warn(message, SamplingWarning, stacklevel=3)
        return found

    def _check(self, X: object) -> Any:
        """Validate predictors to predict at; rows can be taken of what is returned."""
        check_is_fitted(self)
        refuse_masked(X, "X")
        refuse_dates(X, "X")
        matrix = validate_data(self, X, reset=False, accept_sparse="csr", dtype=np.float64)
        as_design_matrix(matrix)  # squares that overflow are refused here too
        return matrix

    # ------------------------------------------------------------------ what was found

    def _fitted(self) -> Posterior:
        check_is_fitted(self)
        return self._posterior

    @property
    def sigma_(self) -> float | None:
        """Noise sd: as given, or the posterior median; None where the likelihood has none."""
        posterior, likelihood = self._fitted(), self.problem_.likelihood
        if "sigma" in self.problem_.unknown:
            return posterior.median("sigma")
        return likelihood.variance**0.5 if isinstance(likelihood, Noise) else None

    @property
    def scale_(self) -> Any:
        """Prior scale: as given, or the posterior median; None where there is no one scale.

        The default scales of regressions are relative to sigma, and so is this one then.
        """
        posterior = self._fitted()
        if "scale" in self.problem_.unknown:
            return posterior.median("scale")
        return self.get_params(deep=False).get("scale")

    @property
    def interval_(self) -> Matrix:
        """Equal-tailed intervals of the coefficients, of probability `prob`; shape (p, 2)."""
        return self._fitted().intervals(self.prob)

    @property
    def draws_(self) -> DataTree:
        """Draws from the posterior, as `bayesreg.sample` returns them; made when first needed."""
        return self._fitted().tree

    @property
    def diagnosis_(self) -> Diagnosis:
        """Whether the draws can be trusted."""
        return self._fitted().diagnosis

    @property
    def mode_(self) -> MapEstimate | None:
        """Mode of the coefficients, given `sigma_` and `scale_` where these are unknown.

        None where the density is unbounded, as under a horseshoe.
        """
        try:
            return self._fitted().mode
        except DegenerateMode:
            return None

    @property
    def certificate_(self) -> Certificate | None:
        """Proof of `mode_`."""
        mode = self.mode_
        return None if mode is None else mode.certificate

    def _drawn_targets(self, X: object, n_draws: object, random_state: object) -> Matrix:
        posterior, matrix = self._fitted(), self._check(X)
        most = posterior.draws * posterior.chains
        count = None if n_draws is None else as_count(n_draws, "n_draws", maximum=most)
        return posterior.targets(matrix, np.random.default_rng(as_seed(random_state)), count)


def _check_fractions(likelihood: Noise) -> None:
    if not likelihood.conditional:
        msg = (
            "sample_weight: a row of weight w counts as w rows, so while sigma is unknown weights "
            "must be whole numbers, and not sum to millions; give sigma a number, or use "
            "bayesreg.Problem(weights=...), where weights are precisions"
        )
        raise InputError(msg)


class BayesianRegressor(RegressorMixin, BayesianEstimator):  # type: ignore[misc]  # no types
    """A regression; predictions of new targets are those of the whole posterior."""

    coef_: Vector
    intercept_: float

    def fit(self, X: object, y: object, sample_weight: object = None) -> Self:
        """Fit.

        Parameters
        ----------
        X : array_like, frame or sparse matrix, shape (n, p)
            Predictors.
        y : array_like, shape (n,)
            Target.
        sample_weight : array_like, shape (n,), optional
            How often each row counts; 0 leaves it out. Fractions need a likelihood without an
            unknown sigma.

        Returns
        -------
        self
            Fitted.

        Raises
        ------
        ValueError
            If something does not fit, an `InputError` where bayesreg says so.
        """
        refuse_dates(y, "y")
        matrix, target = self._validated(X, y, y_numeric=True, ensure_min_samples=2)
        self._fit(matrix, as_float_array(target, "y"), sample_weight)
        self.coef_, self.intercept_ = self._point()
        return self

    def predict(self, X: object, return_std: bool = False) -> Vector | tuple[Vector, Vector]:
        """Predict new targets by their posterior mean, whatever `point` says of ``coef_``.

        Parameters
        ----------
        X : array_like, frame or sparse matrix, shape (n, p)
            Predictors.
        return_std : bool
            Whether to return the standard deviation of a new target as well.

        Returns
        -------
        mean : ndarray, shape (n,)
            Posterior predictive mean.
        std : ndarray, shape (n,)
            Posterior predictive standard deviation, noise included: in closed form where the
            posterior has one. It is inf where there is none: with an unknown sigma and hardly more
            rows than flat coefficients and the intercept, or where a rate of counts may grow
            faster than the posterior falls, whatever draws would say; `predict_interval` has an
            answer there too. A `SamplingWarning` names rows of counts with an sd of which draws
            have seen too little. Only if `return_std`.
        """
        matrix = self._check(X)
        mean = self._predicted(matrix)
        return (mean, self._posterior.sd(matrix)) if return_std else mean

    def _predicted(self, X: Any) -> Vector:
        return self._posterior.predicted(X)

    def predict_interval(self, X: object, prob: float = 0.95) -> Matrix:
        """Predict an interval that holds a new target with a given probability.

        Parameters
        ----------
        X : array_like, frame or sparse matrix, shape (n, p)
            Predictors.
        prob : float
            The probability.

        Returns
        -------
        ndarray, shape (n, 2)
            Lower and upper ends, equal-tailed: in closed form where the posterior has one, else
            quantiles of draws.
        """
        matrix = self._check(X)
        return self._posterior.target_intervals(matrix, as_fraction(prob, "prob"))

    def sample_posterior_predictive(
        self, X: object, n_draws: int | None = None, random_state: Any = None
    ) -> Matrix:
        """Draw new targets.

        Parameters
        ----------
        X : array_like, frame or sparse matrix, shape (n, p)
            Predictors.
        n_draws : int, optional
            How many for each row; all draws of the posterior by default.
        random_state : int, RandomState, Generator or None
            Of the noise.

        Returns
        -------
        ndarray, shape (n_draws, n)
            Each row is one draw of the posterior, with its own noise at every row of X.
        """
        return self._drawn_targets(X, n_draws, random_state)
