"""Bad input: one table, in which each row is a case and the answer that it must get.

An answer is a refusal by an exception of ours, whose message names the argument, a right value, a
warning of ours, or the exit code and the one line of the command. Nothing else may happen: other
warnings are errors here, and so are NaN. What takes long is in files of its own (Ctrl-C pressed in
processes: `test_interrupts`; damaged files, byte by byte: `test_storage`).
"""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import math
import re
import tempfile
import warnings
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import numpy as np
import pandas as pd
import pymc as pm
import pytensor.tensor as pt
import pytest
import xarray as xr
from scipy import sparse

import bayesreg as br
from bayesreg.cli import main
from bayesreg.errors import (
    BayesregError,
    BayesregWarning,
    DegenerateMode,
    ImproperPosterior,
    InputError,
    NoClosedForm,
    NotConverged,
    SamplingFailed,
    SamplingWarning,
    UnsupportedModel,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# --------------------------------------------------------------------------- the answers


@dataclass(frozen=True)
class Refused:
    """An exception of ours, by what its message says."""

    words: str
    error: type[BayesregError] = InputError


@dataclass(frozen=True)
class Gives:
    """A value: what is returned, to rounding."""

    value: object


@dataclass(frozen=True)
class Warned:
    """A warning of ours, and a value."""

    words: str
    value: object = None


@dataclass(frozen=True)
class Exits:
    """The command's exit code, and the one line that it writes on stderr."""

    code: int
    words: str


type Answer = Refused | Gives | Warned | Exits
type Row = tuple[Callable[[], object], Answer]

# --------------------------------------------------------------------------- the problem to spoil

# Orthogonal columns of squared length 2 and mean 0: under a Laplace prior of scale 1 and noise of
# sd 1 the mode is that of (2β² − 2βx'y)/2 + |β| with x'y = 4 and 1/2; the intercept is the mean.
X = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])
Y = np.array([3.0, 1.0, -1.0, 0.5])
MODE = (1.5, 0.0, 0.875)
BINARY = np.array([0.0, 1.0, 1.0, 0.0])
FLAT: dict[str, Any] = {"prior": br.Flat()}
UNKNOWN: dict[str, Any] = {"likelihood": br.Gaussian(br.HalfNormal(1.0))}
CLASSES: dict[str, Any] = {"likelihood": br.Bernoulli()}
COUNTS: dict[str, Any] = {"likelihood": br.Poisson()}
NAN, INF = math.nan, math.inf
NO_FILE = "draws.nc"


def problem(matrix: Any = X, target: Any = Y, **changes: Any) -> br.Problem:
    """Build the problem with changes."""
    arguments = {"likelihood": br.Gaussian(1.0), "prior": br.Laplace(1.0)} | changes
    return br.Problem(matrix, target, **arguments)


def mode(matrix: Any = X, target: Any = Y, **changes: Any) -> tuple[float, ...]:
    """Coefficients and intercept of the mode, certified."""
    fit = br.find_map(problem(matrix, target, **changes))
    assert fit.certificate.stationary
    return (*fit.coef.tolist(), *([fit.intercept] if fit.problem.design.intercept else []))


def beside(column: Any, **changes: Any) -> tuple[float, ...]:
    """Give the mode with a third column."""
    return mode(np.column_stack([X, column]), **changes)


def separated(y: Any, prior: Any, **changes: Any) -> float:
    """Derivative of the objective at the mode of one slope: 0, whatever the slope."""
    column = np.array([-2.0, -1.0, 1.0, 2.0])
    (slope,) = mode(column[:, None], y, prior=prior, intercept=False, **CLASSES, **changes)
    rows = 1 / (1 + np.exp(-column * slope)) - np.asarray(y)
    return float(column @ rows + slope)


def sampled(*where: Any, of: br.Problem | None = None, **changes: Any) -> xr.DataTree:
    """Few draws."""
    settings = {"draws": 2, "chains": 2, "tune": 2, "seed": 1} | changes
    given = problem(prior=br.Normal(1.0)) if of is None else of
    return br.sample(given, *where, **settings)


def shape(tree: xr.DataTree) -> tuple[int, ...]:
    """Sizes of the draws, which are finite."""
    drawn = tree["posterior"]["beta"].to_numpy()
    assert np.isfinite(drawn).all()
    return tuple(drawn.shape)


def read_only(array: Any) -> Any:
    """Forbid writing."""
    copy = array.copy()
    copy.setflags(write=False)
    return copy


def mapped() -> Any:
    """Give the columns as a file mapped into memory."""
    with tempfile.TemporaryDirectory() as folder:
        kept = np.memmap(Path(folder) / "x", dtype=float, mode="w+", shape=X.shape)
        kept[:] = X
        return mode(kept)


def diagnosed(**stats: Any) -> str:
    """Give the verdict on draws that are fine but for what is said of them."""
    rng = np.random.default_rng(0)
    groups = {"posterior": xr.Dataset({"b": (("chain", "draw"), rng.normal(size=(4, 500)))})}
    if stats:
        groups["sample_stats"] = xr.Dataset({k: (("chain", "draw"), v) for k, v in stats.items()})
    return str(br.diagnose(xr.DataTree.from_dict(groups)).verdict)


def saved(spoil: Callable[[bytes], bytes]) -> xr.DataTree:
    """Save draws, spoil the file, and load it."""
    with tempfile.TemporaryDirectory() as folder:
        file = br.save_draws(sampled(), Path(folder) / NO_FILE)
        file.write_bytes(spoil(file.read_bytes()))
        return br.load_draws(file)


def interrupted() -> xr.DataTree:
    """Press Ctrl-C while draws are labelled."""
    from bayesreg.posterior import layout  # noqa: PLC0415  (patched here alone)

    real, pressed = layout.as_tree, iter([KeyboardInterrupt])

    def press(*arguments: Any) -> Any:
        for stop in pressed:
            raise stop
        return real(*arguments)

    with mock.patch.object(layout, "as_tree", press):
        return sampled()


def killed() -> xr.DataTree:
    """Sample a model whose worker dies."""
    stop = mock.Mock(side_effect=RuntimeError("chain 1 failed\nwith many lines"))
    with mock.patch("bayesreg.posterior.sampling.sample_model", stop):
        return br.sample(model(lambda: pm.Gumbel("b", 0.0, 1.0, shape=2)))


# --------------------------------------------------------------------------- models


def model(
    prior: Callable[[], Any] | None = None,
    likelihood: Callable[[Any], Any] | None = None,
    *,
    data: Any = Y,
) -> pm.Model:
    """Build a PyMC regression with another prior or likelihood."""
    with pm.Model() as made:
        beta = pm.Normal("b", 0.0, 1.0, shape=2) if prior is None else prior()
        if likelihood is None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # PyMC says that it imputes what is missing
                pm.Normal("y", X @ beta, 1.0, observed=data)
        else:
            likelihood(X @ beta)
    return made


def bare(build: Callable[[], object]) -> pm.Model:
    """Build a model of anything."""
    with pm.Model() as made:
        build()
    return made


# --------------------------------------------------------------------------- the command


def command(*arguments: str) -> tuple[int, str]:
    """Run the command in this process."""
    err, shown = io.StringIO(), warnings.showwarning
    try:
        with (
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(err),
            pytest.raises(SystemExit) as stop,
        ):
            main(list(arguments))
    finally:
        warnings.showwarning = shown
    return int(stop.value.code or 0), err.getvalue()


def of_file(
    content: str | bytes, *more: str, target: str = "y", name: str = "data.csv"
) -> tuple[int, str]:
    """Run the command on a file."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / name
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return command("map", "--data", str(file), "--target", target, *more)


def stopped(error: type[BaseException], *arguments: str) -> tuple[int, str]:
    """Run the command, which something stops."""
    with mock.patch("bayesreg.datasets.load", side_effect=error("no luck")):
        return command(*arguments)


GOOD = "a,b,y\n1,2,3\n2,1,5\n3,5,4\n4,1,9\n"
FINE = Exits(0, "")

# --------------------------------------------------------------------------- the table

SHAPES: dict[str, Row] = {
    "the problem itself": (mode, Gives(MODE)),
    "no row": (lambda: mode(np.empty((0, 2)), []), Refused("X: has no rows")),
    "one row": (lambda: mode([[1.0, 2.0]], [3.0]), Gives((0.0, 0.0, 3.0))),
    "one row, nothing known": (
        lambda: mode([[1.0, 2.0]], [3.0], **FLAT),
        Refused("prior: flat on 3 columns .* over 1 rows", ImproperPosterior),
    ),
    "one row, unknown sigma": (
        lambda: mode([[1.0]], [3.0], **UNKNOWN),
        Refused("sigma: the columns fit y perfectly", DegenerateMode),
    ),
    "no column": (lambda: mode(np.empty((4, 0))), Gives((0.875,))),
    "no column, no intercept": (
        lambda: mode(np.empty((4, 0)), intercept=False),
        Refused("X: has no columns and there is no intercept"),
    ),
    "one column": (lambda: mode(X[:, :1]), Gives((1.5, 0.875))),
    "far more columns than rows": (
        lambda: mode(np.hstack([X, np.zeros((4, 300))])),
        Gives((1.5, *[0.0] * 301, 0.875)),
    ),
    "far more columns than rows, flat": (
        lambda: mode(np.random.default_rng(0).normal(size=(4, 300)), **FLAT),
        Refused("prior: flat on 301 columns", ImproperPosterior),
    ),
    "X one-dimensional": (lambda: problem(X[:, 0]), Refused("X: .*use X.reshape")),
    "X three-dimensional": (lambda: problem(X[None]), Refused("X: must be two-dimensional")),
    "X a number": (lambda: problem(3.0, [1.0]), Refused("X: must be two-dimensional")),
    "X nothing": (lambda: problem(None), Refused("X: .*found NoneType")),
    "X a dictionary": (lambda: problem({"a": [1.0]}), Refused("X: .*found dict")),
    "X a generator": (lambda: problem(row for row in X), Refused("X: .*found generator")),
    "X ragged": (lambda: problem([[1.0], [1.0, 2.0]]), Refused("X: cannot be read as an array")),
    "X nested lists": (lambda: mode(X.tolist(), Y.tolist()), Gives(MODE)),
    "y too short": (lambda: problem(X, Y[:3]), Refused("y: has 3 entries, but 4 are needed")),
    "y one column": (lambda: mode(X, Y[:, None]), Gives(MODE)),
    "y two columns": (
        lambda: problem(X, np.column_stack([Y, Y])),
        Refused(r"y: must be one-dimensional, found shape \(4, 2\); pass one column"),
    ),
    "y one row": (lambda: problem(X, Y[None]), Refused("y: must be one-dimensional")),
    "y a number": (lambda: problem(X, 1.0), Refused("y: must be one-dimensional")),
    "y nothing": (lambda: problem(X, None), Refused("y: .*found NoneType")),
    "y sparse": (
        lambda: problem(X, sparse.csr_array(Y[:, None])),
        Refused("y: must be dense; pass y.toarray"),
    ),
    "X sparse": (lambda: mode(sparse.coo_array(X)), Gives(MODE)),
    "weights a number": (lambda: problem(weights=2.0), Refused("weights: must be one-dim")),
    "weights too few": (lambda: problem(weights=[1.0]), Refused("weights: has 1 entries")),
    "offset a number": (lambda: problem(offset=1.0), Refused("offset: must be one-dim")),
    "coefficients too few": (lambda: problem().objective([1.0]), Refused(r"coef: .*\(2,\)")),
}

VALUES: dict[str, Row] = {
    "NaN in X": (
        lambda: problem(np.where(X > 0, NAN, X)),
        Refused(r"X: contains NaN \(missing values\), first at row 0, column 0 \(2 of 8\); drop"),
    ),
    "NaN in y": (lambda: problem(X, [1.0, NAN, 2.0, 3.0]), Refused("y: contains NaN.* row 1")),
    "NaN in sparse X": (
        lambda: problem(sparse.csr_array(np.where(X > 0, NAN, X))),
        Refused("X: holds nan at row 0, column 0"),
    ),
    "infinity in X": (lambda: problem(np.where(X > 0, INF, X)), Refused("X: contains infinite")),
    "infinity in y": (lambda: problem(X, [1.0, -INF, 2.0, 3.0]), Refused("y: .*infinite")),
    "NA of pandas": (
        lambda: problem(pd.DataFrame({"a": pd.array([1, 2, None, 4], dtype="Int64")})),
        Refused("X: contains NaN .* in column 'a'"),
    ),
    "nullable integers of pandas": (
        lambda: mode(pd.DataFrame(X).astype("Int64")),
        Gives(MODE),
    ),
    "None among numbers": (lambda: problem([[1.0], [None], [2.0], [0.0]]), Refused("X: .*NaN")),
    "masked": (lambda: problem(np.ma.masked_equal(X, 1.0)), Refused("X: has masked entries")),
    "masked y": (lambda: problem(X, np.ma.masked_equal(Y, 1.0)), Refused("y: has masked")),
    "masked nowhere": (lambda: mode(np.ma.array(X)), Gives(MODE)),
    "a constant column": (lambda: beside(np.full(4, 7.0)), Gives((1.5, 0.0, 0.0, 0.875))),
    "a constant column, flat": (
        lambda: beside(np.full(4, 7.0), **FLAT),
        Refused("prior: flat on 4 columns .* not linearly independent", ImproperPosterior),
    ),
    "a constant column, standardised": (
        lambda: beside(np.full(4, 7.0), standardize=True),
        Refused("X: column 'x2' is constant.*drop it"),
    ),
    "a column of zeros": (lambda: beside(np.zeros(4)), Gives((1.5, 0.0, 0.0, 0.875))),
    "a column of zeros, flat": (
        lambda: beside(np.zeros(4), **FLAT),
        Refused("prior: .*not linearly independent", ImproperPosterior),
    ),
    "equal columns": (
        lambda: math.fsum(beside(X[:, 0])[::2]),
        Gives(1.5),
    ),
    "equal columns, ridge": (
        lambda: beside(X[:, 0], prior=br.Normal(1.0)),
        Gives((0.8, 0.5 / 3, 0.8, 0.875)),
    ),
    "equal columns, flat": (
        lambda: beside(X[:, 0], **FLAT),
        Refused("prior: .*not linearly independent", ImproperPosterior),
    ),
    "collinear columns, flat": (
        lambda: beside(X @ [1.0, 2.0], **FLAT),
        Refused("prior: .*not linearly independent", ImproperPosterior),
    ),
    "nearly collinear columns": (
        lambda: math.fsum(beside(X[:, 0] + 1e-9 * np.array([1, -1, 1, -1]))[:3:2]),
        Gives(1.5),
    ),
    "y constant": (lambda: mode(X, np.full(4, 3.0)), Gives((0.0, 0.0, 3.0))),
    "y constant, unknown sigma": (
        lambda: mode(X, np.full(4, 3.0), **UNKNOWN),
        Refused("sigma: the columns fit y perfectly", DegenerateMode),
    ),
    "a perfect fit, unknown sigma": (
        lambda: mode(X, X @ [1.0, 2.0], **UNKNOWN),
        Refused("sigma: .*InverseGamma prior", DegenerateMode),
    ),
    "a perfect fit, sampled": (
        lambda: sampled(of=problem(X, X @ [1.0, 2.0], likelihood=br.Gaussian(br.HalfFlat()))),
        Refused("sigma: y is fitted exactly", ImproperPosterior),
    ),
    "columns at 1e-300": (lambda: mode(X * 1e-300), Gives((0.0, 0.0, 0.875))),
    "columns at 1e-140, flat": (
        lambda: np.array(mode(X * 1e-140, **FLAT)) * [1e-140, 1e-140, 1.0],
        Gives((2.0, 0.25, 0.875)),
    ),
    "columns at 1e140": (
        lambda: np.array(mode(X * 1e140)) * [1e140, 1e140, 1.0],
        Gives((2.0, 0.25, 0.875)),
    ),
    "columns at 1e300": (lambda: problem(X * 1e300), Refused(r"X: .*beyond ±1e\+150.*rescale")),
    "columns of very unequal size": (
        lambda: np.array(mode(X * [1e-100, 1e100])) * [1.0, 1e100, 1.0],
        Gives((0.0, 0.25, 0.875)),
    ),
    "y at 1e-310": (lambda: mode(X, Y * 1e-310), Gives((0.0, 0.0, 0.0))),
    "y at 1e300": (lambda: problem(X, Y * 1e300), Refused("y: has entries beyond")),
    "an offset of 1e9": (
        lambda: mode(X, Y, offset=np.full(4, 1e9)),
        Gives((1.5, 0.0, 0.875 - 1e9)),
    ),
    "an offset of 1e9, classes": (
        lambda: math.fsum(mode(X, BINARY, offset=np.full(4, 1e9), **CLASSES)) + 1e9,
        Gives(0.0),
    ),
    "an offset of 1e9, counts, no intercept": (
        lambda: mode(X, BINARY, offset=np.full(4, 1e9), intercept=False, **COUNTS),
        Refused("problem: ", NotConverged),
    ),
    "an offset that is infinite": (
        lambda: problem(offset=np.full(4, INF)),
        Refused("offset: contains infinite"),
    ),
    "a weight of 0": (
        lambda: problem(weights=[1.0, 0.0, 1.0, 1.0]),
        Refused("weights: must be positive, found 0 at row 1; drop that row"),
    ),
    "a negative weight": (lambda: problem(weights=[-1.0] * 4), Refused("weights: must be pos")),
    "separation, flat": (
        lambda: mode([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1], **CLASSES, **FLAT),
        Refused("prior: flat on intercept, x0, .*separated.*proper prior", ImproperPosterior),
    ),
    "separation, proper prior": (
        lambda: separated([0, 0, 1, 1], br.Normal(1.0)),
        Gives(0.0),
    ),
    "quasi-separation, flat": (
        lambda: mode([[0.0], [1.0], [1.0], [2.0]], [0, 0, 1, 1], **CLASSES, **FLAT),
        Refused("prior: .*separated", ImproperPosterior),
    ),
    "quasi-separation, proper prior": (
        lambda: mode([[0.0], [0.0], [0.0], [0.0]], BINARY, **CLASSES),
        Gives((0.0, 0.0)),
    ),
    "one class": (lambda: problem(X, np.ones(4), **CLASSES), Refused("y: holds one class only")),
    "labels as text": (lambda: problem(X, list("abab"), **CLASSES), Refused("y: found text .'a'")),
    "labels as truth values": (
        lambda: np.subtract(mode(X, BINARY == 1, **CLASSES), mode(X, BINARY, **CLASSES)),
        Gives((0.0, 0.0, 0.0)),
    ),
    "labels 1 and 2": (lambda: problem(X, BINARY + 1, **CLASSES), Refused("y: .*found 1, 2; rec")),
    "labels -1 and 1": (lambda: problem(X, 2 * BINARY - 1, **CLASSES), Refused("y: .*-1, 1")),
    "labels as categories": (
        lambda: problem(X, pd.Series(pd.Categorical(list("abab"))), **CLASSES),
        Refused("y: found categories"),
    ),
    "negative counts": (lambda: problem(X, Y, **COUNTS), Refused("y: a Poisson target .*-1")),
    "fractional counts": (lambda: problem(X, Y + 1, **COUNTS), Refused("y: a Poisson .*1.5")),
    "no count at all": (
        lambda: mode(X, np.zeros(4), **COUNTS),
        Refused("prior: flat on intercept", ImproperPosterior),
    ),
    "row labels in another order": (
        lambda: problem(pd.DataFrame(X), pd.Series(Y, index=[3, 2, 1, 0])),
        Refused("y: its row labels differ from those of X"),
    ),
}

TYPES: dict[str, Row] = {
    "float32": (lambda: mode(X.astype(np.float32)), Gives(MODE)),
    "float16": (lambda: mode(X.astype(np.float16), Y.astype(np.float16)), Gives(MODE)),
    "float16, whose squares overflow": (
        lambda: (
            np.array(mode(X.astype(np.float16) * np.float16(6e4)))
            * [float(np.float16(6e4)), float(np.float16(6e4)), 1.0]
        ),
        Gives((2 - 0.5 / float(np.float16(6e4)), 0.25 - 0.5 / float(np.float16(6e4)), 0.875)),
    ),
    "long double": (lambda: mode(X.astype(np.longdouble)), Gives(MODE)),
    "bytes, whose squares overflow": (
        lambda: np.array(mode((100 * X).astype(np.int8))) * [100, 100, 1],
        Gives((2 - 0.005, 0.25 - 0.005, 0.875)),
    ),
    "the largest integers": (
        lambda: problem(np.array([[2**63 - 1], [1], [0], [0]])).design.X[0, 0],
        Gives(2.0**63),
    ),
    "a prior that rounding swallows": (
        lambda: mode(target=[0.0, 1.0, 1.0, 0.0], prior=br.Normal(1e17), **COUNTS),
        Refused("prior: is so wide on 'x0', 'x1' that it is lost in the rounding", NotConverged),
    ),
    "a prior that rounding swallows, sparse": (
        lambda: mode(sparse.csc_array(X), [0.0, 1.0, 1.0, 0.0], prior=br.Normal(1e17), **COUNTS),
        Refused("prior: is so wide .* use a smaller scale there", NotConverged),
    ),
    "integers beyond 64 bits": (
        lambda: problem([[2**70], [1], [0], [0]]).design.X[0, 0],
        Gives(2.0**70),
    ),
    "integers beyond double precision": (
        lambda: problem([[10**400], [1], [0], [0]]),
        Refused("X: cannot be read as real numbers"),
    ),
    "truth values": (lambda: problem(X > 0).design.X[0, 0], Gives(1.0)),
    "complex": (lambda: problem(X + 0j), Refused("X: complex numbers are not supported")),
    "complex objects": (lambda: problem((X + 1j).astype(object)), Refused("X: cannot be read as")),
    "objects that are numbers": (lambda: mode(X.astype(object)), Gives(MODE)),
    "decimals": (
        lambda: mode([[Decimal(int(v)) for v in row] for row in X]),
        Gives(MODE),
    ),
    "fractions": (
        lambda: mode([[Fraction(int(v)) for v in row] for row in X]),
        Gives(MODE),
    ),
    "digits as text": (lambda: problem(X.astype(str)), Refused(r"X: found text \('1.0'\); encode")),
    "digits as bytes": (lambda: problem(X.astype("S4")), Refused(r"X: found text \(b'1.0'\)")),
    "digits in y": (lambda: problem(X, Y.astype(str)), Refused(r"y: found text \('3.0'\)")),
    "digits in a frame": (
        lambda: problem(pd.DataFrame({"a": list("1234")})),
        Refused("X: found text .* in column 'a'"),
    ),
    "a very long text": (lambda: problem([["z" * 9999]] * 4), Refused("X: found text .*…")),
    "dates": (
        lambda: problem(np.full((4, 1), np.datetime64("2020-01-01"))),
        Refused("X: dates and durations are not numbers; convert"),
    ),
    "dates as objects": (
        lambda: problem(np.full((4, 1), dt.date(2020, 1, 1), dtype=object)),
        Refused("X: cannot be read as real numbers"),
    ),
    "dates in a frame": (
        lambda: problem(pd.DataFrame({"a": pd.date_range("2020", periods=4, tz="UTC")})),
        Refused("X: .*dates or durations in column 'a'"),
    ),
    "durations": (
        lambda: problem(np.full((4, 1), np.timedelta64(1, "D"))),
        Refused("X: dates and durations"),
    ),
    "records": (
        lambda: problem(np.zeros((4, 1), dtype="f8,f8")),
        Refused("X: cannot be read as real numbers"),
    ),
    "read-only": (lambda: mode(read_only(X), read_only(Y)), Gives(MODE)),
    "a memory map": (mapped, Gives(MODE)),
    "negative strides": (
        lambda: mode(X[::-1, ::-1], Y[::-1]),
        Gives((0.0, 1.5, 0.875)),
    ),
    "big-endian": (lambda: mode(X.astype(">f8"), Y.astype(">f8")), Gives(MODE)),
    "intercept as text": (lambda: problem(intercept="yes"), Refused("intercept: must be True")),
}

NAMES: dict[str, Row] = {
    "a name twice": (lambda: problem(names=["a", "a"]), Refused("names: 'a' occurs more than")),
    "an empty name": (lambda: problem(names=["a", ""]), Refused("names: entry 1 is empty")),
    "too few names": (lambda: problem(names=["a"]), Refused("names: has 1 entries, but X has 2")),
    "names that are no list": (lambda: problem(names=3), Refused("names: must be a list of")),
    "names that are numbers": (lambda: problem(names=[1, 2.5]).names, Gives(("1", "2.5"))),
    "1 and '1'": (lambda: problem(names=[1, "1"]), Refused("names: '1' occurs more than once")),
    "half a surrogate pair": (lambda: problem(names=["a", "\ud800"]), Refused("names: .*surrog")),
    "a frame with a name twice": (
        lambda: problem(pd.DataFrame(X, columns=["a", "a"])),
        Refused("X: has columns of the same name"),
    ),
    "names in any script": (
        lambda: (
            sampled(of=problem(names=["مرحبا", "年 🎈"], prior=br.Normal(1.0)))["posterior"][
                "feature"
            ]
            .to_numpy()
            .tolist()
        ),
        Gives(["مرحبا", "年 🎈"]),
    ),
    "names with a line break and a NUL": (
        lambda: shape(sampled(of=problem(names=["a\nb", "c\0d"], prior=br.Normal(1.0)))),
        Gives((2, 2, 2)),
    ),
    "a NUL in a name, saved": (
        lambda: br.save_draws(
            sampled(of=problem(names=["a", "c\0d"], prior=br.Normal(1.0))), NO_FILE
        ),
        Refused("draws: .*NUL character"),
    ),
    "names equal to ours": (
        lambda: shape(sampled(of=problem(names=["sigma", "chain"], prior=br.Normal(1.0)))),
        Gives((2, 2, 2)),
    ),
    "names equal to ours, as a model": (
        lambda: br.read_model(br.to_pymc(problem(names=["sigma", "beta"]))).names,
        Gives(("sigma", "beta")),
    ),
    "coefficients with labels in another order": (
        lambda: problem(names="ab").objective(pd.Series([1.0, 2.0], index=["b", "a"])),
        Refused("coef: its labels are not the columns' names"),
    ),
    "a column that is missing": (
        lambda: problem(prior=[(br.Laplace(1.0), ["age"]), (br.Flat(), [0])]),
        Refused("prior: no column is named 'age'; the names are x0, x1"),
    ),
    "a negative column": (
        lambda: problem(prior=[(br.Laplace(1.0), [-1])]),
        Refused("prior: must be at least 0, found -1"),
    ),
    "a column without a prior": (
        lambda: problem(prior=[(br.Laplace(1.0), [0])]),
        Refused("prior: column 'x1' has no prior"),
    ),
}

PENALTIES: dict[str, Row] = {
    "scale 0": (lambda: br.Laplace(0.0), Refused("scale: must be positive, found 0")),
    "scale negative": (lambda: br.Normal(-1.0), Refused("scale: must be positive, found -1")),
    "scale NaN": (lambda: br.Horseshoe(NAN), Refused("scale: must be positive, found nan")),
    "scale infinite": (lambda: mode(prior=br.Laplace(INF)), Gives((2.0, 0.25, 0.875))),
    "scale nothing": (lambda: br.Laplace(None), Refused("scale: .*found NoneType")),  # type: ignore[arg-type]
    "scale text": (lambda: br.Laplace("2"), Refused(r"scale: found text \('2'\)")),
    "scale a truth value": (lambda: br.Laplace(scale=True), Refused("scale: .*truth value")),
    "scale complex": (lambda: br.Laplace(1j), Refused("scale: complex numbers")),
    "scale a matrix": (lambda: br.Laplace([[1.0]]), Refused("scale: must be a number or one")),
    "scale of the wrong length": (
        lambda: problem(prior=br.Laplace(np.ones(3))),
        Refused("prior: scale has 3 entries, but X has 2 columns"),
    ),
    "scale of length 0": (lambda: problem(prior=br.Laplace([])), Refused("prior: scale has 0")),
    "one scale 0": (lambda: br.Laplace([1.0, 0.0]), Refused("scale: must be positive, found 0")),
    "scale 1e308": (lambda: br.Laplace(1e308), Refused(r"scale: 1e\+308 has a square beyond")),
    "scale 1e-308": (lambda: br.Laplace(1e-308), Refused("scale: 1e-308 has a square beyond")),
    "the largest scale": (lambda: mode(prior=br.Normal(1e150)), Gives((2.0, 0.25, 0.875))),
    "the smallest scale": (lambda: mode(prior=br.Laplace(1e-150)), Gives((0.0, 0.0, 0.875))),
    "the scale at which all are 0": (lambda: mode(prior=br.Laplace(0.25)), Gives((0, 0, 0.875))),
    "an extreme scale of a bridge": (
        # 3β²/s³ = x'y, whose solution is far below the smallest scale.
        lambda: np.array(mode(prior=br.Bridge(1e-150, 3.0))) * [1e225, 1e225, 1.0],
        Gives((math.sqrt(4 / 3), math.sqrt(1 / 6), 0.875)),
    ),
    "sigma 0": (lambda: br.Gaussian(0.0), Refused("sigma: must be positive, found 0")),
    "sigma infinite": (lambda: br.Gaussian(INF), Refused("sigma: must be finite, found inf")),
    "sigma a list": (lambda: br.Gaussian([1.0]), Refused("sigma: must be a real number")),  # type: ignore[arg-type]
    "a path at negative scales": (
        lambda: br.map_path(problem(), scales=[1.0, -1.0]),
        Refused("scales: must be positive, found -1"),
    ),
    "a path at no scale": (lambda: br.map_path(problem(), scales=[]), Refused("scales: is empty")),
    "a path of no length": (
        lambda: br.map_path(problem(), n_scales=0),
        Refused("n_scales: must be at least 2, found 0"),
    ),
    "a path of a flat prior": (
        lambda: br.map_path(problem(**FLAT)),
        Refused("prior: is flat, so there is no scale to vary"),
    ),
}

PRIORS: dict[str, Row] = {
    "no prior": (lambda: problem(prior=None), Refused("prior: must be a prior such as Laplace")),
    "a prior by name": (lambda: problem(prior="lasso"), Refused("prior: .*found 'lasso'")),
    "a prior's class": (lambda: problem(prior=br.Laplace), Refused("prior: must be a prior")),
    "another prior that is none": (
        lambda: problem().with_prior("lasso"),  # type: ignore[arg-type]
        Refused("prior: must be a prior such as Laplace"),
    ),
    "no likelihood": (lambda: problem(likelihood=None), Refused("likelihood: must be Gaussian")),
    "likelihood and prior exchanged": (
        lambda: problem(likelihood=br.Laplace(1.0), prior=br.Gaussian(1.0)),
        Refused("likelihood: must be Gaussian"),
    ),
    "a shape of 0": (lambda: br.StudentT(0.0, 1.0), Refused("nu: must be positive, found 0")),
    "certain inclusion": (lambda: br.SpikeSlab(1.0, 1.0), Refused("inclusion: must lie strictly")),
    "a power of 0": (lambda: br.Bridge(1.0, 0.0), Refused("power: must be positive, found 0")),
    "a ball of radius 0": (lambda: br.UniformBall(0.0), Refused("radius: must be positive")),
    "groups that are no lists": (
        lambda: problem(prior=br.GroupLaplace(1.0, [0, 0])),  # type: ignore[list-item]
        Refused("groups: must be lists of column positions"),
    ),
    "relative to what": (
        lambda: br.Laplace(1.0, relative_to="tau"),  # type: ignore[arg-type]
        Refused('relative_to: must be None or "sigma"'),
    ),
    "a loc that is infinite": (lambda: br.Normal(1.0, loc=INF), Refused("loc: must be finite")),
    "unknown scale, joint mode": (
        lambda: mode(prior=br.Laplace(br.HalfCauchy(1.0))),
        Refused("scale: is unknown, .*Condition on a value", DegenerateMode),
    ),
    "horseshoe, mode": (
        lambda: mode(prior=br.Horseshoe(1.0)),
        Refused("prior: the horseshoe density is infinite at 0", DegenerateMode),
    ),
    "spike and slab, mode": (
        lambda: mode(prior=br.SpikeSlab(0.5, 1.0)),
        Refused("prior: spike and slab has an atom", DegenerateMode),
    ),
    "given a name that is none": (
        lambda: br.find_map(problem(**UNKNOWN), given={"simga": 1.0}),
        Refused("given: 'simga' is not known; did you mean 'sigma'"),
    ),
    "given what is known": (
        lambda: br.find_map(problem(), given={"sigma": 1.0}),
        Refused("sigma: is not unknown"),
    ),
    "given a negative number": (
        lambda: br.find_map(problem(**UNKNOWN), given={"sigma": -1.0}),
        Refused("sigma: must be positive, found -1"),
    ),
    "an unknown model": (
        lambda: br.gallery.load("laso"),
        Refused("name: 'laso' is not known; did you mean 'lasso'. Valid: elastic_net, lasso"),
    ),
    "an unknown data set": (lambda: br.datasets.load("x"), Refused("name: 'x' .*Valid: boston")),
    "an unknown optimiser": (
        lambda: br.optimize(problem(), "lbfsg"),
        Refused("name: 'lbfsg' is not known; did you mean 'lbfgs'"),
    ),
    "an unknown solver": (lambda: br.find_map(problem(), "fast"), Refused("method: .*Valid: auto")),
    "sums of products of no data": (
        lambda: br.Problem.from_statistics(
            [[1.0, 2.0], [2.0, 1.0]], [1.0, 1.0], 1.0, 3, **CLASSES | {"prior": br.Laplace(1.0)}
        ),
        Refused("likelihood: sums of products suffice for a Gaussian"),
    ),
}

# Where a name or a number belongs: what neither compares with it nor has a hash.
STRAY: dict[str, Any] = {"an empty array": np.array([]), "a list": ["aic"], "a mapping": {"a": 1}}
TAKES: dict[str, tuple[str, Callable[[Any], object]]] = {
    "by": ("by", lambda bad: br.select_scale(problem(), by=bad)),
    "rule": ("rule", lambda bad: br.select_scale(problem(), rule=bad)),
    "method": ("method", lambda bad: br.find_map(problem(), bad)),
    "given": ("given", lambda bad: br.find_map(problem(**UNKNOWN), given=bad)),
    "given of a model": ("given", lambda bad: br.find_map(model_of_no_regression(), given=bad)),
    "lam": ("lambda", lambda bad: br.units.from_glmnet([[1.0], [2.0]], [1.0, 2.0], lam=bad)),
    "alpha": (
        "alpha",
        lambda bad: br.units.from_glmnet([[1.0], [2.0]], [1.0, 2.0], lam=1.0, alpha=bad),
    ),
    "family": (
        "family",
        lambda bad: br.units.from_glmnet([[1.0], [2.0]], [1.0, 2.0], lam=1.0, family=bad),
    ),
    "document": ("document", lambda bad: br.units.to_document(problem(), bad)),
}
ENDLESS = 10**400
# Python writes no such number out, as a message would.
UNWRITABLE = 10**5000
NUMBERED: dict[str, Callable[[Any], object]] = {
    "X": lambda bad: problem([[bad, 1], [2, 3]], [1.0, 2.0]),
    "y": lambda bad: problem(X, [bad, 1, 2, 3]),
    "weights": lambda bad: problem(weights=bad),
    "offset": lambda bad: problem(offset=[bad, 1, 2, 3]),
    "intercept": lambda bad: problem(intercept=bad),
    "standardize": lambda bad: problem(standardize=bad),
    "names": lambda bad: problem(names=[bad, 1]),
    "likelihood": lambda bad: problem(likelihood=bad),
    "sigma": br.Gaussian,
    "nu": lambda bad: br.StudentTNoise(bad, 1.0),
    "prior": lambda bad: problem(prior=[bad]),
    "scale": br.Laplace,
    "loc": lambda bad: br.Normal(1.0, loc=bad),
    "relative_to": lambda bad: br.Normal(1.0, relative_to=bad),
    "groups": lambda bad: br.GroupLaplace(1.0, groups=bad),
    "first_scale": lambda bad: br.priors.Fused(1.0, first_scale=bad),
    "nonnegative": lambda bad: br.Horseshoe(1.0, nonnegative=bad),
    "method": lambda bad: br.find_map(problem(), bad),
    "given": lambda bad: br.find_map(problem(**UNKNOWN), given=bad),
    "draws": lambda bad: sampled(draws=bad),
    "chains": lambda bad: sampled(chains=bad),
    "tune": lambda bad: sampled(tune=bad),
    "seed": lambda bad: sampled(seed=bad),
    "progress": lambda bad: sampled(progress=bad),
    "n_scales": lambda bad: br.map_path(problem(), n_scales=bad),
    "by": lambda bad: br.select_scale(problem(), by=bad),
    "folds": lambda bad: br.select_scale(problem(), folds=bad),
    "criteria": lambda bad: br.compare_criteria(problem(), bad),
    "unpenalised": lambda bad: formula(unpenalised=[bad]),
    "path": lambda bad: br.save_draws(sampled(), bad),
    "document": lambda bad: br.units.from_document(bad, X, Y),
    "numbers": lambda bad: br.units.from_numbers("glmnet gaussian", X, Y, {bad: 1.0}),
}


def model_of_no_regression() -> pm.Model:
    """Build a PyMC model without rows."""
    with pm.Model() as made:
        pm.Gamma("waiting", 2.0, 3.0)
    return made


STRAYS: dict[str, Row] = {
    **{
        f"{what} as {argument}": (partial(take, bad), Refused(f"{named}: "))
        for argument, (named, take) in TAKES.items()
        for what, bad in STRAY.items()
    },
    **{
        f"an intercept beyond double precision: {verb}": (
            partial(getattr(problem(), verb), [1.0, 2.0], ENDLESS),
            Refused("intercept: must be finite, found an integer beyond"),
        )
        for verb in ("objective", "loss", "penalised", "gradient", "predictor")
    },
    **{
        f"a number that cannot be written as {argument}": (
            partial(take, UNWRITABLE),
            Refused({"criteria": "by"}.get(argument, argument) + ": "),
        )
        for argument, take in NUMBERED.items()
    },
    "an intercept beyond double precision: certify": (
        lambda: br.certify(problem(), [1.0, 2.0], ENDLESS),
        Refused("intercept: must be finite"),
    ),
}

SAMPLING: dict[str, Row] = {
    "chains 0": (lambda: sampled(chains=0), Refused("chains: must be at least 1, found 0")),
    "one chain of one draw": (lambda: shape(sampled(chains=1, draws=1)), Gives((1, 1, 2))),
    "draws 0": (lambda: sampled(draws=0), Refused("draws: must be at least 1, found 0")),
    "draws negative": (lambda: sampled(draws=-5), Refused("draws: must be at least 1, found -5")),
    "draws fractional": (lambda: sampled(draws=2.5), Refused("draws: must be a whole number")),
    "draws without end": (lambda: sampled(draws=10**13), Refused("draws: .* GB; ask for fewer")),
    "tune 0": (lambda: sampled(tune=0), Refused("tune: must be at least 1, found 0")),
    "tune for ever": (lambda: sampled(tune=2**63), Refused("tune: must be at most")),
    "seed nothing": (lambda: shape(sampled(seed=None)), Gives((2, 2, 2))),
    "seed of 200 bits": (lambda: sampled(seed=2**200).attrs["seed"], Gives(str(2**200))),
    "seed a generator": (
        lambda: shape(sampled(seed=np.random.default_rng(1))),
        Gives((2, 2, 2)),
    ),
    "seed negative": (lambda: sampled(seed=-1), Refused("seed: must be None, a whole number")),
    "seed fractional": (lambda: sampled(seed=1.5), Refused("seed: must be None")),
    "seed text": (lambda: sampled(seed="a"), Refused("seed: must be None")),
    "seed a truth value": (lambda: sampled(seed=True), Refused("seed: must be None")),
    "seed of the old kind": (
        lambda: sampled(seed=np.random.RandomState(1)),
        Refused("seed: must be None"),
    ),
    "target_accept 1": (lambda: sampled(target_accept=1), Refused("target_accept: must lie")),
    "an unknown sampler": (
        lambda: sampled("gibs"),
        Refused("method: 'gibs' is not known; did you mean 'gibbs'. Valid: auto, exact"),
    ),
    "no closed form": (
        lambda: sampled("exact", of=problem(prior=br.Horseshoe(1.0))),
        Refused('prior: is Horseshoe.*use method="gibbs"', NoClosedForm),
    ),
    "noise far below the last digit of y": (
        lambda: sampled("gibbs", of=problem(X, Y * 1e12, likelihood=br.Gaussian(1e-145))),
        Refused("problem: draws of lp leave double precision; bring", SamplingFailed),
    ),
    "an objective beyond double precision": (
        lambda: problem(X * 1e140).objective([1e149, 0.0]),
        Gives(INF),
    ),
    "draws of a flat prior": (
        lambda: sampled(of=problem(**FLAT), prior=True),
        Refused("prior: is flat, so improper, on 'x0'"),
    ),
    "what is no problem": (lambda: br.sample(3), Refused("problem: must be .* found int")),
    "Ctrl-C": (lambda: shape(interrupted()), Warned("sampling was interrupted", (2, 2, 2))),
    "a killed worker": (killed, Refused("PyMC stopped: chain 1 failed$", SamplingFailed)),
    "divergences": (
        lambda: "diverg" in diagnosed(diverging=np.arange(2000).reshape(4, 500) % 7 == 0),
        Gives(value=True),
    ),
    "draws that are none": (lambda: br.diagnose(3), Refused("draws: must be a DataTree")),  # type: ignore[arg-type]
}

MODELS: dict[str, Row] = {
    "the model itself": (lambda: br.find_map(model()).coef, Gives((4 / 3, 1 / 6))),
    "an empty model": (
        lambda: br.find_map(bare(lambda: None)),
        Refused("model: has no free variable"),
    ),
    "nothing observed": (
        lambda: br.read_model(bare(lambda: pm.Normal("b"))),
        Refused("'model': has no observed variable", UnsupportedModel),
    ),
    "only data": (
        lambda: br.sample(bare(lambda: pm.Normal("y", observed=Y))),
        Refused("model: has no unknown variable"),
    ),
    "another prior": (
        lambda: br.read_model(model(lambda: pm.Gumbel("b", 0.0, 1.0, shape=2))),
        Refused("'b': its prior Gumbel is not supported yet", UnsupportedModel),
    ),
    "a scale below 0": (
        lambda: br.read_model(model(lambda: pm.Normal("b", 0.0, -1.0, shape=2))),
        Refused("'b': its scale must be positive", UnsupportedModel),
    ),
    "a discrete coefficient": (
        lambda: br.read_model(model(lambda: pm.Poisson("b", 1.0, shape=2))),
        Refused("'b': is a discrete unknown", UnsupportedModel),
    ),
    "a vector of unknown scales": (
        lambda: br.read_model(
            model(lambda: pm.Normal("b", 0.0, pm.HalfCauchy("t", 1.0, shape=2), shape=2))
        ),
        Refused("'t': is a vector of unknown values", UnsupportedModel),
    ),
    "another likelihood": (
        lambda: br.read_model(
            model(likelihood=lambda mu: pm.Gamma("y", mu=mu**2 + 1, sigma=1.0, observed=Y**2))
        ),
        Refused("'y': a Gamma likelihood is not supported yet", UnsupportedModel),
    ),
    "another link": (
        lambda: br.read_model(
            model(
                likelihood=lambda mu: pm.Bernoulli(
                    "y", p=pm.math.invprobit(mu), observed=BINARY.astype(int)
                )
            )
        ),
        Refused("'y': its link is not the canonical one", UnsupportedModel),
    ),
    "a predictor that bends": (
        lambda: br.read_model(model(likelihood=lambda mu: pm.Normal("y", mu**2, 1.0, observed=Y))),
        Refused("'b': the predictor must be linear", UnsupportedModel),
    ),
    "two likelihoods": (
        lambda: br.read_model(
            model(likelihood=lambda mu: [pm.Normal(k, mu, 1.0, observed=Y) for k in "yz"])
        ),
        Refused("'z': is one of several observed variables", UnsupportedModel),
    ),
    "a potential": (
        lambda: br.read_model(
            model(
                likelihood=lambda mu: [
                    pm.Normal("y", mu, 1.0, observed=Y),
                    pm.Potential("p", pt.as_tensor(1.0)),
                ]
            )
        ),
        Refused("'p': is a pm.Potential", UnsupportedModel),
    ),
    "missing data": (
        lambda: br.read_model(model(data=np.array([NAN, 1.0, 2.0, 3.0]))),
        Refused("variable '", UnsupportedModel),
    ),
    "a model's class": (lambda: br.find_map(pm.Model), Refused("problem: must be a bayesreg")),
    "a problem as a model": (lambda: br.read_model(problem()), Refused("model: must be a PyMC")),
}

FILES: dict[str, Row] = {
    "no file": (
        lambda: command("map", "--data", "nowhere.csv", "--target", "y"),
        Exits(2, "data: there is no file nowhere.csv"),
    ),
    "a directory": (
        lambda: command("map", "--data", "/", "--target", "y"),
        Exits(2, "data: / is a directory"),
    ),
    "an empty file": (lambda: of_file(""), Exits(2, "data: .* is empty")),
    "a header only": (lambda: of_file("a,y\n"), Exits(2, "data: .* has a header but no rows")),
    "ragged": (lambda: of_file("a,y\n1,2\n1,2,3,4\n"), Exits(2, "data: line 3 of .* has 4 fields")),
    "rows too short": (lambda: of_file("a,y\n1,2\n3\n4,5\n"), Exits(2, "data: .*'y' has missing")),
    "NA in a file": (lambda: of_file("a,y\n1,2\nNA,3\n4,4\n"), Exits(2, "data: .*'a' has missing")),
    "a byte-order mark": (lambda: of_file(b"\xef\xbb\xbf" + GOOD.encode()), FINE),
    "UTF-16": (lambda: of_file(GOOD.encode("utf-16")), FINE),
    "Latin 1": (
        lambda: of_file("größe,y\n1,2\n2,3\n".encode("latin-1")),
        Exits(2, "data: .*save it as .*UTF-8"),
    ),
    "semicolons": (lambda: of_file(GOOD.replace(",", ";")), FINE),
    "decimal commas": (lambda: of_file("a;b;y\n1,5;2,5;3\n1,6;1,5;4\n2,5;2,5;6\n"), FINE),
    "one thousand, or one and a half": (
        lambda: of_file("a;y\n1,500;2\n2,500;3\n"),
        Exits(2, "data: column 'a' holds '1,500'"),
    ),
    "no target": (
        lambda: of_file("alpha,effect\n1,2\n2,4\n3,1\n", target="efect"),
        Exits(2, "target: 'efect' is not known; did you mean 'effect'"),
    ),
    "numbers beyond double precision": (
        lambda: of_file("a,y\n1e400,2\n1,2\n2,5\n"),
        Exits(2, "data: contains infinite values, first at line 2 in column 'a'"),
    ),
    "UTF-32": (lambda: of_file(GOOD.encode("utf-32")), Exits(2, "data: .* is UTF-32, .*UTF-8")),
    "UTF-32, big end first": (
        lambda: of_file(b"\0\0\xfe\xff" + GOOD.encode("utf-32-be")),
        Exits(2, "data: .* is UTF-32, .* save it as UTF-8"),
    ),
    "NUL late in a file": (
        lambda: of_file("a,y\n" + "1,2\n" * 300_000 + "3,\0\n"),
        Exits(2, "data: .* holds NUL bytes"),
    ),
    "NUL in a file": (lambda: of_file(b"a,y\n1,\x002\n"), Exits(2, "data: .*NUL")),
    "a quote that never ends": (
        lambda: of_file('a,y\n"1,2\n2,3\n'),
        Exits(2, "data: a quote that opens below line 1 of .* is not closed; close it"),
    ),
    "a header with a name twice": (
        lambda: of_file("a,a,y\n1,2,3\n4,5,6\n"),
        Exits(2, "data: the header names 'a' more than once"),
    ),
    "names of a file equal to ours": (
        lambda: of_file(GOOD.replace("a,b", "sigma,chain")),
        FINE,
    ),
    "a name with a line break": (lambda: of_file(GOOD.replace("a,", '"a\nb",')), FINE),
    "no Parquet": (lambda: of_file(b"PAR1", name="x.parquet"), Exits(2, "data: .*Parquet")),
    "no place for an output": (
        lambda: command("compare", "--output", "/nowhere/x.html"),
        Exits(2, "output: there is no directory /nowhere"),
    ),
    "a full device": (
        lambda: br.save_draws(sampled(), "/dev/full"),
        Refused("path: /dev/full is not an ordinary file"),
    ),
    "a saved result cut short": (
        lambda: saved(lambda content: content[: len(content) // 2]),
        Refused("path: .*seal is missing"),
    ),
    "a saved result with another byte": (
        lambda: saved(lambda content: content[:900] + bytes([content[900] ^ 1]) + content[901:]),
        Refused("path: .* is damaged"),
    ),
    "a saved result that is none": (
        lambda: saved(lambda _content: b"\x80\x04]q\x00."),
        Refused("path: .*no NetCDF 4 file"),
    ),
}

# Beyond double precision where a platform's long doubles are longer; otherwise infinite already.
LONG_DOUBLES = pd.Series(
    [np.longdouble(10) ** 300 * np.longdouble(10) ** 300, *np.ones(3, np.longdouble)], dtype=object
)
KEYS = pd.Series([Decimal(2**60 + k) for k in range(4)], dtype=object)
TRIAL = pd.DataFrame({"y": Y, "x": X[:, 0], "g": list("abca"), "n": [1, 2, 1, 2]})


def formula(text: str = "y ~ x + C(g)", data: Any = TRIAL, **changes: Any) -> br.Problem:
    """Build the problem of a formula with changes."""
    arguments = {"likelihood": br.Gaussian(1.0), "prior": br.Laplace(1.0)} | changes
    return br.from_formula(text, data, **arguments)


def met(text: str = "y ~ x + C(g)", **columns: Any) -> tuple[float, ...]:
    """First new row, encoded."""
    encoding = formula(text).design.encoding
    assert encoding is not None
    return tuple(encoding.encode(TRIAL.assign(**columns)).X[0].tolist())


FORMULAS: dict[str, Row] = {
    "a number that became text": (
        lambda: met(x="high"),
        Refused(r"data: column 'x' held numbers before, found text \('high' in row 0\); convert"),
    ),
    "digits that became text": (
        lambda: met(x=["1", "2", "3", "4"]),
        Refused(r"data: column 'x' held numbers before, found text \('1' in row 0\)"),
    ),
    "text that became a number": (
        lambda: met(g=1),
        Refused(r"data: column 'g' held text before, found numbers \(1.0 in row 0\)"),
    ),
    "a level that is new": (
        lambda: met(g=["a", "a", "z", "b"]),
        Refused(r"data: column 'g' has levels .* before: 'z' \(first in row 2\); known are 'a'"),
    ),
    "a whole level that is new": (
        lambda: met("y ~ C(n)", n=3),
        Refused(r"data: C\(n\) has levels that were not seen before: 3 \(first in row 0\)"),
    ),
    "truth values for categories 0 and 1": (
        lambda: formula(
            "y ~ x + g", TRIAL.assign(g=pd.Categorical([1, 2, 1, 2]))
        ).design.encoding.encode(TRIAL.assign(g=pd.Categorical([2, True, 2, True], [2, True]))),  # type: ignore[union-attr]
        Refused(r"data: column 'g' has levels .* before: True \(first in row 1\); known are 1, 2"),
    ),
    "whole numbers that are no floats": (
        lambda: formula("y ~ C(n)", TRIAL.assign(n=2**60 + np.arange(4))),
        Refused("data: column 'n' holds whole numbers that floats cannot tell apart"),
    ),
    "decimals that are no floats": (
        lambda: formula("y ~ n", TRIAL.assign(n=KEYS)),
        Refused(r"data: column 'n' holds whole numbers .* tell apart \(Decimal.* in row 1\)"),
    ),
    "long doubles beyond floats": (
        lambda: formula("y ~ n", TRIAL.assign(n=LONG_DOUBLES)),
        Refused("formula: 'n' is infinite in 1 of 4 rows, first in row 0"),
    ),
    "long doubles beyond floats, without a formula": (
        lambda: br.Problem(
            pd.DataFrame({"n": LONG_DOUBLES}),
            Y,
            likelihood=br.Gaussian(1.0),
            prior=br.Laplace(1.0),
        ),
        Refused("X: contains infinite values, first at row 0 in column 'n'"),
    ),
    "a target that is no level": (
        lambda: formula("I(g == 'zz') ~ x"),
        Refused(
            "formula: its target .* is 0 in every row; the levels of 'g' are 'a', 'b', 'c'; compare"
        ),
    ),
    "a target that is always true": (
        lambda: formula("I(n > 0) ~ x"),
        Refused(r"formula: its target 'I\(n > 0\)' is 1 in every row; compare with another"),
    ),
    "a target of one value that compares nothing": (lambda: formula("I(0 * n) ~ x").n, Gives(4)),
    "a column that is empty throughout": (
        lambda: formula("y ~ x + n", TRIAL.assign(n=np.nan)),
        Refused("data: .*0 of 4 rows are complete: leave out 'n', empty throughout$"),
    ),
    "a number that is none, in many rows": (
        lambda: formula(
            "y ~ a", {"y": np.arange(20_001.0), "a": [*map(str, range(20_000)), "foo"]}
        ),
        Refused(r"data: column 'a' holds text \('foo' in row 20000\) among numbers \('0'\)"),
    ),
    "powers without end": (
        lambda: formula("y ~ (.)**9", TRIAL.assign(**{f"x{k}": 1.0 for k in range(40)})),
        Refused(
            r"formula: 'y ~ \(\.\)\*\*9' makes too many products of terms; write a lower power"
        ),
    ),
    "columns without end": (
        lambda: formula(
            "y ~ x + C(a):C(b)",
            {name: np.arange(4000.0) for name in "yxa"} | {"b": [f"b{k}" for k in range(4000)]},
        ),
        Refused(
            r"formula: 'C\(a\):C\(b\)' may make 16000000 columns of 4000 rows, and all terms "
            "together must make at most 50000; merge levels"
        ),
    ),
    "signs without end": (
        lambda: formula(f"y ~ I({'-' * 3000}x)"),
        Refused("formula: 'I.*…' is an expression of more than 100 levels"),
    ),
    "a column called None": (
        lambda: formula("y ~ .", pd.DataFrame({"y": Y, None: Y})),
        Refused("data: has a column without a name .None or NaN.; name it"),
    ),
    "truth values for numbers": (lambda: met(x=True), Gives((1.0, 0.0, 0.0))),
    "NaN in a new row": (lambda: met(x=NAN), Refused(r"data: missing values in 'x' \(4 of 4\)")),
    "the target on the right": (
        lambda: formula("y ~ x + log(y)"),
        Refused("formula: the target 'y' stands on the right side too, in 'log.y.'"),
    ),
    "a term taken away from none": (
        lambda: formula("y ~ -x"),
        Refused("formula: '-x' leaves no term .* write 1 for the intercept alone"),
    ),
    "an intercept alone": (lambda: formula("y ~ 1").names, Gives(())),
    "neither column nor intercept": (
        lambda: formula("y ~ 0"),
        Refused("formula: its right side has neither a column nor an intercept"),
    ),
    "an offset of no column": (
        lambda: formula("y ~ offset(1)"),
        Refused("formula: term offset.1. uses no column of the data"),
    ),
    "a coding that is none": (
        lambda: formula("y ~ C(g, 5)"),
        Refused("formula: 5 is no coding of categories"),
    ),
    "a spline too small": (
        lambda: formula("y ~ bs(x, df=1)"),
        Refused("formula: df in 'bs.x, df=1.' must be a whole number from 3"),
    ),
    "a polynomial of degree 0": (
        lambda: formula("y ~ poly(x, 0)"),
        Refused("formula: degree in 'poly.x, 0.' must be a whole number from 1"),
    ),
    "text with a level per row": (
        lambda: formula("y ~ g", {"y": np.arange(11.0), "g": [f"u{k}" for k in range(11)]}),
        Refused(
            r"data: column 'g' holds text of 11 levels in 11 rows \('u0', …\), .* "
            r"leave it out \('. - g'\) or write C\(g\) if these are categories"
        ),
    ),
    "text with a level per row, called categories": (
        lambda: len(
            formula("y ~ C(g)", {"y": np.arange(11.0), "g": [f"u{k}" for k in range(11)]}).names
        ),
        Gives(10),
    ),
    "one level only": (
        lambda: formula("y ~ g", TRIAL.assign(g="a")),
        Refused("formula: term 'g' makes no column of these data"),
    ),
    "levels that read alike": (
        lambda: formula("y ~ g", TRIAL.assign(g=pd.Categorical([1, "1", "a", "a"]))),
        Refused("data: 2 levels of 'g' read '1'; rename"),
    ),
    "labels in two orders": (
        lambda: formula("y ~ x", {"y": TRIAL["y"], "x": TRIAL["x"][::-1]}),
        Refused("data: the row labels of 'x' differ from those of 'y'; .* not re-align"),
    ),
    "unpenalised by the name of a column of the data": (
        lambda: formula(unpenalised=["g"]),
        Refused(r"unpenalised: 'g' is neither a term nor a column .* did you mean 'C\(g\)'"),
    ),
    "unpenalised by a number": (
        lambda: formula(unpenalised=3),
        Refused("unpenalised: must be a list of names of terms or columns, found 3"),
    ),
    "groups beside an unpenalised column": (
        lambda: formula(prior=lambda e: br.GroupLaplace(1.0, e.groups()), unpenalised="x").free,
        Gives((0,)),
    ),
    "scales of neither all columns nor the rest": (
        lambda: formula(prior=br.Laplace([1.0]), unpenalised="x"),
        Refused("prior: scale has 1 entries, but X has 3 columns, or 2 without the unpenalised"),
    ),
    "weights by no name": (
        lambda: formula(weights="nn"),
        Refused("weights: 'nn' is not known; did you mean 'n'"),
    ),
}

COMMAND: dict[str, Row] = {
    "--scale 0": (lambda: command("map", "--scale", "0"), Exits(2, "scale: must be positive")),
    "--scale nan": (lambda: command("map", "--scale", "nan"), Exits(2, "scale: must be finite")),
    "--scale 1e308": (lambda: command("map", "--scale", "1e308"), Exits(2, "scale: .*beyond")),
    "--scale text": (lambda: command("map", "--scale", "a"), Exits(2, "'--scale'")),
    "--scales 0": (lambda: command("path", "--scales", "0"), Exits(2, "scales: must be at")),
    "--draws 0": (lambda: command("sample", "--draws", "0"), Exits(2, "draws: must be at least 1")),
    "--seed -1": (lambda: command("sample", "--seed", "-1"), Exits(2, "seed: must be None")),
    "an unknown option": (lambda: command("map", "--scael", "1"), Exits(2, "--scael")),
    "an unknown command": (lambda: command("mapp"), Exits(2, "mapp.*Did you mean 'map'")),
    "an unknown gallery model": (
        lambda: command("map", "--model", "laso"),
        Exits(2, "model: 'laso' is not known; did you mean 'lasso'"),
    ),
    "--given without a number": (
        lambda: command("map", "--given", "scale=big"),
        Exits(2, "given: must be NAME=VALUE"),
    ),
    "--given of nothing known": (
        lambda: command("path", "--posterior", "--given", "tau=1"),
        Exits(2, "given: 'tau' is not known"),
    ),
    "a method for another posterior": (
        lambda: command("sample", "--method", "exact", "--model", "lasso_unknown_scale"),
        Exits(2, "prior: .*no closed form .*use --method gibbs"),
    ),
    "a failure": (lambda: stopped(NotConverged, "map"), Exits(1, "no luck")),
    "a fault of ours": (
        lambda: stopped(RuntimeError, "map"),
        Exits(1, "RuntimeError: no luck.*--debug"),
    ),
    "Ctrl-C in the command": (lambda: stopped(KeyboardInterrupt, "map"), Exits(130, "interrupted")),
}

TABLE: dict[str, Row] = {
    **SHAPES,
    **VALUES,
    **TYPES,
    **NAMES,
    **STRAYS,
    **PENALTIES,
    **PRIORS,
    **SAMPLING,
    **MODELS,
    **FILES,
    **FORMULAS,
    **COMMAND,
}
SECTIONS = (
    SHAPES,
    VALUES,
    TYPES,
    NAMES,
    STRAYS,
    PENALTIES,
    PRIORS,
    SAMPLING,
    MODELS,
    FILES,
    FORMULAS,
    COMMAND,
)

# "argument: what was found; what to do", on one line.
MESSAGE, LONGEST = re.compile(r"[^:\n]{1,60}: [^\n]+"), 400


def same(found: Any, expected: Any) -> bool:
    """Compare numbers to rounding, and anything else exactly."""
    if isinstance(expected, float | tuple) and not isinstance(found, str):
        value = np.asarray(found)
        if value.dtype.kind in "if":
            return bool(np.allclose(value, np.asarray(expected), rtol=1e-9, atol=1e-9))
    return bool(found == expected)


@contextlib.contextmanager
def nothing_else() -> Iterator[None]:
    """Make every warning an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.mark.parametrize("name", TABLE)
def test_answers(name: str) -> None:
    """Each case gets its answer, and nothing else happens."""
    act, answer = TABLE[name]
    match answer:
        case Refused(words, error):
            with nothing_else(), pytest.raises(error, match=f"^(variable )?{words}") as refusal:
                act()
            message = str(refusal.value)
            assert MESSAGE.fullmatch(message), message
            assert len(message) < LONGEST, message
        case Gives(value):
            with nothing_else():
                found = act()
            assert same(found, value), found
        case Warned(words, value):
            with pytest.warns(BayesregWarning, match=words) as given:
                found = act()
            assert [each.category for each in given] == [SamplingWarning]
            assert same(found, value), found
        case Exits(code, words):
            with nothing_else():
                found = act()
            assert isinstance(found, tuple)
            assert found[0] == code, found
            if code == 0:
                assert found[1] == ""
            else:
                assert re.fullmatch(f"bayesreg: .*{words}.*\n", found[1]), found
                assert len(found[1]) < LONGEST, found


def test_the_table_is_long_and_no_case_hides_another() -> None:
    """At least 120 rows; a name that two sections shared would lose a row."""
    assert len(TABLE) == sum(len(section) for section in SECTIONS)
    assert len(TABLE) >= 120
    refusals = [answer for _, answer in TABLE.values() if isinstance(answer, Refused)]
    assert len(refusals) >= 80
    assert all(re.match(r"('\w+'|[\w' ]+): |variable '", answer.words) for answer in refusals)


def test_debug_prints_the_traceback_above_the_line() -> None:
    """Of bad input and of a fault of ours; the last line is the message all the same."""
    for code, err in (
        command("map", "--scale", "0", "--debug"),
        stopped(RuntimeError, "map", "--debug"),
    ):
        assert code in (1, 2)
        assert "Traceback" in err
        assert err.splitlines()[-1].startswith("bayesreg: ")
