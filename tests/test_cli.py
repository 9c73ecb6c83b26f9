"""The command line: what it prints, what it writes, how it fails."""

from __future__ import annotations

import datetime as dt
import json
import logging
import os
import re
import subprocess
import sys
from decimal import Decimal
from threading import Thread
from typing import TYPE_CHECKING, Any
from unittest import mock

import arviz as az
import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_diabetes

from bayesreg import (
    Gaussian,
    Normal,
    Problem,
    SpikeSlab,
    datasets,
    defaults,
    find_map,
    load_draws,
    sample,
    standardized,
    terminal,
    terminal_posterior,
)
from bayesreg.cli import main
from bayesreg.errors import InputError
from bayesreg.gallery import load_file
from bayesreg.named_priors import NAMES
from bayesreg.tables import read_data

if TYPE_CHECKING:
    from pathlib import Path

    from xarray import DataTree

QUICK = ["--draws", "100", "--chains", "2", "--quiet"]


def run(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """Run the command line in this process; return exit code, stdout, stderr."""
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    captured = capsys.readouterr()
    return int(stop.value.code or 0), captured.out, captured.err


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    """Write a small file with a target."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 3))
    y = X @ [1.0, 0.0, -1.0] + rng.normal(size=30)
    rows = [",".join(f"{v:.6f}" for v in row) for row in np.column_stack([X, y])]
    path = tmp_path / "data.csv"
    path.write_text("age,dose,bmi,effect\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_main_job(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Diabetes and the lasso, with page and figure."""
    page, figure = tmp_path / "page.html", tmp_path / "figure.png"
    code, out, err = run(
        ["compare", *QUICK, "--output", str(page), "--figure", str(figure)], capsys
    )
    assert code == 0, err
    for text in (
        "diabetes: 442 rows, 10 columns",
        "sigma = 54.1542 (residual sd of least squares)",
        "Σ|βⱼ|/16.4574: lasso",
        "scikit-learn: Lasso(alpha=",
        "optimal: duality gap",
        "pymc_find_map",
        "exact zeros in the mode: 2 of 10",
        "exact zeros among the draws: 0 of",
        "diagnostics:",
    ):
        assert text in out, text
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert figure.read_bytes().startswith(b"\x89PNG")


def test_json_is_json(capsys: pytest.CaptureFixture[str], csv: Path) -> None:
    """Only JSON on stdout, no NaN in it."""
    arguments = ["compare", "--csv", str(csv), "--target", "effect", *QUICK, "--json"]
    code, out, err = run(arguments, capsys)
    assert code == 0, err
    record = json.loads(out, parse_constant=pytest.fail)
    assert list(record["mode"]["coef"]) == ["age", "dose", "bmi"]
    assert record["mode"]["optimal"] is True
    assert {"excess", "zeros"} <= set(record["scores"][0])


def test_map_prints_the_certified_mode(capsys: pytest.CaptureFixture[str]) -> None:
    """With its coefficients to ten digits."""
    code, out, _ = run(["map", "--dataset", "prostate", "--model", "ridge"], capsys)
    assert code == 0
    assert "lcavol" in out
    assert "optimal" in out
    code, out, _ = run(["map", "--dataset", "prostate", "--json", "--scale", "0.5"], capsys)
    assert json.loads(out)["optimal"] is True


def test_scale_is_per_sd_and_given_to_scikit_learn(capsys: pytest.CaptureFixture[str]) -> None:
    """σ²/(n b) with the numbers given."""
    code, out, _ = run(["units", "--scale", "1.65", "--sigma", "54"], capsys)
    assert code == 0
    assert f"Lasso(alpha={54**2 / (442 * 1.65):.6g})" in out
    assert "scale = 1.65 (as given)" in out


@pytest.mark.parametrize("model", ["elastic_net", "lasso_park_casella", "lasso_unknown_scale"])
def test_models_of_the_gallery(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each reads, and is scored."""
    code, out, err = run(["compare", "--model", model, "--dataset", "prostate", *QUICK], capsys)
    assert code == 0, err
    assert "exact mode" in out
    if model == "lasso_unknown_scale":
        assert "no joint mode" in out
        assert "(at the posterior medians)" in out
        assert re.search(r"scale unknown, with prior HalfCauchy\(scale=[\d.]{1,8}\)", out)
    if model == "lasso_park_casella":
        assert "joint mode of p(beta, intercept, sigma | y)" in out


def test_sample(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Which sampler and why, a table, a verdict, and a file that can be read back."""
    file = tmp_path / "draws.nc"
    arguments = ["sample", *QUICK, "--output", str(file), "--log-likelihood"]
    arguments += ["--posterior-predictive", "--prior-draws", "--target-accept", "0.9"]
    code, out, err = run(arguments, capsys)
    assert code == 0, err
    for text in (
        "diabetes: 442 rows, 10 columns",
        "gibbs (auto: the prior is a scale mixture of normals",
        "method 'exact' does not apply: prior: the absolute value on 'age'",
        "2 chains of 100 draws in",
        "95 % HDI",
        "ess_bulk",
        "\nintercept ",
        "\nbmi ",
        "diagnostics: ",
        "written: ",
    ):
        assert text in out, text
    tree = load_draws(file)
    assert tree["posterior"].sizes["draw"] == 100
    assert {"log_likelihood", "posterior_predictive", "prior"} <= set(tree.children)


def test_sample_summarises_as_arviz_does(capsys: pytest.CaptureFixture[str]) -> None:
    """Mean, sd, interval, effective size and R-hat of the same seed, beside az.summary's."""
    arguments = ["sample", *QUICK, "--dataset", "prostate", "--seed", "3", "--json"]
    code, out, err = run(arguments, capsys)
    assert code == 0, err
    record = json.loads(out, parse_constant=pytest.fail)
    data = datasets.load("prostate")
    rules = defaults.settings(data, "lasso")
    problem = standardized.problem_of(data, "lasso", {k: v.value for k, v in rules.items()})
    tree = sample(problem, draws=100, chains=2, seed=3)
    table = az.summary(tree, ci_kind="hdi", ci_prob=0.95, round_to="none")
    assert [row["name"] for row in record["posterior"]] == ["intercept", *data.names]
    for row in record["posterior"]:
        label = row["name"] if row["name"] == "intercept" else f"beta[{row['name']}]"
        theirs = table.loc[label]
        assert row["mean"] == pytest.approx(theirs["mean"], rel=1e-9)
        assert row["sd"] == pytest.approx(theirs["sd"], rel=1e-9)
        assert row["ess_bulk"] == pytest.approx(theirs["ess_bulk"], rel=1e-6)
        assert row["r_hat"] == pytest.approx(theirs["r_hat"], rel=1e-6)
        assert [row["hdi_low"], row["hdi_high"]] == pytest.approx(
            [theirs["hdi95_lb"], theirs["hdi95_ub"]], rel=1e-6
        )


@pytest.mark.parametrize("prior", NAMES)
def test_sample_under_a_named_prior(prior: str, capsys: pytest.CaptureFixture[str]) -> None:
    """In place of the model's, with its scale; a spike's zeros have no effective size to print."""
    arguments = ["sample", *QUICK, "--dataset", "prostate", "--prior", prior, "--scale", "0.3"]
    code, out, err = run(arguments, capsys)
    assert code == 0, err
    assert "0.3" in out
    assert ("exact (auto" in out) == (prior == "normal")
    assert ("gibbs (auto" in out) == (prior != "normal")


def test_a_spike_has_inclusion_probabilities_and_no_highest_density(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The share of draws that are not 0, and equal tails by their name, printed and as JSON."""
    arguments = ["sample", *QUICK, "--dataset", "prostate", "--prior", "spike_slab"]
    code, out, err = run(arguments, capsys)
    assert code == 0, err
    assert "HDI" not in out
    assert re.search(r"95 % equal tails +P\(≠ 0\)", out)
    _, text, _ = run([*arguments, "--json"], capsys)
    record = json.loads(text, parse_constant=pytest.fail)
    assert record["eti_prob"] == 0.95
    data = datasets.load("prostate")
    rules = {k: v.value for k, v in defaults.settings(data, "lasso").items()}
    prior = SpikeSlab(inclusion=0.5, slab_scale=float(data.y.std()))
    problem = standardized.problem_of(data, "lasso", rules).with_prior(prior)
    drawn = sample(problem, draws=100, chains=2, seed=0)["posterior"]["beta"].to_numpy()
    intercept, *rows = record["posterior"]
    assert intercept["nonzero"] is None
    for row, values in zip(rows, np.moveaxis(drawn, 2, 0), strict=True):
        assert row["nonzero"] == (values != 0).mean()
        np.testing.assert_allclose(
            [row["eti_low"], row["eti_high"]], np.quantile(values, [0.025, 0.975]), rtol=1e-12
        )
    # Zeros or none: the prior has an atom.
    normal = problem.with_prior(Normal(1.0))
    without = sample(normal, draws=10, chains=2, seed=0)
    assert terminal_posterior.has_atom(without, problem)
    assert not terminal_posterior.has_atom(without, normal)


@pytest.mark.parametrize(
    ("prior", "line"),
    [
        ("normal", "scale = 0.293567 (root mean square least-squares coefficient per sd of a col"),
        ("student_t", "scale = 0.207583 (its sd is the root mean square least-squares coeffic"),
        ("laplace", "scale = 0.230679 (mean |least-squares coefficient| per sd of a column)"),
        ("double_pareto", "scale = 0.152449 (median |least-squares coefficient| per sd of a colu"),
        ("horseshoe", "scale unknown, with prior HalfCauchy(scale=0.0710233) (median: 4 coeffici"),
        ("regularized_horseshoe", "slab_scale = 1.14836 (sd of the target per sd of a column"),
        ("spike_slab", "scale = 1.14836 (sd of the target per sd of a column: unit information)"),
    ],
)
def test_every_prior_has_a_rule_of_its_own(
    prior: str, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Beside its number, under a heading that says whose place it takes."""
    arguments = ["sample", "--draws", "4", "--tune", "4", "--chains", "1", "--quiet"]
    code, out, err = run([*arguments, "--dataset", "prostate", "--prior", prior], capsys)
    assert code == 0, err
    assert f"model lasso, prior {prior} in place of its own\n" in out
    assert f"\n  {line}" in out


def test_a_horseshoe_of_separable_classes_is_sampled(capsys: pytest.CaptureFixture[str]) -> None:
    """Its unknown scale has no tail that a flat intercept and separated classes would follow."""
    arguments = ["sample", "--draws", "4", "--tune", "4", "--chains", "1", "--quiet"]
    code, out, err = run([*arguments, "--dataset", "breast_cancer", "--prior", "horseshoe"], capsys)
    assert code == 0, err
    assert "scale unknown, with prior HalfNormal(scale=" in out


def test_compilation_is_said_and_timed_apart(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line on stderr where no terminal shows it, none if asked to be quiet; seconds are whole."""
    drawn = sample(
        Problem([[1.0], [2.0]], [1.0, 2.0], likelihood=Gaussian(1.0), prior=Normal(1.0)),
        draws=4,
        seed=0,
    )
    drawn.attrs |= {"seconds": 140.2, "seconds_compiling": 138.9}
    monkeypatch.setattr("bayesreg.posterior.sample", lambda *_, **__: compiling())

    def compiling() -> DataTree:
        logging.getLogger("bayesreg.posterior.gibbs.chains").info("compiling")
        return drawn

    arguments = ["sample", "--dataset", "prostate", "--draws", "4"]
    _, out, err = run(arguments, capsys)
    assert "4 chains of 4 draws in 1.3 s (and 139 s to compile), seed" in out
    assert err == "bayesreg: compiling\n"
    assert run([*arguments, "--quiet"], capsys)[2] == ""


HOLES = "dose,site,y\n1,Bern,2\n,Basel,3\n2,,1\n3,Chur,5\n4,Basel,2\n5,Bern,4\n"


def test_missing_values_can_be_left_out_aloud(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The refusal says how many rows are complete; the option counts what it leaves out."""
    path = tmp_path / "holes.csv"
    path.write_text(HOLES, encoding="utf-8")
    both = ["map", "--data", str(path), "--formula", "y ~ dose + C(site)"]
    code, _, err = run(both, capsys)
    assert code == 2
    assert "missing values in 'y'" not in err
    assert "'dose' (1 of 6), 'site' (1 of 6); 4 of 6 rows are complete: keep those" in err
    code, out, err = run([*both, "--drop-missing"], capsys)
    assert code == 0, err
    assert "holes.csv: 4 rows, 3 columns" in out
    assert "; 2 of 6 rows are left out, with missing values in 'dose', 'site'\n" in out
    # Only columns that the formula uses count.
    code, out, _ = run([*both[:-1], "y ~ dose", "--drop-missing"], capsys)
    assert "; 1 of 6 rows are left out, with missing values in 'dose'\n" in out
    path.write_text(HOLES.replace("Bern", "1").replace("Basel", "2").replace("Chur", "7"))
    plain = ["map", "--data", str(path), "--target", "y"]
    _, _, err = run(plain, capsys)
    assert "; 4 of 6 rows are complete: --drop-missing keeps those" in err
    code, out, err = run([*plain, "--drop-missing"], capsys)
    assert code == 0, err
    assert "holes.csv: 4 rows, 2 columns" in out
    assert "; 2 of 6 rows are left out" in out


def test_levels_are_printed_with_the_one_that_they_are_against(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first in sorted order, or the base that the formula names."""
    path = tmp_path / "sites.csv"
    path.write_text(HOLES, encoding="utf-8")
    arguments = ["map", "--data", str(path), "--drop-missing", "--formula"]
    _, out, _ = run([*arguments, "y ~ dose + site"], capsys)
    assert "\n  site: against 'Basel'\n" in out
    coding = "C(site, contr.treatment(base='Chur'))"
    _, out, _ = run([*arguments, f"y ~ dose + {coding}"], capsys)
    assert f"\n  {coding}: against 'Chur'\n" in out
    for whole in ("y ~ 0 + site", "y ~ C(site, contr.sum)"):
        assert "against" not in run([*arguments, whole], capsys)[1]


def test_small_whole_numbers_are_asked_about(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On stderr, once, unless a model was asked for; 0 and 1, and large numbers, are not counts."""
    path = tmp_path / "counts.csv"
    for cells, asked in (((0, 3, 1, 7), True), ((0, 1, 1, 0), False), ((3, 90, 41, 7), False)):
        rows = "".join(f"{k * k},{cell}\n" for k, cell in enumerate(cells))
        path.write_text(f"dose,cases\n{rows}", encoding="utf-8")
        arguments = ["map", "--data", str(path), "--target", "cases"]
        code, out, err = run([*arguments, "--json"], capsys)
        assert code == 0, err
        json.loads(out)
        assert ("if they are counts: --model poisson_lasso\n" in err) == asked
        assert run([*arguments, "--model", "ridge"], capsys)[2] == ""


def test_one_chain_and_the_approximation_are_never_called_good(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """R-hat needs two chains; the normal at the mode is not the posterior."""
    one = ["sample", "--draws", "50", "--chains", "1", "--quiet", "--dataset", "prostate"]
    _, out, _ = run(one, capsys)
    assert "diagnostics: not good: R-hat is not available from one chain" in out
    normal = ["sample", *QUICK, "--dataset", "prostate", "--model", "ridge", "--method", "laplace"]
    _, out, _ = run(normal, capsys)
    assert "laplace (asked for)" in out
    assert "not from the posterior" in out


@pytest.mark.parametrize("kind", [".png", ".csv", ".json"])
def test_posterior_path(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Ribbons along the scale, printed and written."""
    file = tmp_path / f"path{kind}"
    arguments = ["path", "--posterior", "--model", "ridge", "--dataset", "prostate"]
    code, out, err = run([*arguments, "--scales", "5", "--output", str(file)], capsys)
    assert code == 0, err
    assert "posterior path: 5 scales of the Normal prior" in out
    assert "expected near zero" in out
    content = file.read_bytes()
    if kind == ".png":
        assert content.startswith(b"\x89PNG")
    elif kind == ".csv":
        assert content.startswith(b"scale,lam,name,mean,median,hdi_low,hdi_high")
    else:
        assert len(json.loads(content)["path"]) == 5 * 9


def test_logistic_on_breast_cancer(capsys: pytest.CaptureFixture[str]) -> None:
    """The default model follows the target."""
    code, out, _ = run(["map", "--dataset", "breast_cancer"], capsys)
    assert code == 0
    assert "model logistic_lasso" in out


def test_chosen_optimizers_and_no_header(capsys: pytest.CaptureFixture[str]) -> None:
    """Those and no others; --quiet leaves the header out; what is known of intervals is said."""
    arguments = ["compare", "--dataset", "prostate", "--optimizers", "ista,lbfgs", *QUICK]
    code, out, err = run([*arguments, "--json"], capsys)
    assert code == 0, err
    names = [score["estimator"] for score in json.loads(out)["scores"]]
    assert names == ["exact mode", "ista", "lbfgs", "posterior mean", "posterior median"]
    code, out, _ = run(["compare", "--dataset", "prostate", "--optimizers", "ista", *QUICK], capsys)
    assert out.startswith("prostate: 97 rows")
    assert "95 % equal tails" in out


def test_help_of_sample_lists_every_prior(capsys: pytest.CaptureFixture[str]) -> None:
    """The names in the help are those that are taken."""
    _, out, _ = run(["sample", "--help"], capsys)
    words = " ".join(out.split())
    listed = words.split("in place of the model's: ", 1)[1].split(".", 1)[0]
    assert tuple(listed.replace(" or ", ", ").split(", ")) == NAMES


def test_no_argument_prints_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    """On stdout, as it is laid out."""
    code, out, err = run([], capsys)
    assert (code, err) == (0, "")
    assert "compare" in out
    assert out.count("\n") > 5


def test_given_conditions_the_mode(capsys: pytest.CaptureFixture[str]) -> None:
    """On a value of the unknown scale."""
    arguments = ["map", "--model", "lasso_unknown_scale", "--given", "scale=10"]
    code, out, _ = run(arguments, capsys)
    assert code == 0
    assert "conditional mode of p(beta, intercept | y, scale = 10)" in out


def test_lists(capsys: pytest.CaptureFixture[str]) -> None:
    """Models and data sets with a line each."""
    _, out, _ = run(["models"], capsys)
    assert "lasso_park_casella" in out
    _, out, _ = run(["datasets"], capsys)
    for name in datasets.names():
        assert name in out
    assert "licence" in out


BAD = {
    "model": (["map", "--model", "laso"], "model: 'laso' is not known; did you mean 'lasso'?"),
    "dataset": (["map", "--dataset", "diabets"], "did you mean 'diabetes'?"),
    "scale 0": (["map", "--scale", "0"], "scale: must be positive, found 0"),
    "scale nan": (["map", "--scale", "nan"], "scale: must be finite"),
    "sigma": (["map", "--sigma", "-1"], "sigma: must be positive, found -1"),
    "sigma logistic": (
        ["map", "--dataset", "breast_cancer", "--sigma", "1"],
        "sigma: model 'logistic_lasso' has no such number",
    ),
    "draws": (["compare", "--draws", "0"], "draws: must be at least 1, found 0"),
    "draws text": (["compare", "--draws", "many"], "'--draws'"),
    "chains": (["compare", "--chains", "-1"], "chains: must be at least 1"),
    "target alone": (["map", "--target", "y"], "target: goes with --data"),
    "csv alone": (["map", "--csv", "x.csv"], "target: --data needs --target"),
    "both": (["map", "--csv", "x.csv", "--dataset", "diabetes"], "give either"),
    "no file": (["map", "--csv", "nowhere.csv", "--target", "y"], "data: there is no file"),
    "labels": (
        ["map", "--model", "logistic_lasso", "--dataset", "diabetes"],
        "needs 0 and 1",
    ),
    "given": (["map", "--model", "lasso_unknown_scale"], "e.g. --given scale=..., say"),
    "given to a path": (["path", "--model", "lasso_park_casella"], "e.g. --given sigma=...\n"),
    "given where no option is": (
        ["sample", "--method", "laplace", "--model", "lasso_unknown_scale"],
        'in Python given={"scale": 1.0}); use --method gibbs',
    ),
    "no model file": (["map", "--model", "nothere.py"], "model: there is no file nothere.py"),
    "page kind": (["compare", "-o", "x.txt"], "output: 'x.txt' must end in one of .html, .htm"),
    "given text": (["map", "--given", "scale=big"], "given: must be NAME=VALUE"),
    "given known": (["map", "--given", "scale=2"], "scale: is not unknown"),
    "output": (["compare", "--output", "/nowhere/x.html"], "there is no directory /nowhere"),
    "drop missing": (["map", "--drop-missing"], "drop-missing: goes with --data"),
    "output folder": (["compare", "--output", "/"], "is a directory"),
    "figure kind": (["compare", "--figure", "x.docx"], "figure: 'x.docx' must end in one of"),
    "draws to where": (["sample", "--output", "/nowhere/x.nc"], "there is no directory /nowhere"),
    "draws kind": (["sample", "--output", "x.csv"], "output: 'x.csv' must end in one of .nc"),
    "method": (["sample", "--method", "gibs"], "method: 'gibs' is not known; did you mean 'gibbs'"),
    "prior": (["sample", "--prior", "horsehoe"], "prior: 'horsehoe' is not known; did you mean"),
    "prior of nothing": (
        ["sample", "--prior", "horsehoe", "--csv", "nowhere.csv", "--target", "y"],
        "prior: 'horsehoe' is not known; did you mean",
    ),
    "optimizers": (
        ["compare", "--optimizers", "ista, lbfsg", "--csv", "nowhere.csv", "--target", "y"],
        "optimizers: 'lbfsg' is not known; did you mean 'lbfgs'",
    ),
    "prior without scale": (
        ["sample", "--prior", "laplace", "--model", "elastic_net"],
        "prior: takes the place of a prior with one known scale, which model 'elastic_net' does",
    ),
    "kink": (["sample", "--method", "laplace"], "does not take this problem (the mode has 'age'"),
    "given twice": (
        ["map", "--given", "sigma=1", "--given", "sigma=2"],
        "given: 'sigma' is given twice; give it once",
    ),
    "number of scales": (
        ["path", "--scales", "1"],
        "bayesreg: scales: must be at least 2, found 1",
    ),
    "small letters": (["select", "--by", "AIC"], "by: 'AIC' is not known; did you mean 'aic'?"),
    "no name of a model": (["map", "--model", ""], "model: '' is not known. Valid: elastic_net, "),
    "formula": (["map", "--formula", " "], "formula: is empty; write it as in 'y ~ x1 + C(g)'"),
    "option": (["compare", "--sead", "1"], "--sead"),
    "command": (["comapre"], "comapre"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line_and_exit_2(case: str, capsys: pytest.CaptureFixture[str]) -> None:
    """No traceback, nothing but one line on stderr, the argument in it."""
    arguments, message = BAD[case]
    code, _, err = run(arguments, capsys)
    assert code == 2
    assert message in err
    assert err.count("\n") == 1
    assert "Traceback" not in err


FILES = {
    "empty": ("", "is empty"),
    "header only": ("a,b,y\n", "has a header but no rows"),
    "missing value": ("a,y\n1,2\n,3\n", "column 'a' has missing values (1 of 2, first in line 3)"),
    "text": (
        "a,y\nlow,2\nhigh,3\n",
        "column 'a' holds text ('low'), drop the column, or encode it: --formula \"y ~ .\"",
    ),
    "text among numbers": (
        "a,y\n1,2\n?,3\n",
        "if that stands for a missing value, leave such cells empty, or write C(a) if these are",
    ),
    "one row": ("a,b,y\n1,2,3\n", "has one row only; at least two are needed"),
    "ragged": ("a,y\n1,2\n1,2,3,4\n", "bad.csv has 4 fields, and the header has 2; mend that"),
    "wide rows": ("a,y\n1,2,3\n1,2,4\n", "bad.csv has 2 fields, and every row below has 3; if"),
    "semicolons": ("a;y\n1;2\n2;high\n", "column 'y' holds text ('high' in line 3) among numbers"),
    "text target": ("a,y\n1,yes\n2,no\n", "column 'y' holds text ('yes'), code it as 0 and 1"),
    "twice": ("a,a,y\n1,2,3\n4,5,6\n", "names 'a' more than once"),
    "unnamed": ("a,,y\n0,1,2\n1,3,4\n", "column 2 has no name"),
    "unnamed measurements": (",a,y\n0.5,1,2\n1.5,3,4\n", "column 1 has no name in the header;"),
    "unnamed, with one name twice": (",a,y\nb,1,2\nb,3,4\n", "column 1 has no name in the hea"),
    "unnamed and empty": (",a,y\n,1,2\n,3,4\n", "column 1 has no name in the header; name it"),
    "no separator": ("a|y\n1|2\n3|4\n", "has one column, 'a|y', where commas, semicolons or tabs"),
    "only target": ("y\n1\n2\n", "no column beside the target"),
    "unknown column": ("a,effect\n1,2\n3,4\n", "target: 'y' is not known. Valid: a, effect"),
    "infinite": ("a,y\n1,2\n\ninf,3\n5,1\n", "data: contains infinite values, first at line 4"),
    "constant": ("a,b,y\n1,1,2\n1,2,3\n1,5,1\n", "data: column 'a' is constant, drop it"),
    "decimal commas": ("a;b;y\n1,5;2,5;3\n1,6;2,5;4\n", "data: column 'b' is constant"),
    "several": (
        "a,b,y\n1,f,2\n1,m,3\n1,m,1\n",
        "data: column 'a' is constant, drop it; column 'b' holds text ('f'), drop the column, or",
    ),
    "constant target": ("a,b,y\n1,1,2\n2,2,2\n3,5,2\n", "target: 'y' holds one value only (2)"),
}


@pytest.mark.parametrize("case", FILES)
def test_bad_files(case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each names the column and says what to do."""
    text, message = FILES[case]
    path = tmp_path / "bad.csv"
    path.write_text(text, encoding="utf-8")
    code, _, err = run(["map", "--csv", str(path), "--target", "y"], capsys)
    assert (code, err.count("\n")) == (2, 1), err
    assert message in err


# Row names, or their numbers, as R, pandas and spreadsheets write them.
INDEXED = {
    "pandas": ("", ",a,b,y\n{}", "'0', '1'"),
    "pandas again": ("", "Unnamed: 0,a,b,y\n{}", "'0', '1'"),
    "R": ("r", '"","a","b","y"\n{}', "'r0', 'r1'"),
    "blanks": ("", " ;a;b;y\n{}", "'0', '1'"),
}


@pytest.mark.filterwarnings("always:data. column 1:bayesreg.errors.BayesregWarning")
@pytest.mark.parametrize("kind", INDEXED)
@pytest.mark.parametrize("how", [["--target", "y"], ["--formula", "y ~ ."], ["--formula", "y~a+b"]])
def test_row_names_are_no_predictor_and_that_is_said(
    kind: str, how: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The mode is that of the file without them; one line on stderr says that they are left out."""
    name, text, first = INDEXED[kind]
    cells = ["1,5,3", "2,1,5", "4,5,4", "3,1,9"]
    codes, modes = [], []
    for numbered in (True, False):
        path = tmp_path / f"{numbered}.csv"
        rows = [f"{name}{k},{row}" if numbered else row for k, row in enumerate(cells)]
        whole = text.format("\n".join(rows)) if numbered else "\n".join(["a,b,y", *rows])
        path.write_text(whole.replace(",", ";") if ";" in text else whole, encoding="utf-8")
        code, out, err = run(["map", "--data", str(path), *how, "--json"], capsys)
        codes.append((code, err))
        modes.append(json.loads(out)["coef"])
    said = "bayesreg: data: column 1 of True.csv has no name of its own and holds row names"
    assert codes == [(0, f"{said} ({first}, …): it is left out; to use it, name it\n"), (0, "")]
    assert modes[0] == modes[1]


LINES = """note,dose,y

first,1,3
{blank}
"two
lines",2,5

gap,,1
last,x,4
end,3,3
"""


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_lines_are_those_of_an_editor(
    ends: str, encoding: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Blank lines count, and line breaks within quotes, and rows that are left out."""
    path = tmp_path / "d.csv"
    path.write_bytes(LINES.format(blank="   ").replace("\n", ends).encode(encoding))
    arguments = ["map", "--data", str(path), "--formula", "y ~ dose"]
    for more in ([], ["--drop-missing"]):
        _, _, err = run([*arguments, *more], capsys)
        assert "column 'dose' holds text ('x' in line 9) among numbers ('1')" in err


@pytest.mark.parametrize(
    ("longest", "first", "second"),
    [(10**8, "line 302", "line 303"), (10**5, "row 300 of the data", "row 301 of the data")],
)
def test_rows_of_a_file_whose_lines_cannot_be_counted_are_no_lines(
    longest: int, first: str, second: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cell longer than the counter of lines reads: the row is said instead, from 0."""
    monkeypatch.setattr("bayesreg._csv._LONGEST", longest)
    path = tmp_path / "d.csv"
    rows = [f"{k},1" for k in range(300)]
    path.write_text("\n".join(["a,y", *rows, f"{'b' * 200_000},2", ",3"]), encoding="utf-8")
    with pytest.raises(InputError, match=rf"text \('b{{100}}…' in {first}\) among") as no:
        read_data(path, "y")
    assert f"(1 of 302, first in {second})" in str(no.value)


def test_a_file_may_come_through_a_pipe(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is read once, whole, however long: no row of its head is lost."""
    path, pipe = tmp_path / "d.csv", tmp_path / "pipe"
    rng = np.random.default_rng(1)
    rows = [f"{a:.15f},{b:.15f},{a - b:.15f}" for a, b in rng.normal(size=(40_000, 2))]
    path.write_text("\n".join(["a,b,y", *rows]), encoding="utf-8")
    assert path.stat().st_size > 2_000_000
    os.mkfifo(pipe)
    writer = Thread(target=lambda: pipe.write_bytes(path.read_bytes()), daemon=True)
    writer.start()
    piped = read_data(pipe, "y")
    writer.join()
    assert np.array_equal(piped.X, read_data(path, "y").X)


OBJECTS: dict[str, tuple[list[Any], str | None]] = {
    "decimals": ([Decimal(k * k) / 8 for k in range(6)], None),
    "whole numbers beyond 64 bits": ([k * k * 2**70 for k in range(6)], None),
    "dates": ([dt.date(2020, 1, k + 1) for k in range(6)], "dates or durations, make numbers of"),
    "times": ([dt.time(k) for k in range(6)], "dates or durations, make numbers of them, such as"),
    "decimals beyond double precision": (
        [Decimal(10) ** (400 + k) for k in range(6)],
        "data: contains infinite values, first at row 0 of the data in column 'a'",
    ),
}


@pytest.mark.parametrize("case", OBJECTS)
def test_columns_that_pandas_holds_as_objects(case: str, tmp_path: Path) -> None:
    """Decimals, as databases write them, are numbers as they are in a formula; dates are none."""
    cells, refusal = OBJECTS[case]
    path = tmp_path / "d.pkl"
    frame = pd.DataFrame({"a": pd.Series(cells, dtype=object), "y": range(6)})
    with mock.patch.dict("bayesreg.tables._OTHERS", {".pkl": lambda _path: frame}):
        if refusal is None:
            assert read_data(path, "y").X[:, 0].tolist() == [float(cell) for cell in cells]
        else:
            with pytest.raises(InputError, match=refusal):
                read_data(path, "y")


def _ids(rows: int, levels: int) -> str:
    cells = [f"{k},u{k % levels},{k * k % 7}" for k in range(rows)]
    return "\n".join(["dose,who,y", *cells]) + "\n"


@pytest.mark.parametrize("how", [["--target", "y"], ["--formula", "y ~ ."]])
@pytest.mark.parametrize(("rows", "levels"), [(30, 30), (30, 16)])
def test_text_with_a_level_per_row_is_refused_with_a_way_out(
    rows: int, levels: int, how: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ids, dates and free text are no categories, unless the formula says so."""
    path = tmp_path / "ids.csv"
    path.write_text(_ids(rows, levels), encoding="utf-8")
    code, _, err = run(["map", "--data", str(path), *how], capsys)
    assert (code, err.count("\n")) == (2, 1)
    assert f"column 'who' holds text of {levels} levels in {rows} rows ('u0', …), as dates" in err
    assert "in a formula leave it out ('. - who') or write C(who) if these are categories" in err
    for formula in ("y ~ . - who", "y ~ dose + C(who)"):
        code, _, err = run(["map", "--data", str(path), "--formula", formula], capsys)
        assert code == 0, err


@pytest.mark.parametrize(("rows", "levels"), [(30, 15), (10, 10), (4, 3)])
def test_factors_of_few_rows_are_still_factors(
    rows: int, levels: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two rows for each level, or ten levels at most, are enough."""
    path = tmp_path / "few.csv"
    path.write_text(_ids(rows, levels), encoding="utf-8")
    code, out, err = run(["map", "--data", str(path), "--formula", "y ~ who", "--json"], capsys)
    assert code == 0, err
    assert len(json.loads(out)["coef"]) == levels - 1


OWN = '''"""A lasso whose intercept has a prior."""
import pymc as pm

def build(X, y, *, scale, sigma, intercept, names):
    with pm.Model(coords={"column": list(names)}) as model:
        level = pm.Normal("level", 1.0, 0.5) if intercept else 0.0
        beta = pm.Laplace("beta", 0, scale, dims="column")
        pm.Normal("y", level + X @ beta, sigma, observed=y)
    return model
'''


def test_an_intercept_may_have_a_prior(
    csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The mode is that of the model in Python, per unit of a column: the level at their means."""
    file = tmp_path / "own.py"
    file.write_text(OWN, encoding="utf-8")
    arguments = ["map", "--data", str(csv), "--target", "effect", "--model", str(file)]
    arguments += ["--scale", "0.4", "--sigma", "0.9"]
    code, out, err = run(arguments, capsys)
    assert code == 0, err
    assert "\n  the intercept has a prior: it is the predictor at the means of the columns\n" in out
    record = json.loads(run([*arguments, "--json"], capsys)[1])
    assert record["optimal"]
    data = read_data(csv, "effect")
    sd = data.X.std(axis=0)
    model = load_file(file).build(
        (data.X - data.X.mean(axis=0)) / sd,
        data.y,
        scale=0.4,
        sigma=0.9,
        intercept=True,
        names=data.names,
    )
    wanted = find_map(model).values  # noqa: PD011  (of no frame)
    assert record["coef"].keys() == {*data.names, "level"}
    assert record["coef"]["level"] == pytest.approx(float(wanted["level"]), rel=1e-8)
    found = [record["coef"][name] for name in data.names]
    assert found == pytest.approx(np.asarray(wanted["beta"]) / sd, rel=1e-8)
    arguments = ["sample", *arguments[1:], "--prior", "horseshoe"]
    code, _, err = run(arguments, capsys)
    assert (code, err.count("\n")) == (2, 1)
    assert "prior: would take the place of that of the intercept too" in err


def test_a_file_that_is_not_there_is_not_said_to_run(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing stands before the refusal."""
    code, out, _ = run(["map", "--model", "nothere.py"], capsys)
    assert (code, out) == (2, "")


def test_joint_noise_that_has_no_mode_is_advised_in_options(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A perfect fit under an unknown sigma: the value is given by the option, not in Python."""
    path = tmp_path / "line.csv"
    path.write_text("a,y\n1,1\n2,2\n3,3\n4,4\n", encoding="utf-8")
    own = tmp_path / "own.py"
    own.write_text(
        "import pymc as pm\n"
        "def build(X, y, **kw):\n"
        "    with pm.Model() as model:\n"
        "        beta = pm.Laplace('beta', 0, kw['scale'], shape=1)\n"
        "        noise = pm.HalfNormal('sigma', 1.0)\n"
        "        pm.Normal('y', pm.Flat('intercept') + X @ beta, noise, observed=y)\n"
        "    return model\n"
    )
    arguments = ["map", "--data", str(path), "--target", "y", "--model", str(own)]
    code, _, err = run(arguments, capsys)
    assert code == 2
    assert "e.g. --given sigma=..., or use an InverseGamma prior" in err
    code, out, err = run([*arguments, "--given", "sigma=0.5"], capsys)
    assert code == 0, err
    assert "sigma = 0.5" in out


def test_one_class(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A binary model needs both classes."""
    path = tmp_path / "one.csv"
    path.write_text("a,y\n1,1\n2,1\n3,1\n", encoding="utf-8")
    arguments = ["map", "--csv", str(path), "--target", "y", "--model", "logistic_lasso"]
    code, _, err = run(arguments, capsys)
    assert code == 2
    assert "holds one value only" in err


def test_file_of_another_encoding(tmp_path: Path) -> None:
    """Refused with advice, not with a codec's traceback; a byte-order mark is fine."""
    path = tmp_path / "latin.csv"
    path.write_bytes("größe,y\n1,2\n2,3\n".encode("latin-1"))
    with pytest.raises(InputError, match="save it as comma-separated UTF-8"):
        read_data(path, "y")
    path.write_bytes(b"\xef\xbb\xbfa,y\n1,2\n2,3\n")
    assert read_data(path, "y").names == ("a",)
    with pytest.raises(InputError, match="is a directory"):
        read_data(tmp_path, "y")


def test_interrupt_is_exit_130(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C ends with one line."""

    def interrupted(name: str) -> None:
        del name
        raise KeyboardInterrupt

    monkeypatch.setattr("bayesreg.datasets.load", interrupted)
    code, _, err = run(["map"], capsys)
    assert (code, err) == (130, "bayesreg: interrupted\n")


def test_debug_prints_the_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    """Where it is asked for."""
    code, _, err = run(["map", "--scale", "0", "--debug"], capsys)
    assert code == 2
    assert "Traceback" in err


def test_as_a_process(tmp_path: Path) -> None:
    """Version and help; a small main job in a directory of its own, column names hostile."""
    environment = {**os.environ, "PYTHONWARNINGS": "error::DeprecationWarning:bayesreg"}

    def bayesreg(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "bayesreg", *arguments],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=environment,
            check=False,
        )

    assert bayesreg("--version").stdout.startswith("bayesreg 0.")
    assert "compare" in bayesreg("--help").stdout
    X, y = load_diabetes(return_X_y=True)
    names = ["<b>", "[red]x[/red]", "$x_1$", "مرحبا"]
    lines = [",".join([*names, "y"])]
    rows = np.column_stack([X[:50, :4], y[:50]])
    lines += [",".join(f"{value:.5f}" for value in row) for row in rows]
    (tmp_path / "d.csv").write_text("\n".join(lines), encoding="utf-8")
    done = bayesreg(
        "compare", "--csv", "d.csv", "--target", "y", *QUICK, "-o", "p.html", "--figure", "f.svg"
    )
    assert done.returncode == 0, done.stderr
    assert "[red]x[/red]" in done.stdout
    assert done.stderr == ""
    assert {"p.html", "f.svg"} <= {path.name for path in tmp_path.iterdir()}


def test_names_are_printed_in_one_line_with_their_control_characters_written_out() -> None:
    """Named, as everywhere else, and without a meaning for rich."""
    assert terminal.plain("a\x1b[31m\n b") == r"a⟨U+001B⟩\[31m b"
    assert terminal.one_line("cost\u202e\tof [x]") == "cost⟨U+202E⟩ of [x]"


UNREAD = {
    "figure": (["path", "--scales", "9"], "--output", "p.svg"),
    "json": (["units", "--json"], "--output", "u.json"),
    "table": (["units"], "--output", "u.csv"),
    "scales": (["select", "--by", "bic", "--scales", "5"], "--output", "s.csv"),
    "page": (["compare", "--optimizers", "ista", *QUICK], "--output", "c.html"),
    "nothing": (["units"], None, None),
}


@pytest.mark.parametrize("case", UNREAD)
def test_files_are_written_where_nobody_reads_what_is_printed(case: str, tmp_path: Path) -> None:
    """As ``| head`` does: no traceback, the code of a closed pipe, and the file is there."""
    arguments, option, name = UNREAD[case]
    if option is not None and name is not None:
        arguments = [*arguments, option, name]
    reads, writes = os.pipe()
    os.close(reads)
    try:
        command = [sys.executable, "-m", "bayesreg", *arguments]
        done = subprocess.run(
            command, stdout=writes, stderr=subprocess.PIPE, cwd=tmp_path, check=False
        )
    finally:
        os.close(writes)
    assert (done.returncode, done.stderr) == (141, b"")
    assert [path.name for path in tmp_path.iterdir()] == ([] if name is None else [name])


QUICK_ANSWERS = {
    "models": (["models"], 0),
    "target": (["map", "--target", "efect"], 2),
    "model": (["map", "--target", "effect", "--model", "laso"], 2),
}


@pytest.mark.parametrize("case", QUICK_ANSWERS)
def test_what_needs_no_model_does_not_wait_for_one(case: str, csv: Path) -> None:
    """PyMC takes seconds to load, optimisers and what reads formulas one more."""
    arguments, code = QUICK_ANSWERS[case]
    given = [*arguments, "--data", str(csv)] if code else arguments
    script = (
        "import sys\nfrom bayesreg.cli import main\n"
        f"try:\n    main({given!r})\nexcept SystemExit as end:\n    assert end.code == {code}\n"
        "print(*{'pymc', 'formulaic', 'scipy.optimize', 'sklearn'} & set(sys.modules), sep='!')"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "", done.stderr
