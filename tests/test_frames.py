"""Tables of every package make the problem that their numbers make."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse

import bayesreg as br
from bayesreg._frames import table_array, table_names
from bayesreg.errors import InputError
from bayesreg.estimators import MAPRegressor

RNG = np.random.default_rng(5)
X = np.column_stack([RNG.normal(size=(12, 2)), RNG.integers(0, 9, 12), RNG.random(12) < 0.5])
Y = RNG.normal(size=12)
NAMES = ("a", "b", "count", "flag")


def _pandas() -> pd.DataFrame:
    frame = pd.DataFrame(X, columns=list(NAMES))
    return frame.astype({"count": np.int32, "flag": bool})


FRAMES = {
    "pandas": _pandas(),
    "pandas, nullable": _pandas().convert_dtypes(),
    "pandas on Arrow": _pandas().convert_dtypes(dtype_backend="pyarrow"),
    "pandas, float": _pandas().astype(float),
    "polars": pl.from_pandas(_pandas()),
    "Arrow": pa.Table.from_pandas(_pandas()),
}
TARGETS = {
    "list": Y.tolist(),
    "pandas": pd.Series(Y),
    "polars": pl.Series(Y),
    "Arrow": pa.chunked_array([Y]),
    "polars frame": pl.DataFrame({"y": Y}),
}


def problem(rows: object, y: object = Y, **settings: Any) -> br.Problem:
    """Make a lasso."""
    return br.Problem(rows, y, likelihood=br.Gaussian(1.0), prior=br.Laplace(0.7), **settings)


@pytest.mark.parametrize("kind", FRAMES)
def test_every_frame_makes_the_problem_of_its_numbers(kind: str) -> None:
    """The same design and the same mode, bit by bit; the names are the frame's."""
    plain = problem(X, names=NAMES)
    framed = problem(FRAMES[kind])
    assert framed == plain
    assert framed.names == NAMES
    assert np.array_equal(framed.design.X, X)
    assert framed.design.X.flags.f_contiguous
    assert not framed.design.X.flags.writeable
    assert np.array_equal(br.find_map(framed).coef, br.find_map(plain).coef)


@pytest.mark.parametrize("kind", TARGETS)
def test_every_series_is_a_target_a_weight_and_an_offset(kind: str) -> None:
    """Bit by bit those of the list of its numbers."""
    assert problem(X, TARGETS[kind]) == problem(X)
    if kind != "polars frame":
        weights = {"list": list(Y**2), "pandas": pd.Series(Y**2), "polars": pl.Series(Y**2)}
        found = problem(
            X, weights=weights.get(kind, pa.chunked_array([Y**2])), offset=TARGETS[kind]
        )
        assert found == problem(X, weights=Y**2, offset=Y)


def test_a_sparse_matrix_stays_sparse() -> None:
    """It never meets narwhals."""
    made = problem(sparse.csr_array(X))
    assert made.design.sparse
    assert np.array_equal(made.design.X.toarray(), X)


def test_a_frame_is_copied() -> None:
    """Neither side can change the other."""
    frame = pd.DataFrame(X.copy(), columns=list(NAMES))
    made = problem(frame)
    frame.iloc[0, 0] = 99.0
    assert made.design.X[0, 0] == X[0, 0]


HOLES = {
    "pandas": pd.DataFrame({"a": [1.0, np.nan, 3.0], "b": [1.0, 2.0, 3.0], "c": [np.nan, None, 1]}),
    "nullable": pd.DataFrame(
        {
            "a": pd.array([1, None, 3], "Int64"),
            "b": [1, 2, 3],
            "c": pd.array([None, None, 1], "Float64"),
        }
    ),
    "booleans": pd.DataFrame(
        {"a": pd.array([True, None, False], "boolean"), "b": [1, 2, 3], "c": [None, None, True]}
    ),
    "polars": pl.DataFrame({"a": [1, None, 3], "b": [1, 2, 3], "c": [None, float("nan"), 1.0]}),
    "Arrow": pa.table({"a": [1, None, 3], "b": [1, 2, 3], "c": [None, None, 1.0]}),
    "objects": pd.DataFrame({"a": [1, pd.NA, 3], "b": [1, 2, 3], "c": [None, pd.NA, 2.5]}),
}


@pytest.mark.parametrize("kind", HOLES)
def test_missing_values_are_refused_by_column_and_count(kind: str) -> None:
    """In whichever way a package writes them."""
    message = (
        r"X: contains NaN \(missing values\), .*"
        r"\(missing: 'a' 1, 'c' 2; 1 of 3 rows are complete\); drop"
    )
    with pytest.raises(InputError, match=message):
        problem(HOLES[kind], [1.0, 2.0, 3.0])


DAYS = [dt.date(2020, 1, 1), dt.date(2020, 1, 2)]
UNION = pa.UnionArray.from_sparse(
    pa.array([0, 1], pa.int8()), [pa.array([1, 2]), pa.array([1.0, 2])]
)


REFUSED: dict[str, tuple[object, str]] = {
    "categories": (
        pd.DataFrame({"g": pd.Categorical(["a", "b"])}),
        "categories in column 'g'",
    ),
    "polars categories": (
        pl.DataFrame({"g": pl.Series(["a", "b"], dtype=pl.Categorical)}),
        "categories in column 'g', whose coding is not stated; name it in a formula",
    ),
    "polars enum": (
        pl.DataFrame({"g": pl.Series(["a", "b"], dtype=pl.Enum(["b", "a"]))}),
        "categories in column 'g'",
    ),
    "dictionary": (
        pa.table({"g": pa.array(["a", "b"]).dictionary_encode()}),
        "categories in column 'g'",
    ),
    "text": (pl.DataFrame({"x": [1, 2], "g": ["u", "v"]}), r"text \('u'\) in column 'g'"),
    "digits": (pd.DataFrame({"g": ["1", "2"]}), r"text \('1'\) in column 'g'; encode text"),
    "dates": (
        pd.DataFrame({"t": pd.to_datetime(["2020-01-01", "2020-01-02"])}),
        "dates or durations in column 't'",
    ),
    "polars durations": (
        pl.DataFrame({"t": [1, 2]}).select(pl.duration(days="t").alias("t")),
        "dates or durations in column 't'",
    ),
    "date32": (pa.table({"t": pa.array(DAYS, pa.date32())}), "dates or durations in column 't'"),
    "date64": (pa.table({"t": pa.array(DAYS, pa.date64())}), "dates or durations in column 't'"),
    "pandas date64": (
        pa.table({"t": pa.array(DAYS, pa.date64())}).to_pandas(types_mapper=pd.ArrowDtype),
        "dates or durations in column 't'",
    ),
    "dates of Python": (pd.DataFrame({"t": DAYS}), "dates or durations in column 't'"),
    "signalling": (
        pd.DataFrame({"d": [Decimal("sNaN"), 1]}, dtype=object),
        r"cannot be read as real numbers in column 'd' \(a decimal number is a signaling NaN\)",
    ),
    "union": (
        pa.table({"u": UNION}),
        "cannot be read as real numbers in column 'u' .*sparse_union",
    ),
    "complex": (pd.DataFrame({"z": [1j, 2.0]}), "complex numbers in column 'z'"),
    "lists": (pl.DataFrame({"v": [[1], [2]]}), "found lists or records in column 'v'"),
    "lazy": (pl.LazyFrame({"x": [1, 2]}), r"a lazy frame.*\.collect\(\)"),
    "twice": (pd.DataFrame([[1, 2], [3, 4]], columns=["x", "x"]), "columns of the same name"),
    "twice in Arrow": (
        pa.Table.from_arrays([pa.array([1, 2]), pa.array([3, 4])], names=["x", "x"]),
        "columns of the same name",
    ),
    "no rows": (pl.DataFrame({"x": []}, schema={"x": pl.Float64}), "no rows"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_number_is_refused_by_column(case: str) -> None:
    """With what was found and what to do."""
    rows, message = REFUSED[case]
    with pytest.raises(InputError, match=f"X: .*{message}"):
        problem(rows, [1.0, 2.0])


@pytest.mark.parametrize("case", [case for case in REFUSED if "date" in case])
def test_estimators_refuse_dates_before_they_are_counted(case: str) -> None:
    """In X and in y, when fitting and when predicting; formulas refuse them too."""
    rows: Any = REFUSED[case][0]
    with pytest.raises(InputError, match="X: found dates"):
        MAPRegressor(br.Normal(1.0)).fit(rows, [1.0, 2.0])
    with pytest.raises(InputError, match="y: found dates"):
        MAPRegressor(br.Normal(1.0)).fit([[1.0], [2.0]], rows["t"])
    fitted = MAPRegressor(br.Normal(1.0)).fit([[1.0], [2.0]], [1.0, 2.0])
    with pytest.raises(InputError, match="X: found dates"):
        fitted.predict(rows)
    data = {"t": rows["t"], "y": [1.0, 2.0]}
    with pytest.raises(InputError, match="data, column 't': found dates"):
        br.from_formula("y ~ t", data, likelihood=br.Gaussian(1.0), prior=br.Normal(1.0))


def test_numbers_of_unusual_types_are_numbers() -> None:
    """Decimals, small floats, sparse columns and names that are no text."""
    decimals = pl.DataFrame({"x": ["1.5", "2.25"]}).cast(pl.Decimal(10, 2))
    assert table_array(decimals, "X") == pytest.approx(np.array([[1.5], [2.25]]), rel=0)
    half = pd.DataFrame({0: np.array([1.5, 2.0], np.float16), 1: pd.arrays.SparseArray([0.0, 1.0])})
    assert np.array_equal(np.asarray(table_array(half, "X")), [[1.5, 0.0], [2.0, 1.0]])
    assert table_names(half) == ("0", "1")
    assert table_names(X) is None
    assert table_array([1.0], "X") is None


KEYS = [2**60 + 1, 2**60 + 2, 2**60 + 300, 2**60 + 1]
WHOLE: dict[str, object] = {
    "a list": KEYS,
    "beyond 64 bits": [key * 2**20 for key in KEYS],
    "pandas": pd.Series(KEYS),
    "pandas, below 0": -pd.Series(KEYS),
    "pandas, no sign": pd.Series(KEYS, dtype=np.uint64),
    "pandas, nullable": pd.Series(KEYS, dtype="Int64"),
    "pandas on Arrow": pd.Series(KEYS, dtype="int64[pyarrow]"),
    "pandas, objects": pd.Series(KEYS, dtype=object),
    "polars": pl.Series(KEYS),
    "polars, no sign": pl.Series(KEYS, dtype=pl.UInt64),
    "Arrow": pa.chunked_array([KEYS]),
}


@pytest.mark.parametrize("kind", WHOLE)
@pytest.mark.parametrize("term", ["u", "C(u)", "log(u)"])
def test_whole_numbers_are_never_merged(kind: str, term: str) -> None:
    """Floats hold those up to 2⁵³: two keys would become one category without a word."""
    keys = WHOLE[kind]
    message = rf"data: column 'u' holds whole numbers .* \(-?{2**60 + 1}.* row 0\); make it text"
    if kind == "beyond 64 bits":
        message = message.replace(str(2**60 + 1), str(2**20 * (2**60 + 1)))
    with pytest.raises(InputError, match=message):
        br.Encoding.of(f"y ~ {term}", {"y": [1.0, 2.0, 4.0, 3.0], "u": keys})


def test_whole_numbers_that_floats_hold_and_keys_made_text_are_kept() -> None:
    """As numbers, as categories, and with all categories told apart."""
    held = [2**53, -(2**62), 2**53 - 1, 3]
    data = {"y": [1.0, 2.0, 4.0, 3.0], "u": held, "t": list(map(str, KEYS))}
    assert br.Encoding.of("y ~ u", data).encode(data).X[:, 0].tolist() == held
    assert len(br.Encoding.of("y ~ C(u)", data).names) == 3
    assert len(br.Encoding.of("y ~ t", data).names) == 2


WIDE: dict[str, tuple[list[Any], Any]] = {
    "64 bits": ([2**53 + 1, 2**53 + 3, 2**62 + 1, -(2**63) + 1, None, 5], pa.int64()),
    "64 bits without a sign": ([2**64 - 1, 2**63 + 1025, 2**53 + 1, 0, None, 5], pa.uint64()),
    "decimals": ([Decimal("0.0006144012345678901") * k for k in (1, 3, -7)], pa.decimal128(38, 25)),
    "long decimals": ([Decimal(10**40 + k) for k in (1, 2, 3)], pa.decimal256(60, 10)),
}


@pytest.mark.parametrize("case", WIDE)
def test_numbers_that_floats_do_not_hold_are_rounded_as_numpy_does(case: str) -> None:
    """To the nearest float, to the bit, whatever package has them; what is missing is NaN."""
    values, dtype = WIDE[case]
    wanted = [np.nan if value is None else float(value) for value in values]
    arrow = pa.array(values, type=dtype)
    tables = {
        "Arrow": pa.table({"x": arrow}),
        "Arrow, in chunks": pa.table({"x": pa.chunked_array([arrow[:2], arrow[2:]])}),
        "pandas on Arrow": pd.DataFrame({"x": pd.Series(arrow, dtype=pd.ArrowDtype(dtype))}),
    }
    if "long" not in case:
        tables["polars"] = pl.from_arrow(pa.table({"x": arrow}))
    if "decimals" not in case:
        tables["pandas"] = pd.DataFrame({"x": pd.array(values)})
    for name, table in tables.items():
        found = table_array(table, "X")
        assert found is not None
        np.testing.assert_array_equal(found[:, 0], wanted, err_msg=name)


def test_random_decimals_of_arrow_are_those_of_python() -> None:
    """Arrow's own conversion is off by a last digit in one of twenty-five."""
    rng = np.random.default_rng(0)
    whole = rng.integers(-(10**17), 10**17, 500).tolist()
    values = [
        Decimal(k).scaleb(-int(s)) for k, s in zip(whole, rng.integers(0, 18, 500), strict=True)
    ]
    table = pa.table({"x": pa.array(values, type=pa.decimal128(38, 18))})
    found = table_array(table, "X")
    assert found is not None
    assert found[:, 0].tolist() == [float(value) for value in values]


@pytest.mark.parametrize("dtype", [pl.Int128, pl.UInt128])
def test_whole_numbers_of_128_bits(dtype: Any) -> None:
    """As NumPy makes floats of Python's."""
    values = [2**100 + 1, 2**53 + 1, 2**53 + 3, 5]
    found = table_array(pl.DataFrame({"x": pl.Series(values, dtype=dtype)}), "X")
    assert found is not None
    assert found[:, 0].tolist() == [float(value) for value in values]


def test_rows_with_other_labels_are_not_aligned() -> None:
    """Whichever of the two frames of pandas it is."""
    frame = _pandas()
    with pytest.raises(InputError, match="y: its row labels differ"):
        problem(frame, pd.Series(Y, index=range(12, 0, -1)))
