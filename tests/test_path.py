"""map_path: every mode certified, the ends of the path, its knots, degrees of freedom, figure."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from rich.console import Console
from scipy import sparse
from sklearn.linear_model import enet_path, lasso_path

import bayesreg as br
from bayesreg import datasets
from bayesreg.cli import main
from bayesreg.errors import DegenerateMode, ImproperPosterior, InputError, NotConverged
from bayesreg.figures._coefficient_path import spread_out
from bayesreg.path import degrees_of_freedom
from bayesreg.priors import GroupLaplace, Horseshoe, LInfinity
from bayesreg.solvers import solve
from bayesreg.terminal_path import print_path
from tests.problems import data

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure

    from bayesreg.path import MapPath

P = 5
LIKELIHOODS = {"gaussian": br.Gaussian(0.7), "bernoulli": br.Bernoulli(), "poisson": br.Poisson()}
PRIORS: dict[str, Any] = {
    "laplace": br.Laplace(0.1),
    "vector": br.Laplace([0.05, 0.3, 1.0, 0.2, 4.0]),
    "partly flat": [(br.Laplace(0.1), [0, 1, 3]), (br.Flat(), [2, 4])],
    "normal": br.Normal(0.4),
    "elastic net": br.ElasticNet(0.2, 0.5),
    "with a ridge block": [(br.Laplace(0.1), [0, 1, 3]), (br.Normal(0.4), [2, 4])],
    "nonnegative": br.Laplace(0.1, nonnegative=True),
}


def problem_of(family: str, prior: Any, **settings_: Any) -> br.Problem:
    """Return forty rows and five columns of different sizes."""
    X, y = data(LIKELIHOODS[family], seed=1)
    return br.Problem(X, y, likelihood=LIKELIHOODS[family], prior=prior, **settings_)


def diabetes(prior: Any, **settings_: Any) -> br.Problem:
    """Return the diabetes data, priors acting on standardised columns."""
    bundled = datasets.load("diabetes")
    options: dict[str, Any] = {
        "likelihood": br.Gaussian(54.0),
        "names": bundled.names,
        "standardize": True,
    }
    return br.Problem(bundled.X, bundled.y, prior=prior, **(options | settings_))


@pytest.fixture(scope="module")
def lasso() -> MapPath:
    """The diabetes lasso on a coarse grid."""
    return br.map_path(diabetes(br.Laplace(16.5)), n_scales=30)


# --------------------------------------------------------------------------- modes


@pytest.mark.parametrize("family", list(LIKELIHOODS))
@pytest.mark.parametrize("prior", list(PRIORS))
def test_every_mode_is_certified_and_that_of_a_cold_start(family: str, prior: str) -> None:
    """To 1e-10 nats; the default grid begins where the kinked coefficients are exactly 0."""
    problem = problem_of(family, PRIORS[prior])
    path = br.map_path(problem, n_scales=8)
    assert all(certificate.optimal for certificate in path.certificates)
    assert (path.gap <= 1e-10 * np.maximum(1.0, np.abs(path.objective))).all()
    assert (np.diff(path.scales) > 0).all()
    for k in (0, 3, 7):
        there = path.problem_at(float(path.scales[k]))
        cold = solve(there)
        np.testing.assert_allclose(path.coef[k], cold.coef, rtol=1e-8, atol=1e-10)
        expected = there.objective(path.coef[k], float(path.intercept[k]))
        assert path.objective[k] == pytest.approx(expected, rel=1e-13)
    if prior != "normal":
        kinked = [0, 1, 3] if prior in ("partly flat", "with a ridge block") else list(range(P))
        assert not path.coef[0, kinked].any()
        above = br.map_path(problem, scales=[path.scales[0] * (1 + 1e-6)])
        assert above.coef[0, kinked].any()


def test_stronger_penalties_than_the_first_knot_leave_exact_zeros(lasso: MapPath) -> None:
    """λ >= λmax, which is max |X_j'(y − mean)|/σ² on standardised columns."""
    problem = lasso.problem
    data_ = problem.design
    Z = (data_.X - data_.X.mean(axis=0)) / data_.X.std(axis=0)
    largest = np.abs(Z.T @ (data_.y - data_.y.mean())).max() / 54.0**2
    assert lasso.knots is not None
    assert lasso.knots[0] == pytest.approx(largest, rel=1e-12)
    assert lasso.lam[0] == pytest.approx(largest, rel=1e-11)
    strong = br.map_path(problem, scales=1.0 / (largest * np.array([1 + 1e-9, 2.0, 1e3])))
    assert not strong.coef.any()
    assert br.map_path(problem, scales=[(1 + 1e-6) / largest]).support == (("bmi",),)


def test_between_knots_the_path_is_a_straight_line(lasso: MapPath) -> None:
    """The modes of another solver are those interpolated, to 1e-12 of the largest."""
    assert lasso.bends is not None
    assert lasso.knots is not None
    assert lasso.knots.size == 12
    for lam, coef, intercept in zip(lasso.lam, lasso.coef, lasso.intercept, strict=True):
        expected, level = lasso.bends.at(float(lam))
        np.testing.assert_allclose(coef, expected, rtol=1e-11, atol=1e-12 * np.abs(coef).max())
        assert intercept == pytest.approx(level, rel=1e-12)


def test_answers_come_in_the_order_asked() -> None:
    """And are those of find_map at each scale."""
    problem = diabetes(br.Laplace(16.5))
    scales = [50.0, 0.3, 7.0]
    path = br.map_path(problem, scales=scales)
    assert path.scales.tolist() == scales
    for k, scale in enumerate(scales):
        fit = br.find_map(problem.with_prior(br.Laplace(scale)))
        np.testing.assert_allclose(path.coef[k], fit.coef, rtol=1e-10, atol=1e-12)
        assert path.at(scale).coef == pytest.approx(fit.coef, rel=1e-10)
        assert path.support[k] == fit.support


def test_as_scikit_learns_paths() -> None:
    """Its alpha is σ²/(n b); along enet_path the mix of absolute value and square stays."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 12))
    y = X[:, :3].sum(axis=1) + rng.normal(size=50)
    options: dict[str, Any] = {"likelihood": br.Gaussian(0.8), "intercept": False}
    path = br.map_path(br.Problem(X, y, prior=br.Laplace(1.0), **options), n_scales=10)
    alphas = 0.64 * path.lam / 50
    _, coefs, _ = lasso_path(X, y, alphas=alphas, tol=1e-14, max_iter=100_000)
    np.testing.assert_allclose(path.coef, coefs.T, atol=1e-7)
    # l1 = 0.3 α n/σ², l2 = 0.7 α n/σ²: at b = 1, τ² = 3/7.
    mixed = br.Problem(X, y, prior=br.ElasticNet(1.0, np.sqrt(3 / 7)), **options)
    path = br.map_path(mixed, n_scales=10)
    alphas = 0.64 * path.lam / 50 / 0.3
    _, coefs, _ = enet_path(X, y, l1_ratio=0.3, alphas=alphas, tol=1e-14, max_iter=100_000)
    np.testing.assert_allclose(path.coef, coefs.T, atol=1e-7)


@settings(max_examples=20, deadline=None)
@given(st.permutations(range(P)), st.lists(st.sampled_from([-8.0, -1.0, 0.25, 2.0]), min_size=P))
def test_order_sign_and_units_of_columns(order: list[int], factors: list[float]) -> None:
    """On standardised columns the path is the same in other units, signs and orders."""
    factor = np.array(factors[:P])
    base = problem_of("gaussian", br.Laplace(0.1), standardize=True)
    other = br.Problem(
        (base.design.X * factor)[:, order],
        base.design.y,
        likelihood=base.likelihood,
        prior=base.prior,
        standardize=True,
    )
    one, two = br.map_path(base, n_scales=5), br.map_path(other, n_scales=5)
    np.testing.assert_allclose(two.scales, one.scales, rtol=1e-10)
    expected = (one.coef / factor)[:, order]
    np.testing.assert_allclose(two.coef, expected, rtol=1e-7, atol=1e-9 * np.abs(one.coef).max())


# --------------------------------------------------------------------------- what a scale is


def test_several_scales_are_multiplied_together() -> None:
    """Scales are then multiples of all of them; the problem itself is at 1."""
    scale = np.array([0.05, 0.3, 1.0, 0.2, np.inf])
    path = br.map_path(problem_of("gaussian", br.Laplace(scale)), scales=[0.5, 1.0])
    assert (path.own_scale, path.in_multiples) == (1.0, True)
    fit = br.find_map(problem_of("gaussian", br.Laplace(0.5 * scale)))
    np.testing.assert_allclose(path.coef[0], fit.coef, rtol=1e-10)
    one = br.map_path(problem_of("gaussian", [(br.Laplace(3.0), range(4)), (br.Flat(), [4])]))
    assert (one.own_scale, one.in_multiples) == (3.0, False)


def test_unknown_sigma_and_scale() -> None:
    """A path varies an unknown scale, and needs a value of an unknown sigma."""
    known = br.map_path(diabetes(br.Laplace(16.5)), scales=[2.0, 20.0])
    unknown = br.map_path(diabetes(br.Laplace(br.HalfCauchy(5.0))), scales=[2.0, 20.0])
    np.testing.assert_array_equal(unknown.coef, known.coef)
    assert unknown.own_scale is None
    relative = diabetes(
        br.Laplace(0.3, relative_to="sigma"), likelihood=br.Gaussian(br.HalfCauchy(50.0))
    )
    with pytest.raises(InputError, match="given: sigma is unknown"):
        br.map_path(relative)
    path = br.map_path(relative, scales=np.array([2.0, 20.0]) / 54.0, given={"sigma": 54.0})
    np.testing.assert_allclose(path.coef, known.coef, rtol=1e-9, atol=1e-12)


def test_a_prior_keeps_its_location_and_its_other_block() -> None:
    """Only scales move: Normal's loc stays, and so do the blocks beside an unknown scale."""
    path = br.map_path(problem_of("gaussian", br.Normal(0.4, loc=1.0)), scales=[1e-5, 0.4])
    assert path.coef[0] == pytest.approx(np.ones(P), abs=1e-6)
    blocks = [(br.Laplace(br.HalfCauchy(1.0)), [0, 1, 2]), (br.Normal(0.3), [3, 4])]
    path = br.map_path(problem_of("gaussian", blocks), n_scales=5)
    there = path.problem_at(0.7).elastic_net
    assert there.l1 == pytest.approx([1 / 0.7] * 3 + [0.0] * 2)
    assert there.l2 == pytest.approx([0.0] * 3 + [0.3**-2] * 2)
    assert path.bends is not None
    np.testing.assert_allclose(path.bends.at(float(path.lam[3]))[0], path.coef[3], atol=1e-12)


def test_norms_begin_at_their_dual_norm() -> None:
    """max_g ‖X_g'y‖₂/σ² for groups, ‖X'y‖₁/σ² for the largest coefficient."""
    base = problem_of("gaussian", br.Laplace(1.0))
    centred = base.design.X - base.design.X.mean(axis=0)
    pull = centred.T @ base.design.y / 0.49
    groups = [[0, 1], [2, 3, 4]]
    path = br.map_path(base.with_prior(GroupLaplace(1.0, groups)), n_scales=4)
    assert path.lam[0] == pytest.approx(max(np.linalg.norm(pull[g]) for g in groups), rel=1e-9)
    assert not path.coef[0].any()
    path = br.map_path(base.with_prior(LInfinity(2.0)), n_scales=4)
    assert path.lam[0] == pytest.approx(np.abs(pull).sum(), rel=1e-9)
    assert not path.coef[0].any()
    assert path.knots is None
    assert np.isnan(path.df).all()


def test_penalties_that_are_not_convex_are_stationary() -> None:
    """And the path says that it is no more than that."""
    path = br.map_path(problem_of("gaussian", br.StudentT(3.0, 1.0)), scales=[0.1, 1.0])
    assert all(certificate.stationary for certificate in path.certificates)
    assert "not convex" in str(path)


def test_sparse_columns_and_sums_of_products() -> None:
    """Have the path of the same columns as plain rows."""
    rng = np.random.default_rng(2)
    S = sparse.random(40, 8, 0.3, format="csc", random_state=1)
    y = S @ np.arange(8.0) + rng.normal(size=40)
    X = S.toarray()
    options: dict[str, Any] = {"likelihood": br.Gaussian(1.0), "prior": br.Laplace(0.3)}
    plain = br.map_path(br.Problem(X, y, **options), n_scales=6)
    means = {"x_mean": X.mean(axis=0), "y_mean": y.mean()}
    sums = br.Problem.from_statistics(X.T @ X, X.T @ y, y @ y, 40, **means, **options)
    assert plain.knots is not None
    for problem in (br.Problem(S, y, **options), sums):
        path = br.map_path(problem, n_scales=6)
        np.testing.assert_allclose(path.coef, plain.coef, rtol=1e-9, atol=1e-11)
        np.testing.assert_allclose(path.objective, plain.objective, rtol=1e-10)
        assert path.knots == pytest.approx(plain.knots, rel=1e-9)
        assert path.df.tolist() == plain.df.tolist()


def test_knots_lost_in_rounding_do_not_take_the_figure_along() -> None:
    """Columns collinear to nine digits: asking for knots says so, the figure leaves them out."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(24, 3)) @ rng.normal(size=(3, 16)) + 1e-9 * rng.normal(size=(24, 16))
    y = X[:, 0] + rng.normal(size=24)
    problem = br.Problem(X, y, likelihood=br.Gaussian(0.1), prior=br.Laplace(1.0))
    path = br.map_path(problem, scales=[1e-3, 1e6])
    with pytest.raises(NotConverged, match="collinear"):
        _ = path.knots
    assert path.plot().axes


def test_what_is_refused() -> None:
    """Scales that are none, priors without a scale or a mode, improper posteriors."""
    problem = problem_of("gaussian", br.Laplace(0.1))
    for scales in ([], [1.0, 1.0], [0.0, 1.0], [-1.0], [np.inf], [np.nan], [[1.0, 2.0]], "abc"):
        with pytest.raises(InputError, match="scales"):
            br.map_path(problem, scales=scales)
    with pytest.raises(InputError, match="n_scales"):
        br.map_path(problem, n_scales=1)
    with pytest.raises(InputError, match="no scale to vary"):
        br.map_path(problem.with_prior(br.Flat()))
    with pytest.raises(DegenerateMode):
        br.map_path(problem.with_prior(Horseshoe(1.0)))
    with pytest.raises(InputError, match="scale"):
        br.map_path(problem).problem_at(-1.0)
    flat = br.Problem(
        np.ones((4, 2)),
        np.arange(4.0),
        likelihood=br.Gaussian(1.0),
        prior=[(br.Flat(), [0]), (br.Laplace(1.0), [1])],
    )
    with pytest.raises(ImproperPosterior):
        br.map_path(flat)


def test_a_target_without_variation() -> None:
    """Leaves every mode at 0, and no knots."""
    problem = br.Problem(
        np.eye(3), np.full(3, 2.0), likelihood=br.Gaussian(1.0), prior=br.Laplace(1.0)
    )
    path = br.map_path(problem, n_scales=3)
    assert not path.coef.any()
    assert path.intercept == pytest.approx([2.0] * 3)
    assert path.knots is not None
    assert path.knots.size == 0


# --------------------------------------------------------------------------- degrees of freedom


@pytest.mark.parametrize(
    "prior", ["laplace", "partly flat", "normal", "elastic net", "nonnegative"]
)
def test_degrees_of_freedom_are_the_divergence_of_the_fit(prior: str) -> None:
    """Stein (1981): Σ ∂ŷ_i/∂y_i by central differences, less 1 for the intercept."""
    X, y = data(LIKELIHOODS["gaussian"], seed=3, n=15)
    step = 1e-5

    def fit(target: np.ndarray) -> np.ndarray:
        problem = br.Problem(X, target, likelihood=br.Gaussian(0.7), prior=PRIORS[prior])
        mode = solve(problem)
        return problem.predictor(mode.coef, mode.intercept)

    divergence = sum(
        (fit(y + step * row) - fit(y - step * row))[i] / (2 * step)
        for i, row in enumerate(np.eye(y.size))
    )
    path = br.map_path(
        br.Problem(X, y, likelihood=br.Gaussian(0.7), prior=PRIORS[prior]),
        scales=[
            {"laplace": 0.1, "partly flat": 0.1, "normal": 0.4, "elastic net": 0.2}.get(prior, 0.1)
        ],
    )
    assert path.df[0] == pytest.approx(divergence - 1.0, abs=1e-5)


def test_degrees_of_freedom_in_closed_form() -> None:
    """Orthogonal columns: n d²/(d² + 1/τ²) each under ridge, the count under the lasso."""
    Q = np.linalg.qr(np.random.default_rng(0).normal(size=(20, 3)))[0] * np.array([1.0, 2.0, 5.0])
    y = Q @ [4.0, 3.0, 2.0]
    options: dict[str, Any] = {"likelihood": br.Gaussian(0.5), "intercept": False}
    ridge = br.map_path(br.Problem(Q, y, prior=br.Normal(1.0), **options), scales=[0.1, 3.0])
    square = np.array([1.0, 4.0, 25.0]) / 0.25
    expected = [(square / (square + 1 / tau**2)).sum() for tau in (0.1, 3.0)]
    assert ridge.df == pytest.approx(expected, rel=1e-12)
    lasso = br.map_path(br.Problem(Q, y, prior=br.Laplace(1.0), **options), n_scales=6)
    assert lasso.df.tolist() == (lasso.coef != 0).sum(axis=1).tolist()


def test_copies_of_a_column_count_once() -> None:
    """The rank of the active columns, not their number (Tibshirani & Taylor 2012)."""
    x = np.arange(6.0)
    problem = br.Problem(
        np.column_stack([x, x]), x, likelihood=br.Gaussian(1.0), prior=br.Laplace(1.0)
    )
    assert degrees_of_freedom(problem, np.array([0.4, 0.4]), 0.0, is_unique=False) == 1.0


def test_a_fused_lasso_begins_where_the_first_difference_does() -> None:
    """Of the identity, 1/scale is max |Σ_{i≥j} (y_i − mean)|/σ²; just above, one difference is."""
    y = np.repeat([0.0, 3.0, 1.0], 10) + np.random.default_rng(3).normal(size=30)
    problem = br.Problem(
        np.eye(30), y, likelihood=br.Gaussian(0.7), prior=br.Fused(0.4), intercept=False
    )
    path = br.map_path(problem, n_scales=12)
    pull = np.abs(np.cumsum((y - y.mean())[::-1])).max() / 0.49
    assert path.lam[0] == pytest.approx(pull, rel=1e-11)
    np.testing.assert_allclose(path.coef[0], y.mean(), rtol=1e-9)
    assert np.unique(path.coef[0]).size == 1
    above = path.at(float(path.scales[0]) * (1 + 1e-6))
    assert np.unique(above.coef).size == 2
    assert all(certificate.optimal for certificate in path.certificates)


@pytest.mark.parametrize(
    ("likelihood", "prior"),
    [
        (br.Gaussian(0.7), br.Fused(0.1)),
        (br.Gaussian(0.7), br.Fused(0.1, first_scale=0.05)),
        (br.Gaussian(0.7), br.Fused(0.1, first_scale=1e-4, factor=[1.0, 2.0, 1.0, 0.5, 1.0])),
        (br.Bernoulli(), br.Fused(0.1)),
    ],
)
def test_fused_paths_begin_without_differences(likelihood: Any, prior: br.Fused) -> None:
    """At the first scale every difference is exactly 0, a little above it one is not."""
    X, y = data(likelihood, seed=4)
    for standardize in (False, True):
        problem = br.Problem(X, y, likelihood=likelihood, prior=prior, standardize=standardize)
        path = br.map_path(problem, n_scales=5)
        penalty = problem.coef_prior.penalty(5)
        assert not penalty.differences(path.coef[0])[1:].any()  # type: ignore[attr-defined]
        above = path.at(float(path.scales[0]) * (1 + 1e-5)).coef
        assert penalty.differences(above)[1:].any()  # type: ignore[attr-defined]


def test_fused_modes_at_tiny_scales_are_the_level() -> None:
    """However strong the penalty on the differences, rounding is that of the data."""
    X, y = data(br.Gaussian(0.7), seed=4)
    problem = br.Problem(X, y, likelihood=br.Gaussian(0.7), prior=br.Fused(0.1))
    path = br.map_path(problem, [1e-15, 1e-12, 1e-9, 1e-6])
    column = X.sum(axis=1) - X.sum(axis=1).mean()
    level = float(column @ y) / float(column @ column)
    np.testing.assert_allclose(path.coef, level, rtol=1e-9)


def test_a_fused_lasso_beside_other_priors_has_a_path() -> None:
    """Where only some coefficients are tied, the grid is that of a path without kinks."""
    X, y = data(br.Gaussian(0.7), seed=4)
    prior = [(br.Fused(0.1), [0, 1, 2]), (br.Laplace(0.2), [3, 4])]
    path = br.map_path(br.Problem(X, y, likelihood=br.Gaussian(0.7), prior=prior), n_scales=5)
    assert all(certificate.optimal for certificate in path.certificates)
    assert "λ" not in str(path)


# --------------------------------------------------------------------------- showing it


@pytest.mark.parametrize(
    ("prior", "has_lam"),
    [
        (br.GroupLaplace(1.0, [[0, 1]]), True),
        (br.Fused(1.0), True),
        (br.Normal(1.0), False),
        (br.StudentT(4.0, 1.0), False),
        (br.UniformBall(0.5), False),
    ],
)
def test_lam_is_named_where_it_multiplies_the_penalty(prior: Any, has_lam: bool) -> None:
    """A Normal, a Student-t and a ball have no λ: neither words, table nor figure name one."""
    X, y = data(br.Gaussian(0.7), seed=4)
    problem = br.Problem(X, y, likelihood=br.Gaussian(0.7), prior=prior)
    path = br.map_path(problem, [0.3, 0.6])
    screen = io.StringIO()
    print_path(path, Console(file=screen, width=120))
    assert ("λ" in str(path)) == has_lam
    assert ("λ" in screen.getvalue()) == has_lam
    figure = path.plot()
    words = [text.get_text() for axes in figure.axes for text in axes.texts]
    words += [text.get_text() for text in figure.texts]
    assert any("λ" in word for word in words) == has_lam


def test_the_path_of_a_ball_is_of_its_radius() -> None:
    """The numbers are radii, whatever the units inside of the norm; one of them is singular."""
    X, y = data(br.Gaussian(0.7), seed=4)
    ball = br.UniformBall(0.5, "l1", scale=[1.0, 2.0, 1.0, 1.0, 3.0])
    problem = br.Problem(X, y, likelihood=br.Gaussian(0.7), prior=ball)
    path = br.map_path(problem, [0.25])
    other = br.UniformBall(0.25, "l1", scale=[1.0, 2.0, 1.0, 1.0, 3.0])
    np.testing.assert_array_equal(path.coef[0], br.find_map(problem.with_prior(other)).coef)
    assert path.own_scale == 0.5
    assert "1 radius of the UniformBall prior, 0.25" in str(path)
    assert "2 radii of" in str(br.map_path(problem, [0.25, 0.5]))


def test_frame_and_words(lasso: MapPath) -> None:
    """One row per scale and coefficient; the words say the verdict."""
    frame = lasso.to_frame()
    assert list(frame.columns) == ["scale", "lam", "df", "gap", "name", "coef"]
    assert frame.shape == (30 * 11, 6)
    row = frame[(frame["name"] == "bmi") & (frame["scale"] == lasso.scales[7])]
    assert row["coef"].item() == lasso.coef[7, list(lasso.problem.names).index("bmi")]
    assert len(lasso) == 30
    assert "all certified optimal" in str(lasso)
    assert "MapPath" in repr(lasso)


HOSTILE = ("$x_1$", "a\nb", "\u202eevil\u202c", "العمر", "W" * 50 + "42")


def _boxes(figure: Figure) -> list[Any]:
    """Where the text of the axes stands: names, labels, numbers."""
    renderer = FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call]
    figure.draw(renderer)
    axes = figure.axes[0]
    texts = [*axes.texts, axes.xaxis.label, axes.yaxis.label]
    texts += [*figure.texts, *(t for legend in figure.legends for t in legend.get_texts())]
    for child in axes.child_axes:
        texts += child.get_xticklabels()
    return [text.get_window_extent(renderer) for text in texts if text.get_text()]


def _figures() -> dict[str, br.Problem]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 90))
    y = X[:, :6].sum(axis=1) + rng.normal(size=60)
    wide = br.Problem(X, y, likelihood=br.Gaussian(1.0), prior=br.Laplace(0.1))
    return {
        "diabetes": diabetes(br.Laplace(16.5)),
        "ridge": diabetes(br.Normal(16.5)),
        "wide": wide,
        "hostile": problem_of("gaussian", br.ElasticNet(0.2, 0.5), names=HOSTILE),
        "logistic": problem_of("bernoulli", br.Laplace(1.0)),
        "group": problem_of("gaussian", GroupLaplace(1.0, [[0, 1], [2, 3, 4]])),
    }


@pytest.mark.parametrize("name", list(_figures()))
def test_figure_is_legible(name: str) -> None:
    """No text overlaps another or leaves the page; every coefficient that moves has a line."""
    path = br.map_path(_figures()[name], n_scales=12)
    figure = path.plot()
    boxes = _boxes(figure)
    page = figure.bbox
    for k, box in enumerate(boxes):
        assert box.x0 >= page.x0 - 1
        assert box.x1 <= page.x1 + 1
        assert box.y0 >= page.y0 - 1
        assert box.y1 <= page.y1 + 1
        for other in boxes[:k]:
            overlap = (min(box.x1, other.x1) - max(box.x0, other.x0)) > 1
            assert not (overlap and min(box.y1, other.y1) - max(box.y0, other.y0) > 1)
    axes = figure.axes[0]
    moving = int((path.coef != 0).any(axis=0).sum())
    drawn = [line for line in axes.lines if str(line.get_label()).startswith("_coef")]
    assert len(drawn) == min(moving, 24)
    assert axes.get_xscale() == "log"


def test_figure_draws_the_modes_and_the_problems_own_place(lasso: MapPath) -> None:
    """Lines pass through the modes in sd of the column; ticks are the knots."""
    axes = lasso.plot().axes[0]
    line = next(line for line in axes.lines if line.get_label() == "_coef2")
    x, y = np.asarray(line.get_xdata()), np.asarray(line.get_ydata())
    sd = lasso.problem.design.X.std(axis=0)[2]
    places = np.searchsorted(x, lasso.scales[5:])
    np.testing.assert_allclose(y[places], lasso.coef[5:, 2] * sd, rtol=1e-9)
    (ticks,) = (c for c in axes.collections if c.get_label() == "_knots")
    assert len(ticks.get_paths()) == 12
    assert any(np.asarray(own.get_xdata()).tolist() == [16.5, 16.5] for own in axes.lines)
    assert lasso.own_scale == 16.5


def test_figures_of_little() -> None:
    """One scale, one column, no column at all."""
    one = br.map_path(problem_of("gaussian", br.Laplace(0.1)), scales=[0.2]).plot()
    assert one.axes
    none = br.Problem(
        np.zeros((4, 0)), np.arange(4.0), likelihood=br.Gaussian(1.0), prior=br.Laplace(1.0)
    )
    figure = br.map_path(none, n_scales=3).plot()
    assert not figure.axes
    assert "intercept only" in figure.texts[1].get_text()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0.0, 10.0), min_size=1, max_size=12))
def test_names_are_moved_apart_and_kept_in_order(targets: list[float]) -> None:
    """At least the gap, within the room; those that have room stay."""
    places = spread_out(np.sort(targets), 0.8, (0.0, 10.0))
    assert (np.diff(places) >= 0.8 - 1e-9).all()
    assert places[0] >= -1e-9
    assert places[-1] <= 10.0 + 1e-9
    if len(targets) == 1:
        assert places[0] == targets[0]


# --------------------------------------------------------------------------- command line


def run(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """Run the command line in this process; return exit code, stdout, stderr."""
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    captured = capsys.readouterr()
    return int(stop.value.code or 0), captured.out, captured.err


@pytest.fixture
def csv(tmp_path: Path) -> list[str]:
    """Write a small file with a target; return the options that read it."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 3))
    y = X @ [2.0, 0.0, -1.0] + rng.normal(size=30)
    rows = [",".join(f"{v:.6f}" for v in row) for row in np.column_stack([X, y])]
    place = tmp_path / "data.csv"
    place.write_text("[red]age,dose,bmi,effect\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return ["--csv", str(place), "--target", "effect"]


def test_command_prints_scales_and_knots(capsys: pytest.CaptureFixture[str]) -> None:
    """The diabetes path, its return of s3 included."""
    code, out, err = run(["path", "--scales", "12"], capsys)
    assert (code, err) == (0, "")
    for text in ("lasso path: 12 scales", "all certified optimal", "+bmi", "12 knots", "−s3"):
        assert text in out, text


def test_command_writes_figure_table_and_json(
    capsys: pytest.CaptureFixture[str], csv: list[str], tmp_path: Path
) -> None:
    """By the ending of the file's name; JSON has no NaN."""
    for name in ("path.png", "path.csv", "path.json"):
        code, out, err = run(["path", *csv, "--scales", "5", "-o", str(tmp_path / name)], capsys)
        assert code == 0, err
        assert f"written: {tmp_path / name}" in out
        assert "[red]age" in out
    assert (tmp_path / "path.png").read_bytes().startswith(b"\x89PNG")
    lines = (tmp_path / "path.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "scale,lam,df,gap,name,coef"
    assert len(lines) == 1 + 5 * 4
    record = json.loads((tmp_path / "path.json").read_text(encoding="utf-8"))
    assert set(record["path"][0]["coef"]) == {"[red]age", "dose", "bmi"}
    assert record["knots"][0]["entered"] == ["[red]age"]
    code, out, _ = run(["path", *csv, "--model", "ridge", "--scales", "4", "--json"], capsys)
    assert json.loads(out, parse_constant=pytest.fail)["knots"] is None


def test_command_refuses_what_it_cannot_do(
    capsys: pytest.CaptureFixture[str], csv: list[str], tmp_path: Path
) -> None:
    """One line each, before the work where it can be known."""
    for arguments, message in (
        (["-o", str(tmp_path / "path.txt")], "must end in one of"),
        (["--scales", "1"], "bayesreg: scales: must be at least 2"),
        (["--model", "lasso_park_casella"], "given: sigma is unknown"),
    ):
        code, _, err = run(["path", *csv, *arguments], capsys)
        assert (code, err.count("\n")) == (2, 1), err
        assert message in err


def test_more_scales_than_anyone_can_see_are_refused() -> None:
    """Instead of filling the memory."""
    problem = br.Problem(
        [[1.0], [2.0]], [1.0, 2.0], likelihood=br.Gaussian(1.0), prior=br.Laplace(1.0)
    )
    with pytest.raises(InputError, match="at most 100000"):
        br.map_path(problem, n_scales=10**9)
