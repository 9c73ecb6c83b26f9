"""The PyMC models of the folder `models`, by name, from a checkout and from an installed wheel.

In a wheel the folder travels as `bayesreg/_gallery`, because a top-level package called `models`
would collide with everybody else's. It is looked for there first, and beside the package second.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from inspect import Parameter, isfunction, signature
from pathlib import Path
from typing import TYPE_CHECKING

from bayesreg.errors import BayesregError, InputError, unknown_name

if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike
    from types import ModuleType

    import pymc as pm

__all__ = ["GalleryModel", "load", "load_file", "names", "summary"]


@dataclass(frozen=True)
class GalleryModel:
    """A model of the gallery.

    Attributes
    ----------
    name : str
        The name that `load` accepts: that of the file. Of a file of one's own its path.
    summary : str
        The first line of the file's docstring.
    build : callable
        ``build(X, y, *, ...) -> pm.Model``; its docstring says what the keywords are.
    """

    name: str
    summary: str
    build: Callable[..., pm.Model]

    def takes(self, keyword: str) -> bool:
        """Whether `build` takes a keyword, by its name or because it takes any (``**kw``)."""
        return self.takes_any or keyword in signature(self.build).parameters

    @property
    def takes_any(self) -> bool:
        """Whether `build` takes keywords of all names (``**kw``)."""
        parameters = signature(self.build).parameters.values()
        return any(one.kind is Parameter.VAR_KEYWORD for one in parameters)


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


def summary(name: str) -> str:
    """Return what a model of the gallery is, without loading it, which loads PyMC.

    Parameters
    ----------
    name : str
        One of `names()`.

    Returns
    -------
    str
        The first line of its docstring.

    Raises
    ------
    InputError
        If `name` is not one of `names()`.

    Examples
    --------
    >>> print(summary("ridge"))
    Ridge regression: a normal prior on each coefficient.
    """
    text = _file(name).read_text(encoding="utf-8")
    return _first_line(ast.get_docstring(ast.parse(text)))


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
    return _load(_file(name))


def load_file(path: str | PathLike[str]) -> GalleryModel:
    """Load a model of one's own from a file that is written like those of the gallery.

    The file is code, and is run.

    Parameters
    ----------
    path : path-like
        A Python file that defines ``build(X, y, *, scale, sigma, intercept, names) -> pm.Model``;
        of these ``scale`` and ``sigma`` only if it has them, and ``**kw`` stands for all.

    Returns
    -------
    GalleryModel
        Its path, its summary and its function `build`.

    Raises
    ------
    InputError
        If there is no such file, it fails as it is run, or defines no such `build`.
    """
    file = Path(path)
    if not file.is_file():
        msg = f"model: there is no file {file}; name one, or a model of the gallery"
        raise InputError(msg)
    try:
        module = _run(file, "bayesreg._gallery_file")
    except (Exception, SystemExit) as error:
        msg = f"model: {file} fails as it is run ({type(error).__name__}: {error}); mend it"
        raise InputError(msg) from error
    build = vars(module).get("build")
    if not isfunction(build):
        msg = f"model: {file} defines no function build(X, y, *, ...) that returns a PyMC model"
        raise InputError(msg)
    model = GalleryModel(name=str(file), summary=_first_line(module.__doc__), build=build)
    lacking = [name for name in ("intercept", "names") if not model.takes(name)]
    if lacking:
        msg = f"model: build of {file} takes no keyword {lacking[0]!r}, which all models here do"
        raise InputError(msg)
    return model


@cache
def _load(file: Path) -> GalleryModel:
    module = _run(file, f"bayesreg._gallery.{file.stem}")
    return GalleryModel(name=file.stem, summary=_first_line(module.__doc__), build=module.build)


def _run(file: Path, name: str) -> ModuleType:
    # Not entered in sys.modules: nothing else should find it, under this or any other name.
    spec = spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise BayesregError(f"name: the file of model {file} cannot be imported")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _first_line(text: str | None) -> str:
    return (text or "").partition("\n")[0]


def _file(name: str) -> Path:
    if not isinstance(name, str) or name not in names():
        raise unknown_name("name", name, names())
    return _folder() / f"{name}.py"


def _folder() -> Path:
    package = Path(__file__).resolve().parent
    installed = package / "_gallery"
    return installed if installed.is_dir() else package.parent / "models"
