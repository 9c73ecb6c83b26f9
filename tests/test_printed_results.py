"""What `print` shows of moments, approximations, point estimates and diagnoses."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import bayesreg as br
from bayesreg import terminal, terminal_posterior
from bayesreg._console import make_console
from bayesreg._text_table import as_table
from bayesreg.errors import InputError, SamplingWarning
from bayesreg.posterior.diagnostics import Diagnosis, beside_limit

NAMES = ("age", "bmi", "smokes")
BAD = Diagnosis(
    ok=False,
    verdict="not good: chains disagree",
    rhat_max=1.2,
    ess_bulk_min=20.0,
    ess_tail_min=20.0,
    divergences=0,
    bfmi_min=None,
    worst="beta[age]",
)


def problem(p: int = 3, *, intercept: bool = True, **parts: Any) -> br.Problem:
    """A regression with named columns."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, p))
    y = 3.0 * X[:, 0] + rng.normal(size=40)
    names = NAMES if p == 3 else None
    defaults: dict[str, Any] = {"likelihood": br.Gaussian(1.0), "prior": br.Normal(2.0)}
    return br.Problem(X, y, intercept=intercept, **(defaults | {"names": names} | parts))


def rows_of(text: str) -> dict[str, list[str]]:
    """Rows of a printed table by their names."""
    return {line.split()[0]: line.split()[1:] for line in text.splitlines()[2:]}


def test_a_table_is_aligned_and_short() -> None:
    """Names to the left, numbers to the right, None an empty cell, a count of what is not shown."""
    lines = as_table(
        ("a", "b" * 40, "c"), {"mean": [1.0, -2.5, 3.0], "why": ["x", None, "y"]}, most=2
    )
    assert [len(line) for line in lines[:2]] == [len(lines[0])] * 2
    assert lines[2].endswith("-2.5")
    assert "…" in lines[2]
    assert lines[3] == "  ... and 1 more"


def test_moments_are_a_table_by_name() -> None:
    """Mean and sd beside each name, the evidence below, and no None anywhere."""
    moments = br.posterior_moments(problem(intercept=False))
    text = str(moments)
    rows = rows_of(text)
    assert tuple(rows)[:3] == NAMES
    assert rows["age"] == [f"{moments.mean[0]:.4g}", f"{moments.sd[0]:.4g}"]
    assert f"log p(y) = {moments.log_marginal_likelihood:.6g} nats" in text
    assert "None" not in text
    unknown = problem(likelihood=br.Gaussian(br.HalfNormal(1.0)), intercept=False)
    assert "sigma" in rows_of(str(br.posterior_moments(unknown)))


def test_moments_say_why_they_have_no_evidence_where_another_verb_has() -> None:
    """A flat intercept: one convention beside the other."""
    asked = problem()
    moments = br.posterior_moments(asked)
    assert moments.log_marginal_likelihood is None
    assert br.log_marginal_likelihood(asked).flat_intercept
    assert "log_marginal_likelihood takes that of an intercept as 1" in str(moments)


def test_many_columns_are_counted() -> None:
    """Twenty of them are shown, beside the intercept."""
    lines = str(br.posterior_moments(problem(30))).splitlines()
    assert len(lines) == 1 + 1 + 21 + 1 + 1
    assert "  ... and 10 more" in lines


@pytest.mark.parametrize("prior", [br.Normal(2.0), br.Laplace(0.05)], ids=["valid", "kink"])
def test_an_approximation_shows_modes_and_their_sd(prior: br.Prior) -> None:
    """The verdict first; where there is evidence, that too."""
    found = br.laplace_approximation(problem(prior=prior))
    assert str(found).splitlines()[0].startswith("Laplace approximation at the mode")
    assert ("NOT VALID" in str(found)) is (not found.valid)
    rows = rows_of(str(found))
    assert tuple(rows) == ("intercept", *NAMES)
    assert rows["bmi"] == [f"{found.mean[1]:.4g}", f"{found.sd[1]:.4g}"]
    plain = str(br.laplace_approximation(problem(intercept=False)))
    assert "log p(y) ≈" in plain
    sigma = br.laplace_approximation(problem(likelihood=br.Gaussian(br.HalfNormal(1.0))))
    assert "  log sigma" in str(sigma)


def test_a_point_estimate_is_a_table_and_no_judgement() -> None:
    """What the optimizer said, and coefficients by name."""
    estimate = br.optimize(problem(), "fista")
    head = str(estimate).splitlines()[0]
    assert head.startswith("fista: says that it converged")
    assert "bayesreg.certify" in head
    assert rows_of(str(estimate))["smokes"] == [f"{estimate.coef[2]:.4g}"]
    assert "did not converge" in str(br.optimize(problem(), "fista", max_iter=1))


@pytest.mark.parametrize("value", [1.0100001, 1.0104, 1.00999, 1.01, 1.2, math.inf])
def test_a_number_is_printed_on_its_side_of_its_limit(value: float) -> None:
    """With more digits where three would round to the limit: "1.010 (limit 1.01)" says nothing."""
    text = float(beside_limit(value, 1.01, 3))
    assert np.sign(text - 1.01) == np.sign(value - 1.01)
    low = 0.3 - (value - 1.01) / 10
    assert np.sign(float(beside_limit(low, 0.3, 2)) - 0.3) == np.sign(low - 0.3)
    found = Diagnosis(False, "not good", value, 399.9, 400.2, 0, low, "beta[age]", 0.1)  # noqa: FBT003  (in the order of its fields)
    assert f"{text}"[:6] in str(found)
    bulk = next(line for line in str(found).splitlines() if "bulk" in line)
    assert bulk.split()[-1] == "399"  # not 400, which is asked for


def test_a_mode_is_its_certificate_and_what_is_not_zero() -> None:
    """By name, the intercept first; ten of many, and the others counted."""
    fit = br.find_map(problem(prior=br.Laplace(0.05)))
    lines = str(fit).splitlines()
    assert lines[:3] == fit.verdict.splitlines()
    assert "2 of 3 coefficients exactly zero" in lines[1]
    assert [line.split() for line in lines[3:]] == [
        ["coef"],
        ["intercept", f"{fit.intercept:.4g}"],
        ["age", f"{fit.coef[0]:.4g}"],
    ]
    many = str(br.find_map(problem(30, intercept=False))).splitlines()
    assert len(many) == 3 + 1 + 10 + 1
    assert many[-1] == "  ... and 20 more"
    none = br.find_map(problem(prior=br.Laplace(1e-4), intercept=False))
    assert str(none) == none.verdict


def test_rows_that_are_no_columns_are_told_apart_from_columns_of_their_name() -> None:
    """Of modes, paths and posteriors: every row has a name of its own, whole."""
    own = "intercept (not the column)"
    named: dict[str, Any] = {"names": ("intercept", "sigma", "smokes"), "prior": br.Normal(2.0)}
    fit = br.find_map(problem(**named))
    assert list(fit.to_frame().index) == [own, *named["names"]]
    assert fit.to_frame().loc[own, "coef"] == fit.intercept
    out = make_console()
    with out.capture() as caught:
        terminal.print_mode(fit, out)
    path = br.map_path(problem(**named), [1.0])
    assert path.to_frame()["name"].tolist() == [own, *named["names"]]
    noisy = problem(likelihood=br.Gaussian(br.HalfNormal(2.0)), **named)
    posterior = br.posterior_path(noisy, [1.0], draws=100, tune=50, seed=0, progress=False)
    assert posterior.to_frame()["name"].tolist() == [own, *named["names"], "sigma (not the column)"]
    texts = [str(fit), caught.get(), br.optimize(fit.problem, "lbfgs"), br.posterior_moments(noisy)]
    texts.append(br.laplace_approximation(fit.problem))
    for text in texts:
        rows = [line.strip().split("  ")[0] for line in str(text).splitlines()]
        assert [name for name in rows if name.startswith("intercept")] == [own, "intercept"]
    assert list(br.find_map(problem()).to_frame().index) == ["intercept", *NAMES]


def test_priors_of_some_columns_say_which_by_name() -> None:
    """Names where there are some, few of them; numbers where they are x0, x1, ..."""
    parts: Any = [(br.Flat(), [0]), (br.Laplace(1.0), [1, 2])]
    assert "Σ|βⱼ|/1 [bmi, smokes] (no penalty on age): mixed" in str(problem(prior=parts))
    rng = np.random.default_rng(0)
    for names, words in (
        (None, "[j in 1…9] (no penalty on column 0)"),
        ([f"a  long name, number {k}" for k in range(10)], ", … (9 in all)] (no penalty on a "),
    ):
        wide = br.Problem(
            rng.normal(size=(20, 10)),
            rng.normal(size=20),
            likelihood=br.Gaussian(1.0),
            prior=[(br.Flat(), [0]), (br.Normal(1.0), range(1, 10))],
            names=names,
        )
        assert words in str(wide)
        assert len(wide.formula()) < 200


def test_a_diagnosis_is_its_verdict_and_its_numbers() -> None:
    """With their limits; independent draws have no R-hat and no divergences."""
    numbers = (1.2345, 50.0, 60.0, 3, 0.21, "beta[age]", 0.125)
    bad = Diagnosis(False, "not good", *numbers, ess_limit=400)  # noqa: FBT003  (in the order of its fields)
    head, *table = (re.split(r"  +", line.strip()) for line in str(bad).splitlines())
    assert head == ["not good"]
    assert table == [
        ["found", "limit", "where"],
        ["R-hat, largest", "1.234", "at most 1.01", "beta[age]"],
        ["effective draws, bulk", "50", "at least 400"],
        ["effective draws, tails", "60", "at least 400"],
        ["Monte Carlo error / sd", "0.1250"],
        ["divergences", "3", "0"],
        ["BFMI, smallest", "0.21", "at least 0.3"],
    ]
    one = br.diagnose(br.sample(problem(prior=br.Laplace(1.0)), "nuts", draws=50, chains=1, seed=0))
    assert one.ess_limit == 100
    assert f"at least 100  {one.worst}" in str(one).splitlines()[2]
    found = br.diagnose(br.sample(problem(), draws=50, seed=0, progress=False))
    assert str(found).startswith(found.verdict)
    assert "R-hat" not in str(found)
    assert "divergences" not in str(found)


def test_names_cannot_steer_the_terminal() -> None:
    """Escape codes, marks of direction and bells are written out, in results and in refusals."""
    names = ("\x1b[2J", "b\u202e", "c\x07")
    one, steering = problem(names=names), re.compile("[\x1b\u202e\x07]")
    lasso = one.with_prior(br.Laplace(2.0))
    draws = br.sample(one, draws=20, chains=2, seed=0, progress=False)
    printed = [
        one,
        one.with_prior([(br.Normal(1.0), [0]), (br.Laplace(1.0), [1, 2])]),
        br.find_map(lasso),
        br.certify(lasso, [1.0, 2.0, 3.0]),
        br.posterior_moments(one),
        br.laplace_approximation(one),
        br.diagnose(draws),
        as_table(["a"], {"where": ["\x1b"]}, most=1)[1],
        SamplingWarning("\x1b"),
    ]
    assert [k for k, result in enumerate(printed) if steering.search(str(result))] == []
    assert "⟨U+001B⟩[2J" in str(printed[2])
    for bad in ([(br.Normal(1.0), ["zz"])], [(br.Normal(1.0), [0, 0])]):
        with pytest.raises(InputError, match=r"⟨U\+001B⟩|'.x1b") as found:
            one.with_prior(bad)
        assert not steering.search(str(found.value))


def _printed(draws: Any) -> str:
    """What the command line prints of draws of a lasso."""
    out = make_console(stderr=False)
    with out.capture() as captured:
        terminal_posterior.print_draws(draws, problem(prior=br.Laplace(1.0)), out)
    return captured.get()


def test_draws_that_are_not_good_are_marked_where_their_numbers_are() -> None:
    """In the title, and at each number beyond its limit; good draws have no mark."""
    draws = br.sample(problem(prior=br.Laplace(1.0)), seed=1, progress=False)
    assert "✗" not in _printed(draws)
    beta = draws["posterior"]["beta"].to_numpy()
    beta[:, :, 1] = np.repeat(beta[:, ::20, 1], 20, axis=1)
    beta[2, :, 2] += 1.0
    lines = _printed(draws).splitlines()
    (title,) = (line for line in lines if "posterior, on the scale of the data" in line)
    assert title.rstrip().endswith("(draws not good ✗)")
    marks = {line.split()[0]: line.count("✗") for line in lines if line.startswith(NAMES)}
    assert marks == {"age": 0, "bmi": 2, "smokes": 2}


def test_a_comparison_marks_draws_that_are_not_good() -> None:
    """Above the numbers that come from them."""
    table = br.compare(problem(), ["fista"], seed=1, draws=200, chains=2, progress=False)
    good, title = str(table), "coefficients, on the scale of the data"
    assert f"{title}\n" in re.sub(" +\n", "\n", good)
    assert table.sampled is not None
    bad = replace(table, sampled=replace(table.sampled, diagnosis=BAD))
    assert f"{title} (draws not good ✗)" in str(bad)


def test_a_negative_zero_is_printed_as_zero() -> None:
    """In tables of results and of the command line."""
    assert as_table(["a"], {"coef": [-0.0]}, most=1)[1].split() == ["a", "0"]
    assert terminal.number(-0.0) == "0"
