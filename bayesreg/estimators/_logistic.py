"""Two classes: logistic regression, averaged over its posterior."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from bayesreg._labels import as_labels
from bayesreg.errors import InputError, unknown_name
from bayesreg.estimators import _scales
from bayesreg.estimators._base import BayesianEstimator
from bayesreg.likelihoods import Bernoulli
from bayesreg.priors import Laplace, Normal, Prior

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from bayesreg._validation import Matrix, Vector
    from bayesreg.assembly import PriorLike
    from bayesreg.design import Design
    from bayesreg.likelihoods import Likelihood
    from bayesreg.scale_priors import ScalePrior

_NAMED = ("normal", "laplace")


class BayesianLogistic(ClassifierMixin, BayesianEstimator):  # type: ignore[misc]  # no types
    """Logistic regression of two classes.

    A probability is the mean over the posterior, not that of one set of coefficients: it is nearer
    to 1/2 where the data say little.

    Parameters
    ----------
    scale : float, array_like (p,), ScalePrior or None
        Scale of the prior in log-odds; by default unknown, with a half-normal prior, see
        `bayesreg.estimators`. Must be None where `prior` is a density.
    prior : {"normal", "laplace"} or Prior
        Density of the coefficients.
    fit_intercept, standardize, point, prob, draws, chains, tune, random_state
        As in `BayesianEstimator`, and so are the attributes.

    Attributes
    ----------
    classes_ : ndarray, shape (2,)
        The labels, sorted; the coefficients are of the log-odds of the second one.

    Examples
    --------
    >>> import numpy as np
    >>> from bayesreg.estimators import BayesianLogistic
    >>> X = np.random.default_rng(0).normal(size=(40, 2))
    >>> model = BayesianLogistic(random_state=0).fit(X, np.where(X[:, 0] > 0, "yes", "no"))
    >>> model.predict([[2.0, 0.0], [-2.0, 0.0]])
    array(['yes', 'no'], dtype='<U3')
    >>> bool(model.predict_proba([[2.0, 0.0]])[0, 1] > 0.9)
    True
    """

    coef_: Matrix
    intercept_: Vector
    classes_: NDArray[Any]

    def __init__(
        self,
        scale: float | ArrayLike | ScalePrior | None = None,
        *,
        prior: str | Prior = "normal",
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
        self.prior = prior
        self.fit_intercept = fit_intercept
        self.standardize = standardize
        self.point = point
        self.prob = prob
        self.draws = draws
        self.chains = chains
        self.tune = tune
        self.random_state = random_state

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags: two classes only."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags

    def _model(self, design: Design, columns: int) -> tuple[Likelihood, PriorLike]:
        if np.ptp(design.y) == 0:
            only = self.classes_.tolist()[int(design.y[0])]
            msg = f"sample_weight: leaves rows of one class only ({only!r}); two classes are needed"
            raise InputError(msg)
        if isinstance(self.prior, Prior):
            if self.scale is not None:
                msg = "scale: the prior has a scale of its own; use scale=None, or prior='normal'"
                raise InputError(msg)
            return Bernoulli(), self.prior
        if not (isinstance(self.prior, str) and self.prior in _NAMED):
            raise unknown_name("prior", self.prior, _NAMED)
        laplace = self.prior == "laplace"
        scale: Any = _scales.of_logit(columns, laplace=laplace)
        if self.scale is not None:
            scale = _scales.as_given(self.scale, "scale")
        return Bernoulli(), Laplace(scale) if laplace else Normal(scale)

    def fit(self, X: object, y: object, sample_weight: object = None) -> Self:
        """Fit.

        Parameters
        ----------
        X : array_like, frame or sparse matrix, shape (n, p)
            Predictors.
        y : array_like, shape (n,)
            Two labels: numbers, text or truth values.
        sample_weight : array_like, shape (n,), optional
            How often each row counts; 0 leaves it out. Fractions are drawn from by NUTS, which
            takes its time.

        Returns
        -------
        self
            Fitted.

        Raises
        ------
        ValueError
            If something does not fit, or there are not two classes.
        """
        matrix, labels = self._validated(X, as_labels(y))
        check_classification_targets(labels)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        _check_two_classes(labels, self.classes_)
        self._fit(matrix, codes.astype(np.float64), sample_weight)
        coef, intercept = self._point()
        self.coef_, self.intercept_ = coef[None, :], np.array([intercept])
        return self

    def predict_proba(self, X: object) -> Matrix:
        """Predict the probabilities of the classes, averaged over the posterior.

        Parameters
        ----------
        X : array_like, frame or sparse matrix, shape (n, p)
            Predictors.

        Returns
        -------
        ndarray, shape (n, 2)
            In the order of `classes_`.
        """
        matrix = self._check(X)
        second = self._posterior.probabilities(matrix)
        return np.column_stack([1.0 - second, second])

    def predict(self, X: object) -> NDArray[Any]:
        """Predict the more probable class.

        Parameters
        ----------
        X : array_like, frame or sparse matrix, shape (n, p)
            Predictors.

        Returns
        -------
        ndarray, shape (n,)
            Labels.
        """
        second = self.predict_proba(X)[:, 1] > 0.5
        return np.asarray(self.classes_[second.astype(np.intp)])

    def sample_posterior_predictive(
        self, X: object, n_draws: int | None = None, random_state: Any = None
    ) -> NDArray[Any]:
        """Draw new labels.

        Parameters
        ----------
        X : array_like, frame or sparse matrix, shape (n, p)
            Predictors.
        n_draws : int, optional
            How many for each row; all draws of the posterior by default.
        random_state : int, RandomState, Generator or None
            Of the labels.

        Returns
        -------
        ndarray, shape (n_draws, n)
            Each row is one draw of the posterior, with a label at every row of X.
        """
        codes = self._drawn_targets(X, n_draws, random_state)
        return np.asarray(self.classes_[codes.astype(np.intp)])


def _check_two_classes(labels: NDArray[Any], classes: NDArray[Any]) -> None:
    """Refuse one class, and more than two in scikit-learn's own words."""
    if classes.size > 2:
        msg = (
            "Only binary classification is supported. The type of the target is "
            f"{type_of_target(labels)}: y holds {classes.size} classes; use "
            "sklearn.multiclass.OneVsRestClassifier"
        )
        raise InputError(msg)
    if classes.size < 2:
        only = classes.tolist()[0]
        msg = f"y: holds one class only ({only!r}); rows of two classes are needed"
        raise InputError(msg)
