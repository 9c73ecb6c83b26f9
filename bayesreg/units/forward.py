"""From a problem to the call of a package: a name for each."""

from __future__ import annotations

from numbers import Integral

from bayesreg._visible import shown
from bayesreg.errors import InputError
from bayesreg.units.rows import Row, to


def to_sklearn(problem: object) -> Row:
    """Return the scikit-learn estimator, and its numbers, with the same mode as a problem.

    Parameters
    ----------
    problem : Problem or pymc.Model
        The problem.

    Returns
    -------
    Row
        Estimator and numbers, or a note that says why there are none.

    Examples
    --------
    >>> from bayesreg import Bernoulli, Normal, Problem
    >>> problem = Problem([[0.0], [1.0]], [0, 1], likelihood=Bernoulli(), prior=Normal(2.0))
    >>> to_sklearn(problem).parameters
    'LogisticRegression(C=4, l1_ratio=0)'
    """
    return to(problem, "scikit-learn")


def to_sgd(problem: object) -> Row:
    """Return the numbers of scikit-learn's SGDRegressor or SGDClassifier.

    Examples
    --------
    >>> from bayesreg import Bernoulli, Normal, Problem
    >>> problem = Problem([[0.0], [1.0]], [0, 1], likelihood=Bernoulli(), prior=Normal(2.0))
    >>> to_sgd(problem).numbers
    {'alpha': 0.125, 'l1_ratio': 0.0}
    """
    regression = to(problem, "scikit-learn SGDRegressor")
    binary = to(problem, "scikit-learn SGDClassifier")
    return binary if regression.estimator is None and binary.estimator is not None else regression


def to_bayesian_ridge(problem: object) -> Row:
    """Return the ``alpha_`` and ``lambda_`` at which BayesianRidge has the same mode.

    Examples
    --------
    >>> from bayesreg import Gaussian, Normal, Problem
    >>> problem = Problem([[1.0], [2.0]], [1.0, 2.0], likelihood=Gaussian(2.0), prior=Normal(0.5))
    >>> to_bayesian_ridge(problem).numbers
    {'alpha_': 0.25, 'lambda_': 4.0}
    """
    return to(problem, "scikit-learn BayesianRidge")


def to_glmnet(problem: object) -> Row:
    """Return the lambda and alpha of R's glmnet; see `from_glmnet` for what they mean there.

    Examples
    --------
    The ridge of glmnet is divided by the sd of y as well; see `from_glmnet`.

    >>> from bayesreg import Gaussian, Normal, Problem
    >>> problem = Problem([[1.0], [2.0]], [1.0, 5.0], likelihood=Gaussian(2.0), prior=Normal(0.5),
    ...                   standardize=True)
    >>> print(to_glmnet(problem).parameters)  # sd(y)·σ²/(n τ²), sd(y) = 2
    glmnet(X, y, lambda = 16, alpha = 0, standardize = TRUE)
    """
    return to(problem, "glmnet")


def to_skglm(problem: object) -> Row:
    """Return the estimator of skglm, and its numbers.

    Examples
    --------
    >>> from bayesreg import Gaussian, Laplace, Problem
    >>> problem = Problem([[1.0], [2.0]], [1.0, 2.0], likelihood=Gaussian(2.0), prior=Laplace(0.5))
    >>> to_skglm(problem).parameters
    'Lasso(alpha=4)'
    """
    return to(problem, "skglm")


def to_celer(problem: object) -> Row:
    """Return the estimator of celer, and its numbers.

    Examples
    --------
    >>> from bayesreg import Bernoulli, Laplace, Problem
    >>> problem = Problem([[0.0], [1.0]], [0, 1], likelihood=Bernoulli(), prior=Laplace(2.0),
    ...                   intercept=False)
    >>> to_celer(problem).parameters
    'LogisticRegression(C=2)'
    """
    return to(problem, "celer")


def to_statsmodels(problem: object) -> Row:
    """Return the ``fit_regularized`` of statsmodels, with a constant that is not penalised.

    Examples
    --------
    >>> from bayesreg import Gaussian, Laplace, Problem
    >>> problem = Problem([[1.0], [2.0]], [1.0, 2.0], likelihood=Gaussian(2.0), prior=Laplace(0.5))
    >>> to_statsmodels(problem).parameters
    'OLS(y, [1, X]).fit_regularized(alpha=[0] + p*[4], L1_wt=1)'
    """
    return to(problem, "statsmodels")


def to_lars(problem: object) -> Row:
    """Return the lambda of R's lars.

    Examples
    --------
    >>> from bayesreg import Gaussian, Laplace, Problem
    >>> problem = Problem([[1.0], [2.0]], [1.0, 2.0], likelihood=Gaussian(2.0), prior=Laplace(0.5))
    >>> to_lars(problem).numbers
    {'lambda': 8.0}
    """
    return to(problem, "lars")


def to_pymc(problem: object) -> Row:
    """Return PyMC's prior. `bayesreg.to_pymc` writes the whole model.

    Examples
    --------
    >>> from bayesreg import Gaussian, Laplace, Problem
    >>> problem = Problem([[1.0], [2.0]], [1.0, 2.0], likelihood=Gaussian(2.0), prior=Laplace(0.5))
    >>> to_pymc(problem).parameters
    'pm.Laplace("beta", mu=0, b=0.5, shape=p)'
    """
    return to(problem, "PyMC")


def to_numpyro(problem: object) -> Row:
    """Return NumPyro's prior.

    Examples
    --------
    >>> from bayesreg import Gaussian, Normal, Problem
    >>> problem = Problem([[1.0], [2.0]], [1.0, 2.0], likelihood=Gaussian(2.0), prior=Normal(0.5))
    >>> to_numpyro(problem).parameters
    'dist.Normal(0, 0.5).expand([p]).to_event(1)'
    """
    return to(problem, "NumPyro")


def to_stan(problem: object) -> Row:
    """Return Stan's prior, a scale as everywhere in Stan.

    Examples
    --------
    >>> from bayesreg import Gaussian, Normal, Problem
    >>> problem = Problem([[1.0], [2.0]], [1.0, 2.0], likelihood=Gaussian(2.0), prior=Normal(0.5))
    >>> to_stan(problem).parameters
    'beta ~ normal(0, 0.5)'
    """
    return to(problem, "Stan")


def to_rstanarm(problem: object) -> Row:
    """Return rstanarm's prior, autoscaled where the problem standardises its columns.

    Examples
    --------
    >>> from bayesreg import Gaussian, Normal, Problem
    >>> problem = Problem([[1.0], [2.0]], [1.0, 5.0], likelihood=Gaussian(2.0), prior=Normal(5.0),
    ...                   standardize=True)
    >>> to_rstanarm(problem).parameters
    'stan_glm(y ~ X, prior = normal(0, 2.5, autoscale = TRUE), prior_intercept = NULL)'
    """
    return to(problem, "rstanarm")


def to_r_bayesreg(problem: object) -> Row:
    """Return the global variance ``tau2`` of R's bayesreg at which its prior is this one.

    Examples
    --------
    >>> from bayesreg import Gaussian, Normal, Problem
    >>> problem = Problem([[1.0], [2.0]], [1.0, 5.0], likelihood=Gaussian(2.0), prior=Normal(5.0),
    ...                   standardize=True)
    >>> print(to_r_bayesreg(problem).parameters)  # tau2 = n τ²/σ²
    bayesreg(y ~ ., data.frame(y, X), prior = "ridge") at tau2 = 12.5
    """
    return to(problem, "R bayesreg")


def to_blasso(problem: object) -> Row:
    """Return the ``lambda2`` of R's monomvn::blasso, the square of Park and Casella's λ.

    Examples
    --------
    >>> from bayesreg import Gaussian, Laplace, Problem
    >>> problem = Problem([[1.0], [2.0]], [1.0, 2.0], likelihood=Gaussian(2.0), prior=Laplace(0.5))
    >>> to_blasso(problem).numbers  # (σ/b)²
    {'lambda2': 16.0}
    """
    return to(problem, "monomvn")


def to_document(problem: object, document: int) -> Row:
    """Return the λ of one of the five documents.

    Parameters
    ----------
    problem : Problem or pymc.Model
        The problem.
    document : int
        From 1 to 5, as in `bayesreg.studies`.

    Returns
    -------
    Row
        Its λ, or a note that says why there is none.

    Raises
    ------
    InputError
        If there is no such document.

    Examples
    --------
    >>> from bayesreg import Gaussian, Laplace, Problem
    >>> problem = Problem([[1.0], [2.0]], [1.0, 2.0], likelihood=Gaussian(2.0), prior=Laplace(0.5))
    >>> print(to_document(problem, 3))
    document 3: λ = 4  (notebook 3, “Soft thresholding, step by step”)
    """
    if not (isinstance(document, Integral) and document in {1, 2, 3, 4, 5}):
        msg = f"document: must be 1, 2, 3, 4 or 5, found {shown(document)}"
        raise InputError(msg)
    return to(problem, f"document {document}")
