"""A figure that draws itself: what is computed for it, and who draws that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import bayesreg.figures
from bayesreg._files import check_kind
from bayesreg.terminal import save_figure

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from matplotlib.figure import Figure

_STILL, _MOVING = (".png", ".svg", ".pdf"), (".gif", ".html")


@dataclass(frozen=True)
class Exhibit:
    """One figure of a document.

    Attributes
    ----------
    name : str
        Of the figure, and of the function in `bayesreg.figures` that draws it.
    caption : str
        One line: what it shows.
    document : int
        From 1; 6 is what none of the documents shows, 7 choosing, selecting and comparing.
    compute : callable
        ``compute(seed)`` returns what the function draws.
    film : str
        Function in `bayesreg.figures` that writes it as an animation; empty where nothing moves.
    """

    name: str
    caption: str
    document: int
    compute: Callable[[int], Any]
    film: str = ""

    @property
    def kinds(self) -> tuple[str, ...]:
        """Endings of the files that it can be written to."""
        return (*_STILL, *(_MOVING if self.film else ()))

    def write(self, path: Path, seed: int = 0) -> None:
        """Compute, and write the figure, or the animation where the name of the file asks for it.

        Parameters
        ----------
        path : Path
            Ends in one of `kinds`.
        seed : int
            Of what is random in it.

        Raises
        ------
        InputError
            If the file cannot be written, or ends in something else.
        """
        if check_kind(path, self.kinds, "output").suffix.lower() in _MOVING:
            getattr(bayesreg.figures, self.film)(self.compute(seed), path)
            return
        save_figure(self.draw(seed), path)

    def draw(self, seed: int = 0) -> Figure:
        """Compute and draw.

        Examples
        --------
        >>> from bayesreg.studies import exhibit
        >>> len(exhibit("soft_thresholding").draw().axes) > 0
        True
        """
        figure: Figure = getattr(bayesreg.figures, self.name)(self.compute(seed))
        return figure
