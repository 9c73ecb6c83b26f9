"""Make the figures of the README by running the README: ``python notebooks/figures.py``.

Each picture carries the words that are in it, so that a test can tell whether it is still what the
README's own lines draw.
"""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

from matplotlib.figure import Figure
from PIL import Image

from bayesreg import cli

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).resolve().parent
README = (FOLDER.parent / "README.md").read_text(encoding="utf-8")

# File in this folder: the name under which the README's lines write it.
FIGURES = {
    "diabetes_path.png": "path.png",
    "diabetes_lasso.png": "diabetes.png",
    "diabetes_ribbons.png": "ribbons.png",
}


def words(figure: Figure) -> str:
    """Return all that can be read in a figure but for tick labels, one text per line."""
    texts = [*figure.texts, *(axes.title for axes in figure.axes)]
    texts += [text for legend in figure.legends for text in legend.get_texts()]
    return "\n".join(text.get_text() for text in texts if text.get_text())


def recorded(picture: Path) -> str:
    """Return the words of a picture that was made here."""
    with Image.open(picture) as image:
        return str(image.info["Description"])


def make(name: str, folder: Path) -> Path:
    """Run the lines of the README that make a figure, in a folder; return the picture.

    Parameters
    ----------
    name : str
        One of `FIGURES`.
    folder : Path
        Where to write it.
    """
    written = FIGURES[name]
    with contextlib.chdir(folder), _recording(), contextlib.redirect_stdout(io.StringIO()):
        command = re.search(rf"^bayesreg (.*--output {re.escape(written)})$", README, re.MULTILINE)
        if command is not None:
            _run(shlex.split(command[1]))
        else:
            _execute(written)
    return folder / written


def _run(arguments: list[str]) -> None:
    """Run a command of ours, which ends by leaving Python."""
    with contextlib.suppress(SystemExit):
        cli.main(arguments)


def _execute(written: str) -> None:
    """Run the first block of Python, and the one that writes the figure."""
    first, *others = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    scope: dict[str, Any] = {}
    for block in (first, next(block for block in others if f'savefig("{written}")' in block)):
        exec(compile(block, "README.md", "exec"), scope)  # noqa: S102  (our own README)


@contextlib.contextmanager
def _recording() -> Iterator[None]:
    """Make every figure write its words into the picture."""
    save = Figure.savefig

    def saved(figure: Figure, *args: Any, **kwargs: Any) -> None:
        metadata = kwargs.pop("metadata", {}) | {"Description": words(figure)}
        save(figure, *args, metadata=metadata, **kwargs)

    with mock.patch.object(Figure, "savefig", saved):
        yield


def _main() -> None:
    for name in sys.argv[1:] or FIGURES:
        with tempfile.TemporaryDirectory() as folder:
            shutil.copy(make(name, Path(folder)), FOLDER / name)
        sys.stdout.write(f"{name}: {(FOLDER / name).stat().st_size} bytes\n")


if __name__ == "__main__":
    _main()
