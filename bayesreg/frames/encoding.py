"""A formula and the columns that it makes of data, the same ones of new rows as of the old."""

from __future__ import annotations

import ast
import re
import warnings
from collections import Counter
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from formulaic.errors import DataMismatchWarning
from formulaic.formula import SimpleFormula
from formulaic.materializers import PandasMaterializer
from formulaic.model_spec import ModelSpec
from formulaic.parser.types import Factor

from bayesreg._validation import as_names, read_only
from bayesreg._visible import shown, visible
from bayesreg.errors import InputError
from bayesreg.frames.columns import as_before, as_frame, canonical, check_bare
from bayesreg.frames.language import Keys, check_sides, columns_used, parse
from bayesreg.frames.room import check_room
from bayesreg.frames.transforms import FUNCTIONS, BeyondBounds

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bayesreg._validation import Matrix, Vector


@dataclass(frozen=True, eq=False)
class Rows:
    """What a formula makes of rows.

    Attributes
    ----------
    X : ndarray, shape (n, p)
        Predictors, without a column for the intercept; read-only.
    offset : ndarray, shape (n,)
        Sum of the formula's offsets, zeros where it has none; read-only.
    """

    X: Matrix
    offset: Vector


@dataclass(frozen=True, eq=False)
class Encoding:
    """How a formula turns a table into columns: levels, knots, means and spreads of the first data.

    Attributes
    ----------
    formula : str
        As it was given.
    target : str
        The left side of the formula.
    names : tuple of str
        One name per column of X.
    terms : mapping of str to tuple of int
        For each term of the formula the positions of its columns.
    intercept : bool
        Whether the formula has an intercept. It is no column of X.
    levels : mapping of str to tuple
        For each column of text or categories that the formula uses the levels that were seen.
    """

    formula: str
    target: str
    names: tuple[str, ...]
    terms: Mapping[str, tuple[int, ...]]
    intercept: bool
    levels: Mapping[str, tuple[object, ...]]
    _parts: _Parts

    @classmethod
    def of(cls, formula: str, data: object, *, exclude: Sequence[str] = ()) -> Encoding:
        """Learn from data what a formula needs to know.

        Parameters
        ----------
        formula : str
            In Wilkinson's notation: ``y ~ x1 + C(g) + bs(x2, df=4) + x1:x2 + offset(log(t))``. An
            intercept is implied; ``0 +`` leaves it out. ``.`` stands for all other columns. Names
            that are no identifiers stand in backticks. Functions: logarithms, exponentials, roots,
            ``I`` for arithmetic, ``center``, ``scale``, ``standardize``, ``poly``, splines (``bs``,
            ``cr``, ``cs``, ``cc``), and ``C`` for categories, as in ``C(g, contr.sum)``. Text and
            categories are coded against their first level unless ``C`` says otherwise; text of
            hardly two rows per level is refused but in ``C``.
        data : frame (pandas, polars, Arrow) or mapping of columns
            The rows to learn from.
        exclude : sequence of str
            Columns that ``.`` leaves out.

        Returns
        -------
        Encoding
            Encodes these and other rows.

        Raises
        ------
        InputError
            If the formula cannot be read or uses what is not allowed, or if columns are missing,
            have missing values, or are no numbers where numbers are needed.

        Examples
        --------
        >>> data = {"y": [1.0, 2.0, 4.0], "dose": [1.0, 2.0, 3.0], "g": ["a", "b", "c"]}
        >>> encoding = Encoding.of("y ~ dose + C(g)", data)
        >>> encoding.names
        ('dose', 'C(g)[T.b]', 'C(g)[T.c]')
        >>> encoding.encode({"dose": [5.0], "g": ["c"]}).X
        array([[5., 0., 1.]])
        """
        table = as_frame(data)
        target, terms, keys = parse(formula, [str(name) for name in table.columns], exclude)
        check_sides(formula, target, terms, keys)
        frame = canonical(table, keys.by_name)
        levels = {
            name: tuple(frame[key].cat.categories)
            for name, key in keys.by_name.items()
            if isinstance(frame[key].dtype, pd.CategoricalDtype)
        }
        _check_levels(levels, terms)
        bare = {factor.expr for term in terms for factor in term.factors}
        for name, known in levels.items():
            if keys.by_name[name] in bare:
                check_bare(table, name, known)
        check_room(terms, frame, keys)
        y, left = _materialise(ModelSpec(SimpleFormula(target)), frame, keys)
        right = _materialise(ModelSpec(SimpleFormula(terms)), frame, keys)[1]
        name = keys.names_in(" + ".join(map(repr, target)))
        _check_target(left, name)
        if (y == y[0]).all():
            _check_compared(target, name, y[0, 0], levels)
        parts = _Parts.of(left, right, keys, dict(frame.dtypes.items()))
        found = {
            keys.names_in(repr(term)): tuple(positions) for term, positions in parts.terms.items()
        }
        return cls(formula, name, parts.names, found, parts.intercept, levels, parts)

    def encode(self, data: object) -> Rows:
        """Encode rows as the first ones were.

        Parameters
        ----------
        data : frame (pandas, polars, Arrow) or mapping of columns
            With the columns that the right side of the formula uses.

        Returns
        -------
        Rows
            Predictors and offset.

        Raises
        ------
        InputError
            If columns are missing, have missing values or levels that were not seen before, or
            hold something else than they did.
        """
        parts = self._parts
        values = self._values(parts.right, data)
        X = np.asfortranarray(values[:, list(parts.columns)])
        return Rows(read_only(X), read_only(values[:, list(parts.offsets)].sum(axis=1)))

    @property
    def has_offset(self) -> bool:
        """Whether the formula has an ``offset(...)``."""
        return bool(self._parts.offsets)

    def response(self, data: object) -> Vector:
        """Return the target of rows: the left side of the formula, shape (n,).

        Raises
        ------
        InputError
            If its columns are missing, or have missing values.
        """
        return read_only(self._values(self._parts.left, data)[:, 0].copy())

    def columns(self, *names: str) -> list[str]:
        """Return the names of the columns of terms; a column's own name stands for itself.

        Raises
        ------
        InputError
            If a name is neither a term's nor a column's.

        Examples
        --------
        >>> data = {"y": [1.0, 2.0, 4.0], "x": [1.0, 2.0, 3.0], "g": ["a", "b", "c"]}
        >>> Encoding.of("y ~ x + C(g)", data).columns("C(g)", "x")
        ['C(g)[T.b]', 'C(g)[T.c]', 'x']
        """
        return self.columns_of(names, "columns")

    def columns_of(self, names: Iterable[object], argument: str) -> list[str]:
        """Return what `columns` does, with the name of an argument for its message."""
        found: list[str] = []
        for name in names:
            if isinstance(name, str) and name in self.terms:
                found += [self.names[j] for j in self.terms[name]]
            elif name in self.names:
                found.append(str(name))
            else:
                raise self._no_column(name, argument)
        return list(dict.fromkeys(found))

    def _no_column(self, name: object, argument: str) -> InputError:
        """Say what may stand where a name was found that is neither a term's nor a column's."""
        parts, text = self._parts, name if isinstance(name, str) else shown(name)
        using = [
            parts.keys.names_in(repr(term))
            for term in parts.terms
            if parts.keys.by_name.get(text) in columns_used([term], parts.keys)
        ]
        close = using or get_close_matches(text, [*self.terms, *self.names], n=1)
        hint = f"; did you mean {' or '.join(map(repr, close))}?" if close else "."
        others = [column for column in self.names if column not in self.terms]
        listed = f" Columns: {_few(others)}" if others else ""
        return InputError(
            f"{argument}: {shown(name)} is neither a term nor a column of the formula{hint} Terms: "
            f"{_few(list(self.terms))}.{listed}"
        )

    def groups(self) -> list[list[int]]:
        """Return the positions of the columns of each term, as `GroupLaplace` takes them.

        Examples
        --------
        >>> data = {"y": [1.0, 2.0, 4.0], "x": [1.0, 2.0, 3.0], "g": ["a", "b", "c"]}
        >>> Encoding.of("y ~ x + C(g)", data).groups()
        [[0], [1, 2]]
        """
        return [list(positions) for positions in self.terms.values() if positions]

    def __str__(self) -> str:
        """List the terms with their columns, and the levels of categories."""
        lines = [self.formula, f"  intercept: {'yes' if self.intercept else 'no'}"]
        for term, positions in self.terms.items():
            lines.append(f"  {term}: {', '.join(self.names[j] for j in positions)}")
        for name, levels in self.levels.items():
            lines.append(f"  levels of {name}: {', '.join(map(str, levels))}")
        return visible("\n".join(lines))

    def _values(self, spec: ModelSpec, data: object) -> Matrix:
        """Evaluate one side of the formula on new rows."""
        keys = self._parts.keys
        keys = keys.used(columns_used(list(spec.formula), keys))
        frame = canonical(as_frame(data), keys.by_name)
        for name, key in keys.by_name.items():
            frame[key] = as_before(frame[key], self._parts.kinds[key], name)
        return _materialise(spec, frame, self._parts.keys)[0]


@dataclass(frozen=True, eq=False)
class _Parts:
    """What formulaic knows of a formula, and which of its columns are what."""

    left: ModelSpec
    right: ModelSpec
    keys: Keys
    names: tuple[str, ...]
    terms: Mapping[Any, tuple[int, ...]]
    columns: tuple[int, ...]
    offsets: tuple[int, ...]
    intercept: bool
    kinds: Mapping[Any, Any]

    @classmethod
    def of(cls, left: ModelSpec, right: ModelSpec, keys: Keys, kinds: Mapping[Any, Any]) -> _Parts:
        intercept, offsets = False, []
        columns: list[int] = []
        terms = {}
        for term, positions in right.term_indices.items():
            if repr(term) == "1":
                intercept = True
            elif any(factor.expr.startswith("offset(") for factor in term.factors):
                if len(term.factors) > 1 or len(positions) != 1:
                    msg = f"formula: {term} must be one column of numbers, and a term by itself"
                    raise InputError(msg)
                offsets += positions
            elif not positions:
                name = keys.names_in(repr(term))
                msg = (
                    f"formula: term {name!r} makes no column of these data (a single level has "
                    "none); leave it out"
                )
                raise InputError(msg)
            else:
                start = len(columns)
                columns += positions
                terms[term] = tuple(range(start, len(columns)))
        if not (columns or intercept):
            msg = "formula: its right side has neither a column nor an intercept; add a term"
            raise InputError(msg)
        shown = [keys.names_in(right.column_names[j]) for j in columns]
        names = as_names(shown, len(columns))
        return cls(
            left, right, keys, names, terms, tuple(columns), tuple(offsets), intercept, kinds
        )


def _text_in(frame: pd.DataFrame, keys: Keys) -> list[str]:
    """Name the columns of text and categories."""
    kinds = frame.dtypes
    return [
        name
        for name, key in keys.by_name.items()
        if key in kinds and isinstance(kinds[key], pd.CategoricalDtype)
    ]


def _materialise(spec: ModelSpec, frame: pd.DataFrame, keys: Keys) -> tuple[Matrix, ModelSpec]:
    """Evaluate terms; what they learn of the data is in the spec that is returned.

    Raises
    ------
    InputError
        If they cannot be evaluated, meet levels they do not know, or are not finite.
    """
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            # formulaic would go on with levels that it does not know, as if they were the first.
            warnings.simplefilter("error", DataMismatchWarning)
            made = PandasMaterializer(frame, context=FUNCTIONS).get_model_matrix(
                spec, output="numpy", na_action="ignore"
            )
            values = np.array(made, dtype=np.float64)
    except Exception as error:
        if isinstance(error.__cause__, BeyondBounds):
            raise InputError(keys.names_in(_beyond(error))) from error
        ours = isinstance(error.__cause__, InputError)
        reason = keys.names_in(" ".join(str(error.__cause__ if ours else error).split()))
        if not ours:
            of_text = "".join(
                f"; {name!r} is text, not numbers"
                for name in _text_in(frame, keys)
                if re.search(rf"\b{re.escape(name)}\b", reason)
            )
            found = f"cannot be evaluated on these data ({reason}){of_text}"
            reason = f"formula: {found}; change it or the data"
        raise InputError(reason) from error
    learnt = made.model_spec
    finite = np.isfinite(values)
    if not finite.all():
        row, column = np.argwhere(~finite)[0].tolist()
        name = keys.names_in(learnt.column_names[column])
        found = "NaN" if np.isnan(values[row, column]) else "infinite"
        msg = (
            f"formula: {name!r} is {found} in {int((~finite[:, column]).sum())} of {len(values)} "
            f"rows, first in row {row}; drop those rows, or change the term"
        )
        raise InputError(msg)
    return values, learnt


def _beyond(error: Exception) -> str:
    """Say which value is beyond the bounds of which spline: formulaic names the factor."""
    factor = str(error).partition("`")[2].partition("`")[0]
    clipped = re.sub(r",\s*extrapolation\s*=\s*(['\"])\w+\1", "", factor)
    clipped = f"{clipped.removesuffix(')')}, extrapolation='clip')"
    return f"data: {factor} {error.__cause__}; write {clipped}, or drop such rows"


def _check_levels(levels: Mapping[str, tuple[object, ...]], terms: Sequence[Any]) -> None:
    """Refuse levels whose columns formulaic would lose without a word.

    It keeps fields that begin with two underscores to itself, and columns by name, which those of
    an interaction can share if a level reads like the end of one name and the start of the next,
    as can a number and its digits as text.
    """
    crossed = any(len(term.factors) > 1 for term in terms)
    for name, known in levels.items():
        alike = Counter(map(str, known)).most_common(1)[0]
        if alike[1] > 1:
            msg = f"data: {alike[1]} levels of {name!r} read {alike[0]!r}; rename all but one"
            raise InputError(msg)
        for level in map(str, known):
            if level.startswith("__") or (crossed and "]:" in level):
                mark = "]:" if "]:" in level else "__"
                msg = (
                    f"data: level {level!r} of {name!r} holds {mark!r}, which names of columns use "
                    "for something else; rename it"
                )
                raise InputError(msg)


def _check_target(left: ModelSpec, target: str) -> None:
    kinds = [kind for kind, _ in left.encoder_state.values()]
    if len(left.column_names) == 1 and Factor.Kind.CATEGORICAL not in kinds:
        return
    msg = (
        f"formula: its target {target!r} must be one column of numbers; of a column of text write "
        "which level is 1, as in I(outcome == 'yes') ~ ..."
    )
    raise InputError(msg)


def _check_compared(
    target: Sequence[Any], name: str, value: float, levels: Mapping[str, tuple[object, ...]]
) -> None:
    """Refuse a comparison that comes out alike in every row, as with a level that is none."""
    factors = [factor.expr for term in target for factor in term.factors]
    nodes = [node for expr in factors for node in ast.walk(ast.parse(expr, mode="eval"))]
    if not any(isinstance(node, ast.Compare) for node in nodes):
        return
    found = "".join(
        f"; the levels of {column!r} are {_few([shown(level) for level in known])}"
        for column, known in levels.items()
        if re.search(rf"(?<!\w){re.escape(column)}(?!\w)", name)
    )
    msg = f"formula: its target {name!r} is {value:g} in every row{found}; compare with another"
    raise InputError(msg)


def _few(names: Sequence[str]) -> str:
    if not names:
        return "none"
    return ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
