"""The README tells the truth: its example prints what it says, its commands are the right ones."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def test_the_example_prints_its_answer() -> None:
    """Run as it stands, the numbers compared digit by digit but for the rounding noise."""
    code = re.search(r"```python\n(.*?)```\n\n```text\n(.*?)```", README, re.DOTALL)
    assert code is not None
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code[1], "README.md", "exec"), {})  # noqa: S102  (our own README)
    noise = re.compile(r"\d\.?\d*e-1\d")
    assert noise.sub("tiny", printed.getvalue()) == noise.sub("tiny", code[2])


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
