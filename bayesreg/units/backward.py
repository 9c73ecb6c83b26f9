"""From the numbers of a package to the problem that it solves."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesreg._validation import (
    as_count,
    as_double,
    as_flag,
    as_positive,
    as_real,
    as_vector,
    is_many,
)
from bayesreg._visible import shown
from bayesreg.design import Design
from bayesreg.errors import InputError, unknown_name
from bayesreg.likelihoods import Bernoulli, Gaussian, Likelihood, Poisson
from bayesreg.priors import ElasticNet, Flat, Laplace, Normal
from bayesreg.problem import Problem
from bayesreg.units._convention import Mixture
from bayesreg.units.registry import find
from bayesreg.units.rows import facts_of, spread_of_target

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bayesreg._validation import Vector
    from bayesreg.priors import Prior
    from bayesreg.units._convention import Convention, Strength

_GLMNET = {"gaussian": "gaussian", "binomial": "binomial", "poisson": "poisson"}


def from_numbers(
    name: str,
    X: object,
    y: object,
    numbers: Mapping[str, Any],
    *,
    family: str | None = None,
    sigma: float | None = None,
    intercept: bool = True,
    standardize: bool = False,
    positive: bool = False,
    names: Iterable[object] | None = None,
    weights: object = None,
    offset: object = None,
) -> Problem:
    """Return the problem that one row of the table stands for.

    Parameters
    ----------
    name : str
        One of `names`, such as ``"monomvn blasso"``.
    X : array_like, shape (n, p)
        Predictors, as they were before the package standardised them.
    y : array_like, shape (n,)
        Target; of a binary one 0 and 1.
    numbers : dict of float
        The arguments of the package by name, such as ``{"alpha": 0.1}``. The mean of a normal
        prior may be left out, where it is 0, or a vector (p,).
    family : str, optional
        Name of the likelihood, where the row does not fix it: "gaussian", "bernoulli", "poisson".
    sigma : float, optional
        Noise sd of a Gaussian likelihood, in units of y. A penalised sum of squares does not say
        it: it sets what a nat is, and not where the mode is. The standard deviation of y by
        default, what it would be if X explained nothing; give your own before you sample.
    intercept, standardize, positive : bool
        What the package was asked for: an unpenalised intercept, to standardise columns itself,
        coefficients of at least 0.
    names, weights, offset
        As for `Problem`.

    Returns
    -------
    Problem
        Its mode is the package's answer, on the scale of X.

    Raises
    ------
    InputError
        If a number is missing or out of range, or the package cannot do that.

    Examples
    --------
    >>> from bayesreg.units import from_numbers
    >>> problem = from_numbers("Stan normal", [[1.0], [2.0]], [1.0, 2.0], {"sigma": 5.0},
    ...                        family="gaussian", sigma=0.5)
    >>> print(problem.formula())
    ‖y − β₀ − Xβ‖²/(2·0.5²) + Σβⱼ²/(2·5²)
    """
    convention = find(name)
    values = _check_numbers(convention, numbers)
    if convention.precision:
        sigma = values[convention.precision] ** -0.5
    intercept, positive = as_flag(intercept, "intercept"), as_flag(positive, "positive")
    asked = as_flag(standardize, "standardize") or convention.standardizes == "always"
    _check_abilities(
        convention, intercept=intercept, standardize=asked, positive=positive, weights=weights
    )
    design = Design.of(
        X, y, intercept=intercept, names=names, weights=weights, offset=offset, standardize=asked
    )
    likelihood = _likelihood(convention, family, design, sigma)
    # Where the package's own lengths of the columns are not our sds, they go into the scales.
    own = asked and (design.weights is not None or (convention.centres and not intercept))
    facts = facts_of(design, likelihood, standardize=asked and not own)
    if min(convention.factors(facts)) == 0:
        msg = f"y: is constant, and {convention.name} divides by its sd"
        raise InputError(msg)
    strength = convention.read(values, facts)
    if not (math.isfinite(strength.l1) and math.isfinite(strength.l2)):
        msg = f"numbers: {dict(numbers)} leave no coefficient but 0; use a weaker penalty"
        raise InputError(msg)
    factor = 1.0 / _own_lengths(design, convention) if own else None
    prior = _prior(strength, factor, positive=positive)
    if convention.location in numbers and isinstance(prior, Normal):
        loc = _location(numbers[convention.location], convention.location, design.p)
        prior = replace(prior, loc=loc * design.column_scale if facts.standardize else loc)
    return Problem(
        design.X,
        design.y,
        likelihood=likelihood,
        prior=prior,
        intercept=intercept,
        names=design.names,
        weights=design.weights,
        offset=design.offset,
        standardize=asked and not own,
    )


def _check_numbers(convention: Convention, numbers: object) -> dict[str, float]:
    wanted = convention.names
    if not isinstance(numbers, Mapping) or set(numbers) - {convention.location} != set(wanted):
        found = ", ".join(map(_word, numbers)) if isinstance(numbers, Mapping) else shown(numbers)
        msg = (
            f"numbers: {convention.name} takes {', '.join(wanted) or 'none'}; "
            f"found {found or 'none'}"
        )
        raise InputError(msg)
    out = {}
    for key in wanted:
        value = numbers[key]
        share = isinstance(convention.encoding, Mixture) and key == convention.encoding.share
        number = as_double(value, key)
        # C = inf is how scikit-learn says that there is no penalty.
        out[key] = number if number == np.inf else as_real(number, key)
        if not 0 <= out[key] <= (1.0 if share else np.inf):
            where = "lie between 0 and 1" if share else "be at least 0"
            msg = f"{key}: must {where}, found {value}"
            raise InputError(msg)
    return out


def _word(name: object) -> str:
    return name if isinstance(name, str) else shown(name)


def _location(value: object, argument: str, p: int) -> Vector:
    """Return the mean of each coefficient, shape (p,)."""
    if is_many(value):
        return as_vector(value, argument, p)
    return np.full(p, as_real(value, argument))


def _check_abilities(
    convention: Convention, *, intercept: bool, standardize: bool, positive: bool, weights: object
) -> None:
    refusals = {
        "standardize": standardize and convention.standardizes == "never",
        "positive": positive and not convention.positive,
        "weights": weights is not None and not convention.weighted,
        "intercept": intercept and not convention.intercept,
    }
    for argument, refused in refusals.items():
        if refused:
            msg = f"{argument}: {convention.name} has no such thing; leave it out"
            raise InputError(msg)
    if convention.standardizes == "always" and not intercept:
        msg = f"intercept: {convention.name} always has one; leave it True"
        raise InputError(msg)


def _likelihood(
    convention: Convention, family: str | None, design: Design, sigma: float | None
) -> Likelihood:
    chosen = convention.families[0] if family is None else family
    if not isinstance(chosen, str) or chosen not in {*convention.families} - {"student_t"}:
        valid = [each for each in convention.families if each != "student_t"]
        raise unknown_name("family", chosen, valid)
    if chosen == "gaussian":
        guess = spread_of_target(design)[0] or 1.0
        return Gaussian(guess if sigma is None else as_positive(sigma, "sigma"))
    return Bernoulli() if chosen == "bernoulli" else Poisson()


def _own_lengths(design: Design, convention: Convention) -> Vector:
    """Weighted sds of the columns (glmnet), or their lengths about 0 (lars, blasso), shape (p,)."""
    dense = np.asarray(design.dense(convention.name).X)
    if convention.centres:
        return np.asarray(np.sqrt(np.vecdot(dense.T, dense.T)))
    share = design.row_weights / design.row_weights.sum()
    return np.asarray(np.sqrt(share @ (dense - share @ dense) ** 2))


def _prior(strength: Strength, factor: Vector | None, *, positive: bool) -> Prior:
    """Return the prior with these strengths, of coefficients times 1/factor where that is given."""
    one = np.inf if strength.l1 == 0 else 1 / strength.l1
    two = np.inf if strength.l2 == 0 else strength.l2**-0.5
    prior: Prior
    if strength.l1 == 0 and strength.l2 == 0:
        return Laplace(np.inf, nonnegative=True) if positive else Flat()
    if strength.l2 == 0:
        prior = Laplace(one, nonnegative=positive)
    elif strength.l1 == 0:
        prior = Normal(two, nonnegative=positive)
    else:
        prior = ElasticNet(one, two, nonnegative=positive)
    return prior if factor is None else prior.rescaled(factor)


def from_glmnet(
    X: object,
    y: object,
    *,
    lam: float,
    alpha: float = 1.0,
    family: str = "gaussian",
    standardize: bool = True,
    intercept: bool = True,
    weights: object = None,
    offset: object = None,
    names: Iterable[object] | None = None,
    sigma: float | None = None,
) -> Problem:
    r"""Return the problem whose mode is glmnet's answer, on the scale of X and y.

    glmnet's gaussian family minimises ``‖y/s − Zγ‖²/(2n) + (λ/s)[a‖γ‖₁ + (1 − a)‖γ‖²/2]`` with s
    the sd of y (divisor n; without an intercept the root mean square) and reports ``sγ``. So λ is
    scikit-learn's α for a lasso, but for a ridge α is ``n·λ/s`` (not ``n·λ``), and in between the
    L2 part is ``λ(1 − a)/s``. This is R's glmnet since 4.1; python-glmnet, the older Fortran, takes
    the sd about the mean in any case (``from_numbers("python-glmnet ElasticNet", ...)``).

    Parameters
    ----------
    X : array_like, shape (n, p)
        Predictors, not standardised.
    y : array_like, shape (n,)
        Target.
    lam : float
        Its ``lambda``.
    alpha : float
        Its ``alpha``, the share of the absolute values, between 0 and 1.
    family : str
        "gaussian", "binomial" or "poisson".
    standardize, intercept, weights, offset
        As glmnet was called. Its sds are weighted where rows are.
    names, sigma
        As for `from_numbers`.

    Returns
    -------
    Problem
        The problem.

    Raises
    ------
    InputError
        If a number is out of range.

    Examples
    --------
    The coefficient of bmi in the diabetes data: R's glmnet 4.1-6 answers 4.7418 for
    ``lambda = 20, alpha = 0``. Our answer is the same, and so is a Ridge with ``α = n·λ/s``.

    >>> from bayesreg import datasets, find_map
    >>> data = datasets.load("diabetes")
    >>> round(float(find_map(from_glmnet(data.X, data.y, lam=20.0, alpha=0.0)).coef[2]), 4)
    4.7418
    >>> sd, n = data.X.std(axis=0), data.y.size
    >>> Z = (data.X - data.X.mean(axis=0)) / sd
    >>> def ridge(alpha):
    ...     problem = from_numbers("scikit-learn Ridge", Z, data.y, {"alpha": alpha})
    ...     return round(float(find_map(problem).coef[2] / sd[2]), 4)
    >>> ridge(n * 20.0 / data.y.std())
    4.7418

    The naive conversions are none of it: neither λ as it stands, nor n times λ.

    >>> ridge(20.0), ridge(n * 20.0)
    (5.4895, 0.4514)
    """
    if not (isinstance(family, str) and family in _GLMNET):
        raise unknown_name("family", family, list(_GLMNET))
    return from_numbers(
        f"glmnet {family}",
        X,
        y,
        {"lambda": lam, "alpha": alpha},
        sigma=sigma,
        intercept=intercept,
        standardize=standardize,
        weights=weights,
        offset=offset,
        names=names,
    )


def from_statsmodels(
    X: object,
    y: object,
    *,
    alpha: float,
    L1_wt: float = 1.0,
    model: str = "OLS",
    intercept: bool = True,
    names: Iterable[object] | None = None,
    sigma: float | None = None,
) -> Problem:
    """Return the problem that ``fit_regularized`` of statsmodels solves.

    Parameters
    ----------
    X : array_like, shape (n, p)
        Predictors without the constant.
    y : array_like, shape (n,)
        Target.
    alpha : float
        The penalty weight of every column but the constant, whose own is 0.
    L1_wt : float
        The share of the absolute values.
    model : str
        "OLS", "GLM Binomial", "GLM Poisson"; or "Logit", "Poisson" with
        ``method="l1"``, whose losses are sums and not means, and which have no `L1_wt`.
    intercept : bool
        Whether there is a constant.
    names, sigma
        As for `from_numbers`.

    Returns
    -------
    Problem
        The problem.

    Raises
    ------
    InputError
        If a number is out of range.

    Examples
    --------
    >>> problem = from_statsmodels([[1.0], [2.0]], [1.0, 2.0], alpha=4.0, sigma=2.0)
    >>> print(problem.formula())
    ‖y − β₀ − Xβ‖²/(2·2²) + Σ|βⱼ|/0.5
    """
    numbers = {"alpha": alpha, "L1_wt": L1_wt}
    if isinstance(model, str) and model in {"Logit", "Poisson"}:
        if as_real(L1_wt, "L1_wt") != 1:
            msg = f"L1_wt: {model} with method='l1' has L1 penalties only; leave it 1"
            raise InputError(msg)
        del numbers["L1_wt"]
    name = f"statsmodels {_word(model)}"
    return from_numbers(name, X, y, numbers, sigma=sigma, intercept=intercept, names=names)


def from_lars(
    X: object,
    y: object,
    *,
    lam: float,
    normalize: bool = True,
    intercept: bool = True,
    names: Iterable[object] | None = None,
    sigma: float | None = None,
) -> Problem:
    """Return the problem that R's lars solves at a `lam`.

    It is ``RSS/2 + λ‖γ‖₁`` with columns of length 1 where `normalize` is true.

    Parameters
    ----------
    X : array_like, shape (n, p)
        Predictors, not standardised.
    y : array_like, shape (n,)
        Target.
    lam : float
        As in ``coef(fit, s = lam, mode = "lambda")``.
    normalize, intercept : bool
        As lars was called.
    names, sigma
        As for `from_numbers`.

    Returns
    -------
    Problem
        The problem.

    Raises
    ------
    InputError
        If a number is out of range.

    Examples
    --------
    >>> problem = from_lars([[1.0], [2.0]], [1.0, 2.0], lam=8.0, normalize=False, sigma=2.0)
    >>> print(problem.formula())
    ‖y − β₀ − Xβ‖²/(2·2²) + Σ|βⱼ|/0.5
    """
    return from_numbers(
        "lars lasso",
        X,
        y,
        {"lambda": lam},
        sigma=sigma,
        intercept=intercept,
        standardize=normalize,
        names=names,
    )


def from_document(
    document: int, X: object, y: object, *, call: str = "L1", sigma: float | None = None, **lam: Any
) -> Problem:
    """Return the problem of one of the five documents, without an intercept.

    Parameters
    ----------
    document : int
        From 1 to 5, as in `bayesreg.studies`.
    X : array_like, shape (n, p)
        Predictors.
    y : array_like, shape (n,)
        Target.
    call : str
        "L1", "L2" or "elastic net", as far as the document has it.
    sigma : float, optional
        As for `from_numbers`.
    **lam : float
        Its parameter by its name there: λ, λ₁ and λ₂, or r.

    Returns
    -------
    Problem
        The problem.

    Raises
    ------
    InputError
        If the document has no such thing.

    Examples
    --------
    >>> problem = from_document(3, [[1.0, 2.0], [3.0, 4.0]], [5.0, 6.0], sigma=2**0.5, λ=1.0)
    >>> print(problem.formula())
    ‖y − Xβ‖²/(2·1.41421²) + Σ|βⱼ|/1
    """
    number = as_count(document, "document", 1, 5)
    return from_numbers(f"document {number} {_word(call)}", X, y, lam, sigma=sigma, intercept=False)
