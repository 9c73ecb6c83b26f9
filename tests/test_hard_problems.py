"""Hard numbers: what an attack on the solver and the certificate once broke stays mended."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import bayesreg as br
from bayesreg.errors import DegenerateMode, ImproperPosterior, InputError

SEEDS = range(5)


def linear(
    seed: int, *, level: float = 0.0, noise: float = 1.0, unit: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """Fifty rows, four columns, three effects."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(50, 4))
    return X, unit * (level + X @ [1.0, 0.0, -1.0, 0.5] + noise * rng.normal(size=50))


def linear_problem() -> br.Problem:
    """Build an ordinary ridge."""
    X, y = linear(0)
    return br.Problem(X, y, likelihood=br.Gaussian(1.0), prior=br.Normal(1.0))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("level", [0.0, 1e3, 1e8])
@pytest.mark.parametrize("noise", [1.0, 1e-3])
def test_joint_modes_whatever_the_level_and_the_noise(
    seed: int, level: float, noise: float
) -> None:
    """The level is the intercept's business: coefficients and sigma do not see it."""
    prior = {"likelihood": br.Gaussian(br.HalfNormal(5.0)), "prior": br.Laplace(1.0)}
    X, y = linear(seed, noise=noise)
    base = br.find_map(br.Problem(X, y, **prior))  # type: ignore[arg-type]
    fit = br.find_map(br.Problem(X, y + level, **prior))  # type: ignore[arg-type]
    # What y + level has lost of y's digits is lost.
    lost = level * 1e-15 / noise
    np.testing.assert_allclose(fit.coef, base.coef, rtol=1e-7, atol=100 * lost * noise)
    assert fit.sigma == pytest.approx(base.sigma, rel=1e-7 + 100 * lost)


@pytest.mark.parametrize("unit", [1e-10, 1e10])
def test_joint_modes_in_any_units(unit: float) -> None:
    """Everything in units of y scales with y."""
    X, y = linear(0)
    kwargs: dict[str, Any] = {"likelihood": br.Gaussian(br.HalfFlat())}
    one = br.find_map(br.Problem(X, y, prior=br.Laplace(1.0), **kwargs))
    two = br.find_map(br.Problem(X, unit * y, prior=br.Laplace(unit), **kwargs))
    np.testing.assert_allclose(two.coef / unit, one.coef, rtol=1e-9)
    assert two.sigma is not None
    assert two.sigma / unit == pytest.approx(one.sigma, rel=1e-9)


def test_least_squares_with_a_flat_sigma() -> None:
    """Where the slope is 0 at a point of the grid: sigma² is the mean squared residual."""
    X, y = linear(0)
    fit = br.find_map(br.Problem(X, y, likelihood=br.Gaussian(br.HalfFlat()), prior=br.Flat()))
    assert fit.sigma is not None
    residual = y - fit.intercept - X @ fit.coef
    assert fit.sigma**2 == pytest.approx((residual**2).mean(), rel=1e-9)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("sigma", [0.1, 0.01, 0.001])
@pytest.mark.parametrize("twin", [1.0, -2.0])
def test_copies_of_columns(seed: int, sigma: float, twin: float) -> None:
    """The active set settles, and the fit is that of the columns without their copies."""
    X, y = linear(seed)
    doubled = np.hstack([X, twin * X[:, :2]])
    likelihood = br.Gaussian(sigma)
    fit = br.find_map(br.Problem(doubled, y, likelihood=likelihood, prior=br.Laplace(1.0)))
    # The cheaper of two proportional columns carries the effect: penalty |β| / max(1, |twin|).
    scale = np.array([max(1.0, abs(twin))] * 2 + [1.0] * 2)
    alone = br.find_map(br.Problem(X, y, likelihood=likelihood, prior=br.Laplace(scale)))
    prediction = doubled @ fit.coef + fit.intercept
    np.testing.assert_allclose(prediction, X @ alone.coef + alone.intercept, atol=1e-7)
    assert fit.certificate.unique == (abs(twin) != 1.0)


@pytest.mark.parametrize("seed", SEEDS)
def test_weights_and_scales_over_many_decades(seed: int) -> None:
    """Certified, where each of them is a power of ten between -2 and 2."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(100, 50))
    problem = br.Problem(
        X,
        X[:, 0] + rng.normal(size=100),
        likelihood=br.Gaussian(0.3),
        prior=br.Laplace(10 ** rng.uniform(-2, 2, 50)),
        weights=10 ** rng.uniform(-2, 2, 100),
    )
    assert br.find_map(problem).certificate.optimal


@pytest.mark.parametrize(
    ("prior", "sigma", "unit", "shift", "intercept"),
    [
        (br.Normal(1e6), 1e-3, 1.0, 0.0, True),
        (br.Normal(1e12), 1.0, 1.0, 0.0, True),
        (br.Laplace(1e20), 1.0, 1.0, 0.0, True),
        (br.ElasticNet(1.0, 1e20), 1.0, 1.0, 0.0, True),
        (br.Laplace(1.0), 1.0, 1e20, 0.0, True),
        (br.Laplace(1.0), 1.0, 1.0, 1e4, False),
        (br.Laplace(1.0), 1e-5, 1.0, 0.0, True),
        (br.Laplace(1.0), 1.0, 1.0, 1e9, True),
    ],
)
def test_extreme_but_well_posed(
    prior: Any, sigma: float, unit: float, shift: float, intercept: bool
) -> None:
    """Weak priors, small noise, huge units: the mode is found and certified."""
    X, y = linear(1)
    problem = br.Problem(
        X * unit + shift, y, likelihood=br.Gaussian(sigma), prior=prior, intercept=intercept
    )
    fit = br.find_map(problem)
    assert fit.certificate.optimal
    if prior == br.Normal(1e12):
        columns = np.column_stack([np.ones(50), X])
        expected = np.linalg.lstsq(columns, y, rcond=None)[0]
        np.testing.assert_allclose(fit.coef, expected[1:], rtol=1e-9)


def test_collapses_that_only_some_columns_allow() -> None:
    """A perfect fit by columns whose penalty stays finite as sigma goes to 0 has no joint mode."""
    mixed = br.Problem(
        np.eye(2),
        [1.0, 0.0],
        likelihood=br.Gaussian(br.HalfNormal(1.0)),
        prior=[(br.Normal(0.1), [0]), (br.Laplace(1.0, relative_to="sigma"), [1])],
        intercept=False,
    )
    assert mixed.objective([1.0, 0.0], sigma=1e-100) < mixed.objective([1.0, 0.0], sigma=1e-10)
    with pytest.raises(DegenerateMode, match="fit y perfectly"):
        br.find_map(mixed)
    # Sampling sees the same: the marginal density of sigma is like 1/sigma near 0.
    with pytest.raises(ImproperPosterior, match="fitted exactly"):
        br.sample(mixed, draws=10)
    centred = br.Problem(
        np.eye(2),
        [1.0, 0.0],
        likelihood=br.Gaussian(br.HalfNormal(1.0)),
        prior=br.Normal(1.0, loc=np.array([1.0, 0.0]), relative_to="sigma"),
        intercept=False,
    )
    with pytest.raises(DegenerateMode, match="fit y perfectly"):
        br.find_map(centred)
    excluded = br.Problem(
        [[1.0], [2.0], [3.0]],
        [1.0, 2.0, 3.0],
        likelihood=br.Gaussian(br.InverseGamma(1.0, 1.0)),
        prior=br.Flat(),
    )
    fit = br.find_map(excluded)
    # (n + 2(a + 1)) log σ + b/σ² is least at σ² = 2b / (n + 2(a + 1)).
    assert fit.sigma == pytest.approx(np.sqrt(2 / 7), rel=1e-9)


def test_no_certificate_without_a_mode() -> None:
    """Far out on a likelihood that rises for ever the gradient vanishes, and that is not a mode."""
    counts = br.Problem([[0.0], [1.0]], [0, 0], likelihood=br.Poisson(), prior=br.Normal(1.0))
    assert not br.certify(counts, [0.0], -50.0).optimal
    alone = br.Problem(
        [[1.0], [1.0]],
        [3.0, 3.0],
        likelihood=br.Gaussian(1.0),
        prior=br.Laplace(0.5),
        intercept=False,
    )
    with pytest.raises(InputError, match="intercept: this problem has none"):
        br.certify(alone, [0.0], 3.0)


def test_what_rounding_hides_is_not_certified() -> None:
    """Without digits left in the columns, no coefficient can be judged."""
    X, y = linear(2)
    problem = br.Problem(
        X + 1e14, y, likelihood=br.Gaussian(1.0), prior=br.Laplace(1.0), intercept=False
    )
    assert not br.certify(problem, [0.1, 0.0, 0.0, 0.0]).optimal


def test_separation_is_told_from_overlap_by_a_hair() -> None:
    """An overlap of 1e-8 leaves a finite mode; a column far from 0 hides no separation."""
    overlap = br.Problem(
        [[0.0], [1.0], [1 - 1e-8], [2.0]],
        [0, 0, 1, 1],
        likelihood=br.Bernoulli(),
        prior=br.Flat(),
    )
    assert np.isfinite(br.find_map(overlap).coef).all()
    far = br.Problem(
        np.arange(6.0)[:, None] + 1e9,
        [0, 0, 0, 1, 1, 1],
        likelihood=br.Bernoulli(),
        prior=br.Flat(),
    )
    with pytest.raises(ImproperPosterior, match="separated"):
        br.find_map(far)


NOT_NUMBERS: tuple[tuple[Any, str], ...] = (
    (["a", 1, 2, 3], "found text"),
    ([[1], [2, 3]], "cannot be read"),
    ({}, "cannot be read"),
    ([1j] * 4, "complex"),
    (np.ma.masked_equal([1.0, 2.0, 3.0, 4.0], 2.0), "masked"),
    (np.full(4, np.datetime64("2020-01-01")), "dates"),
    (pd.Series([1.0, 2.0, 3.0, 4.0], index=list("dcba")), "labels"),
    ([10**400, 0, 0, 0], "cannot be read"),
)


@pytest.mark.parametrize("verb", ["certify", "objective"])
@pytest.mark.parametrize(("coef", "message"), NOT_NUMBERS)
def test_coefficients_that_are_no_numbers(verb: str, coef: Any, message: str) -> None:
    """Neither read by position against their labels, nor coerced."""
    X, y = linear(0)
    problem = br.Problem(X, y, likelihood=br.Gaussian(1.0), prior=br.Laplace(1.0), names="abcd")
    judge = problem.objective if verb == "objective" else lambda c: br.certify(problem, c)
    with pytest.raises(InputError, match=f"coef: .*{message}"):
        judge(coef)
    assert not br.certify(problem, [1e200] * 4).optimal


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: br.Gaussian(1e-162), "sigma: .*beyond double precision"),
        (lambda: br.Gaussian(1e155), "sigma: .*beyond double precision"),
        (lambda: br.HalfCauchy(1e-320), "scale: .*beyond double precision"),
        (lambda: br.Laplace(1e-320), "scale: .*beyond double precision"),
        (lambda: br.Normal(10**400), "scale: .*cannot be read"),
        (lambda: br.Laplace(scale=True), "scale: must be a number, found a truth value"),
        (lambda: br.Laplace(pd.Series([1.0, 2.0])), "scale: a Series has labels"),
        (lambda: br.find_map(3), "problem: must be"),
        (lambda: br.units.table(3), "problem: must be"),
        (lambda: br.posterior_moments(3), "problem: must be"),
        (lambda: br.sample(linear_problem(), draws=10**12), "draws: .* GB; ask for fewer"),
        (lambda: br.datasets.load([1]), "name: "),  # type: ignore[arg-type]
        (lambda: br.gallery.load([1]), "name: "),  # type: ignore[arg-type]
    ],
)
def test_numbers_beyond_reason(make: Any, message: str) -> None:
    """Refused where they are given, not where they overflow."""
    with pytest.raises(InputError, match=message):
        make()


def test_labels_of_rows_are_not_ignored() -> None:
    """Weights and offsets with other labels than X are refused, as y is."""
    X, y = linear(0)
    frame, backwards = pd.DataFrame(X), pd.Series(np.ones(50), index=range(49, -1, -1))
    for argument in ("weights", "offset"):
        with pytest.raises(InputError, match=f"{argument}: its row labels differ"):
            br.Problem(
                frame,
                y,
                likelihood=br.Gaussian(1.0),
                prior=br.Laplace(1.0),
                **{argument: backwards},  # type: ignore[arg-type]
            )
