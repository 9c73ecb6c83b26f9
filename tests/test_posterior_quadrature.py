"""Unknown sigma and scale under normal priors: against sums over fine grids of dense formulas."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import special, stats

from bayesreg import (
    Exponential,
    Flat,
    Gaussian,
    HalfCauchy,
    HalfNormal,
    HalfStudentT,
    InverseGamma,
    Laplace,
    Normal,
    Problem,
    posterior_moments,
    sample,
)
from bayesreg.errors import ImproperPosterior, NoClosedForm
from bayesreg.path_scales import Family
from bayesreg.posterior.exact import moments_along
from bayesreg.posterior.lattice import Lattice, Rows
from bayesreg.posterior.log_scales import LogScale
from bayesreg.posterior.quadrature import Unknowns
from bayesreg.scale_priors import SCALE_PRIORS, HalfFlat

if TYPE_CHECKING:
    import xarray as xr

    from bayesreg import Moments
    from bayesreg._validation import Matrix, Vector
    from bayesreg.scale_priors import ScalePrior

RNG = np.random.default_rng(21)
SHAPES = {"tall": (6, 2), "square": (3, 3), "wide": (3, 5)}


def _values(tree: xr.DataTree, name: str) -> Any:
    values = tree["posterior"].to_dataset()[name].to_numpy()
    return values.reshape(-1, *values.shape[2:])


# ---------------------------------------------------------------------- truth


@dataclass(frozen=True)
class Truth:
    """Moments by a trapezoidal sum over log sigma and log scale, and the marginal laws."""

    mean: Vector
    covariance: Matrix
    log_evidence: float
    sigma: tuple[float, float]
    scale: tuple[float, float]
    grid: tuple[Vector, Vector]
    probability: Matrix


def _log_prior(prior: ScalePrior | float, log_value: Vector) -> Vector:
    """Log density of the logarithm of sigma or scale, from the class itself."""
    if isinstance(prior, float):
        return np.zeros(1)
    jacobian = 2 * log_value + math.log(2) if prior.of_square else log_value
    return np.array([prior.log_density(math.exp(u)) for u in log_value]) + jacobian


def truth(
    problem: Problem,
    base: Vector,
    loc: Vector,
    sigma: Any,
    scale: Any,
    noises: tuple[float, float, int] = (-46, 46, 737),
) -> Truth:
    """Integrate, by the eigenvectors of ``X diag(base²) Xᵀ``; no intercept, no flat coefficient.

    Given sigma and a prior sd τ·base, y has the covariance ``τ² X diag(base²) Xᵀ + σ²`` in rows
    that are multiplied by the roots of their weights.
    """
    design = problem.design
    root = np.sqrt(design.row_weights)
    A = root[:, None] * design.X * base
    offset = 0.0 if design.offset is None else design.offset
    u = np.array([math.log(sigma)]) if isinstance(sigma, float) else np.linspace(*noises)
    v = np.array([math.log(scale)]) if isinstance(scale, float) else np.linspace(-46, 46, 737)
    power = int("sigma" in problem.unknown and problem.relative.any())
    values, vectors = np.linalg.eigh(A @ A.T)
    # At the widest priors of the grid, what rounding makes of 0 would be information.
    some = values > 1e-12 * values.max()
    values = np.where(some, values, 0.0)
    t = vectors.T @ (root * (design.y - offset - design.X @ loc))
    log_tau = v[None, :] + power * u[:, None]
    with np.errstate(over="ignore", under="ignore"):
        noise, prior = np.exp(2 * u)[:, None], np.exp(2 * log_tau)
        total = [prior * d + noise for d in values]
        log = sum(-0.5 * (np.log(q) + x**2 / q) for q, x in zip(total, t, strict=True))
    log = log - 0.5 * t.size * math.log(2 * math.pi) + np.log(root).sum()
    log = log + _log_prior(sigma, u)[:, None] + _log_prior(scale, v)
    top = log.max()
    share = np.exp(log - top)
    cell = math.prod(x[1] - x[0] for x in (u, v) if x.size > 1)
    evidence = top + math.log(share.sum() * cell)
    share = share / share.sum()
    slopes = [prior / q for q, fitted in zip(total, some, strict=True) if fitted]
    onto, t = base[:, None] * (A.T @ vectors[:, some]), t[some]
    first = np.array([(share * slope).sum() for slope in slopes])
    between = np.array([[(share * a * b).sum() for b in slopes] for a in slopes])
    between -= np.outer(first, first)
    within = [(share * prior * slope).sum() for slope in slopes]
    covariance = np.diag(base**2) * (share * prior).sum() - (onto * within) @ onto.T
    covariance += onto @ (between * np.outer(t, t)) @ onto.T
    mean = loc + onto @ (first * t)
    of_sigma = _mean_and_sd(share.sum(axis=1), np.exp(u))
    of_scale = _mean_and_sd(share.sum(axis=0), np.exp(v))
    return Truth(mean, covariance, evidence, of_sigma, of_scale, (u, v), share)


def _mean_and_sd(share: Vector, value: Vector) -> tuple[float, float]:
    mean = float(share @ value)
    return mean, math.sqrt(share @ (value - mean) ** 2)


def _check(moments: Moments, expected: Truth, *, sigma: bool, scale: bool) -> None:
    """Nine digits of everything."""
    size = np.maximum(np.abs(expected.mean), np.sqrt(np.diag(expected.covariance)))
    assert_allclose(moments.mean / size, expected.mean / size, rtol=0, atol=1e-9)
    widths = np.sqrt(np.outer(np.diag(expected.covariance), np.diag(expected.covariance)))
    assert_allclose(moments.covariance / widths, expected.covariance / widths, rtol=0, atol=1e-9)
    assert moments.log_marginal_likelihood == pytest.approx(expected.log_evidence, abs=1e-9)
    if sigma:
        assert (moments.sigma_mean, moments.sigma_sd) == pytest.approx(expected.sigma, rel=1e-9)
    else:
        assert moments.sigma_mean is None
    if scale:
        assert (moments.scale_mean, moments.scale_sd) == pytest.approx(expected.scale, rel=1e-9)
    else:
        assert moments.scale_mean is None


def _problem(shape: tuple[int, int], sigma: Any, scale: Any, *, relative: bool) -> Any:
    n, p = shape
    rng = np.random.default_rng(n * p)
    X, y, weights = rng.normal(size=(n, p)), 2 * rng.normal(size=n), rng.uniform(0.5, 2, n)
    offset, base, loc = rng.normal(size=n), rng.uniform(0.5, 2, p), rng.normal(size=p)
    prior = Normal(scale, factor=base, loc=loc, relative_to="sigma" if relative else None)
    problem = Problem(X, y, likelihood=Gaussian(sigma), prior=prior, weights=weights,
                      offset=offset, intercept=False)  # fmt: skip
    return problem, base, loc


CASES: dict[str, tuple[str, Any, Any, bool]] = {
    "half-normal sigma": ("tall", HalfNormal(1.0), 0.8, False),
    "half-normal sigma, relative": ("wide", HalfNormal(1.0), 0.8, True),
    "half-cauchy sigma": ("tall", HalfCauchy(0.5), 0.8, False),
    "half-cauchy sigma, wide": ("wide", HalfCauchy(0.5), 0.8, False),
    "half-t sigma": ("tall", HalfStudentT(0.5, 3.0), 0.8, False),
    "half-t scale": ("wide", 0.9, HalfStudentT(1.0, 4.0), False),
    "exponential sigma": ("square", Exponential(2.0), 0.8, True),
    "inverse gamma sigma": ("tall", InverseGamma(2.0, 0.5), 0.8, False),
    "half-cauchy scale": ("tall", 0.9, HalfCauchy(1.0), False),
    "half-normal scale, wide": ("wide", 0.9, HalfNormal(2.0), False),
    "exponential scale": ("square", 0.9, Exponential(0.3), False),
    "both": ("tall", HalfNormal(1.0), HalfNormal(1.0), False),
    "both, relative": ("tall", HalfNormal(3.0), Exponential(0.5), True),
    "both, wide": ("wide", HalfNormal(1.0), HalfNormal(0.5), False),
    "both, wide, relative": ("wide", Exponential(1.0), HalfNormal(0.5), True),
    "both, inverse gamma": ("square", InverseGamma(3.0, 2.0), HalfNormal(1.0), False),
    "both, conjugate": ("square", InverseGamma(3.0, 2.0), Exponential(1.0), True),
    "both, half-cauchy": ("tall", HalfCauchy(0.7), HalfNormal(0.5), False),
}


@pytest.mark.parametrize(("shape", "sigma", "scale", "relative"), CASES.values(), ids=CASES)
def test_against_a_fine_grid(shape: str, sigma: Any, scale: Any, relative: bool) -> None:
    """Mean, covariance, evidence, sigma and scale to nine digits: weights, offset, loc, factors."""
    problem, base, loc = _problem(SHAPES[shape], sigma, scale, relative=relative)
    expected = truth(problem, base, loc, sigma, scale)
    _check(
        posterior_moments(problem),
        expected,
        sigma=not isinstance(sigma, float),
        scale=not isinstance(scale, float),
    )


def test_conjugate_noise_by_quadrature() -> None:
    """Normal–inverse-gamma has a closed form, and the nodes give it."""
    problem, _, _ = _problem((6, 2), InverseGamma(2.5, 1.5), 0.8, relative=True)
    closed = posterior_moments(problem)
    assert closed.a_n is not None
    unknowns = Unknowns.of(problem)
    nodes = unknowns.nodes()
    assert unknowns.constant is not None
    assert closed.log_marginal_likelihood == pytest.approx(
        unknowns.constant + nodes.log_total, rel=1e-13
    )
    found = nodes.moments(1.0, 0.0)
    assert found == pytest.approx((closed.sigma_mean, closed.sigma_sd), rel=1e-11)
    found = nodes.moments(2.0, 0.0)
    assert found == pytest.approx((closed.sigma2_mean, closed.sigma2_sd), rel=1e-11)
    covariance = unknowns.conditional.mixed_covariance(
        nodes.log_kappa, nodes.log_square, nodes.weight
    )
    assert_allclose(covariance, closed.covariance, rtol=1e-11)


def test_an_intercept_is_a_contrast_fewer() -> None:
    """Rows turned so that one is their mean, and the intercept from its conditional law."""
    rng = np.random.default_rng(2)
    X, y = rng.normal(size=(7, 3)) + 4, rng.normal(size=7) + 100
    turn = np.linalg.qr(np.column_stack([np.ones(7), rng.normal(size=(7, 6))]))[0][:, 1:].T
    for relative in (None, "sigma"):
        parts: dict[str, Any] = {
            "likelihood": Gaussian(HalfCauchy(2.0)),
            "prior": Normal(HalfNormal(1.0), relative_to=relative),
        }
        whole = posterior_moments(Problem(X, y, **parts))
        turned = posterior_moments(Problem(turn @ X, turn @ y, intercept=False, **parts))
        assert_allclose(whole.mean, turned.mean, rtol=1e-9)
        assert_allclose(whole.covariance, turned.covariance, rtol=1e-9, atol=1e-12)
        assert whole.sigma_mean == pytest.approx(turned.sigma_mean, rel=1e-11)
        assert whole.scale_sd == pytest.approx(turned.scale_sd, rel=1e-11)
        assert whole.log_marginal_likelihood is None
        centre, noise = X.mean(axis=0), whole.sigma2_mean
        assert noise is not None
        variance = noise / 7 + centre @ whole.covariance @ centre
        assert whole.intercept_sd == pytest.approx(math.sqrt(variance), rel=1e-9)
        assert whole.intercept_mean == pytest.approx(y.mean() - centre @ whole.mean, rel=1e-12)


def _by_conditionals(
    problem: Problem, name: str, prior: ScalePrior
) -> tuple[Vector, Matrix, float]:
    """Mixture of `posterior_moments` with the one unknown known, over a grid of its logarithm."""
    u = np.linspace(-23, 12, 351)
    given = [posterior_moments(problem.given(**{name: math.exp(x)})) for x in u]
    log = np.array([m.log_marginal_likelihood or 0.0 for m in given]) + _log_prior(prior, u)
    share = special.softmax(log)
    means = np.array([m.mean for m in given])
    mean = share @ means
    off = means - mean
    covariance = np.tensordot(share, np.array([m.covariance for m in given]), axes=1)
    total = float(special.logsumexp(log)) + math.log(u[1] - u[0])
    return mean, covariance + (share[:, None] * off).T @ off, total


BLOCKS: dict[str, tuple[str, ScalePrior, dict[str, Any]]] = {
    "sigma": (
        "sigma",
        InverseGamma(3.0, 2.0),
        {"prior": [(Normal(0.7), [0, 3]), (Normal(0.5, loc=1.0, relative_to="sigma"), [1, 2])]},
    ),
    "scale": (
        "scale",
        HalfNormal(1.0),
        {
            "likelihood": Gaussian(0.8),
            "prior": [(Normal(HalfNormal(1.0), loc=-0.5), [1, 3]), (Normal(2.0, loc=0.5), [0, 2])],
        },
    ),
}


@pytest.mark.parametrize(("name", "prior", "parts"), BLOCKS.values(), ids=BLOCKS)
def test_blocks_share_one_decomposition(
    name: str, prior: ScalePrior, parts: dict[str, Any]
) -> None:
    """Coefficients whose ratio to the noise is fixed beside others: mean, covariance, evidence."""
    rng = np.random.default_rng(3)
    X, y = rng.normal(size=(6, 4)), rng.normal(size=6)
    problem = Problem(X, y, intercept=False, **({"likelihood": Gaussian(prior)} | parts))
    mean, covariance, evidence = _by_conditionals(problem, name, prior)
    moments = posterior_moments(problem)
    assert_allclose(moments.mean, mean, rtol=1e-8)
    assert_allclose(moments.covariance, covariance, rtol=1e-8, atol=1e-9)
    assert moments.log_marginal_likelihood == pytest.approx(evidence, abs=1e-8)


def test_flat_coefficients_beside_unknown_sigma_and_scale() -> None:
    """A flat coefficient is a direction fewer, as an intercept is."""
    rng = np.random.default_rng(4)
    X, y = rng.normal(size=(9, 3)), rng.normal(size=9)
    parts: dict[str, Any] = {"likelihood": Gaussian(HalfNormal(1.0)), "intercept": False}
    prior = Normal(HalfCauchy(1.0))
    whole = posterior_moments(Problem(X, y, prior=[(prior, [0, 2]), (Flat(), [1])], **parts))
    turn = np.linalg.qr(np.column_stack([X[:, 1], rng.normal(size=(9, 8))]))[0][:, 1:].T
    part = posterior_moments(Problem(turn @ X[:, [0, 2]], turn @ y, prior=prior, **parts))
    assert_allclose(whole.mean[[0, 2]], part.mean, rtol=1e-9)
    assert_allclose(whole.covariance[np.ix_([0, 2], [0, 2])], part.covariance, rtol=1e-9)
    square = X[:, 1] @ X[:, 1]
    onto = X[:, 1] @ X[:, [0, 2]] / square
    assert whole.mean[1] == pytest.approx(X[:, 1] @ y / square - onto @ part.mean, rel=1e-9)
    assert part.sigma2_mean is not None
    variance = part.sigma2_mean / square + onto @ part.covariance @ onto
    assert whole.covariance[1, 1] == pytest.approx(variance, rel=1e-9)


# ---------------------------------------------------------------------- hard designs


def _both(X: Any, y: Any, **parts: Any) -> Moments:
    return posterior_moments(
        Problem(
            X,
            y,
            **({"likelihood": Gaussian(HalfCauchy(1.0)), "prior": Normal(HalfNormal(1.0))} | parts),
        )
    )


def test_collinear_columns_share_a_coefficient() -> None:
    """Two equal columns are one with a prior √2 as wide, whose effect they halve."""
    X, y = RNG.normal(size=(15, 2)), RNG.normal(size=15)
    double = _both(X[:, [0, 1, 0]], y)
    single = _both(X, y, prior=Normal(HalfNormal(1.0), factor=[math.sqrt(2), 1.0]))
    assert_allclose(double.mean, single.mean[[0, 1, 0]] * [0.5, 1, 0.5], rtol=1e-10)
    total = double.covariance[0, 0] + 2 * double.covariance[0, 2] + double.covariance[2, 2]
    assert total == pytest.approx(single.covariance[0, 0], rel=1e-9)
    assert double.sigma_mean == pytest.approx(single.sigma_mean, rel=1e-12)


def test_columns_without_information_keep_their_prior() -> None:
    """A zero column, and beside an intercept a constant one, change nothing for the others."""
    X, y = RNG.normal(size=(15, 2)), RNG.normal(size=15)
    plain = _both(X, y)
    for column in (np.zeros(15), np.full(15, 3.0)):
        more = _both(np.column_stack([X, column]), y)
        assert_allclose(more.mean, [*plain.mean, 0.0], atol=1e-14)
        assert_allclose(more.covariance[:2, :2], plain.covariance, rtol=1e-11)
        assert more.scale_mean == pytest.approx(plain.scale_mean, rel=1e-12)
        assert plain.scale_mean is not None
        assert plain.scale_sd is not None
        second = math.hypot(plain.scale_mean, plain.scale_sd)
        assert more.sd[2] == pytest.approx(second, rel=1e-10)


def test_columns_around_1e8() -> None:
    """With an intercept the offset of the columns changes the intercept only."""
    X, y = np.round(RNG.normal(size=(15, 2)), 6), RNG.normal(size=15)
    shifted = X + 1e8
    moved, again = _both(shifted, y), _both(shifted - 1e8, y)
    assert_allclose(moved.mean, again.mean, rtol=1e-9)
    assert_allclose(moved.covariance, again.covariance, rtol=1e-9)
    assert moved.sigma_sd == pytest.approx(again.sigma_sd, rel=1e-9)


def test_units_change_nothing_but_units() -> None:
    """Everything times 1e±60, sigma and scale relative to it."""
    X, y = RNG.normal(size=(8, 2)), RNG.normal(size=8)
    plain = _both(X, y, intercept=False)
    for unit in (1e-60, 1e60):
        scaled = _both(
            X, y * unit, intercept=False, likelihood=Gaussian(HalfCauchy(unit)),
            prior=Normal(HalfNormal(unit)),
        )  # fmt: skip
        assert_allclose(scaled.mean / unit, plain.mean, rtol=1e-9)
        assert_allclose(scaled.sd / unit, plain.sd, rtol=1e-9)
        assert scaled.scale_mean == pytest.approx(plain.scale_mean * unit, rel=1e-9)  # type: ignore[operator]


def test_a_prior_far_from_the_data() -> None:
    """Prior scales of 1e-3 to 1e5 times what the data say: a thousand nats from the prior."""
    cases = (
        (HalfNormal(1e-3), HalfCauchy(1e5), (-4.0, -1.0, 1201)),
        (HalfCauchy(1e4), HalfNormal(1e-4), (-46.0, 46.0, 737)),
    )
    for sigma, scale, noises in cases:
        problem, base, loc = _problem((6, 2), sigma, scale, relative=False)
        expected = truth(problem, base, loc, sigma, scale, noises)
        moments = posterior_moments(problem)
        assert moments.log_marginal_likelihood == pytest.approx(expected.log_evidence, abs=1e-9)
        found = moments.sigma_mean, moments.sigma_sd
        assert found == pytest.approx(expected.sigma, rel=1e-9)


def test_a_fit_without_residual() -> None:
    """More columns than rows: sigma is held by its prior and by the scale's; fitted rows refuse."""
    rng = np.random.default_rng(5)
    problem, base, loc = _problem((3, 5), HalfNormal(1.0), HalfNormal(2.0), relative=True)
    _check(
        posterior_moments(problem),
        truth(problem, base, loc, HalfNormal(1.0), HalfNormal(2.0)),
        sigma=True,
        scale=True,
    )
    X = rng.normal(size=(9, 2))
    for prior in (Normal(1.0), Normal(HalfNormal(1.0))):
        with pytest.raises(ImproperPosterior, match="sigma"):
            _both(X, X @ [1.0, 2.0], prior=prior)
    proper = _both(X, X @ [1.0, 2.0], likelihood=Gaussian(InverseGamma(1.0, 1e-4)))
    assert_allclose(proper.mean, [1.0, 2.0], atol=1e-3)


IMPROPER: dict[str, tuple[tuple[int, int], Any, Any, str | None]] = {
    "flat both, two rows": ((2, 2), Flat(), Flat(), None),
    "flat both, relative, wide": ((3, 5), Flat(), Flat(), "sigma"),
    "flat scale, relative, wide": ((3, 5), HalfNormal(1.0), Flat(), "sigma"),
    "flat sigma, one row": ((1, 2), Flat(), 1.0, None),
}


@pytest.mark.parametrize(("shape", "sigma", "scale", "relative"), IMPROPER.values(), ids=IMPROPER)
def test_tails_that_do_not_close(
    shape: tuple[int, int], sigma: Any, scale: Any, relative: Any
) -> None:
    """The exponents along sigma, scale and both at once say that there is no integral."""
    X, y = RNG.normal(size=shape), RNG.normal(size=shape[0])
    problem = Problem(
        X,
        y,
        intercept=False,
        likelihood=Gaussian(sigma),
        prior=Normal(scale, relative_to=relative),
    )
    with pytest.raises(ImproperPosterior):
        posterior_moments(problem)


def test_moments_that_do_not_exist() -> None:
    """A half-Cauchy scale of one coefficient has a mean and no sd; of none, neither."""
    one = posterior_moments(
        Problem(RNG.normal(size=(9, 1)), RNG.normal(size=9), likelihood=Gaussian(1.0),
                prior=Normal(HalfCauchy(1.0)))
    )  # fmt: skip
    assert one.scale_mean is not None
    assert math.isfinite(one.scale_mean)
    assert one.scale_sd == math.inf
    with pytest.raises(NoClosedForm, match="variance"):
        _both([[0.0], [0.0], [0.0]], [1.0, 2.0, 4.0], prior=Normal(HalfCauchy(1.0)))


def test_what_needs_more_than_one_decomposition() -> None:
    """Fixed and unknown scales with sigma unknown; a scale that nothing depends on."""
    X, y = RNG.normal(size=(6, 2)), RNG.normal(size=6)
    blocks = [(Normal(HalfNormal(1.0)), [0]), (Normal(1.0), [1])]
    with pytest.raises(NoClosedForm, match="no one decomposition"):
        _both(X, y, prior=blocks)
    with pytest.raises(NoClosedForm, match="no coefficient depends"):
        _both(X, y, prior=Normal(HalfNormal(1.0), factor=[math.inf, math.inf]))


# ---------------------------------------------------------------------- draws


def _share_below(expected: Truth, axis: int, log_value: float) -> float:
    """Distribution function of sigma (axis 0) or scale (axis 1), from the grid."""
    grid, share = expected.grid[axis], expected.probability.sum(axis=1 - axis)
    centres = 0.5 * (grid[1:] + grid[:-1])
    return float(np.interp(log_value, centres, np.cumsum(share)[:-1]))


DRAWN = ("half-cauchy sigma", "half-cauchy scale", "both", "both, wide, relative")


@pytest.mark.parametrize("case", DRAWN)
def test_draws(case: str) -> None:
    """Laws of sigma and scale, and moments of the coefficients, to 5 standard errors."""
    shape, sigma, scale, relative = CASES[case]
    problem, base, loc = _problem(SHAPES[shape], sigma, scale, relative=relative)
    expected = truth(problem, base, loc, sigma, scale)
    tree = sample(problem, "exact", draws=5000, seed=9)
    total = 20_000
    beta = _values(tree, "beta")
    z = (beta - expected.mean) / np.sqrt(np.diag(expected.covariance))
    assert np.abs(z.mean(axis=0)).max() < 5 / math.sqrt(total)
    errors = (z**2).std(axis=0) / math.sqrt(total)
    assert (np.abs((z**2).mean(axis=0) - 1) < 6 * errors).all()
    assert abs(np.corrcoef(beta[1:, 0], beta[:-1, 0])[0, 1]) < 5 / math.sqrt(total)
    for axis, name in enumerate(("sigma", "scale")):
        if name not in problem.unknown:
            continue
        log_values = np.log(_values(tree, name))
        for point in np.quantile(log_values, [0.001, 0.05, 0.3, 0.5, 0.8, 0.99]):
            share = _share_below(expected, axis, float(point))
            error = math.sqrt(share * (1 - share) / total)
            assert abs((log_values < point).mean() - share) < 5 * error + 1e-3 * share


def test_scale_and_coefficients_are_drawn_together() -> None:
    """``E β² / τ²`` is that of the conditional law, not of independent margins."""
    problem, base, loc = _problem((3, 5), HalfNormal(1.0), HalfNormal(0.5), relative=True)
    tree = sample(problem, "exact", draws=10_000, seed=3)
    beta, sigma, scale = (_values(tree, name) for name in ("beta", "sigma", "scale"))
    unit = (beta - loc) / (base * (sigma * scale)[:, None])
    given = [
        posterior_moments(problem.given(sigma=float(s), scale=float(q)))
        for s, q in zip(sigma[:400], scale[:400], strict=True)
    ]
    expected = np.array([
        ((m.mean - loc) ** 2 + m.sd**2) / (base * s * q) ** 2
        for m, s, q in zip(given, sigma[:400], scale[:400], strict=True)
    ])  # fmt: skip
    spread = np.hypot(
        expected.std(axis=0) / math.sqrt(400), (unit**2).std(axis=0) / math.sqrt(len(unit))
    )
    assert (np.abs((unit**2).mean(axis=0) - expected.mean(axis=0)) < 5 * spread).all()


# ---------------------------------------------------------------------- along the scales


ALONG: dict[str, dict[str, Any]] = {
    "known": {"likelihood": Gaussian(0.7), "prior": Normal(1.0, loc=0.3)},
    "two scales": {"likelihood": Gaussian(0.7), "prior": Normal([1.0, 2.0, 0.5, np.inf])},
    "unknown scale": {"likelihood": Gaussian(0.7), "prior": Normal(HalfCauchy(1.0))},
    "conjugate": {
        "likelihood": Gaussian(InverseGamma(2.0, 1.0)),
        "prior": Normal(1.0, relative_to="sigma"),
    },
    "unknown sigma": {"likelihood": Gaussian(HalfNormal(1.0)), "prior": Normal(1.0)},
    "unknown both": {
        "likelihood": Gaussian(HalfCauchy(1.0)),
        "prior": [(Normal(Flat()), [0, 1, 3]), (Normal(0.5, relative_to="sigma"), [2])],
    },
    "blocks": {
        "likelihood": Gaussian(HalfCauchy(1.0)),
        "prior": [(Normal(1.0), [0, 1, 3]), (Normal(0.5, relative_to="sigma"), [2])],
    },
}


@pytest.mark.parametrize("parts", ALONG.values(), ids=ALONG)
def test_moments_along_scales(parts: dict[str, Any]) -> None:
    """One decomposition gives what each scale by itself gives."""
    rng = np.random.default_rng(6)
    X, y, scales = rng.normal(size=(9, 4)), rng.normal(size=9), [0.01, 0.5, 3.0, 40.0]
    problem = Problem(X, y, **parts)
    known = problem.given(sigma=1.0) if "sigma" in problem.unknown else problem
    family = Family.of(known)
    family = Family(problem, family.unit, family.own, family.multiples)
    for scale, found in zip(scales, moments_along(problem, scales), strict=True):
        expected = posterior_moments(family.at(scale))
        assert_allclose(found.mean, expected.mean, rtol=1e-9, atol=1e-12)
        assert_allclose(found.covariance, expected.covariance, rtol=1e-9, atol=1e-13)
        assert found.intercept_sd == pytest.approx(expected.intercept_sd, rel=1e-9)
        assert found.log_marginal_likelihood is None
        if expected.sigma_mean is not None:
            assert found.sigma_mean == pytest.approx(expected.sigma_mean, rel=1e-9)


def test_evidence_along_scales_has_the_integral() -> None:
    """Evidence given the scale, integrated over its prior, is the evidence of both."""
    problem, _, _ = _problem((6, 2), HalfNormal(1.0), HalfNormal(1.0), relative=False)
    u = np.linspace(-20, 5, 401)
    along = [m.log_marginal_likelihood or 0.0 for m in moments_along(problem, np.exp(u))]
    total = special.logsumexp(np.array(along) + _log_prior(HalfNormal(1.0), u))
    expected = posterior_moments(problem).log_marginal_likelihood
    assert total + math.log(u[1] - u[0]) == pytest.approx(expected, abs=1e-8)


def test_moments_along_take_other_exact_posteriors() -> None:
    """A Laplace prior of one coefficient: each scale is solved by itself."""
    X, y = RNG.normal(size=(9, 1)), RNG.normal(size=9)
    problem = Problem(X, y, likelihood=Gaussian(0.7), prior=Laplace(HalfCauchy(1.0)))
    found = moments_along(problem, [0.1, 1.0])
    assert_allclose(found[0].mean, posterior_moments(problem.given(scale=0.1)).mean)
    assert_allclose(found[1].mean, posterior_moments(problem.given(scale=1.0)).mean)


# ---------------------------------------------------------------------- the parts


@pytest.mark.parametrize("family", SCALE_PRIORS, ids=lambda family: family.__name__)
def test_log_scales_are_the_priors(family: type[ScalePrior]) -> None:
    """Density with the Jacobian, slope, concavity and tails, for every prior of the package."""
    known: dict[type[ScalePrior], ScalePrior] = {
        InverseGamma: InverseGamma(1.5, 0.7),
        HalfStudentT: HalfStudentT(0.8, 3.0),
        HalfFlat: HalfFlat(),
    }
    prior = known[family] if family in known else family(0.8)  # type: ignore[call-arg]
    log_scale, u = LogScale.of(prior), np.linspace(-8, 3, 45)
    assert_allclose(log_scale.log_density(u), _log_prior(prior, u), rtol=1e-12)
    step = 1e-6
    slope = (log_scale.log_density(u + step) - log_scale.log_density(u - step)) / (2 * step)
    assert_allclose(log_scale.slope(u), slope, rtol=1e-6, atol=1e-6)
    assert (np.diff(log_scale.slope(u)) <= 1e-12).all()
    low, high = log_scale.slope(np.array([-30.0])), log_scale.slope(np.array([30.0]))
    assert low[0] == pytest.approx(log_scale.rise) or log_scale.rise == math.inf
    assert -high[0] == pytest.approx(log_scale.fall) or log_scale.fall == math.inf


def _column(log_density: Any) -> Any:
    return lambda x: log_density(x)[:, None]


def test_lattice_integrates_uneven_densities() -> None:
    """A narrow peak on a wide one, far apart; and exponential tails."""

    def two_peaks(x: Any) -> Any:
        return np.logaddexp(
            stats.norm.logpdf(x, 0, 2), stats.norm.logpdf(x, 30, 1e-3) + math.log(3)
        )

    lattice = Lattice.of(_column(two_peaks), [0.0, 30.0])
    assert lattice.log_total == pytest.approx(math.log(4), abs=1e-11)
    assert lattice.weights @ lattice.nodes == pytest.approx(22.5, rel=1e-11)
    draws = lattice.draw(np.random.default_rng(1), 20_000)
    high = draws > 15
    assert abs(high.mean() - 0.75) < 5 * math.sqrt(0.75 * 0.25 / 20_000)
    assert stats.kstest(draws[high], stats.norm(30, 1e-3).cdf).pvalue > 1e-6
    assert stats.kstest(draws[~high], stats.norm(0, 2).cdf).pvalue > 1e-6
    sech = Lattice.of(_column(lambda x: -np.logaddexp(x - 100, 100 - x)), [0.0])
    assert sech.log_total == pytest.approx(math.log(math.pi / 2), abs=1e-13)
    law = stats.hypsecant(100)
    assert stats.kstest(sech.draw(np.random.default_rng(2), 20_000), law.cdf).pvalue > 1e-6


def test_lattice_refuses_what_does_not_end() -> None:
    """A constant has no integral."""
    with pytest.raises(NoClosedForm, match="too heavy a tail"):
        Lattice.of(_column(np.zeros_like), [0.0])


def test_rows_draw_from_each_density() -> None:
    """Gumbel laws of different places and widths, a thousand draws of each."""
    centre = np.repeat([-5.0, 0.0, 300.0], 4000)[:, None]
    width = np.repeat([0.1, 1.0, 7.0], 4000)[:, None]

    def log_density(x: Any) -> Any:
        z = (x - centre) / width
        return -z - np.exp(-z)

    def slope(x: Any) -> Any:
        return (np.exp(-(x - centre) / width) - 1) / width

    with np.errstate(over="ignore"):
        rows = Rows.of(log_density, slope, np.zeros(12_000))
        draws = rows.draw(np.random.default_rng(3))
    assert_allclose(rows.log_totals(), np.log(width[:, 0]), atol=1e-13)
    for k in range(3):
        part = slice(4000 * k, 4000 * (k + 1))
        law = stats.gumbel_r(centre[part][0, 0], width[part][0, 0])
        assert stats.kstest(draws[part], law.cdf).pvalue > 1e-6
