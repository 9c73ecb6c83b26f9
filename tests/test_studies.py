"""The figures of the documents as a list: each is drawn, written and shown on one page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

import bayesreg.figures
from bayesreg.cli import app
from bayesreg.errors import InputError
from bayesreg.studies import exhibit, exhibits
from bayesreg.studies.index import DOCUMENTS, page_text, write_gallery
from tests.test_notebooks import FOLDER

if TYPE_CHECKING:
    from pathlib import Path

RUNNER = CliRunner()
NAMES = [each.name for each in exhibits()]


def test_names_are_unique_and_drawn_by_a_function_of_that_name() -> None:
    """What the command line is told is what `bayesreg.figures` calls it."""
    assert len(set(NAMES)) == len(NAMES)
    assert set(NAMES) <= set(bayesreg.figures.__all__)
    assert {each.film for each in exhibits()} - {""} <= set(bayesreg.figures.__all__)


def test_every_document_has_figures_and_a_notebook() -> None:
    """Five documents, and what none of them shows."""
    assert {each.document for each in exhibits()} == set(DOCUMENTS)
    for _, notebook in DOCUMENTS.values():
        assert (FOLDER / notebook).is_file()


@pytest.mark.parametrize("name", NAMES)
def test_a_caption_is_one_line(name: str) -> None:
    """It stands in a table, and beside a thumbnail."""
    caption = exhibit(name).caption
    assert 20 <= len(caption) <= 110
    assert "\n" not in caption
    assert not caption.endswith(".")


def test_the_command_line_lists_and_draws(tmp_path: Path) -> None:
    """Without a name all of them; with one a picture, in the kind that its file name asks for."""
    listed = RUNNER.invoke(app, ["figures"])
    assert listed.exit_code == 0
    assert all(name in listed.stdout for name in NAMES)
    target = tmp_path / "step.svg"
    drawn = RUNNER.invoke(app, ["figures", "one_weight", "--output", str(target)])
    assert drawn.exit_code == 0, drawn.output
    assert b"<svg" in target.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["one_wait"], "figure: 'one_wait' is not known; did you mean 'one_weight'?"),
        (["one_weight", "-o", "x.gif"], r"output: 'x.gif' must end in one of .png, .svg, .pdf$"),
        (["moving_costs", "-o", "x.doc"], r"one of .png, .svg, .pdf, .gif, .html$"),
        (["one_weight", "-o", "nowhere/x.png"], "output: there is no directory nowhere"),
        (["--gallery", "nowhere"], "folder: nowhere is no directory; create it first"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_words(arguments: list[str], message: str) -> None:
    """A wrong name, a wrong kind of file, a place that is not there."""
    with pytest.raises(InputError, match=message):
        RUNNER.invoke(app, ["figures", *arguments], catch_exceptions=False)


def test_the_gallery_shows_what_it_draws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page, and a picture for each line of it."""
    few = (exhibit("one_weight"),)
    monkeypatch.setattr("bayesreg.studies.index.exhibits", lambda: few)
    page, picture = write_gallery(tmp_path)
    assert "gallery/one_weight.png" in page.read_text(encoding="utf-8")
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_the_page_of_the_repository_is_up_to_date() -> None:
    """Every figure is on it, with its caption and its picture."""
    assert (FOLDER / "README.md").read_text(encoding="utf-8") == page_text(exhibits())
    for name in NAMES:
        assert (FOLDER / "gallery" / f"{name}.png").is_file()
