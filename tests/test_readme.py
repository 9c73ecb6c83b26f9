"""The README tells the truth: its example prints what it says, its commands are the right ones."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pymc as pm

import bayesreg as br

if TYPE_CHECKING:
    import pytest

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def test_the_example_prints_its_answer() -> None:
    """Run as it stands, the numbers compared digit by digit but for the rounding noise."""
    code = re.search(r"```python\n(.*?)```\n\n```text\n(.*?)```", README, re.DOTALL)
    assert code is not None
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code[1], "README.md", "exec"), {})  # noqa: S102  (our own README)
    noise = re.compile(r"(?<=gap )\S+|(?<=residual )[^;]+")
    assert noise.sub("tiny", printed.getvalue()) == noise.sub("tiny", code[2])


def test_what_it_says_of_find_map_is_true() -> None:
    """It claims success without a zero, above the mode, and the certificate rejects it."""
    code = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert code is not None
    scope: dict[str, Any] = {}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(compile(code[1], "README.md", "exec"), scope)  # noqa: S102  (our own README)
    model = scope["model"]
    tree = pm.find_MAP(model=model, progressbar=False, jitter=False, return_inferencedata=True)
    coef = tree["posterior"]["beta"].to_numpy().ravel()
    intercept = float(tree["posterior"]["intercept"].to_numpy().item())
    problem = br.read_model(model)
    assert tree["optimizer_result"]["success"].item()
    assert (coef != 0).all()
    assert problem.objective(coef, intercept) > br.find_map(problem).objective
    assert "NOT optimal" in str(br.certify(problem, coef, intercept))


def test_the_model_that_is_no_regression_has_a_local_mode() -> None:
    """The second example runs in the scope of the first, and says that its certificate is local."""
    first, second = re.findall(r"```python\n(.*?)```", README, re.DOTALL)[:2]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(first + second, "README.md", "exec"), {})  # noqa: S102  (our own README)
    answer = printed.getvalue()
    assert "no Jacobian" in answer
    assert "a local mode" in answer
    assert "entries exactly zero" in answer


def test_what_it_says_of_draws_is_true(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The third example, in the scope of the first: the words as printed, the numbers near them."""
    monkeypatch.chdir(tmp_path)
    code = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    draws = next(block for block in code if "br.sample(" in block)
    scope: dict[str, Any] = {}
    said = README.split(draws, 1)[1].split("```text\n", 1)[1].split("```", 1)[0]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code[0], "README.md", "exec"), scope)  # noqa: S102  (our own README)
        printed.truncate(printed.seek(0))
        exec(compile(draws, "README.md", "exec"), scope)  # noqa: S102  (our own README)
    number = re.compile(r"\d+\.?\d*")
    assert number.sub("N", printed.getvalue()) == number.sub("N", said)
    pairs = zip(number.findall(printed.getvalue()), number.findall(said), strict=True)
    assert all(abs(float(found) / float(told) - 1) < 0.25 for found, told in pairs)
    assert (tmp_path / "diabetes.nc").is_file()


def test_two_commands_do_all_the_set_up() -> None:
    """One runs the main job, one the tests; CI extracts the second."""
    start = "python3 -m pip install -q uv && python3 -m uv run "
    assert f"\n{start}bayesreg compare\n" in README
    assert f"\n{start}pytest\n" in README


def test_local_links_lead_somewhere() -> None:
    """Every relative link and image exists."""
    root = Path(__file__).parent.parent
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (root / target).exists(), target
