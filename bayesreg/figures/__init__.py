"""Figures, one file each: a figure takes results and draws them; it computes only a density.

Every function returns a `matplotlib.figure.Figure` that belongs to its caller: no pyplot, no
window.
They load on first use, so that importing bayesreg does not import matplotlib.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bayesreg.figures._coefficient_path import coefficient_path
    from bayesreg.figures._coefficients import coefficients
    from bayesreg.figures._posterior_densities import posterior_densities
    from bayesreg.figures._posterior_path import posterior_path

__all__ = ["coefficient_path", "coefficients", "posterior_densities", "posterior_path"]


def __getattr__(name: str) -> Any:
    # The files carry an underscore: loading one binds its name here, which must not hide one.
    if name in __all__:
        function = getattr(import_module(f"bayesreg.figures._{name}"), name)
        globals()[name] = function
        return function
    msg = f"module 'bayesreg.figures' has no attribute {name!r}"
    raise AttributeError(msg)


def __dir__() -> list[str]:
    return list(__all__)
