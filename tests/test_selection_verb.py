"""select_scale and compare_criteria as a user meets them: results, figure, command line, study."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from typer.testing import CliRunner

import bayesreg as br
from bayesreg import cli_select, terminal_select
from bayesreg._console import in_options, make_console
from bayesreg.cli import app
from bayesreg.errors import InputError
from bayesreg.selection import CRITERIA, CriteriaComparison
from bayesreg.selection.progress import Progress
from bayesreg.studies import choosing_the_scale

if TYPE_CHECKING:
    from pathlib import Path

RUNNER = CliRunner()
RNG = np.random.default_rng(8)
X = RNG.normal(size=(40, 4))
Y = X @ [1.0, 0.0, 0.0, -0.5] + RNG.normal(size=40)
QUICK: dict[str, Any] = {"draws": 200, "tune": 200, "n_scales": 8, "seed": 1}


@pytest.fixture(scope="module")
def compared() -> CriteriaComparison:
    """Every criterion on a ridge with unknown sigma."""
    problem = br.Problem(
        X, Y, likelihood=br.Gaussian(br.HalfCauchy(1.0)), prior=br.Normal(1.0), standardize=True
    )
    return br.compare_criteria(problem, **QUICK)


def test_all_criteria_take_a_ridge(compared: CriteriaComparison) -> None:
    """In their order, each with a problem that has a mode and a posterior."""
    assert [s.criterion for s in compared.selections] == [c.name for c in CRITERIA]
    assert not compared.left_out
    for s in compared.selections:
        assert not s.problem.unknown
        assert s.problem.prior.scale == pytest.approx(s.scale)  # type: ignore[attr-defined]
        assert br.find_map(s.problem).certificate.optimal
        assert s.uncertainty.low <= s.scale <= s.uncertainty.high
        assert s.sigma == pytest.approx(1.0, rel=0.4)
    assert compared["aic"].scale >= compared["bic"].scale


def test_frames_are_tidy(compared: CriteriaComparison) -> None:
    """One row per criterion; one per criterion and scale, one of them the choice."""
    frame, curves = compared.to_frame(), compared.curves()
    assert frame["criterion"].tolist() == [c.name for c in CRITERIA]
    assert (curves.groupby("criterion")["chosen"].sum() == 1).all()
    one = compared["cross-validation"].to_frame()
    assert list(one.columns[:4]) == ["criterion", "scale", "value", "standard_error"]
    assert one.loc[one["chosen"], "scale"].item() == compared["cross-validation"].scale
    assert np.isfinite(curves["value"]).all()


def test_criteria_that_do_not_fit_are_left_out_with_the_reason() -> None:
    """Of all; one that was asked for by name is refused."""
    problem = br.Problem(X, Y, likelihood=br.Gaussian(1.0), prior=br.Laplace(1.0))
    found = br.compare_criteria(problem, ["aic", "bic"], rule="one-standard-error", **QUICK)
    assert [s.rule for s in found.selections] == ["minimum", "minimum"]
    with pytest.raises(InputError, match="'leave-one-out' does not take this problem"):
        br.compare_criteria(problem, ["aic", "leave-one-out"])
    with pytest.raises(InputError, match="did you mean 'folds'"):
        br.compare_criteria(problem, fold=3)
    with pytest.raises(InputError, match="by: names no criterion"):
        br.compare_criteria(problem, [])
    with pytest.raises(InputError, match="'cv' is not known"):
        br.compare_criteria(problem, "cv")
    with pytest.raises(InputError, match="'evidence' is not known"):
        _ = found["evidence"]


def test_a_prior_without_a_mode_is_judged_by_its_posterior() -> None:
    """What rests on modes steps aside for a horseshoe."""
    prior = br.Horseshoe(0.5)
    problem = br.Problem(X, Y, likelihood=br.Gaussian(1.0), prior=prior)
    scales = [0.05, 0.2, 1.0]
    found = br.compare_criteria(problem, scales=scales, draws=200, tune=200)
    assert set(found.left_out) == {"cross-validation", "leave-one-out", "aic", "bic"}
    assert "a Horseshoe prior has none" in str(found)
    assert {s.criterion for s in found.selections} >= {"psis-loo", "hyperprior"}


def test_a_prior_that_has_no_grid_is_asked_for_one_where_it_can_be_given() -> None:
    """In the words of Python, and on the command line in those of its option."""
    prior = br.Horseshoe(br.HalfCauchy(1.0))
    problem = br.Problem(X, Y, likelihood=br.Gaussian(1.0), prior=prior)
    with pytest.raises(InputError, match=r"^scales: .*; give some \(scales=\[...\]\)$") as caught:
        br.select_scale(problem, "psis-loo")
    assert in_options(str(caught.value), {"scales"}).endswith("; give some (--scales A,B,C)")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"by": "aic", "rule": "one-standard-error"}, "aic has no standard error"),
        ({"n_scales": 1}, "n_scales: must be"),
        ({"by": "psis-loo", "draws": 10}, "draws: must be"),
        ({"workers": 0}, "workers: must be"),
        ({"hyperprior": 3.0}, "hyperprior: must be a prior of a scale"),
        ({"given": {"sigma": 1.0}}, "sigma: is not unknown"),
    ],
)
def test_arguments_are_judged(settings: dict[str, Any], message: str) -> None:
    """Each message names the argument."""
    problem = br.Problem(X, Y, likelihood=br.Gaussian(1.0), prior=br.Laplace(1.0))
    with pytest.raises(InputError, match=message):
        br.select_scale(problem, **settings)
    with pytest.raises(InputError, match="prior: is flat, so there is no scale to vary"):
        br.select_scale(problem.with_prior(br.Flat()))


def test_a_model_is_read_and_an_unknown_scale_is_chosen() -> None:
    """Of a PyMC model of the gallery: the prior of its scale is for "hyperprior" alone."""
    model = br.gallery.load("lasso_unknown_scale").build(X, Y, sigma=1.0, hyper_scale=1.0)
    chosen = br.select_scale(model, n_scales=10)
    assert not chosen.problem.unknown
    again = br.select_scale(
        br.Problem(X, Y, likelihood=br.Gaussian(1.0), prior=br.Laplace(0.3)),
        scales=chosen.curve.scales,
    )
    assert np.allclose(again.curve.value, chosen.curve.value, rtol=1e-9)


def test_an_edge_is_said() -> None:
    """Where the best of the scales tried is the last, others may be better."""
    problem = br.Problem(X, Y, likelihood=br.Gaussian(1.0), prior=br.Laplace(1.0))
    chosen = br.select_scale(problem, scales=[0.001, 0.01])
    assert chosen.at_edge
    assert chosen.edge == (
        "the best is the smallest of the scales tried; try smaller ones (scales=[...])"
    )
    assert chosen.edge in str(chosen)
    both = br.compare_criteria(problem, ["aic", "bic"], scales=[0.001, 0.01])
    assert both.edges == (f"aic: {chosen.edge}", f"bic: {chosen.edge}")
    assert str(both).count(chosen.edge) == 2
    assert not br.compare_criteria(problem, ["aic"]).edges
    assert list(both.to_frame()["notes"]) == [chosen.edge] * 2
    assert json.loads(terminal_select.as_json(both))["criteria"]["bic"]["notes"] == [
        "the best is the smallest of the scales tried; try smaller ones (--scales A,B,C)"
    ]
    ball = br.select_scale(problem.with_prior(br.UniformBall(1.0)), scales=[0.5, 1.0, 5.0])
    assert "radius" in str(ball)


@pytest.mark.parametrize("by", ["cross-validation", "leave-one-out", "psis-loo", "bic", "evidence"])
def test_a_target_without_variation_is_refused_in_one_sentence(by: str) -> None:
    """No residual says what sigma is; with a value of it there is a choice."""
    problem = br.Problem(X, 0 * Y + 2.0, likelihood=br.Gaussian(br.HalfNormal(1.0)),
                         prior=br.Normal(1.0))  # fmt: skip
    with pytest.raises(
        InputError, match=r"^y: is the same in every row, .* given=\{\"sigma\": 1.0\}"
    ):
        br.select_scale(problem, by)
    if by in ("cross-validation", "bic"):
        assert br.select_scale(problem, by, given={"sigma": 1.0}).curve.best == 0
    bare = br.Problem(X, 0 * Y, likelihood=br.Gaussian(br.HalfNormal(1.0)), prior=br.Normal(1.0),
                      intercept=False)  # fmt: skip
    with pytest.raises(InputError, match=r"^y: is 0 in every row"):
        br.select_scale(bare, by)


def test_the_figure_shows_every_criterion(compared: CriteriaComparison) -> None:
    """Curves above and choices below, on one axis of scales; one alone has a band."""
    figure = compared.plot()
    above, below = figure.axes
    assert len([line for line in above.lines if np.size(line.get_xdata()) > 2]) == len(CRITERIA)
    assert above.get_xlim() == below.get_xlim()
    assert [text.get_text() for text in below.get_yticklabels()] == [c.name for c in CRITERIA]
    chosen = {float(np.ravel(line.get_xdata())[0]) for line in below.lines}
    assert {s.scale for s in compared.selections} <= chosen
    alone = compared["cross-validation"].plot()
    assert len(alone.axes[0].collections) == 1
    pair = br.figures.scale_selection([compared, compared])
    assert len(pair.axes) == 4


def test_the_study_has_ridge_and_lasso() -> None:
    """The exhibit of the seventh document, and its problems."""
    (exhibit,) = choosing_the_scale.EXHIBITS
    assert exhibit.document == 7
    problem = choosing_the_scale.problem(br.Laplace(16.5))
    assert problem.unknown == ("sigma",)
    assert problem.design.standardize


# ------------------------------------------------------------------ command line


def test_the_command_prints_writes_and_answers_in_json(tmp_path: Path) -> None:
    """One criterion: its curve; several: a table; files of each kind."""
    one = RUNNER.invoke(app, ["select", "--model", "ridge", "--by", "evidence", "--scales", "10"])
    assert one.exit_code == 0, one.output
    assert "Normal prior, scale 14.0492 by evidence" in one.stdout
    assert ": as the problem states it" in one.stdout
    folds = RUNNER.invoke(app, ["select", "--model", "ridge", "--folds", "3", "--scales", "10"])
    assert "s.e. of difference" in folds.stdout
    assert "s.e.: standard error of the value itself" in " ".join(folds.stdout.split())
    target = tmp_path / "curve.csv"
    words = ["select", "--by", "aic,bic", "--scales", "20", "--output", str(target)]
    several = RUNNER.invoke(app, words)
    assert several.exit_code == 0, several.output
    assert "the scale, by criterion" in several.stdout
    assert target.read_text(encoding="utf-8").startswith("criterion,scale,value")
    words = ["select", "--by", "aic", "--scales", "20", "--json", "-o", str(tmp_path / "a.svg")]
    told = json.loads(RUNNER.invoke(app, words).stdout)
    assert told["criterion"] == "aic"
    assert told["scale"] == pytest.approx(6.98125, rel=1e-5)
    assert len(told["curve"]["scale"]) == len(told["curve"]["value"])
    assert b"<svg" in (tmp_path / "a.svg").read_bytes()
    both = json.loads(RUNNER.invoke(app, ["select", "--by", "aic,bic", "--json"]).stdout)
    assert set(both["criteria"]) == {"aic", "bic"}


def test_the_table_marks_what_is_at_an_end_of_the_scales() -> None:
    """By default on the prostate data: cross-validation takes the largest; AIC and BIC do not."""
    words = ["select", "--dataset", "prostate", "--by", "cross-validation,aic,bic"]
    words += ["--scales", "30"]
    told = RUNNER.invoke(app, words).stdout
    assert re.search(r"^cross-validation +5\.981 \*  ", told, re.MULTILINE)
    assert "* cross-validation: the best is the largest of the scales tried; try larger" in told
    assert re.search(r"^aic +0\.1\d+ +0", told, re.MULTILINE)
    assert told.count("*") == 2
    assert "10 folds, modes certified" in told


def test_the_command_takes_the_scales_that_its_advice_asks_for() -> None:
    """As many, or which ones, with commas between; anything else is refused."""
    words = ["select", "--dataset", "prostate", "--by", "aic"]
    told = RUNNER.invoke(app, [*words, "--scales", "0.01,0.02"]).stdout
    assert "the largest of the scales tried; try larger ones (--scales A,B,C)" in told
    record = json.loads(RUNNER.invoke(app, [*words, "--scales", "0.5, 0.1,2", "--json"]).stdout)
    assert set(record["curve"]["scale"]) >= {0.1, 0.5, 2.0}
    record = json.loads(RUNNER.invoke(app, ["path", "--scales", "5,50", "--json"]).stdout)
    assert [point["scale"] for point in record["path"]] == [5.0, 50.0]
    for wrong in ("0.5", "0.1,few"):
        with pytest.raises(InputError, match="scales: must be how many, or scales with commas"):
            RUNNER.invoke(app, [*words, "--scales", wrong], catch_exceptions=False)


@pytest.mark.parametrize("doubtful", [False, True])
def test_the_table_marks_what_is_not_to_be_trusted(
    capsys: pytest.CaptureFixture[str], *, doubtful: bool
) -> None:
    """A dagger at the scale, and before the line that says why: only where some k̂ is large."""
    outlier = np.where(np.arange(40) == 3, 9.0 * doubtful, 0.0)
    problem = br.Problem(
        X * (1 + outlier[:, None]), Y + 40 * outlier, likelihood=br.Gaussian(1.0),
        prior=br.Normal(1.0), intercept=False,
    )  # fmt: skip
    found = br.compare_criteria(problem, ["psis-loo", "bic"], scales=[0.3, 1.0, 3.0], **QUICK)
    assert bool(found.doubts) == doubtful
    terminal_select.print_comparison(found, make_console())
    told = capsys.readouterr().out
    assert (re.search(r"^psis-loo +\S+ \*?†", told, re.MULTILINE) is not None) == doubtful
    assert (re.search(r"^† psis-loo: largest k̂ along .* trust it", told, re.MULTILINE) is not None
            ) == doubtful  # fmt: skip
    assert told.count("†") == 2 * doubtful
    assert ("trust it" in str(found)) == doubtful
    assert re.search(r"^bic +[\d.]+ \*? ", told, re.MULTILINE)


@pytest.mark.parametrize(
    ("by", "steps"),
    [
        ("psis-loo", ("scale 1 of 2", "scale 2 of 2")),
        ("evidence", ("scale 1 of 2", "scale 2 of 2", "round 1, at scale")),
        ("cross-validation", ("fold 1 of 10", "fold 10 of 10")),
        ("leave-one-out", ("row 1 of 40", "row 40 of 40")),
        ("hyperprior", ("drawing the scale",)),
    ],
)
def test_progress_is_reported(
    by: str, steps: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every step of what takes long, in order, and nothing once the criterion is done."""
    said: list[str] = []
    monkeypatch.setattr(Progress, "report", lambda _, step: said.append(step))
    prior = br.Normal(1.0) if by == "leave-one-out" else br.Laplace(1.0)
    problem = br.Problem(X, Y, likelihood=br.Gaussian(1.0), prior=prior, standardize=True)
    br.select_scale(problem, by, scales=[0.3, 3.0], draws=100, tune=100)
    places = [next(k for k, step in enumerate(said) if step.startswith(one)) for one in steps]
    assert places == sorted(places)


def test_progress_is_shown_on_a_terminal_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On stderr where it was asked for or someone watches; never with --quiet or --json."""
    problem = br.Problem(X, Y, likelihood=br.Gaussian(1.0), prior=br.Laplace(1.0))
    settings: dict[str, Any] = {"scales": [0.3, 1.0], "draws": 300, "tune": 300}
    br.select_scale(problem, "psis-loo", **settings)
    assert capsys.readouterr().err == ""
    monkeypatch.setenv("FORCE_COLOR", "1")  # as if stderr were a terminal
    br.compare_criteria(problem, ["psis-loo"], progress=True, **settings)
    captured = capsys.readouterr()
    assert "psis-loo: scale 2 of 2" in captured.err
    assert not captured.out
    with pytest.raises(InputError, match="progress: must be True, False or None"):
        br.select_scale(problem, "psis-loo", progress="yes")  # type: ignore[arg-type]


@pytest.mark.parametrize(("option", "expected"), [("", None), ("-q", False), ("--json", False)])
def test_the_command_is_quiet_where_it_is_asked_to_be(
    option: str, expected: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Elsewhere the terminal decides."""
    asked: list[object] = []

    def noted(problem: object, by: str, **settings: Any) -> object:
        asked.append(settings["progress"])
        return br.select_scale(problem, by, **settings)

    monkeypatch.setattr("bayesreg.selection.select_scale", noted)
    words = ["select", "--by", "aic", "--scales", "5", *([option] if option else [])]
    assert RUNNER.invoke(app, words).exit_code == 0
    assert asked == [expected]


def test_the_prior_of_the_scale_is_said_in_six_digits() -> None:
    """It is the library's: half-Cauchy, with its median at the scale that the problem has."""
    problem = br.Problem(X, Y, likelihood=br.Gaussian(1.0), prior=br.Normal(0.23067940157777828))
    chosen = br.select_scale(problem, "hyperprior", draws=100, tune=50, chains=2)
    assert chosen.notes[0].startswith("prior of the scale HalfCauchy(scale=0.230679); ")


def test_the_command_knows_every_criterion() -> None:
    """Its help names them, and what is wrong is refused in words."""
    assert [c.name for c in CRITERIA] == cli_select.BY.split(", ")
    with pytest.raises(InputError, match="must end in one of"):
        RUNNER.invoke(app, ["select", "-o", "x.doc"], catch_exceptions=False)
    problem = br.Problem(X, Y, likelihood=br.Gaussian(1.0), prior=br.Laplace(1.0))
    with pytest.raises(InputError, match="by: 'all' is what compare_criteria"):
        br.select_scale(problem, by="all")
    with pytest.raises(InputError, match="by: 'cv' is not known"):
        RUNNER.invoke(app, ["select", "--by", "cv"], catch_exceptions=False)
