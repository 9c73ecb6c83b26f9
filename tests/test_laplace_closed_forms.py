"""Laplace posteriors in closed form: against references, panels of Gauss–Legendre, and orthants."""

from __future__ import annotations

import itertools
import math
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import special, stats

from bayesreg import (
    ElasticNet,
    Flat,
    Gaussian,
    HalfCauchy,
    HalfNormal,
    Laplace,
    Normal,
    Problem,
    posterior_moments,
    sample,
)
from bayesreg.errors import ImproperPosterior, NoClosedForm
from bayesreg.posterior import half_normal
from bayesreg.posterior.exact import reason_against
from tests.orthants import laplace_by_orthants
from tests.reference_cases import CASES, Case, number, vector

if TYPE_CHECKING:
    import xarray as xr

    from bayesreg._validation import Matrix, Vector

COVERED = [case for case in CASES if case.id.startswith(("lasso1d", "lasso2d"))]


def _values(tree: xr.DataTree, name: str) -> Any:
    values = tree["posterior"].to_dataset()[name].to_numpy()
    return values.reshape(-1, *values.shape[2:])


def _reference(case: Case) -> Problem:
    d = case.definition
    prior = Laplace(1 / np.atleast_1d(np.asarray(d["lam"], dtype=float)))
    return Problem(d["X"], d["y"], intercept=False, likelihood=Gaussian(d["sigma"]), prior=prior)


def test_six_references_are_covered() -> None:
    """Four of one coefficient and two of two."""
    assert len(COVERED) == 6


@pytest.mark.parametrize("case", COVERED, ids=lambda case: case.id)
def test_reference(case: Case) -> None:
    """Mean, sd, covariance and evidence, to the tolerance of the file."""
    moments = posterior_moments(_reference(case))
    close = partial(assert_allclose, rtol=case.rtol, atol=case.atol)
    close(moments.mean, vector(case.expected["mean"]))
    close(moments.sd, vector(case.expected["sd"]))
    evidence = number(case.expected["log_marginal_likelihood"])
    close(moments.log_marginal_likelihood, evidence)
    if "cov" in case.expected:
        expected = np.array([vector(row) for row in case.expected["cov"]])
        close(moments.covariance, expected)


@pytest.mark.parametrize("case", COVERED[:4], ids=lambda case: case.id)
def test_draws_have_the_reference_quantiles(case: Case) -> None:
    """Shares of draws below the stated quantiles and above zero, to 5 standard errors."""
    beta = _values(sample(_reference(case), draws=10_000, seed=2), "beta")[:, 0]
    for name, share in (("median", 0.5), ("q025", 0.025), ("q975", 0.975)):
        found = (beta < number(case.expected[name])).mean()
        assert abs(found - share) < 5 * math.sqrt(share * (1 - share) / beta.size)
    positive = number(case.expected["prob_positive"])
    error = 5 * math.sqrt(positive * (1 - positive) / beta.size)
    assert abs((beta > 0).mean() - positive) <= error


# ---------------------------------------------------------------------- two coefficients


def _by_panels(problem: Problem, reach: Vector, nodes: int = 300) -> tuple[Vector, Matrix, float]:
    """Mean, covariance and log integral of minus the objective, by Gauss–Legendre per quadrant."""
    x, w = np.polynomial.legendre.leggauss(nodes)
    half, weight = 0.5 * (x + 1), 0.5 * w
    axes = [np.concatenate([-half[::-1], half]) * r for r in reach]
    weights = [np.concatenate([weight[::-1], weight]) * r for r in reach]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, reach.size)
    mass = weights[0] if reach.size == 1 else np.outer(*weights).ravel()
    design, penalty = problem.design, problem.elastic_net
    offset = 0.0 if design.offset is None else design.offset
    left = design.y - offset - grid @ design.X.T
    sigma = problem.likelihood.sigma  # type: ignore[attr-defined]
    value = -0.5 * (design.row_weights * left**2).sum(axis=1) / sigma**2
    value -= penalty.l1 @ np.abs(grid).T + 0.5 * penalty.l2 @ (grid - penalty.loc).T ** 2
    top = value.max()
    share = mass * np.exp(value - top)
    total = float(share.sum())
    share /= total
    mean = share @ grid
    off = grid - mean
    constant = problem.constant
    return mean, (share[:, None] * off).T @ off, top + math.log(total) - constant


RNG = np.random.default_rng(11)
TALL, WIDE = RNG.normal(size=(8, 2)), RNG.normal(size=(1, 2))
Y8 = TALL @ [1.0, -0.3] + RNG.normal(size=8)
NEAR = np.column_stack([TALL[:, 0], TALL[:, 0] + 0.05 * TALL[:, 1]])
PAIRS: dict[str, tuple[dict[str, Any], float]] = {
    "tall": ({"X": TALL, "y": Y8, "prior": Laplace([0.4, 1.5])}, 6.0),
    "weights": (
        {
            "X": TALL,
            "y": Y8,
            "prior": Laplace(0.5),
            "weights": RNG.uniform(0.5, 2, 8),
            "offset": RNG.normal(size=8),
        },
        6.0,
    ),
    "one row": ({"X": WIDE, "y": [2.0], "prior": Laplace(0.3)}, 12.0),
    "zero column": ({"X": TALL * [1.0, 0.0], "y": Y8, "prior": Laplace(0.3)}, 12.0),
    "near collinear": ({"X": NEAR, "y": Y8, "prior": Laplace([0.3, 0.4])}, 14.0),
    "collinear": ({"X": TALL[:, [0, 0]] * [1.0, -2.0], "y": Y8, "prior": Laplace(0.3)}, 12.0),
    "strong": ({"X": TALL, "y": 5 * Y8, "prior": Laplace(0.05)}, 12.0),
    "elastic net": ({"X": TALL, "y": Y8, "prior": ElasticNet(0.5, 0.7)}, 6.0),
    "net, one row": ({"X": WIDE, "y": [2.0], "prior": ElasticNet(0.5, 0.7)}, 7.0),
}


@pytest.mark.parametrize(("parts", "reach"), PAIRS.values(), ids=PAIRS)
def test_pairs_by_panels(parts: dict[str, Any], reach: float) -> None:
    """Mean, covariance and evidence to ten digits of the sd."""
    problem = Problem(**parts, likelihood=Gaussian(0.8), intercept=False)
    moments = posterior_moments(problem)
    mean, covariance, log_integral = _by_panels(problem, np.full(2, reach))
    assert_allclose(moments.mean / moments.sd, mean / moments.sd, atol=1e-9)
    scale = np.outer(moments.sd, moments.sd)
    assert_allclose(moments.covariance / scale, covariance / scale, atol=1e-9)
    assert moments.log_marginal_likelihood == pytest.approx(log_integral, abs=1e-9)


def test_a_pair_in_either_order() -> None:
    """Which coefficient is integrated numerically makes no difference."""
    prior, other = Laplace([0.02, 2.0]), Laplace([2.0, 0.02])
    one = posterior_moments(
        Problem(NEAR, Y8, intercept=False, likelihood=Gaussian(0.3), prior=prior)
    )
    two = posterior_moments(
        Problem(NEAR[:, ::-1], Y8, intercept=False, likelihood=Gaussian(0.3), prior=other)
    )
    assert_allclose(one.mean, two.mean[::-1], rtol=1e-10)
    assert_allclose(one.covariance, two.covariance[::-1, ::-1], rtol=1e-10)
    assert one.log_marginal_likelihood == pytest.approx(two.log_marginal_likelihood, abs=1e-10)


@pytest.mark.parametrize("scale", [1e-8, 1e-4, 1e4, 1e8])
def test_extreme_scales_of_a_pair(scale: float) -> None:
    """A tiny scale leaves the prior, a huge one least squares."""
    problem = Problem(TALL, Y8, intercept=False, likelihood=Gaussian(0.8), prior=Laplace(scale))
    moments = posterior_moments(problem)
    if scale < 1:
        assert_allclose(moments.sd, math.sqrt(2) * scale, rtol=10 * scale)
        # The slope of the log likelihood at 0 times the prior variance.
        assert_allclose(moments.mean, 2 * scale**2 * (TALL.T @ Y8) / 0.64, rtol=100 * scale)
    else:
        flat = posterior_moments(
            Problem(TALL, Y8, intercept=False, likelihood=Gaussian(0.8), prior=Flat())
        )
        assert_allclose(moments.mean, flat.mean, rtol=10 / scale)
        assert_allclose(moments.covariance, flat.covariance, rtol=10 / scale)


def test_draws_of_a_pair() -> None:
    """Mean, covariance, and the law of each coordinate of near-collinear columns."""
    problem = Problem(
        NEAR, Y8, intercept=False, likelihood=Gaussian(0.8), prior=Laplace([0.3, 0.4])
    )
    moments = posterior_moments(problem)
    beta = _values(sample(problem, draws=10_000, seed=5), "beta")
    z = (beta - moments.mean) / moments.sd
    assert np.abs(z.mean(axis=0)).max() < 5 / math.sqrt(len(z))
    assert_allclose(np.cov(z.T), moments.covariance / np.outer(moments.sd, moments.sd), atol=0.04)
    x, w = np.polynomial.legendre.leggauss(400)
    inner, mass = 7 * (x + 1), 7 * w
    inner, mass = np.append(-inner[::-1], inner), np.append(mass[::-1], mass)

    def share_below(b: float) -> float:
        """Integrate over the first coefficient up to b, and over all of the second."""
        edges = [-14.0, min(b, 0.0), *([b] if b > 0 else [])]
        total = 0.0
        for low, high in itertools.pairwise(edges):
            first = low + 0.5 * (high - low) * (x + 1)
            grid = np.stack(np.meshgrid(first, inner, indexing="ij"), axis=-1).reshape(-1, 2)
            value = -0.5 * ((Y8 - grid @ NEAR.T) ** 2).sum(axis=1) / 0.64
            value -= np.abs(grid) @ [1 / 0.3, 1 / 0.4]
            total += float(np.outer(0.5 * (high - low) * w, mass).ravel() @ np.exp(value))
        return total

    points = np.quantile(beta[:, 0], [0.01, 0.2, 0.5, 0.8, 0.99])
    whole = share_below(14.0)
    for point in points:
        share = share_below(float(point)) / whole
        found = (beta[:, 0] < point).mean()
        assert abs(found - share) < 5 * math.sqrt(share * (1 - share) / len(beta))


# ---------------------------------------------------------------------- one by one


def _orthogonal(n: int, p: int) -> Matrix:
    return np.linalg.qr(np.random.default_rng(3).normal(size=(n, p)))[0] * 3.0


def test_orthogonal_columns_are_solved_one_by_one() -> None:
    """Twelve columns, each against panels; the evidence is of them all."""
    X = _orthogonal(20, 12)
    y = X @ np.linspace(-2, 2, 12) + np.random.default_rng(4).normal(size=20)
    problem = Problem(X, y, intercept=False, likelihood=Gaussian(0.9), prior=Laplace(0.4))
    moments = posterior_moments(problem)
    left = 0.0
    for j in range(12):
        single = Problem(X[:, [j]], y, intercept=False, likelihood=Gaussian(0.9),
                         prior=Laplace(0.4))  # fmt: skip
        mean, covariance, log_integral = _by_panels(single, np.array([8.0]))
        assert_allclose(moments.mean[j], mean[0], atol=1e-12)
        assert_allclose(moments.covariance[j, j], covariance[0, 0], rtol=1e-10)
        left += log_integral + single.objective([0.0]) - math.log(0.8)
    whole = -problem.objective(np.zeros(12)) + 12 * math.log(0.8) + left
    assert moments.log_marginal_likelihood == pytest.approx(whole, abs=1e-9)
    assert_allclose(moments.covariance - np.diag(moments.sd**2), 0.0, atol=1e-15)


def test_pairs_among_orthogonal_columns() -> None:
    """Six columns in three pairs, against orthants."""
    X = _orthogonal(12, 6)
    X[:, 3] += 0.8 * X[:, 0]
    X[:, 5] -= 0.5 * X[:, 4]
    X[:, 2] += 0.2 * X[:, 1]
    y = X @ [1.0, 0, 0.5, 0, -1, 0.2] + np.random.default_rng(4).normal(size=12)
    problem = Problem(X, y, intercept=False, likelihood=Gaussian(1.5), prior=Laplace(0.5))
    moments = posterior_moments(problem)
    c, l1 = X.T @ y / 2.25, np.full(6, 2.0)
    reference = laplace_by_orthants(X.T @ X / 2.25, c, l1, log2_points=12)
    error = 6 * reference.mean_error + 1e-7
    assert (np.abs(moments.mean - reference.mean) < error).all()
    off = np.abs(moments.covariance - reference.covariance)
    assert (off < 8 * reference.covariance_error + 1e-6).all()
    assert reference.covariance_error.max() < 1e-3
    constant = problem.objective(np.zeros(6))
    assert moments.log_marginal_likelihood == pytest.approx(
        reference.log_integral - constant, abs=6 * reference.log_integral_error + 1e-6
    )


@pytest.mark.parametrize("p", [1, 2])
def test_orthants_give_the_closed_forms(p: int) -> None:
    """The reference of the Gibbs tests is right to its stated error."""
    X, l1 = TALL[:, :p], np.full(p, 1.5)
    moments = posterior_moments(
        Problem(X, Y8, intercept=False, likelihood=Gaussian(1.0), prior=Laplace(1 / 1.5))
    )
    reference = laplace_by_orthants(X.T @ X, X.T @ Y8, l1)
    assert (np.abs(moments.mean - reference.mean) < 8 * reference.mean_error + 1e-9).all()
    assert (reference.mean_error < 1e-4).all()
    assert_allclose(moments.covariance, reference.covariance, atol=1e-4)


def test_other_coefficients_are_integrated_out() -> None:
    """One absolute value beside normal and flat priors and an intercept.

    Without it the posterior is normal, and the absolute value tilts the law of its coefficient.
    """
    rng = np.random.default_rng(8)
    X, y = rng.normal(size=(12, 4)), rng.normal(size=12)
    rest: list[Any] = [(Normal(0.7, loc=0.5), [0, 2]), (Flat(), [3])]
    without = posterior_moments(
        Problem(X, y, likelihood=Gaussian(0.9), prior=[(Flat(), [1]), *rest])
    )
    moments = posterior_moments(
        Problem(X, y, likelihood=Gaussian(0.9), prior=[(Laplace(0.2), [1]), *rest])
    )
    m, v = without.mean[1], without.covariance[1, 1]
    x, w = np.polynomial.legendre.leggauss(400)
    b = np.append(-2 * (x + 1), 2 * (x + 1))
    share = np.tile(w, 2) * np.exp(-0.5 * (b - m) ** 2 / v - np.abs(b) / 0.2)
    share /= share.sum()
    mean = float(share @ b)
    variance = float(share @ (b - mean) ** 2)
    slope = without.covariance[:, 1] / v
    assert_allclose(moments.mean, without.mean + slope * (mean - m), rtol=1e-9)
    expected = without.covariance + np.outer(slope, slope) * (variance - v)
    assert_allclose(moments.covariance, expected, rtol=1e-8, atol=1e-12)
    assert moments.log_marginal_likelihood is None
    tree = sample(
        Problem(X, y, likelihood=Gaussian(0.9), prior=[(Laplace(0.2), [1]), *rest]),
        "exact",
        draws=5000,
        seed=1,
    )
    whole = np.column_stack([_values(tree, "beta"), _values(tree, "intercept")])
    assert moments.intercept_mean is not None
    assert moments.intercept_sd is not None
    mean_all = np.append(moments.mean, moments.intercept_mean)
    sd_all = np.append(moments.sd, moments.intercept_sd)
    assert (np.abs(whole.mean(axis=0) - mean_all) < 5 * sd_all / math.sqrt(len(whole))).all()
    assert_allclose(whole.std(axis=0), sd_all, rtol=0.05)


def test_evidence_beside_a_normal_prior() -> None:
    """A normal coefficient integrated out has the evidence of the two together."""
    problem = Problem(
        TALL,
        Y8,
        intercept=False,
        likelihood=Gaussian(0.8),
        prior=[(Laplace(0.4), [0]), (Normal(0.6, loc=0.3), [1])],
    )
    mean, covariance, log_integral = _by_panels(problem, np.full(2, 7.0))
    moments = posterior_moments(problem)
    assert_allclose(moments.mean, mean, rtol=1e-10)
    assert_allclose(moments.covariance, covariance, rtol=1e-9)
    assert moments.log_marginal_likelihood == pytest.approx(log_integral, abs=1e-10)


def test_constant_and_huge_columns() -> None:
    """Beside an intercept a constant column is prior only, and an offset of 1e8 changes nothing."""
    rng = np.random.default_rng(9)
    x, y = np.round(rng.normal(size=16), 6), rng.normal(size=16)
    X = np.column_stack([x, np.full(16, 3.0)])
    both = posterior_moments(Problem(X, y, likelihood=Gaussian(1.0), prior=Laplace(0.5)))
    alone = posterior_moments(Problem(X[:, :1], y, likelihood=Gaussian(1.0), prior=Laplace(0.5)))
    assert_allclose(both.mean, [alone.mean[0], 0.0], atol=1e-14)
    assert_allclose(both.sd, [alone.sd[0], math.sqrt(0.5)], rtol=1e-13)
    moved = posterior_moments(
        Problem(X[:, :1] + 1e8, y, likelihood=Gaussian(1.0), prior=Laplace(0.5))
    )
    assert_allclose(moved.mean, alone.mean, rtol=1e-6)
    assert_allclose(moved.sd, alone.sd, rtol=1e-6)


# ---------------------------------------------------------------------- half a normal law


def test_half_normal_integrals_over_all_sizes() -> None:
    """Against Mills' ratio in its forms, from c ≫ λ to λ ≫ c."""
    g = np.array([1.0, 1.0, 4.0, 1e-30, 0.0, 1.0, 1.0])
    b = np.array([0.0, -30.0, 3.0, 2.0, 2.0, 1e6, -1e5])
    expected = [
        0.5 * math.log(math.pi / 2),
        450 + 0.5 * math.log(2 * math.pi),
        math.log(math.sqrt(math.pi / 2) / 2 * special.erfcx(1.5 / math.sqrt(2))),
        -math.log(2),
        -math.log(2),
        -math.log(1e6) - 1e-12,
        5e9 + 0.5 * math.log(2 * math.pi),
    ]
    assert_allclose(half_normal.log_integral(g, b), expected, rtol=1e-14)
    mean, variance = half_normal.moments(g, b)
    assert_allclose(mean[[1, 3, 4, 5, 6]], [30.0, 0.5, 0.5, 1e-6, 1e5], rtol=1e-10)
    assert_allclose(variance[[1, 3, 4, 5, 6]], [1.0, 0.25, 0.25, 1e-12, 1.0], rtol=1e-9)


@pytest.mark.parametrize(("g", "b"), [(1.0, -3.0), (1.0, 0.2), (4.0, 3.0), (1.0, 40.0), (0.0, 2.0)])
def test_half_normal_draws(g: float, b: float) -> None:
    """The whole law, by Kolmogorov and Smirnov."""
    x = half_normal.draw(np.full(20_000, g), np.full(20_000, b), np.random.default_rng(6))
    law = stats.expon(scale=1 / b)
    if g:
        law = stats.truncnorm(b / math.sqrt(g), np.inf, loc=-b / g, scale=g**-0.5)
    assert stats.kstest(x, law.cdf).pvalue > 1e-6


def test_small_means_keep_their_digits() -> None:
    """Where the two sides nearly cancel the mean is right to its last digits, not the sd's."""
    for scale in (1e-3, 1e-6, 1e-9):
        problem = Problem(
            [[1.0]], [1.0], intercept=False, likelihood=Gaussian(1.0), prior=Laplace(scale)
        )
        # E x² (1 − x²/2 …): of the Laplace law the second moment is 2 s², the fourth 24 s⁴.
        expected = 2 * scale**2 * (1 - 4 * scale**2)
        assert posterior_moments(problem).mean[0] == pytest.approx(
            expected, rel=100 * scale**4 + 1e-14
        )


# ---------------------------------------------------------------------- refusals


def test_what_is_not_known() -> None:
    """Three columns that are not orthogonal; unknown sigma or scale."""
    rng = np.random.default_rng(2)
    X, y = rng.normal(size=(6, 3)), rng.normal(size=6)
    likelihood = Gaussian(1.0)
    refused = {
        "not orthogonal": Problem(X, y, likelihood=likelihood, prior=Laplace(1.0)),
        "sigma is unknown": Problem(
            X[:, :1], y, likelihood=Gaussian(HalfNormal(1.0)), prior=Laplace(1.0)
        ),
        "scale is unknown": Problem(
            X[:, :1], y, likelihood=likelihood, prior=Laplace(HalfCauchy(1.0))
        ),
    }
    for words, problem in refused.items():
        with pytest.raises(NoClosedForm, match=words):
            posterior_moments(problem)
    with pytest.raises(ImproperPosterior):
        posterior_moments(
            Problem(np.ones((3, 3)), y[:3], intercept=False, likelihood=likelihood,
                    prior=[(Laplace(1.0), [0]), (Flat(), [1, 2])])
        )  # fmt: skip


def test_many_columns_are_refused_without_a_gram_matrix() -> None:
    """More columns than orthogonality allows are seen at once."""
    problem = Problem(
        np.ones((2, 50_000)), [0.0, 1.0], likelihood=Gaussian(1.0), prior=Laplace(1.0)
    )
    reason = reason_against(problem)
    assert reason is not None
    assert "not orthogonal" in reason
