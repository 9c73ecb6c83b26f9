"""The PyMC models of the folder `models`, by name, from a checkout and from an installed wheel.

In a wheel the folder travels as `bayesreg/_gallery`, because a top-level package called `models`
would collide with everybody else's. It is looked for there first, and beside the package second.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING

from bayesreg.errors import BayesregError, unknown_name

if TYPE_CHECKING:
    from collections.abc import Callable

    import pymc as pm

__all__ = ["GalleryModel", "load", "names"]


@dataclass(frozen=True)
class GalleryModel:
    """A model of the gallery.

    Attributes
    ----------
    name : str
        The name that `load` accepts: that of the file.
    summary : str
        The first line of the file's docstring.
    build : callable
        ``build(X, y, *, ...) -> pm.Model``; its docstring says what the keywords are.
    """

    name: str
    summary: str
    build: Callable[..., pm.Model]


def names() -> tuple[str, ...]:
    """Return the names that `load` accepts.

    Returns
    -------
    tuple of str
        In alphabetical order.

    Examples
    --------
    >>> "lasso" in names()
    True
    """
    return tuple(sorted(path.stem for path in _folder().glob("[!_]*.py")))


def load(name: str) -> GalleryModel:
    """Load a model of the gallery.

    Parameters
    ----------
    name : str
        One of `names()`.

    Returns
    -------
    GalleryModel
        Its name, its summary and its function `build`.

    Raises
    ------
    InputError
        If `name` is not one of `names()`.
    """
    if not isinstance(name, str) or name not in names():
        raise unknown_name("name", name, names())
    return _load(name)


@cache
def _load(name: str) -> GalleryModel:
    # Not entered in sys.modules: nothing else should find it, under this or any other name.
    spec = spec_from_file_location(f"bayesreg._gallery.{name}", _folder() / f"{name}.py")
    if spec is None or spec.loader is None:
        raise BayesregError(f"name: the file of model {name!r} cannot be imported")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    summary, *_ = (module.__doc__ or "").splitlines()
    return GalleryModel(name=name, summary=summary, build=module.build)


def _folder() -> Path:
    package = Path(__file__).resolve().parent
    installed = package / "_gallery"
    return installed if installed.is_dir() else package.parent / "models"
