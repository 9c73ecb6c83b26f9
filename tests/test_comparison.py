"""Comparison: every answer scored by the problem, on one page of numbers."""

from __future__ import annotations

import html
import json
from typing import TYPE_CHECKING

import numpy as np
import pymc as pm
import pytest
from sklearn.datasets import load_diabetes

import bayesreg as br
from bayesreg import terminal
from bayesreg.certificate import GAP_TOLERANCE, KKT_TOLERANCE, NEAR
from bayesreg.errors import (
    DegenerateMode,
    ImproperPosterior,
    InputError,
    SamplingFailed,
    UnsupportedModel,
)
from bayesreg.posterior.exact import Exact
from bayesreg.scoring import EXACT
from tests.problems import data, degenerate_examples, nonconvex_examples, norm_examples

if TYPE_CHECKING:
    from pathlib import Path

    from bayesreg.comparison import Comparison
    from bayesreg.priors import Prior


@pytest.fixture(scope="module")
def diabetes() -> Comparison:
    """The main job on diabetes, with every optimiser that fits."""
    X, y = load_diabetes(return_X_y=True, scaled=False)
    problem = br.Problem(
        X, y, likelihood=br.Gaussian(54.0), prior=br.Laplace(16.5), standardize=True
    )
    return br.compare(problem, draws=500, chains=2, seed=1, progress=False)


def test_every_optimiser_that_fits_is_there(diabetes: Comparison) -> None:
    """The exact mode first, the posterior's summaries last, nothing failed."""
    names = [score.name for score in diabetes.scores]
    assert names[0] == EXACT
    assert names[-2:] == ["posterior mean", "posterior median"]
    assert set(names[1:-2]) == set(br.list_optimizers(diabetes.problem))
    assert {"sklearn_lasso", "skglm", "pymc_find_map", "ista"} <= set(names)
    assert diabetes.failures == {}


def test_the_exact_mode_is_the_best_and_the_only_one_with_all_zeros_right(
    diabetes: Comparison,
) -> None:
    """The thesis of the project, on real data."""
    by_name = {score.name: score for score in diabetes.scores}
    exact = by_name[EXACT]
    assert exact.excess == 0.0
    assert exact.certificate.optimal
    assert exact.zeros == 2
    for score in diabetes.scores[1:]:
        assert score.excess >= -1e-9
        assert score.certificate.gap >= score.excess - 1e-9
    pymc = by_name["pymc_find_map"]
    assert pymc.zeros == 0
    assert pymc.false_nonzeros == 2
    assert pymc.excess > 1e-9
    assert not pymc.certificate.optimal
    assert pymc.misleading
    assert not exact.misleading
    assert by_name["coordinate_descent"].verdict in ("optimal", "near")
    mean = by_name["posterior mean"]
    assert mean.zeros == 0
    assert mean.claims_convergence is None


def test_posterior_summary_is_that_of_the_draws(diabetes: Comparison) -> None:
    """Means, quantiles, P(|β| < ε), counted again from the draws."""
    beta = np.asarray(diabetes.draws["posterior"]["beta"]).reshape(-1, 10)
    post = diabetes.posterior
    np.testing.assert_allclose(post.mean, beta.mean(axis=0))
    np.testing.assert_allclose(post.lower, np.quantile(beta, 0.025, axis=0))
    np.testing.assert_allclose(post.near_zero, (np.abs(beta) < post.epsilon).mean(axis=0))
    assert (post.zeros == 0).all()
    X, y = diabetes.problem.design.X, diabetes.problem.design.y
    np.testing.assert_allclose(post.epsilon * X.std(axis=0), 0.05 * y.std())
    assert (post.excludes_zero == ((post.lower > 0) | (post.upper < 0))).all()
    assert post.excludes_zero[diabetes.problem.names.index("x2")]


def test_frames(diabetes: Comparison) -> None:
    """Tidy: one row per estimator and coefficient; one per estimator; one per coefficient."""
    tidy = diabetes.to_frame()
    assert len(tidy) == len(diabetes.scores) * 11
    mode = tidy[(tidy.estimator == EXACT) & (tidy.coefficient != "intercept")]
    np.testing.assert_array_equal(mode["value"], diabetes.mode.coef)
    np.testing.assert_array_equal(mode["exact_zero"], diabetes.mode.coef == 0)
    interval = tidy[(tidy.estimator == "posterior mean") & (tidy.coefficient == "x3")]
    assert interval["lower"].item() == diabetes.posterior.lower[3]
    scores = diabetes.score_frame()
    assert scores.loc[EXACT, "verdict"] == "optimal"
    assert scores.loc["pymc_find_map", "false_nonzeros"] == 2
    sparsity = diabetes.sparsity_frame()
    assert list(sparsity.index) == list(diabetes.problem.names)
    assert sparsity["mode_is_zero"].sum() == 2


def test_the_table_says_what_its_verdicts_rest_on(diabetes: Comparison) -> None:
    """With the tolerances that certificates have, under the table."""
    text = " ".join(terminal.as_text(diabetes).split())
    asked = f"gap up to {GAP_TOLERANCE:g} nats, KKT residual up to {KKT_TOLERANCE:g}"
    assert f"optimal (certified: {asked}" in text
    assert f"near (right zeros, within {NEAR:g} nats)" in text


def test_rows_of_columns_called_like_others_are_told_apart() -> None:
    """A column may be called sigma, or intercept, where there is one beside."""
    X, y = data(br.Gaussian(0.7), seed=0)
    noise = br.Gaussian(br.HalfNormal(1.0))
    names = ["sigma", "intercept", *map(str, range(X.shape[1] - 2))]
    problem = br.Problem(X, y, likelihood=noise, prior=br.Normal(1.0), names=names)
    table = br.compare(problem, ["closed_form"], draws=60, chains=2, seed=1, progress=False)
    rows = [line.split("  ")[0] for line in terminal.as_text(table).splitlines()]
    own = ["intercept (not the column)", "sigma (not the column)"]
    assert [row for row in rows if row in (*names, *own)] == [*names, *own]


def test_unknown_scales_give_conditional_and_joint_modes() -> None:
    """The scored mode is given posterior medians; the joint one, or its refusal, beside it."""
    X, y = data(br.Gaussian(0.7), seed=0)
    problem = br.Problem(
        X,
        y,
        likelihood=br.Gaussian(br.HalfNormal(1.0)),
        prior=br.Laplace(0.3, relative_to="sigma"),
    )
    table = br.compare(problem, ["coordinate_descent"], draws=300, chains=2, seed=2, progress=False)
    median = float(np.median(table.draws["posterior"]["sigma"]))
    assert table.mode.sigma == median
    assert "conditional mode" in table.mode.space
    assert table.joint_mode is not None
    assert table.joint_refusal is None
    assert table.scores[1].certificate.optimal
    hyper = br.Problem(X, y, likelihood=br.Gaussian(0.7), prior=br.Laplace(br.HalfCauchy(1.0)))
    table = br.compare(hyper, ["coordinate_descent"], draws=300, chains=2, seed=2, progress=False)
    assert table.joint_mode is None
    assert "unbounded" in str(table.joint_refusal)
    assert table.mode.scale == float(np.median(table.draws["posterior"]["scale"]))


def test_words(diabetes: Comparison) -> None:
    """``print`` gives the tables of the command line, ``repr`` one line; scalars are summarised."""
    text = str(diabetes)
    for part in ("exact mode", "pymc_find_map", "x9", "intercept", "sparsity:", "diagnostics:"):
        assert part in text
    assert "\n" not in repr(diabetes)
    assert list(diabetes.scalars) == ["intercept"]
    draws = np.asarray(diabetes.draws["posterior"]["intercept"])
    assert diabetes.scalars["intercept"].mean == pytest.approx(draws.mean())
    assert diabetes.scores[-1].verdict is None


def test_failures_are_reported_not_hidden() -> None:
    """An optimiser that does not fit says why, and the others still answer."""
    X, y = data(br.Gaussian(0.7), seed=0)
    problem = br.Problem(X, y, likelihood=br.Gaussian(0.7), prior=br.Laplace(0.3))
    names = ["closed_form", "coordinate_descent"]
    table = br.compare(problem, names, draws=200, chains=2, seed=2, progress=False)
    assert list(table.failures) == ["closed_form"]
    assert "coordinate_descent" in [score.name for score in table.scores]


def test_announces_each_step() -> None:
    """So that a long job is never silent."""
    X, y = data(br.Gaussian(0.7), seed=0)
    said: list[str] = []
    br.compare(
        br.Problem(X, y, likelihood=br.Gaussian(0.7), prior=br.Normal(0.3)),
        ["closed_form"],
        draws=50,
        seed=2,
        progress=False,
        announce=said.append,
    )
    assert said[0] == "exact mode"
    assert any("posterior" in line for line in said)
    assert said[-1] == "optimiser: closed_form"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"estimators": "sklearn_laso"}, "estimators: 'sklearn_laso' is not known; did you mean"),
        ({"draws": 0}, "draws: must be at least 1"),
        ({"draws": 1.5}, "draws: must be a whole number"),
        ({"chains": 0}, "chains: must be at least 1"),
        ({"level": 1.0}, "level: must lie strictly between 0 and 1"),
        ({"epsilon": -1.0}, "epsilon: must be positive"),
        ({"seed": "a"}, "seed: must be None"),
    ],
)
def test_bad_arguments(changes: dict[str, object], message: str) -> None:
    """Refused by name, before anything runs."""
    X, y = data(br.Gaussian(0.7), seed=0)
    problem = br.Problem(X, y, likelihood=br.Gaussian(0.7), prior=br.Laplace(0.3))
    with pytest.raises(InputError, match=message):
        br.compare(problem, **changes)  # type: ignore[arg-type]


def test_improper_posteriors_are_refused_first() -> None:
    """More columns than rows under a flat prior."""
    problem = br.Problem(
        np.ones((3, 5)), [1.0, 2.0, 3.0], likelihood=br.Gaussian(1.0), prior=br.Flat()
    )
    with pytest.raises(ImproperPosterior, match="prior: flat on 6 columns"):
        br.compare(problem)


def _quick(prior: Prior, estimators: object = "auto") -> Comparison:
    X, y = data(br.Gaussian(0.7), seed=1)
    problem = br.Problem(X, y, likelihood=br.Gaussian(0.7), prior=prior)
    return br.compare(problem, estimators, draws=100, chains=2, progress=False)  # type: ignore[arg-type]


def test_without_draws_the_modes_are_compared_and_the_reason_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the terminal, in JSON and on the page; what needs draws is refused with the reason."""
    monkeypatch.setattr("bayesreg.posterior.sampling.SAMPLERS", (Exact(),))
    table = _quick(norm_examples()["group"])
    assert [s.name for s in table.scores] == [EXACT, *br.list_optimizers(table.problem)]
    assert table.sampled is None
    because = "method 'exact' does not apply: prior: is GroupLaplace"
    reason = f"no sampler takes GroupLaplace here: {because}"
    assert reason in str(table.no_draws)
    assert f"no draws: {reason}" in " ".join(str(table).split())
    record = json.loads(terminal.as_json(table))
    assert record["no_draws"] == table.no_draws
    assert record["diagnostics"] is None
    page = table.to_html(tmp_path / "page.html").read_text(encoding="utf-8")
    assert "Why there are no draws" in page
    assert reason in html.unescape(page)
    assert "Can the draws be trusted" not in page
    assert len(table.plot().axes) == 1
    assert table.to_frame()["lower"].isna().all()
    assert list(table.sparsity_frame().columns) == ["mode", "mode_is_zero"]
    assert table.scalars == {}
    with pytest.raises(InputError, match="has no draws; no sampler takes GroupLaplace"):
        _ = table.posterior


def test_a_sampler_that_fails_leaves_the_modes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its reason is said where the draws would be."""

    def fails(*_: object, **__: object) -> None:
        msg = "nuts stopped: out of patience"
        raise SamplingFailed(msg)

    monkeypatch.setattr("bayesreg.comparison.sample", fails)
    table = _quick(norm_examples()["group"], ["ista"])
    assert [s.name for s in table.scores] == [EXACT, "ista"]
    assert "no draws: nuts stopped: out of patience" in str(table)


def test_priors_that_tie_coefficients_have_draws_too() -> None:
    """By the sampler that takes them, beside their mode."""
    table = _quick(norm_examples()["group"], ["ista"])
    assert [s.name for s in table.scores] == [EXACT, "ista", "posterior mean", "posterior median"]
    assert table.no_draws is None
    assert table.draws.attrs["method"] == "gibbs"


def test_verdicts_where_nothing_is_convex() -> None:
    """Stationary and no worse than the mode is the best that can be said, and no lie."""
    table = _quick(nonconvex_examples()["cusp"], ["ista"])
    assert [score.verdict for score in table.scores[:2]] == ["stationary", "stationary"]
    assert "0 is always a local mode under this prior" in " ".join(str(table).split())


def test_an_unknown_sigma_without_draws_is_that_of_the_joint_mode(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """There is no posterior median to condition on."""
    monkeypatch.setattr("bayesreg.posterior.sampling.SAMPLERS", (Exact(),))
    X, y = data(br.Gaussian(0.7), seed=1)
    prior = br.Laplace(0.1, nonnegative=True)
    problem = br.Problem(X, y, likelihood=br.Gaussian(br.HalfNormal(1.0)), prior=prior)
    table = br.compare(problem, ["ista"], progress=False)
    assert table.mode_space.startswith("joint mode")
    assert "posterior medians" not in table.mode_space
    assert "no negative coefficient of 'x0'" in str(table.no_draws)


@pytest.mark.parametrize("name", sorted(degenerate_examples()))
def test_priors_without_a_mode_cannot_be_compared(name: str) -> None:
    """The refusal says what a comparison lacks."""
    with pytest.raises(DegenerateMode, match="A comparison needs a mode"):
        _quick(degenerate_examples()[name])


def test_models_that_are_no_penalised_regression_are_refused() -> None:
    """With the reason of the reading, and where to go instead."""
    with pm.Model() as model:
        pm.Laplace("y", mu=pm.Normal("a"), b=1.0, observed=[1.0, 2.0])
    with pytest.raises(UnsupportedModel, match=r"'y': a Laplace likelihood .*find_map\(model\)"):
        br.compare(model)
