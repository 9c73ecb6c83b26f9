"""One rule's answer: a number per coefficient, and the set of columns that it keeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from bayesreg._validation import Vector


@dataclass(frozen=True, eq=False)
class Selection:
    """What one rule keeps.

    Attributes
    ----------
    method : str
        Name of the rule.
    names : tuple of str
        Of the coefficients.
    value : ndarray, shape (p,)
        What the rule looks at; larger speaks for the column.
    selected : ndarray of bool, shape (p,)
        Columns that are kept.
    quantity, rule : str
        What `value` is, and when a column is kept.
    """

    method: str
    names: tuple[str, ...]
    value: Vector
    selected: NDArray[np.bool_]
    quantity: str
    rule: str

    @property
    def support(self) -> tuple[str, ...]:
        """Names of the columns that are kept."""
        return tuple(self.names[j] for j in np.flatnonzero(self.selected))

    @property
    def size(self) -> int:
        """Number of columns that are kept."""
        return int(self.selected.sum())

    def to_frame(self) -> pd.DataFrame:
        """Return one row per coefficient.

        Returns
        -------
        pandas.DataFrame
            Columns method, coefficient, value, selected.
        """
        import pandas as pd  # noqa: PLC0415  (1.5 s that only frames pay)

        columns = {"coefficient": self.names, "value": self.value, "selected": self.selected}
        return pd.DataFrame({"method": self.method} | columns)

    def __str__(self) -> str:
        """Say what is kept, and by which rule."""
        kept = ", ".join(self.support[:12]) + (", …" if self.size > 12 else "")
        return f"{self.method}: {self.size} of {len(self.names)} kept ({self.rule}): {kept or '–'}"
