"""R's glmnet: data through raw binary files, its own call timed inside R."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from _measure import Run
from scipy import sparse

if TYPE_CHECKING:
    from _measure import Task

SCRIPT = Path(__file__).with_name("glmnet.R")


@functools.cache
def missing() -> str | None:
    """Why glmnet cannot take part, or None."""
    rscript = shutil.which("Rscript")
    if rscript is None:
        return "no Rscript on the path; on Debian: apt-get install r-base-core r-cran-glmnet"
    if _ask_r("library(glmnet)").returncode:
        return "R has no glmnet; on Debian: apt-get install r-cran-glmnet"
    return None


def describe() -> str:
    """Name the versions."""
    why = missing()
    if why is not None:
        return f"glmnet: not here ({why})"
    asked = "cat(as.character(packageVersion('glmnet')), 'on', R.version.string)"
    return f"glmnet {_ask_r(asked).stdout}"


def _ask_r(expression: str) -> subprocess.CompletedProcess[str]:
    command = [shutil.which("Rscript") or "Rscript", "-e", expression]
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  (ours)


def write(task: Task, folder: Path) -> None:
    """Write the data as R will read them: 64-bit numbers and 32-bit positions, column by column."""
    if sparse.issparse(task.X):
        task.X.data.astype("f8").tofile(folder / "data")
        task.X.indices.astype("i4").tofile(folder / "indices")
        task.X.indptr.astype("i4").tofile(folder / "indptr")
    else:
        task.X.ravel(order="F").astype("f8").tofile(folder / "data")
    task.y.astype("f8").tofile(folder / "y")
    task.alphas.astype("f8").tofile(folder / "lambda")


def solve(task: Task, thresh: float, **options: Any) -> Run:
    """Run glmnet with a threshold; its columns and y are as given, its loss is a mean.

    Scales at which it gave up come back as NaN. Extra options are those of the R script: ``type``,
    the ``type.gaussian`` or ``type.logistic`` to use instead of its default.
    """
    n, p = task.X.shape
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(task, folder)
        settings = {
            "n": n,
            "p": p,
            "k": task.lambdas.size,
            "nnz": task.X.nnz if sparse.issparse(task.X) else 0,
            "family": "binomial" if task.family == "logistic" else "gaussian",
            "intercept": int(task.intercept),
            "thresh": repr(float(thresh)),
            "type": "",
        } | options
        words = [f"{key}={value}" for key, value in settings.items()]
        command = [shutil.which("Rscript") or "Rscript", str(SCRIPT), name, *words]
        done = subprocess.run(  # noqa: S603  (our own script)
            command,
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | {"LC_ALL": "C"},
        )
        if done.returncode:
            msg = f"glmnet.R failed:\n{done.stderr}"
            raise RuntimeError(msg)
        return _read(task, thresh, folder)


def _read(task: Task, thresh: float, folder: Path) -> Run:
    k, p = task.lambdas.size, task.X.shape[1]
    seconds, peak = np.fromfile(folder / "clock", "f8")
    found = np.fromfile(folder / "beta", "f8").reshape(-1, p)
    levels = np.fromfile(folder / "a0", "f8")
    coef, intercept = np.full((k, p), np.nan), np.full(k, np.nan)
    coef[: len(found)], intercept[: len(found)] = found, levels
    return Run("glmnet", f"{thresh:.0e}", float(seconds), coef, intercept, peak=float(peak))
