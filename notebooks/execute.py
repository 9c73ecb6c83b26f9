"""Run notebooks again and store what they print: ``python notebooks/execute.py [NAME ...]``.

Without names, all of them. Unlike ``jupyter execute --inplace`` it stores no times of day, joins
what one cell prints, and leaves no trace of the machine: run twice, the second changes nothing.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).resolve().parent


def execute(path: Path) -> None:
    """Run a notebook from top to bottom, in place; nothing is written if a cell fails.

    Parameters
    ----------
    path : Path
        The notebook.
    """
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    client = NotebookClient(
        notebook,
        timeout=300,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,
        extra_arguments=["--log-level=ERROR"],  # not that it speaks to itself unencrypted
        resources={"metadata": {"path": str(path.parent)}},
    )
    client.execute()
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
    nbformat.write(notebook, path)  # type: ignore[no-untyped-call]


def _main() -> None:
    known = {path.stem: path for path in sorted(FOLDER.glob("*.ipynb"))}
    for name in sys.argv[1:] or known:
        path = known.get(Path(name).stem)
        if path is None:
            sys.exit(f"{name}: no notebook of this folder; there are {', '.join(known)}")
        began = time.monotonic()
        execute(path)
        sys.stdout.write(f"{path.name}: {time.monotonic() - began:.0f} s\n")


if __name__ == "__main__":
    _main()
