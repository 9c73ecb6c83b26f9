"""Every notebook runs from top to bottom, and shows what it printed when it was last run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
# Rounding differs between machines, so numbers may; the words may not.
NUMBER = re.compile(r"-?\d[\d.]*(?:e[-+]?\d+)?")


def _read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]


def _printed(notebook: Any) -> list[str]:
    """What each cell printed, without its numbers and what is aligned by their width.

    What stands on stderr, such as that the sampler is compiled, depends on what ran before.
    """
    texts = [
        "".join(out.text for out in cell.get("outputs", []) if out.get("name") == "stdout")
        for cell in notebook.cells
    ]
    return [" ".join(NUMBER.sub("N", text).split()) for text in texts]


def test_there_are_notebooks() -> None:
    """An empty folder would make the tests below pass on nothing."""
    assert NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_is_committed_as_run_from_top_to_bottom(path: Path) -> None:
    """With its outputs, in order, and no error among them: ``python notebooks/execute.py NAME``."""
    cells = [cell for cell in _read(path).cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    kinds = {out.output_type for cell in cells for out in cell.outputs}
    assert kinds
    assert "error" not in kinds


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_says_nothing_of_when_and_where_it_ran(path: Path) -> None:
    """Neither times nor versions nor folders: running it again changes what has changed."""
    notebook = _read(path)
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert dict(notebook.metadata.language_info) == {"name": "python"}
    assert not any("execution" in cell.metadata for cell in notebook.cells)
    printed = "".join(
        "".join(out.get("text", "")) for cell in notebook.cells for out in cell.get("outputs", [])
    )
    assert not re.search(r"(?<![\w/])/(?:home|tmp|Users|root|work)/", printed)


# The kernel's messaging closes its event loop's sockets late, which Python reports on exit.
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_runs(path: Path) -> None:
    """No cell raises, and each prints the words that are stored with it."""
    notebook = _read(path)
    stored = _printed(notebook)
    NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    assert _printed(notebook) == stored
