"""A wheel holds the gallery and the data, and works far away from the checkout."""

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from bayesreg import gallery

ROOT = Path(__file__).resolve().parents[1]

USE_WHEEL = """
import sys
sys.path.insert(0, sys.argv[1])
import numpy as np
from bayesreg import datasets, gallery

assert gallery.__file__.startswith(sys.argv[1]), gallery.__file__
model = gallery.load("lasso").build(np.eye(3), np.arange(3.0))
print(*gallery.names(), model["beta"].owner.op.name, datasets.load("prostate").X.shape[0])
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel without touching the network."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    [path] = folder.glob("*.whl")
    return path


def test_wheel_contents(wheel: Path) -> None:
    """The models are inside the package, and nothing is beside it."""
    names = set(ZipFile(wheel).namelist())
    assert {f"bayesreg/_gallery/{model}.py" for model in gallery.names()} <= names
    assert {"bayesreg/data/prostate.csv", "bayesreg/data/boston_crim_zn.csv"} <= names
    assert {name.split("/")[0].split("-")[0] for name in names} == {"bayesreg"}
    assert not any("__pycache__" in name for name in names)


def test_gallery_works_from_the_unpacked_wheel(wheel: Path, tmp_path: Path) -> None:
    """A process that knows only the unpacked wheel lists and builds the models."""
    site = tmp_path / "site"
    ZipFile(wheel).extractall(site)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    # -P and -E: neither the working directory nor PYTHONPATH may lend the checkout's package.
    command = [sys.executable, "-P", "-E", "-c", USE_WHEEL, str(site)]
    result = subprocess.run(command, cwd=elsewhere, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == [*gallery.names(), "laplace", "97"]
