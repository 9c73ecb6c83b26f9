"""Closed forms of the scale, against brute force and peers: leave-one-out, evidence, AIC, BIC."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import linalg, optimize, stats
from sklearn.linear_model import BayesianRidge, LassoLarsIC, RidgeCV

import bayesreg as br
from bayesreg.errors import BayesregError, DegenerateMode, InputError
from bayesreg.path_scales import Family
from bayesreg.selection.evidence import RidgeEvidence, outermost_crossing

DATA = br.datasets.load("diabetes")
Z = (DATA.X - DATA.X.mean(axis=0)) / DATA.X.std(axis=0)
CENTRED = DATA.y - DATA.y.mean()
RNG = np.random.default_rng(5)
X = RNG.normal(size=(25, 4)) * [1.0, 4.0, 0.3, 1.0] + 1.0
Y = X @ [1.0, 0.0, 2.0, -1.0] + RNG.normal(size=25)
WIDE = RNG.normal(size=(8, 12))
SCALES = np.array([0.1, 0.7, 3.0])
ONES = np.ones(12)
CASES: dict[str, dict[str, Any]] = {
    "plain": {"prior": br.Normal(1.0)},
    "no intercept": {"prior": br.Normal(1.0), "intercept": False},
    "weights and offset": {
        "prior": br.Normal(1.0),
        "weights": RNG.uniform(0.3, 3.0, 25),
        "offset": RNG.normal(size=25),
    },
    "flat column, several scales, means": {
        "prior": br.Normal(scale=[1.0, np.inf, 3.0, 0.5], loc=[0.5, 0.0, -1.0, 0.0])
    },
    "standardised": {"prior": br.Normal(1.0), "standardize": True},
    "elastic net without absolute values": {"prior": br.ElasticNet(np.inf, 2.0)},
    "relative": {"prior": br.Normal(1.0, relative_to="sigma")},
}


@pytest.mark.parametrize("case", CASES)
def test_leave_one_out_is_what_brute_force_finds(case: str) -> None:
    """One certified mode for every row left out and every scale, the row judged by it."""
    problem = br.Problem(X, Y, likelihood=br.Gaussian(0.9), **CASES[case])
    chosen = br.select_scale(problem, "leave-one-out", scales=SCALES)
    folds = [(np.delete(np.arange(25), i), np.array([i])) for i in range(25)]
    brute = br.select_scale(problem, scales=SCALES, folds=folds)
    assert_allclose(chosen.curve.value, brute.curve.value, rtol=1e-10)
    assert_allclose(chosen.curve.standard_error, brute.curve.standard_error, rtol=1e-8)


def test_leave_one_out_with_more_columns_than_rows() -> None:
    """The same decomposition serves, and rows left out one by one agree."""
    problem = br.Problem(WIDE, Y[:8], likelihood=br.Gaussian(1.0), prior=br.Normal(1.0))
    one = br.select_scale(problem, "leave-one-out", scales=SCALES)
    folds = [(np.delete(np.arange(8), i), np.array([i])) for i in range(8)]
    two = br.select_scale(problem, scales=SCALES, folds=folds)
    assert_allclose(one.curve.value, two.curve.value, rtol=1e-10)


def test_ridge_cv_of_scikit_learn_chooses_the_same() -> None:
    """Its generalised form with cv=None is leave-one-out with α = σ²/τ²."""
    alphas = np.geomspace(1e-2, 1e3, 30)
    peer = RidgeCV(alphas=alphas, store_cv_results=True).fit(Z, CENTRED)
    problem = br.Problem(Z, CENTRED, likelihood=br.Gaussian(2.0), prior=br.Normal(1.0))
    chosen = br.select_scale(problem, "leave-one-out", scales=2.0 / np.sqrt(alphas))
    assert chosen.scale == pytest.approx(2.0 / np.sqrt(peer.alpha_))
    loss = peer.cv_results_.sum(axis=0)[::-1]
    constant = 0.5 * 442 * np.log(2 * np.pi * 4.0)
    order = np.argsort(2.0 / np.sqrt(alphas[::-1]))
    assert_allclose(chosen.curve.value - constant, loss[order] / 8.0, rtol=1e-9)


def test_a_row_that_alone_holds_a_flat_coefficient_cannot_be_left_out() -> None:
    """Without it nothing is known of that coefficient; the message names the row."""
    columns = np.column_stack([X, np.eye(25)[3]])
    prior = br.Normal([1.0, 1.0, 1.0, 1.0, np.inf])
    problem = br.Problem(columns, Y, likelihood=br.Gaussian(1.0), prior=prior)
    with pytest.raises(InputError, match="row 3 determines"):
        br.select_scale(problem, "leave-one-out", scales=SCALES)


def eliminated(
    rows: Any, target: Any, h: Any, scale: float
) -> tuple[list[Fraction], Fraction, Fraction]:
    """Mode under ``Normal(scale)`` on all columns but the last, determinant, and Σ h y² − b'mode.

    By elimination of fractions of the normal equations, whose right-hand side is b.
    """
    p, over = len(rows[0]) - 1, 1 / Fraction(scale) ** 2
    n, width = range(len(rows)), range(p + 1)
    table = [
        [sum(h[k] * rows[k][a] * rows[k][b] for k in n) + (a == b < p) * over for b in width]
        + [sum(h[k] * rows[k][a] * target[k] for k in n)]
        for a in width
    ]
    right, det = [row[-1] for row in table], Fraction(1)
    for a in width:
        det *= table[a][a]
        table[a] = [v / table[a][a] for v in table[a]]
        for b in width:
            if b != a:
                table[b] = [v - table[b][a] * u for v, u in zip(table[b], table[a], strict=True)]
    mode = [row[-1] for row in table]
    square = sum((w * t**2 for w, t in zip(h, target, strict=True)), Fraction(0))
    return mode, det, square - sum(u * v for u, v in zip(right, mode, strict=True))


def left_out(columns: Any, y: Any, weights: Any, sigma: float, scale: float = 1.0) -> float:
    """Loss of all rows under ``Normal(scale)`` and an intercept, in fractions."""
    rows = [[*map(Fraction, row), Fraction(1)] for row in columns.tolist()]
    h = [Fraction(w) / Fraction(sigma) ** 2 for w in weights.tolist()]
    target, total = [Fraction(v) for v in y.tolist()], 0.0
    for i in range(y.size):
        rest: Any = [[*part[:i], *part[i + 1 :]] for part in (rows, target, h)]
        mode, _, _ = eliminated(rest[0], rest[1], rest[2], scale)
        error = target[i] - sum(u * v for u, v in zip(rows[i], mode, strict=True))
        total += 0.5 * float(error**2 * h[i]) + 0.5 * np.log(2 * np.pi / float(h[i]))
    return total


def density(columns: Any, y: Any, scale: float) -> float:
    """``−log p(y)`` under ``Normal(scale)``, unit noise and an intercept, in fractions."""
    n, p = int(columns.shape[0]), int(columns.shape[1])
    rows = [[*map(Fraction, row), Fraction(1)] for row in columns.tolist()]
    target = [Fraction(v) for v in y.tolist()]
    _, det, square = eliminated(rows, target, [Fraction(1)] * n, scale)
    log_det = math.log(det.numerator) - math.log(det.denominator) + 2 * p * math.log(scale)
    return 0.5 * ((n - 1) * math.log(2 * math.pi) + log_det + float(square))


@pytest.mark.parametrize(
    ("level", "sigma", "weight", "entry"),
    [
        (1.7e9, 0.01, 1e4, 1.0),
        (1e6, 0.01, 1e6, 1.0),
        (2000.0, 0.01, 1e10, 1.0),
        (0.0, 1.0, 1.0, 1e5),
        (0.0, 1.0, 1.0, 1e7),
    ],
)
def test_leave_one_out_keeps_its_digits(
    level: float, sigma: float, weight: float, entry: float
) -> None:
    """A level far from 0, and a row that is fitted nearly whatever it is."""
    rng = np.random.default_rng(1)
    columns, noise, weights = rng.normal(size=(8, 2)), rng.normal(size=8), np.ones(8)
    columns[0, 0], weights[0] = columns[0, 0] * entry, weight
    y = level + sigma * (columns @ [1 / entry, 1.0] + noise)
    problem = br.Problem(
        columns, y, likelihood=br.Gaussian(sigma), prior=br.Normal(1.0), weights=weights
    )
    found = br.select_scale(problem, "leave-one-out", scales=[1.0, 2.0]).curve.value[0]
    assert_allclose(found, left_out(columns, y, weights, sigma), rtol=1e-8)


def test_leave_one_out_where_rounding_chooses_a_direction() -> None:
    """Two columns apart by their last digits, which a prior of moderate width does not see."""
    rng = np.random.default_rng(3)
    column = rng.normal(size=6)
    columns = np.column_stack([column, column * (1 + 3e-14 * rng.normal(size=6))])
    y = 100 * rng.normal(size=6)
    problem = br.Problem(columns, y, likelihood=br.Gaussian(1.0), prior=br.Normal(1.0))
    found = br.select_scale(problem, "leave-one-out", scales=[1.0, 2.0]).curve.value[0]
    assert_allclose(found, left_out(columns, y, np.ones(6), 1.0), rtol=1e-8)


def test_a_row_beyond_all_digits_is_named_for_its_leverage() -> None:
    """No coefficient has a flat prior there, so the reason is another."""
    columns, y = np.array(X[:8, :2]), Y[:8]
    columns[3, 0] = 1e11
    problem = br.Problem(columns, y, likelihood=br.Gaussian(1.0), prior=br.Normal(1.0))
    with pytest.raises(InputError, match="row 3 has so high a leverage"):
        br.select_scale(problem, "leave-one-out", scales=[1.0, 2.0])


@pytest.mark.parametrize("apart", [1e-12, 1e-13, 1e-15, 0.0])
def test_leave_one_out_of_what_has_no_posterior_is_refused(apart: float) -> None:
    """Flat columns that depend on each other but for their last digits, or altogether."""
    columns = np.column_stack([X[:, 0], X[:, 0] * (1 + apart * X[:, 1]), X[:, 2]])
    problem = br.Problem(
        columns,
        Y,
        likelihood=br.Gaussian(1.0),
        prior=[(br.Flat(), [0, 1]), (br.Normal(1.0), [2])],
    )
    for verb in (br.posterior_moments, lambda p: br.select_scale(p, "leave-one-out")):
        with pytest.raises(BayesregError, match=r"prior: .*flat on"):
            verb(problem)


def nearly_dependent(*more: Any) -> tuple[Any, Any]:
    """Return three columns, the third their sum but for its last digits, and a target."""
    rng = np.random.default_rng(5)
    two = rng.normal(size=(12, 2))
    y = two @ [1.0, 2.0] + rng.normal(size=12)
    return np.column_stack([two, np.round(two.sum(axis=1), 12), *more]), y


@pytest.mark.parametrize("criterion", ["evidence", "leave-one-out"])
def test_a_scale_at_which_rounding_decides_is_refused(criterion: str) -> None:
    """As the posterior at that scale is: the evidence there was off by whole nats."""
    rng = np.random.default_rng(5)
    two = rng.normal(size=(12, 2))
    y = 100 * (two @ [1.0, 2.0] + rng.normal(size=12))
    columns = np.column_stack([two, np.round(two.sum(axis=1), 13)])
    problem = br.Problem(columns, y, likelihood=br.Gaussian(1.0), prior=br.Normal(1.0))
    scales = None if criterion == "evidence" else [1e13, 2e13]
    with pytest.raises(InputError, match="rounding would"):
        br.select_scale(problem, criterion, scales=scales)


@pytest.mark.parametrize("criterion", ["evidence", "leave-one-out"])
@pytest.mark.parametrize("standardize", [False, True])
def test_scales_that_were_asked_for_are_refused_by_name(criterion: str, standardize: bool) -> None:
    """Where rounding decides on the curve, though not on the choice: off by 0.4 nats there."""
    columns, y = nearly_dependent()
    problem = br.Problem(
        columns,
        y,
        likelihood=br.Gaussian(1.0),
        prior=br.Normal(1.0),
        standardize=standardize,
    )
    message = r"scales: digits are lost at 1e\+13, 1e\+14 of 4; leave these out"
    with pytest.raises(InputError, match=message):
        br.select_scale(problem, criterion, scales=[1e14, 1.0, 1e13, 10.0])
    curve = br.select_scale(problem, criterion, scales=[1.0, 10.0]).curve
    assert {1.0, 10.0} <= set(curve.scales.tolist())


@pytest.mark.parametrize(("criterion", "more"), [("evidence", 1), ("leave-one-out", 0)])
def test_the_default_grid_leaves_out_where_rounding_decides(criterion: str, more: int) -> None:
    """What is on the curve is right, to 1e-5 nats; a tiny column makes the grid long."""
    columns, y = nearly_dependent(1e-11 * np.cos(np.arange(12.0)))
    problem = br.Problem(columns, y, likelihood=br.Gaussian(1.0), prior=br.Normal(1.0))
    chosen = br.select_scale(problem, criterion, n_scales=24)
    curve = chosen.curve
    assert len(curve) + len(chosen.lost) == 24 + more
    assert 2 <= len(chosen.lost) <= 5
    assert chosen.scale in curve.scales
    assert min(chosen.lost) > curve.scales.max()
    assert f"{len(chosen.lost)} scales from" in str(chosen)
    for k in (0, 10, len(curve) - 1):
        scale = float(curve.scales[k])
        exact = density(columns, y, scale) if more else left_out(columns, y, ONES, 1.0, scale)
        assert curve.value[k] == pytest.approx(exact, abs=1e-5)


def test_a_best_scale_beside_lost_ones_asks_for_no_larger_ones() -> None:
    """Leave-one-out goes on falling there; it says that rounding is what ends it."""
    columns, y = nearly_dependent(1e-11 * np.sin(np.arange(12.0)))
    y = y + 1e11 * columns[:, 3]
    problem = br.Problem(columns, y, likelihood=br.Gaussian(1.0), prior=br.Normal(1.0))
    chosen = br.select_scale(problem, "leave-one-out")
    assert chosen.at_edge
    assert (
        chosen.edge == "the best is the largest of the scales tried; larger ones rest on rounding"
    )


def test_an_interval_has_no_end_where_rounding_decides() -> None:
    """The likelihood ratio falls by its share at a scale where columns cannot be told apart."""
    columns, y = nearly_dependent(3e-10 * np.cos(np.arange(12.0)))
    y = y + 10 * np.cos(np.arange(12.0))
    problem = br.Problem(columns, y, likelihood=br.Gaussian(1.0), prior=br.Normal(1.0))
    interval = br.select_scale(problem, "evidence", n_scales=4).uncertainty
    assert 1e9 < interval.low < 1e11
    assert interval.high == math.inf


# ------------------------------------------------------------------ evidence


def direct(columns: Any, y: Any, tau: float, sigma: float) -> float:
    """Return log N(y; 0, σ² I + τ² X X')."""
    S = sigma**2 * np.eye(y.size) + tau**2 * columns @ columns.T
    return float(stats.multivariate_normal.logpdf(y, np.zeros(y.size), S))


def ridge(**more: Any) -> br.Problem:
    """Return ridge on the diabetes data, centred and standardised, sigma unknown."""
    parts: dict[str, Any] = {"likelihood": br.Gaussian(br.HalfCauchy(77.0)), "intercept": False}
    return br.Problem(Z, CENTRED, prior=br.Normal(16.5), **(parts | more))


def test_the_evidence_of_ridge_agrees_with_bayesian_ridge() -> None:
    """Run to its fixed point under flat hyperpriors: sigma, scale and score, to 1e-8 and better."""
    chosen = br.select_scale(ridge(), "evidence")
    peer = BayesianRidge(
        alpha_1=0.0, alpha_2=0.0, lambda_1=0.0, lambda_2=0.0, tol=1e-13, max_iter=100_000,
        fit_intercept=False, compute_score=True,
    ).fit(Z, CENTRED)  # fmt: skip
    assert chosen.sigma == pytest.approx(peer.alpha_**-0.5, rel=1e-8)
    assert chosen.scale == pytest.approx(peer.lambda_**-0.5, rel=1e-8)
    assert -chosen.curve.value.min() == pytest.approx(peer.scores_[-1], rel=1e-12)
    assert_allclose(br.find_map(chosen.problem).coef, peer.coef_, rtol=1e-7)


def test_the_evidence_is_the_density_of_the_data() -> None:
    """Against the direct log N(y; 0, S) at the maximum and along the curve, to 1e-8."""
    chosen = br.select_scale(ridge(), "evidence", n_scales=8)
    assert chosen.sigma is not None
    best = direct(Z, CENTRED, chosen.scale, chosen.sigma)
    assert abs(-chosen.curve.value.min() - best) < 1e-8
    pairs = zip(chosen.curve.scales, chosen.curve.extra["sigma"], strict=True)
    found = [direct(Z, CENTRED, scale, sigma) for scale, sigma in pairs]
    assert_allclose(-chosen.curve.value, found, rtol=0, atol=1e-8)
    known = br.select_scale(ridge(likelihood=br.Gaussian(60.0)), "evidence", n_scales=8)
    found = [direct(Z, CENTRED, scale, 60.0) for scale in known.curve.scales]
    assert_allclose(-known.curve.value, found, rtol=0, atol=1e-8)


def test_no_numerical_optimum_is_higher() -> None:
    """Nelder and Mead's simplex on the direct density ends where the equation is solved."""
    chosen = br.select_scale(ridge(), "evidence")
    assert chosen.sigma is not None

    def loss(u: Any) -> float:
        return -direct(Z, CENTRED, *np.exp(u))

    at = np.log([chosen.scale, chosen.sigma])
    found = optimize.minimize(
        loss,
        at + np.array([0.3, 0.1]),
        method="Nelder-Mead",
        options={"xatol": 1e-7, "fatol": 1e-10},
    )
    assert loss(at) <= found.fun + 1e-9
    assert_allclose(found.x, at, atol=1e-5)


def test_intercept_and_flat_columns_are_integrated_out() -> None:
    """The density of what is orthogonal to them, over the root of the determinant they leave."""
    w = RNG.uniform(0.5, 2.0, 25)
    prior = br.Normal(scale=[1.0, np.inf, 2.0, 1.0])
    problem = br.Problem(X, Y, likelihood=br.Gaussian(0.7), prior=prior, weights=w)
    chosen = br.select_scale(problem, "evidence", scales=SCALES)
    flat = np.sqrt(w)[:, None] * np.column_stack([np.ones(25), X[:, 1]])
    K = linalg.null_space(flat.T)
    columns = np.sqrt(w)[:, None] * X[:, [0, 2, 3]] * [1.0, 2.0, 1.0]
    rest = -0.5 * np.linalg.slogdet(flat.T @ flat)[1] + 0.5 * np.log(w).sum()
    found = [
        direct(K.T @ columns, K.T @ (np.sqrt(w) * Y), scale, 0.7) + rest
        for scale in chosen.curve.scales
    ]
    assert_allclose(-chosen.curve.value, found, rtol=1e-10)


@pytest.mark.parametrize("relative", [None, "sigma"])
def test_the_slope_vanishes_at_the_maximum(relative: Any) -> None:
    """In scale and sigma at once, whether or not the scale is in units of sigma."""
    problem = br.Problem(
        X, Y, likelihood=br.Gaussian(br.Flat()), prior=br.Normal(1.0, relative_to=relative)
    )
    chosen = br.select_scale(problem, "evidence")
    absolute = chosen.scale * (1.0 if relative is None else chosen.sigma or 0.0)
    other = br.select_scale(
        br.Problem(X, Y, likelihood=br.Gaussian(br.Flat()), prior=br.Normal(1.0)), "evidence"
    )
    assert absolute == pytest.approx(other.scale, rel=1e-9)
    assert chosen.sigma == pytest.approx(other.sigma, rel=1e-9)
    assert not chosen.problem.unknown


def test_the_interval_is_that_of_a_likelihood_ratio() -> None:
    """At both ends twice the drop of the best evidence is the 95 % quantile of chi-squared."""
    problem = ridge()
    chosen = br.select_scale(problem, "evidence")
    ends = [chosen.uncertainty.low, chosen.uncertainty.high]
    there = br.select_scale(problem, "evidence", scales=ends).curve
    rise = [there.value[there.scales == end][0] - there.value.min() for end in ends]
    assert_allclose(2 * np.array(rise), stats.chi2(1).ppf(0.95), rtol=1e-6)


def test_the_interval_spans_two_maxima_that_do_about_as_well() -> None:
    """And the scales between them, which do not; it is all that a fine grid finds, and no more."""
    X, y = np.diag([1000.0, 1.0]), [2.5, 4.5]  # one direction asks for 0.002, one for 4
    problem = br.Problem(X, y, likelihood=br.Gaussian(1.0), prior=br.Normal(1.0), intercept=False)
    fine = np.geomspace(1e-6, 1e3, 4001)
    chosen = br.select_scale(problem, "evidence", scales=fine)
    good = chosen.curve.value <= chosen.curve.value.min() + 0.5 * stats.chi2(1).ppf(0.95)
    assert (np.diff(good.astype(int)) != 0).sum() == 4, "two stretches"
    ends = chosen.curve.scales[np.flatnonzero(good)[[0, -1]]]
    found = [chosen.uncertainty.low, chosen.uncertainty.high]
    assert_allclose(found, ends, rtol=fine[1] / fine[0] - 1)
    assert found[0] <= ends[0]
    assert found[1] >= ends[1]


@pytest.mark.parametrize("step", [-0.25, 0.25])
def test_the_outermost_crossing_is_found_on_either_side(step: float) -> None:
    """Past a stretch that is too high; infinite where the curve ends low, however high before."""
    places = np.arange(40, dtype=np.float64) * step

    def excess(x: float) -> float:
        return (abs(x) - 1.0) * (abs(x) - 2.0) * (abs(x) - 4.1)

    assert outermost_crossing(excess, places) == pytest.approx(math.copysign(4.1, step))
    assert outermost_crossing(lambda x: -excess(x) - 100.0, places) == math.copysign(math.inf, step)
    assert outermost_crossing(lambda x: abs(x) - 1.0, places) == math.copysign(1.0, step)


def test_noise_alone_has_no_evidence_for_a_scale() -> None:
    """It is then largest as the scale goes to 0, which is said instead of a tiny number."""
    y = np.array([1.0, -1.0, 1.0, -1.0])
    columns = np.array([[1.0], [1.0], [-1.0], [-1.0]])
    problem = br.Problem(columns, y, likelihood=br.Gaussian(1.0), prior=br.Normal(1.0))
    with pytest.raises(DegenerateMode, match="scale goes to 0"):
        br.select_scale(problem, "evidence")


def test_scales_that_do_not_grow_together_have_no_closed_form() -> None:
    """An elastic net takes its scale by the root, a normal prior as it is: left to draws."""
    prior = [(br.Normal(1.0), ["x0", "x1"]), (br.ElasticNet(np.inf, 1.0), ["x2", "x3"])]
    problem = br.Problem(X, Y, likelihood=br.Gaussian(1.0), prior=prior)
    assert RidgeEvidence.of(Family.of(problem)) is None
    folds = [(np.delete(np.arange(25), i), np.array([i])) for i in range(25)]
    brute = br.select_scale(problem, scales=SCALES, folds=folds)
    closed = br.select_scale(problem, "leave-one-out", scales=SCALES)
    assert_allclose(closed.curve.value, brute.curve.value, rtol=1e-10)


# ------------------------------------------------------------------ AIC and BIC


@pytest.mark.parametrize("criterion", ["aic", "bic"])
def test_information_criteria_are_those_of_scikit_learn(criterion: str) -> None:
    """LassoLarsIC judges the knots of the same path by the same noise variance; ours are halved."""
    peer = LassoLarsIC(criterion=criterion, fit_intercept=False).fit(Z, CENTRED)
    problem = br.Problem(
        Z, CENTRED, likelihood=br.Gaussian(br.HalfCauchy(77.0)), prior=br.Laplace(1.0),
        intercept=False,
    )  # fmt: skip
    chosen = br.select_scale(problem, criterion)
    assert chosen.sigma is not None
    assert chosen.sigma**2 == pytest.approx(peer.noise_variance_)
    assert chosen.scale == pytest.approx(chosen.sigma**2 / (442 * peer.alpha_), rel=1e-9)
    assert chosen.curve.value.min() == pytest.approx(peer.criterion_.min() / 2, rel=1e-12)


def test_the_degrees_of_freedom_of_ridge_are_the_trace_of_its_hat_matrix() -> None:
    """And an intercept counts one."""
    problem = br.Problem(X, Y, likelihood=br.Gaussian(0.9), prior=br.Normal(1.0))
    chosen = br.select_scale(problem, "aic", scales=SCALES)
    about = X - X.mean(axis=0)
    for k, scale in enumerate(SCALES):
        hat = about @ np.linalg.solve(about.T @ about + 0.81 / scale**2 * np.eye(4), about.T)
        assert chosen.curve.extra["df"][k] == pytest.approx(1 + np.trace(hat))
        fit = br.find_map(problem.with_prior(br.Normal(float(scale))))
        density = np.sum(stats.norm.logpdf(Y, fit.intercept + X @ fit.coef, 0.9))
        assert chosen.curve.value[k] == pytest.approx(-density + 1 + np.trace(hat))


REFUSED: dict[str, tuple[br.Problem, str]] = {
    "leave-one-out": (
        br.Problem(X, Y, likelihood=br.Gaussian(1.0), prior=br.Laplace(1.0)),
        "it is for a normal prior, found Laplace",
    ),
    "aic": (
        br.Problem(X, Y, likelihood=br.Gaussian(1.0), prior=br.StudentT(3.0, 1.0)),
        "none are known for a StudentT prior",
    ),
}


@pytest.mark.parametrize("criterion", REFUSED)
def test_a_criterion_that_does_not_fit_names_those_that_do(criterion: str) -> None:
    """With the reason."""
    problem, message = REFUSED[criterion]
    with pytest.raises(InputError, match=message) as caught:
        br.select_scale(problem, criterion)
    assert "these do: cross-validation" in str(caught.value)
    with pytest.raises(InputError, match="did you mean 'evidence'"):
        br.select_scale(problem, "evidense")


@pytest.mark.parametrize("noise", [1e-4, 1e-5, 1e-7])
@pytest.mark.parametrize("known", [True, False])
def test_evidence_where_the_data_know_the_coefficients(noise: float, known: bool) -> None:
    """As the noise goes to 0 only the prior of the coefficients is left: their mean square."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(50, 3))
    y = X @ [1.0, 2.0, -1.0] + noise * rng.normal(size=50)
    family = br.Gaussian(noise if known else br.HalfCauchy(1.0))
    chosen = br.select_scale(
        br.Problem(X, y, likelihood=family, prior=br.Normal(1.0)), by="evidence"
    )
    assert chosen.scale == pytest.approx(math.sqrt(2.0), rel=3e-4 + noise)
    assert chosen.sigma == pytest.approx(noise, rel=0.2)


@pytest.mark.parametrize("prior", [br.Normal(1.0), br.Laplace(1.0)], ids=["closed", "draws"])
def test_where_the_intercept_takes_all_there_is_no_best_evidence(prior: Any) -> None:
    """One row, less an intercept, says nothing of coefficients: the evidence is constant."""
    problem = br.Problem([[1.0, 2.0]], [1.0], likelihood=br.Gaussian(1.0), prior=prior)
    with pytest.raises(DegenerateMode, match=r"nothing is left of them .* so every scale"):
        br.select_scale(problem, by="evidence", draws=100, tune=100, chains=1)
