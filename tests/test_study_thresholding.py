"""Soft thresholding: every number of document 3, and the same by closed forms and by peers."""

from __future__ import annotations

import itertools
import math
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from sklearn.linear_model import Lasso

import bayesreg as br
from bayesreg.optimizers.ista import ista_step
from bayesreg.studies import thresholding as study
from bayesreg.studies.descent import proximal_descent, subgradient_descent

if TYPE_CHECKING:
    from bayesreg.studies.exhibit import Exhibit

X = np.array([[1.0, 2.0], [3.0, 4.0]])
Y = np.array([5.0, 6.0])
lagrange, beside_ols = cache(study.lagrange), cache(study.coefficients_beside_ols)
SIGMAS = (math.sqrt(2.0), 1.0, 54.0)


def document(w: np.ndarray, lam: float = 1.0) -> float:
    """``‖y − Xw‖²/(2n) + λ Σ|w|``, as the document writes it."""
    return float(np.sum((Y - X @ w) ** 2) / 4 + lam * np.abs(w).sum())


# --------------------------------------------------------------------------- the first step


@pytest.mark.parametrize("sigma", SIGMAS)
def test_the_first_step_is_the_documents(sigma: float) -> None:
    """Gradient (−11/2, −17/2), then (1.05, 1.35), then (0.95, 1.25), whatever the noise sd."""
    trace = study.soft_thresholding(sigma)
    np.testing.assert_array_equal(trace.descent.points[0], [0.5, 0.5])
    np.testing.assert_allclose(trace.gradient, [-11 / 2, -17 / 2], rtol=1e-13)
    np.testing.assert_allclose(trace.moved, [1.05, 1.35], rtol=1e-13)
    np.testing.assert_allclose(trace.shrunk, [0.95, 1.25], rtol=1e-13)
    assert trace.nats.threshold == pytest.approx(0.1 * 1.0, rel=1e-14)


@pytest.mark.parametrize("sigma", SIGMAS)
def test_the_translation_keeps_the_objective_up_to_a_factor(sigma: float) -> None:
    """``n/σ²`` times the document's: its own where σ² = n."""
    problem = study.notes_problem(1.0, sigma)
    for w in np.random.default_rng(0).normal(size=(20, 2)):
        assert problem.penalised(w) == pytest.approx(2 / sigma**2 * document(w), rel=1e-12)
    assert br.units.to_sklearn(problem).numbers["alpha"] == pytest.approx(1.0, rel=1e-12)


def test_the_translation_of_the_numbers() -> None:
    """``b = σ²/(nλ)`` and step ``ασ²/n``."""
    assert study.in_nats(1.0, 0.1, 2, 1.0) == study.Nats(1.0, 0.5, 0.05)
    nats = study.in_nats(3.0, 0.2, 7, 5.0)
    assert (nats.scale, nats.step_size) == pytest.approx((25 / 21, 5 / 7))
    assert nats.threshold == pytest.approx(0.6)


def test_the_documents_inline_sums_are_not_its_gradient() -> None:
    """Its (8) and (9) take each feature's own residual; the results printed are the joint ones."""
    joint = Y - X @ [0.5, 0.5]
    np.testing.assert_array_equal(joint, [3.5, 2.5])
    np.testing.assert_array_equal(-X.T @ joint / 2, [-5.5, -8.5])
    first = (1 * (5 - 1 * 0.5) + 1 * (5 - 2 * 0.5), 3 * (6 - 3 * 0.5) + 3 * (4 * 0.5))
    second = (2 * (5 - 1 * 0.5) + 2 * (5 - 2 * 0.5), 4 * (6 - 3 * 0.5) + 4 * (4 * 0.5))
    # −½ before the first bracket only, as printed, or before both: neither is what is printed.
    assert (-0.5 * first[0] + first[1], -0.5 * sum(first)) == (15.25, -14.0)
    assert (-0.5 * second[0] + second[1], -0.5 * sum(second)) == (17.5, -21.5)


def test_thresholding_is_not_a_step_along_the_sign() -> None:
    """The document calls them the same; they part where a weight crosses 0, of either sign."""
    problem = study.notes_problem()
    still = np.zeros(2)
    for sign in (1.0, -1.0):
        small = sign * np.array([0.05, 0.3])
        np.testing.assert_allclose(
            ista_step(small, still, 0.1, problem.penalty), sign * np.array([0.0, 0.2])
        )
        np.testing.assert_allclose(
            small - 0.1 * problem.elastic_net.slope(small), sign * np.array([-0.05, 0.2])
        )


# --------------------------------------------------------------------------- all steps


def test_the_optimum_is_not_where_the_first_step_points() -> None:
    """(0, 1.6): by the KKT conditions, correlations 0.3 inside ±1 and 1 at the edge."""
    trace = study.soft_thresholding()
    np.testing.assert_allclose(trace.optimum.coef, [0.0, 1.6], rtol=1e-12)
    assert trace.optimum.coef[0] == 0.0
    np.testing.assert_allclose(X.T @ (Y - X @ trace.optimum.coef) / 2, [0.3, 1.0], rtol=1e-12)
    assert document(trace.optimum.coef) == pytest.approx(2.45, rel=1e-12)


@pytest.mark.parametrize("sigma", SIGMAS)
def test_the_iteration_arrives_and_the_certificate_says_when(sigma: float) -> None:
    """After 18 steps: once w₁ is 0, the step 0.1 is one over the curvature of w₂ alone."""
    trace = study.soft_thresholding(sigma)
    assert trace.arrival == 18
    assert trace.descent.stands
    assert [c.optimal for c in trace.certificates] == [False] * 18 + [True] * (
        len(trace.certificates) - 18
    )
    zeros = np.flatnonzero(trace.descent.points[:, 0] == 0)
    assert zeros[0] in (17, 18)
    np.testing.assert_allclose(trace.descent.points[-1], [0.0, 1.6], rtol=1e-12)
    assert X[:, 1] @ X[:, 1] / 2 == 1 / study.ALPHA


def test_the_gap_bounds_the_excess_at_every_step() -> None:
    """Weak duality; and the objective falls all the way, though the gap does not."""
    trace = study.soft_thresholding()
    assert (trace.gaps >= trace.excess - 1e-12).all()
    assert (np.diff(trace.descent.values) <= 1e-14).all()
    assert np.diff(trace.gaps).max() > 0
    assert trace.excess[0] == pytest.approx(document(np.array([0.5, 0.5])) - 2.45, rel=1e-12)


def test_the_documents_step_is_above_one_over_the_curvature_and_below_twice_that() -> None:
    """So it descends, but zigzags in the steep direction."""
    largest = np.linalg.eigvalsh(X.T @ X / 2)[-1]
    assert 1 / largest < study.ALPHA < 2 / largest
    assert study.soft_thresholding().stable_step == pytest.approx(2 / largest, rel=1e-12)
    too_long = proximal_descent(
        study.notes_problem(), start=np.array([0.5, 0.5]), step_size=0.15, most=40
    )
    assert too_long.values[-1] > too_long.values[0]


def test_the_trace_is_that_of_the_optimizer() -> None:
    """`optimize(problem, "ista")` with the document's start and step, certified at each iterate."""
    problem, trace = study.notes_problem(), study.soft_thresholding()
    run = br.optimize(
        problem,
        "ista",
        start=study.START,
        step_size=trace.nats.step_size,
        tol=0.0,
        keep_iterates=True,
    )
    assert run.iterates is not None
    assert run.claims_convergence
    np.testing.assert_allclose(run.iterates[1][0], [0.95, 1.25], rtol=1e-14)
    np.testing.assert_array_equal([coef for coef, _ in run.iterates], trace.descent.points)
    assert [br.certify(problem, *each).gap for each in run.iterates] == list(trace.gaps)


def test_the_trace_is_the_formula_step_by_step() -> None:
    """Gradient of the document, then sign(w)·max(0, |w| − αλ), by hand at every iterate."""
    points = study.soft_thresholding().descent.points
    for here, there in itertools.pairwise(points):
        moved = here - 0.1 * -(X.T @ (Y - X @ here)) / 2
        shrunk = np.sign(moved) * np.maximum(0.0, np.abs(moved) - 0.1 * 1.0)
        np.testing.assert_allclose(there, shrunk, rtol=1e-12, atol=1e-14)


@settings(max_examples=20, deadline=None)
@given(st.floats(0.01, 0.13), st.floats(0.02, 16.0), st.floats(-2, 2), st.floats(-2, 2))
def test_every_stable_step_descends(alpha: float, lam: float, a: float, b: float) -> None:
    """From anywhere, for any λ; the subgradient method does not."""
    run = proximal_descent(
        study.notes_problem(lam), start=np.array([a, b]), step_size=alpha, most=50
    )
    assert (np.diff(run.values) <= 1e-12 * np.abs(run.values[0])).all()


def test_the_subgradient_method_does_not_descend() -> None:
    """Same data, start and step: it ends beside the optimum, without a zero, and hops on."""
    problem = study.notes_problem()
    run = subgradient_descent(problem, start=np.array([0.5, 0.5]), step_size=0.1, most=200)
    assert not run.stands
    assert (run.points != 0).all()
    assert np.diff(run.values)[-50:].max() > 0


# --------------------------------------------------------------------------- beside OLS


def test_coefficients_beside_least_squares_are_those_of_peers() -> None:
    """scikit-learn's lasso at alpha = λ on standardised columns, and NumPy's least squares."""
    beside = beside_ols()
    data = br.datasets.load("diabetes")
    Z = (data.X - data.X.mean(axis=0)) / data.X.std(axis=0)
    centred = data.y - data.y.mean()
    for lam, coef in zip(beside.lams, beside.coef, strict=True):
        peer = Lasso(alpha=lam, tol=1e-12, max_iter=200_000).fit(Z, data.y)
        np.testing.assert_allclose(coef, peer.coef_, rtol=1e-5, atol=1e-5)
        np.testing.assert_array_equal(coef == 0, peer.coef_ == 0)
    ols = np.linalg.lstsq(Z, centred)[0]
    np.testing.assert_allclose(beside.least_squares, ols, rtol=1e-9)
    assert all(certificate.optimal for certificate in beside.path.certificates)


def test_a_larger_lam_leaves_fewer_coefficients_here() -> None:
    """8, 7, 4 and 2 of 10; 45.16 would leave none."""
    beside = beside_ols()
    assert (beside.coef != 0).sum(axis=1).tolist() == [8, 7, 4, 2]
    scale = study.in_nats(45.17, 0.1, 442, study.DIABETES_SIGMA).scale
    assert (beside.path.at(scale).coef == 0).all()


def test_more_lam_is_not_always_fewer_coefficients() -> None:
    """As λ falls s3 goes back to 0, to return with the other sign: 12 knots for 10 weights."""
    problem = beside_ols().path.problem
    path = br.map_path(problem, [100.0, 1000.0])
    assert path.knots is not None
    between = np.sqrt(path.knots[1:] * path.knots[:-1])
    counts = [(path.at(1 / lam).coef != 0).sum() for lam in between]
    assert path.knots.size == 12
    assert (np.diff(counts) < 0).sum() == 1
    last = [path.at(1 / lam).coef[problem.names.index("s3")] for lam in path.knots[-4:] * 0.99]
    assert last[0] < 0
    assert last[2] == 0 < last[3]


# --------------------------------------------------------------------------- Lagrange's view


def test_the_knots_and_the_modes_between_them() -> None:
    """17 and 4/17; ``(0, 1.7 − λ/10)`` between, signs (−, +) below."""
    view = lagrange()
    np.testing.assert_allclose(view.knots, [17.0, 4 / 17], rtol=1e-12)
    one = (view.lams > 4 / 17 * 1.0001) & (view.lams < 17)
    expected = np.column_stack([np.zeros(one.sum()), 1.7 - view.lams[one] / 10])
    np.testing.assert_allclose(view.coef[one], expected, rtol=1e-9, atol=1e-15)
    low = view.lams < 4 / 17 * 0.9999
    shift = np.outer(2 * view.lams[low], [-1.0, 1.0])
    np.testing.assert_allclose(
        view.coef[low], np.linalg.solve(X.T @ X, (X.T @ Y - shift).T).T, rtol=1e-8
    )
    assert (view.coef[view.lams >= 17] == 0).all()


def test_lam_to_radius_to_multiplier_and_back() -> None:
    """Both directions meet: the same coefficients, and the multiplier is the λ it began with."""
    view = lagrange()
    for lam, there, back in zip(study.CHOSEN, view.forward, view.backward, strict=True):
        assert there.multiplier == pytest.approx(lam, rel=1e-13)
        assert there.radius == pytest.approx(np.abs(there.coef).sum(), rel=1e-13)
        assert back.multiplier == pytest.approx(lam, rel=1e-9)
        assert back.active
        np.testing.assert_allclose(back.coef, there.coef, rtol=1e-9, atol=1e-12)
    assert view.forward[2].radius == pytest.approx(1.6, rel=1e-12)


def test_beyond_least_squares_the_multiplier_is_0() -> None:
    """‖(−4, 4.5)‖₁ = 8.5: a larger ball constrains nothing."""
    view = lagrange()
    assert view.slack == pytest.approx(8.5, rel=1e-10)
    loose = view.problem.with_prior(br.UniformBall(8.6, "l1"))
    assert br.penalised_form(loose).multiplier == 0


def test_the_slope_of_the_smallest_loss_is_minus_lam() -> None:
    """By central differences: exact between knots, where the loss is a parabola in the radius."""
    view = lagrange()
    for inside in ((view.lams >= 4 / 17) & (view.lams <= 17), view.lams <= 4 / 17):
        t, loss, lams = view.radii[inside], view.losses[inside], view.lams[inside]
        chords = (loss[2:] - loss[:-2]) / (t[2:] - t[:-2])
        np.testing.assert_allclose(-chords, 0.5 * (lams[2:] + lams[:-2]), rtol=1e-7)


def test_no_point_of_the_ball_is_better_than_the_constrained_solution() -> None:
    """Brute force over the border of each ball."""
    view = lagrange()
    share = np.linspace(-1, 1, 4001)
    for form, loss in zip(view.backward, view.touching, strict=True):
        for sign in (-1.0, 1.0):
            w = form.radius * np.column_stack([share, sign * (1 - np.abs(share))])
            losses = ((Y - w @ X.T) ** 2).sum(axis=1) / 4
            assert losses.min() >= loss - 1e-12
        best = form.radius * np.column_stack([share, 1 - np.abs(share)])
        assert (((Y - best @ X.T) ** 2).sum(axis=1) / 4).min() == pytest.approx(loss, abs=1e-3)


def test_correlations_stay_within_lam_and_touch_it_where_a_weight_is_not_0() -> None:
    """The KKT conditions, all along the path."""
    view = lagrange()
    assert (np.abs(view.subgradients) <= 1 + 1e-9).all()
    on = view.coef != 0
    np.testing.assert_allclose(view.subgradients[on], np.sign(view.coef[on]), rtol=1e-7)


# --------------------------------------------------------------------------- figures


@pytest.mark.parametrize("exhibit", study.EXHIBITS, ids=lambda e: e.name)
def test_each_exhibit_draws_itself(exhibit: Exhibit) -> None:
    """With a heading, titles and one legend, in large enough letters."""
    figure = exhibit.draw(seed=0)
    assert isinstance(figure, Figure)
    assert exhibit.document == 3
    assert figure.get_suptitle()
    assert len(figure.legends) == 1
    sizes = [float(text.get_fontsize()) for axes in figure.axes for text in axes.texts]
    assert min(sizes, default=9.0) >= 9
    assert all(axes.get_title(loc="left") for axes in figure.axes)


def test_the_figure_of_the_steps_says_the_documents_numbers() -> None:
    """In the plane and in the panel of the first step."""
    figure = br.figures.soft_thresholding(study.soft_thresholding())
    plane, first, gaps = figure.axes
    words = " ".join(text.get_text() for text in plane.texts)
    for number in ("(0.5, 0.5)", "(1.05, 1.35)", "(0.95, 1.25)", "(0, 1.6)", "step 18"):
        assert number in words
    words = " ".join(text.get_text() for text in first.texts)
    for number in ("−5.5", "−8.5", "+0.55", "+0.85", "1.05", "1.35", "0.95", "1.25", "−0.1"):
        assert number in words
    assert gaps.get_yscale() == "log"


def test_the_figure_beside_least_squares_has_a_panel_for_each_lam() -> None:
    """And a hollow diamond for each exact zero."""
    beside = beside_ols()
    figure = br.figures.coefficients_beside_ols(beside)
    assert len(figure.axes) == len(beside.lams)
    for axes, coef in zip(figure.axes, beside.coef, strict=True):
        hollow = axes.get_lines()[-1]
        assert hollow.get_markerfacecolor() == "white"
        assert np.asarray(hollow.get_xdata()).size == (coef == 0).sum()
    assert "8 of 10 not 0" in figure.axes[0].get_title(loc="left")


def test_the_figure_of_lagranges_view_draws_both_directions() -> None:
    """As many rings as diamonds, at the same places."""
    view = lagrange()
    radius, subgradients, value = br.figures.lagrange(view).axes
    lines = {
        str(line.get_marker()): np.asarray(line.get_xydata(), dtype=float)
        for line in radius.get_lines()
    }
    np.testing.assert_allclose(lines["D"], lines["o"], rtol=1e-9)
    assert len(subgradients.texts) == 2
    assert sum("slope" in text.get_text() for text in value.texts) == len(study.CHOSEN)
