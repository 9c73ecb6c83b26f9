"""The README tells the truth: its example prints what it says, its commands are the right ones."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pymc as pm
import pytest

import bayesreg as br
from bayesreg.certificate import GAP_TOLERANCE, KKT_TOLERANCE, NEAR
from bayesreg.cli import main
from bayesreg.named_priors import NAMES
from notebooks.figures import FIGURES, make, recorded

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
NUMBER = re.compile(r"\d+\.?\d*")


def _run(block: str, scope: dict[str, Any]) -> str:
    """Run a block of the README in a scope; return what it prints."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(block, "README.md", "exec"), scope)  # noqa: S102  (our own README)
    return printed.getvalue()


def _block(containing: str) -> str:
    return str(next(block for block in BLOCKS if containing in block))


def _said_after(block: str) -> str:
    return README.split(block, 1)[1].split("```text\n", 1)[1].split("```", 1)[0]


@pytest.fixture(scope="module")
def first() -> tuple[dict[str, Any], str]:
    """The scope that the first example leaves behind, and what it prints."""
    scope: dict[str, Any] = {}
    return scope, _run(BLOCKS[0], scope)


type First = tuple[dict[str, Any], str]


def test_the_example_prints_its_answer(first: First) -> None:
    """Run as it stands, the numbers compared digit by digit but for the rounding noise."""
    noise = re.compile(r"(?<=gap )\S+|(?<=residual )[^;]+")
    assert noise.sub("tiny", first[1]) == noise.sub("tiny", _said_after(BLOCKS[0]))


def test_what_it_says_of_find_map_is_true(first: First) -> None:
    """It claims success without a zero, above the mode, and the certificate rejects it."""
    model = first[0]["model"]
    tree = pm.find_MAP(model=model, progressbar=False, jitter=False, return_inferencedata=True)
    coef = tree["posterior"]["beta"].to_numpy().ravel()
    intercept = float(tree["posterior"]["intercept"].to_numpy().item())
    problem = br.read_model(model)
    assert tree["optimizer_result"]["success"].item()
    assert (coef != 0).all()
    assert problem.objective(coef, intercept) > br.find_map(problem).objective
    assert "NOT optimal" in str(br.certify(problem, coef, intercept))


def test_it_says_what_optimal_and_near_mean() -> None:
    """With the tolerances that certificates have."""
    text = " ".join(README.split())
    assert f"a gap up to {GAP_TOLERANCE:g} nats and a KKT residual up to {KKT_TOLERANCE:g}" in text
    assert f"Near: its objective is within {NEAR:g} nats" in text
    assert f"optimal asks for {GAP_TOLERANCE:g}" in text


def test_the_model_that_is_no_regression_has_a_local_mode(first: First) -> None:
    """It runs in the scope of the first; it is none of our problems, and its mode is sparse."""
    scope = dict(first[0])
    answer = _run(_block("uneven"), scope)
    assert "no Jacobian" in answer
    assert "a local mode" in answer
    assert "entries exactly zero" in answer
    with pytest.raises(br.errors.UnsupportedModel):
        br.read_model(scope["uneven"])


def test_what_it_says_of_draws_is_true(
    first: First, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The words as printed; the numbers are this version's, and rounding moves them by no 2 %."""
    monkeypatch.chdir(tmp_path)
    block = _block("br.sample(")
    printed, said = _run(block, dict(first[0])), _said_after(block)
    assert NUMBER.sub("N", printed) == NUMBER.sub("N", said)
    pairs = zip(NUMBER.findall(printed), NUMBER.findall(said), strict=True)
    for found, told in pairs:
        assert float(found) == pytest.approx(float(told), rel=0.02)
    assert (tmp_path / "diabetes.nc").is_file()


def test_draws_without_a_seed_can_be_made_again(first: First) -> None:
    """What the system gave is recorded, and is a seed."""
    problem = br.read_model(first[0]["model"])
    draws = br.sample(problem, draws=5, chains=1, progress=False)
    again = br.sample(
        problem, draws=5, chains=1, seed=int(draws.attrs["seed_entropy"]), progress=False
    )
    np.testing.assert_array_equal(again["posterior"]["beta"], draws["posterior"]["beta"])


def test_the_file_that_it_makes_is_one_that_the_command_line_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`trial.csv` exists after the snippet, and has the column that the commands name."""
    monkeypatch.chdir(tmp_path)
    _run(_block("trial.csv"), {"br": br})
    with pytest.raises(SystemExit) as ended:
        main(["units", "--csv", "trial.csv", "--target", "effect"])
    assert ended.value.code == 0
    assert "trial.csv: 97 rows, 8 columns, target effect" in capsys.readouterr().out


def test_it_names_every_prior_of_the_command_line() -> None:
    """The list beside `--prior` is the whole list, in its order."""
    text = " ".join(README.split("`--prior` takes", 1)[1].split(". `lasso", 1)[0].split())
    assert tuple(re.findall(r"`(\w+)`", text)) == NAMES


def test_its_figures_are_up_to_date(first: First) -> None:
    """The title of each picture is its problem, and its legend names today's optimizers."""
    problem = br.read_model(first[0]["model"])
    lasso = recorded(ROOT / "notebooks" / "diabetes_lasso.png").splitlines()
    assert lasso[0] == problem.formula()
    assert set(problem.names) <= set(lasso)
    ran = {line.removesuffix(" ✗") for line in lasso}
    assert set(br.list_optimizers(problem)) <= ran
    for name in ("diabetes_path.png", "diabetes_ribbons.png"):
        text = recorded(ROOT / "notebooks" / name)
        assert "Zβ" in text.splitlines()[0]
        assert "the problem's own scale, 16.46" in text


@pytest.mark.slow
@pytest.mark.parametrize("name", FIGURES)
def test_its_figures_are_those_of_its_lines(name: str, tmp_path: Path) -> None:
    """Run again, they draw the same words: title, subtitle, panels, legend, but for counts."""
    made = recorded(make(name, tmp_path))
    assert NUMBER.sub("N", made) == NUMBER.sub("N", recorded(ROOT / "notebooks" / name))


def test_two_commands_do_all_the_set_up() -> None:
    """One runs the main job, one the tests; CI extracts the second."""
    start = "python3 -m pip install -q uv && python3 -m uv run "
    assert f"\n{start}bayesreg compare\n" in README
    assert f"\n{start}pytest\n" in README


def test_local_links_lead_somewhere() -> None:
    """Every relative link and image exists."""
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def _trial(seed: int, n: int) -> Any:
    """Rows as the formula of the README wants them: counts, with exposures."""
    rng = np.random.default_rng(seed)
    rows = pd.DataFrame(
        {
            "dose": rng.uniform(0.0, 1.0, n),
            "group": rng.choice(["a", "b"], n),
            "age": np.append([20.0, 80.0], rng.uniform(20.0, 80.0, n - 2)),
            "time": rng.uniform(1.0, 5.0, n),
        }
    )
    return rows.assign(y=rng.poisson(rows["time"] * np.exp(rows["dose"])))


@pytest.fixture(scope="module")
def predicted() -> dict[str, Any]:
    """The scope after a formula, its mode, and predictions from draws."""
    scope = {"br": br, "trial": _trial(1, 200), "new_trial": _trial(2, 100)}
    for marker in ("new_trial", "rng.poisson(np.exp(eta))"):
        _run(_block(marker), scope)
    return scope


def test_its_predictions_of_new_rows_hold_their_targets(predicted: dict[str, Any]) -> None:
    """New rows of the same law lie within the limits about 95 times in 100, at the least."""
    y = predicted["new_trial"]["y"].to_numpy()
    inside = (predicted["low"] <= y) & (y <= predicted["high"])
    assert inside.mean() > 0.85
    post, new, row = predicted["post"], predicted["new"], 7
    by_hand = post["intercept"] + new.offset[row]
    for j in range(new.X.shape[1]):
        by_hand = by_hand + post["beta"][..., j] * new.X[row, j]
    np.testing.assert_allclose(predicted["eta"][..., row], by_hand, rtol=1e-12, atol=1e-12)
    rival = predicted["problem"].with_prior(br.Normal(0.7))
    assert [rival.names[j] for j in rival.free] == ["dose"]


def test_its_predictions_need_no_offset() -> None:
    """The same lines where the formula has none."""
    scope = {"br": br, "trial": _trial(1, 200), "new_trial": _trial(2, 100)}
    block = _block("new_trial")
    _run(block.replace(" + offset(log(time))", ""), scope)
    fit, new = scope["fit"], scope["new"]
    np.testing.assert_array_equal(scope["eta"], fit.intercept + new.X @ fit.coef)


def test_what_comes_after_the_draws_runs_as_it_stands() -> None:
    """Units, choosing, sparse answers, comparison and estimators, in one scope."""
    scope: dict[str, Any] = {"br": br}
    printed = [
        _run(_block(marker), scope)
        for marker in (
            "from_glmnet",
            "select_scale(problem, by",
            "sparsity.summarise(problem",
            "compare_priors(rivals",
            "GridSearchCV(pipeline",
        )
    ]
    assert NUMBER.sub("N", printed[0]) == NUMBER.sub("N", _said_after(_block("from_glmnet")))
    assert "4.7418" in printed[0]
    assert "scale of the" in printed[1] or "cross-validation" in printed[1]
    assert "decoupled" in printed[2]
    assert "ridge" in printed[3]
    assert "given sigma" in printed[4] or "optimal" in printed[4]
    assert "bayesianridge__scale" in printed[4]
    assert max(scope["grid"].param_grid["bayesianridge__scale"]) == 1000.0
    assert scope["grid"].best_params_ == {"bayesianridge__scale": 300.0}
    score = scope["grid"].cv_results_["mean_test_score"][1:]
    assert np.ptp(score) < 0.003
