"""Formulas: the encoded columns, the same columns of new rows, and what a formula may not say."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import BSpline

import bayesreg as br
from bayesreg.errors import InputError

RNG = np.random.default_rng(11)
N = 30
DATA = pd.DataFrame(
    {
        "y": RNG.normal(size=N),
        "x": RNG.normal(size=N),
        "age": RNG.uniform(20, 70, N),
        "g": RNG.permutation(np.repeat(["a", "b", "c"], N // 3)),
        "year": np.tile([2019, 2021, 2020], N // 3),
        "flag": RNG.random(N) < 0.5,
        "time": RNG.uniform(1, 5, N),
        "a b": RNG.normal(size=N),
        "size": pd.Categorical(
            RNG.permutation(np.repeat(["small", "large"], N // 2)), ["small", "large", "huge"]
        ),
    }
)
EVERYTHING = (
    "y ~ x + C(g) + bs(age, df=5) + C(year, contr.sum) + flag + size + center(`a b`):x "
    "+ I(x**2 / 3) + poly(age, 2) + standardize(time) + g:x + offset(log(time))"
)


def encoded(formula: str, data: object = DATA) -> np.ndarray[Any, Any]:
    """Return the columns of a formula."""
    return br.Encoding.of(formula, data).encode(data).X


def dummies(name: str, *levels: object) -> list[np.ndarray[Any, Any]]:
    """Return indicator columns by hand."""
    return [(DATA[name] == level).to_numpy(float) for level in levels]


X, G = DATA["x"].to_numpy(), np.column_stack(dummies("g", "b", "c"))

BY_HAND: dict[str, tuple[str, list[np.ndarray[Any, Any]]]] = {
    "numbers": ("y ~ x + flag", [X, DATA["flag"].to_numpy(float)]),
    "treatment": ("y ~ g + x", [*dummies("g", "b", "c"), X]),
    "other base": (
        "y ~ C(g, contr.treatment(base='b'))",
        dummies("g", "a", "c"),
    ),
    "no intercept": ("y ~ 0 + g", dummies("g", "a", "b", "c")),
    "all levels": ("y ~ C(g, spans_intercept=False)", dummies("g", "a", "b", "c")),
    "sums": (
        "y ~ C(year, Sum)",
        [
            a - b
            for a, b in zip(dummies("year", 2019, 2020), dummies("year", 2021) * 2, strict=True)
        ],
    ),
    "declared order": ("y ~ size", dummies("size", "large")),
    "interaction": ("y ~ x + x:g", [X, X * G[:, 0], X * G[:, 1]]),
    "arithmetic": ("y ~ I(2*x + 1) + log(age)", [2 * X + 1, np.log(DATA["age"].to_numpy())]),
    "comparison": (
        "y ~ I((x > 0) & (g != 'a'))",
        [np.asarray((X > 0) & (DATA["g"] != "a"), float)],
    ),
    "numpy's name": ("y ~ np.sqrt(age)", [np.sqrt(DATA["age"].to_numpy())]),
    "centred": ("y ~ center(x)", [X - X.mean()]),
    "standardised": ("y ~ standardize(x)", [(X - X.mean()) / X.std()]),
    "scaled": ("y ~ scale(x)", [(X - X.mean()) / X.std(ddof=1)]),
    "powers": ("y ~ poly(x, 2, raw=True)", [X, X**2]),
    "backticks": (
        "y ~ `a b` + log(`age`)",
        [DATA["a b"].to_numpy(), np.log(DATA["age"].to_numpy())],
    ),
    "all others": (
        "y ~ . - g - year - size - age - time",
        [X, DATA["flag"].to_numpy(float), DATA["a b"].to_numpy()],
    ),
}


@pytest.mark.parametrize("case", BY_HAND)
def test_columns_are_those_made_by_hand(case: str) -> None:
    """Each kind of term beside its definition."""
    formula, columns = BY_HAND[case]
    assert encoded(formula) == pytest.approx(np.column_stack(columns), rel=1e-13, abs=1e-13)


def test_a_spline_is_the_b_spline_of_scipy() -> None:
    """Inner knots at quantiles; the first function goes to the intercept."""
    age = DATA["age"].to_numpy()
    inner = np.quantile(age, [1 / 3, 2 / 3])
    knots = np.concatenate([[age.min()] * 4, inner, [age.max()] * 4])
    basis = BSpline.design_matrix(age, knots, 3).toarray()
    assert encoded("y ~ bs(age, df=5)") == pytest.approx(basis[:, 1:], abs=1e-12)


KINDS: dict[str, Any] = {
    "polars": pl.from_pandas(DATA).with_columns(pl.col("size").cast(pl.Enum(["small", "large"]))),
    "Arrow": pa.Table.from_pandas(DATA),
    "nullable": DATA.convert_dtypes(),
    "arrays": {name: DATA[name].to_numpy() for name in DATA if name != "size"}
    | {"size": DATA["size"]},
    "labelled rows": DATA.set_axis(range(5, 5 + N), axis=0),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_package_makes_the_same_columns(kind: str) -> None:
    """Bit by bit, names among them; and what one learnt encodes the rows of the other."""
    one, two = br.Encoding.of(EVERYTHING, DATA), br.Encoding.of(EVERYTHING, KINDS[kind])
    rows, others = one.encode(DATA), two.encode(KINDS[kind])
    assert two.names == one.names
    assert np.array_equal(others.X, rows.X)
    assert np.array_equal(one.encode(KINDS[kind]).X, rows.X)
    assert np.array_equal(others.offset, rows.offset)
    assert np.array_equal(two.response(KINDS[kind]), DATA["y"].to_numpy())


@cache
def everything_of_data() -> tuple[br.Encoding, Any]:
    """Return the encoding, and all rows encoded."""
    encoding = br.Encoding.of(EVERYTHING, DATA)
    return encoding, encoding.encode(DATA)


@settings(max_examples=10)
@given(st.lists(st.integers(0, N - 1), min_size=1, max_size=6))
def test_rows_are_encoded_alike_alone_and_in_company(rows: list[int]) -> None:
    """Knots, means, levels and polynomials are those of the first data, whatever the new ones."""
    encoding, everything = everything_of_data()
    some = encoding.encode(DATA.iloc[rows].drop(columns="y"))
    assert np.array_equal(some.X, everything.X[rows])
    assert np.array_equal(some.offset, everything.offset[rows])


def test_a_problem_of_a_formula_is_the_problem_of_its_columns() -> None:
    """With its intercept, offset, weights, prior by terms, and predictions of new rows."""
    problem = br.from_formula(
        "y ~ x + C(g) + offset(log(time))",
        DATA,
        likelihood=br.Gaussian(0.8),
        prior=[(br.Laplace(0.3), ["C(g)"]), (br.Normal(2.0), ["x"])],
        weights="age",
        offset="a b",
        standardize=True,
    )
    by_hand = br.Problem(
        np.column_stack([X, G]),
        DATA["y"],
        likelihood=br.Gaussian(0.8),
        prior=[(br.Laplace(0.3), [1, 2]), (br.Normal(2.0), [0])],
        names=["x", "C(g)[T.b]", "C(g)[T.c]"],
        weights=DATA["age"],
        offset=np.log(DATA["time"]) + DATA["a b"],
        standardize=True,
    )
    assert problem == by_hand
    fit = br.find_map(problem)
    new = problem.design.encoding
    assert new is not None
    eta = fit.intercept + new.encode(DATA.iloc[:4]).X @ fit.coef
    assert eta == pytest.approx(fit.intercept + np.column_stack([X, G])[:4] @ fit.coef, rel=1e-12)


def test_intercept_groups_and_what_is_not_penalised() -> None:
    """Said by the formula, by a function of the encoding, and by names of terms."""
    grouped = br.from_formula(
        "y ~ 0 + x + C(g) + bs(age, df=4)",
        DATA,
        likelihood=br.Gaussian(1.0),
        prior=lambda e: br.GroupLaplace(1.0, groups=e.groups()),
    )
    assert not grouped.design.intercept
    assert isinstance(grouped.prior, br.GroupLaplace)
    assert grouped.prior.groups == ((0,), (1, 2, 3), (4, 5, 6, 7))
    free = br.from_formula(
        "y ~ x + C(g) + age",
        DATA,
        likelihood=br.Gaussian(1.0),
        prior=br.Laplace(0.5),
        unpenalised=["C(g)", "age"],
    )
    assert free.design.intercept
    assert free.free == (1, 2, 3)
    encoding = br.Encoding.of("y ~ x", DATA)
    assert br.from_formula(encoding, DATA, likelihood=br.Gaussian(1.0), prior=br.Flat()).p == 1
    flat = br.from_formula(
        encoding, DATA, likelihood=br.Gaussian(1.0), prior=br.Laplace(1.0), unpenalised="x"
    )
    assert flat.free == (0,)
    assert encoding.columns("x") == ["x"]
    with pytest.raises(InputError, match=r"columns: 'C\(g\)' is neither a term nor a column"):
        encoding.columns("C(g)")


def test_an_intercept_alone_is_asked_for_by_1() -> None:
    """With an offset it is implied; a change may be explained by where it started."""
    for formula in ("y ~ 1", "y ~ 1 + offset(x)", "y ~ offset(x)"):
        problem = br.from_formula(formula, DATA, likelihood=br.Gaussian(1.0), prior=br.Flat())
        rows = DATA["y"] - (DATA["x"] if "offset" in formula else 0.0)
        assert br.find_map(problem).intercept == pytest.approx(rows.mean(), rel=1e-12)
    assert br.Encoding.of("I(y - x) ~ x", DATA).names == ("x",)


def test_weights_and_offsets_named_are_no_predictors() -> None:
    """The dot leaves them out."""
    data = DATA[["y", "x", "age", "time"]]
    problem = br.from_formula(
        "y ~ .",
        data,
        likelihood=br.Gaussian(1.0),
        prior=br.Flat(),
        weights="age",
        offset="time",
    )
    assert problem.names == ("x",)
    with pytest.raises(InputError, match="weights: column 'g' holds no numbers"):
        br.from_formula("y ~ x", DATA, likelihood=br.Gaussian(1.0), prior=br.Flat(), weights="g")


def test_a_binary_target_may_be_a_comparison() -> None:
    """Of a column of text."""
    problem = br.from_formula(
        "I(g == 'b') ~ x", DATA, likelihood=br.Bernoulli(), prior=br.Normal(1.0)
    )
    assert np.array_equal(problem.design.y, G[:, 0])
    assert problem.design.encoding is not None
    assert problem.design.encoding.target == "I(g == 'b')"


def test_whole_numbers_do_not_overflow_and_keep_their_names() -> None:
    """Arithmetic is in floats; a level is called 2020, not 2020.0; unseen declared levels go."""
    data = {"y": [1.0, 2.0, 3.0], "k": np.array([3_000_000_000, 2, 5])}
    assert encoded("y ~ I(k**3)", data)[0, 0] == 2.7e28
    assert br.Encoding.of("y ~ C(k)", data).names == ("C(k)[T.5]", "C(k)[T.3000000000]")
    assert br.Encoding.of("y ~ size", DATA).levels == {"size": ("small", "large")}


HOLE: Any = None
NEW: dict[str, tuple[pd.DataFrame, str]] = {
    "missing columns": (
        DATA.drop(columns=["x", "age"]),
        "lacks 'x', 'age', which the formula needs",
    ),
    "renamed": (DATA.rename(columns={"age": "agee"}), "lacks 'age'.*did you mean 'agee'"),
    "levels": (
        DATA.assign(g=["a", "z"] * (N // 2)),
        r"column 'g' has levels .* before: 'z' \(first in row 1\); known are 'a', 'b', 'c'",
    ),
    "whole numbers": (
        DATA.assign(year=[2019] * (N - 1) + [1999]),
        r"C\(year\) has levels .*: 1999 \(first in row 29\); known are 2019, 2021, 2020",
    ),
    "no text": (DATA.assign(g=1.0), r"'g' held text before, found numbers \(1.0 in row 0\)"),
    "no number": (
        DATA.assign(x="high"),
        r"'x' held numbers before, found text \('high' in row 0\); convert it",
    ),
    "a number as text": (
        DATA.assign(age=DATA["age"].astype(str)),
        r"'age' held numbers before, found text \('",
    ),
    "dates": (DATA.assign(x=pd.to_datetime("2020-01-01")), "'x': found dates or durations"),
    "nothing": (DATA.assign(x=None), r"missing values in 'x' \(30 of 30\)"),
    "holes": (
        DATA.assign(x=[np.nan] * 2 + [1.0] * (N - 2), g=["", *["a"] * (N - 1)]).replace(
            {"g": ""}, None
        ),
        r"missing values in 'x' \(2 of 30\), 'g' \(1 of 30\)",
    ),
    "outside of the knots": (DATA.assign(age=99.0), r"bs\(age, df=4\) is given 99 in row 0"),
    "logarithm": (
        DATA.assign(time=[-1.0, 0.0, *[1.0] * (N - 2)]),
        r"'offset\(log\(time\)\)' is NaN in 2 of 30 rows, first in row 0",
    ),
    "no rows": (DATA.iloc[:0], "has no rows"),
}


@pytest.mark.parametrize("case", NEW)
def test_new_rows_that_do_not_fit_are_refused_by_name(case: str) -> None:
    """Never encoded as something else."""
    data, message = NEW[case]
    encoding = br.Encoding.of("y ~ x + C(g) + C(year) + bs(age, df=4) + offset(log(time))", DATA)
    with pytest.raises(InputError, match=message):
        encoding.encode(data)


def test_truth_values_are_numbers_and_numbers_may_be_truth_values() -> None:
    """Of 0 and 1; a category of truth values is met by no other number."""
    data = {"y": [1.0, 2.0, 4.0], "flag": [True, False, True], "x": [0.0, 1.0, 3.0]}
    encoding = br.Encoding.of("y ~ C(flag) + x", data)
    met = encoding.encode({"flag": [1, 0], "x": [True, False]})
    assert np.array_equal(met.X, [[1.0, 1.0], [0.0, 0.0]])
    with pytest.raises(InputError, match=r"'flag' held truth values .* numbers \(2.0 in row 1\)"):
        encoding.encode({"flag": [1, 2], "x": [1.0, 2.0]})
    with pytest.raises(InputError, match="'flag' held truth values before, found text"):
        encoding.encode({"flag": ["yes"], "x": [1.0]})


def test_single_rows_of_powers_and_of_whole_levels_are_encoded() -> None:
    """What the first data told apart need not be told apart again."""
    data = {"y": [1.0, 2.0, 4.0], "x": [1.0, 2.0, 3.5]}
    encoding = br.Encoding.of("y ~ poly(x, 2, raw=True) + C(x)", data)
    assert np.array_equal(encoding.encode({"x": [2.0]}).X, [[2.0, 4.0, 1.0, 0.0]])
    with pytest.raises(InputError, match=r"C\(x\) has levels .*: 2.5 .* known are 1.0, 2.0, 3.5"):
        encoding.encode({"x": [2.5]})


def test_a_target_of_new_rows_is_what_it_was() -> None:
    """Text is refused by name."""
    with pytest.raises(InputError, match=r"'y' held numbers before, found text \('a' in row 0\)"):
        br.Encoding.of("y ~ x", DATA).response(DATA.assign(y="a"))


WRONG: dict[str, str] = {
    "y ~ x + zz": "'zz' is not known",
    "y ~ log(agee)": "'agee' is not known; did you mean 'age'",
    "y ~ `a c`": "'a c' is not known; did you mean 'a b'",
    "y ~ `a b": "opened and not closed",
    "~ x": "names no target",
    "x + g": "names no target",
    "": "names no target",
    "y ~ 0": "neither a column nor an intercept",
    "y ~ (1 | g)": "'|' has no meaning here",
    "y ~ x +": "cannot be read",
    "y ~ (x": "cannot be read",
    "g ~ x": "its target 'g' must be one column of numbers",
    "y + x ~ age": r"its target 'y \+ x' must be one column",
    "y ~ offset(g)": "must be one column of numbers, and a term by itself",
    "y ~ x:offset(age)": "must be one column of numbers, and a term by itself",
    "y ~ log(g)": r"cannot be evaluated on these data \(.*\); 'g' is text, not numbers; change",
    "y ~ log(x)": r"'log\(x\)' is NaN in",
    "y ~ C(g, levels=['a', 'b'])": r"the levels of C\(g\) lack 'c' \(first in row",
    "y ~ C(g, 5)": "5 is no coding of categories, which C takes second; write contr.treatment",
    "y ~ C(g, 'b')": r"'b' is no coding .* as in C\(g, contr.treatment\(base='b'\)\)",
    "y ~ y": "the target 'y' stands on the right side too, in 'y', and would explain itself",
    "y ~ x + y": "the target 'y' stands on the right side too, in 'y'",
    "y ~ log(y) + x": r"the target 'y' stands on the right side too, in 'log\(y\)'",
    "y ~ x + g:y": "the target 'y' stands on the right side too, in 'g:y'",
    "y ~ x + offset(y)": r"the target 'y' stands on the right side too, in 'offset\(y\)'",
    "log(`a b`) ~ x + `a b`": r"the target 'log\(a b\)' stands on the right side too, in 'a b'",
    "I(y - x) ~ x + y": r"the target 'I\(y - x\)' stands on the right side too",
    "1 ~ x": "its target '1' uses no column of the data",
    "y ~ -x": "'-x' leaves no term .*write 1 for the intercept alone",
    "y ~": "'' leaves no term",
    "y ~ x - x": "'x - x' leaves no term",
    "y ~ offset(1)": r"term offset\(1\) uses no column of the data",
    "y ~ x + I(2)": r"term I\(2\) uses no column of the data",
    "y ~ bs(age, df=1)": r"df in 'bs\(age, df=1\)' must be a whole number from 3 to 1000, found 1",
    "y ~ bs(age, 4, degree=5)": "df in .* must be a whole number from 5",
    "y ~ bs(age, df='a')": "df in .* must be a whole number from 3 to 1000, found 'a'",
    "y ~ cr(age, df=1)": "df in .* must be a whole number from 2",
    "y ~ poly(x, 0)": r"degree in 'poly\(x, 0\)' must be a whole number from 1 to 1000, found 0",
    "y ~ poly(x, 2.5)": "degree in .* found 2.5",
    "y ~ poly(x, -1)": "degree in .* found -1",
    "y ~ poly(year, 3)": "poly of degree 3 needs more than 3 different values, found 3",
    "y ~ C(x > -99)": r"term 'C\(x > -99\)' makes no column of these data .a single level has none",
    'y ~ I(g == "it\'s")': "holds a quotation mark",
    "y ~ I(x * (1 << 10**9))": r"'<<' in 'I\(x \* \(1 << 10\*\*9\)\)' is not allowed",
    "y ~ I(x @ x)": "'@' in .* is not allowed",
    "y ~ I(not x)": "'not' in .* is not allowed",
    "y ~ I(x in x)": "'in' in .* is not allowed",
    "y ~ x\\n": "holds a backslash",
    "y ~ x\0": "holds a backslash or a control character",
    "y ~ log": "'log' is not known",
}


@pytest.mark.parametrize("formula", WRONG)
def test_wrong_formulas_are_refused_in_words(formula: str) -> None:
    """One line each, the argument first."""
    with pytest.raises(InputError, match=WRONG[formula]) as caught:
        br.Encoding.of(formula, DATA)
    assert str(caught.value).startswith(("formula: ", "data: "))
    assert "\n" not in str(caught.value)


BAD_DATA: dict[str, tuple[object, str]] = {
    "array": (np.ones((3, 2)), "must be a frame .* found ndarray"),
    "uneven": ({"y": [1.0], "x": [1.0, 2.0]}, "cannot be read as columns"),
    "lazy": (pl.LazyFrame({"y": [1.0]}), "is a lazy frame"),
    "mixed": (
        {"y": [1.0, 2.0], "x": [1, "b"]},
        r"column 'x' mixes text \('b' in row 1\) with others \(1\); make all of them text, or none",
    ),
    "lists": (pl.DataFrame({"y": [1.0], "x": [[1.0]]}), "column 'x': found lists or records"),
    "arrays": (
        pl.DataFrame({"y": [1.0], "x": [[1.0]]}, schema_overrides={"x": pl.Array(pl.Float64, 1)}),
        "column 'x': found lists or records; give each of their entries a column",
    ),
    "records": (pa.table({"y": [1.0], "x": [{"a": 1}]}), "column 'x': found lists or records"),
    "labels in two orders": (
        {"y": pd.Series([1.0, 2.0], [1, 0]), "x": pd.Series([1.0, 2.0], [0, 1])},
        "row labels of 'x' differ from those of 'y'; bayesreg does not re-align rows",
    ),
    "one wrong cell": (
        {"y": [1.0, 2.0, 3.0], "x": ["1.5", "2,5", "two"]},
        r"column 'x' holds text \('two' in row 2\) among numbers \('1.5'\); mend it, or .* C\(x\)",
    ),
    "one level": ({"y": [1.0, 2.0], "x": ["a", "a"]}, "term 'x' makes no column of these data"),
    "a number and its digits": (
        pd.DataFrame({"y": [1.0, 2.0, 3.0], "x": pd.Categorical([1, "1", "a"])}),
        "2 levels of 'x' read '1'; rename all but one",
    ),
    "dates": (
        pd.DataFrame({"y": [1.0, 2.0], "x": pd.to_datetime(["2020-01-01"] * 2)}),
        "column 'x': found dates or durations",
    ),
    "holes": ({"y": [1.0, None], "x": ["a", None]}, r"'y' \(1 of 2\), 'x' \(1 of 2\)"),
}


@pytest.mark.parametrize("case", BAD_DATA)
def test_data_that_are_none_are_refused(case: str) -> None:
    """With the column, where it is one."""
    data, message = BAD_DATA[case]
    with pytest.raises(InputError, match=rf"^(data|formula).*{message}"):
        br.Encoding.of("y ~ x", data)


def test_numbers_may_be_categories_where_that_is_said() -> None:
    """By C, by the type of the column, or by all cells being text."""
    codes = ["1", "2", "3+", "1"]
    y = [1.0, 2.0, 3.0, 5.0]
    assert br.Encoding.of("y ~ C(x)", {"y": y, "x": codes}).names == ("C(x)[T.2]", "C(x)[T.3+]")
    for column in (pd.Categorical(codes), pl.Series(codes, dtype=pl.Categorical)):
        assert br.Encoding.of("y ~ x", {"y": y, "x": column}).names == ("x[T.2]", "x[T.3+]")
    declared = pl.Series(codes, dtype=pl.Enum(["3+", "2", "1"]))
    assert br.Encoding.of("y ~ x", {"y": y, "x": declared}).names == ("x[T.2]", "x[T.1]")
    assert br.Encoding.of("y ~ x", {"y": y, "x": list("1231")}).names == ("x[T.2]", "x[T.3]")


def test_only_the_columns_that_a_formula_uses_matter() -> None:
    """Dates and holes elsewhere are nobody's business."""
    data = DATA.assign(when=pd.to_datetime("2020-01-01"), hole=np.nan)
    assert np.array_equal(encoded("y ~ x", data)[:, 0], X)


def test_an_encoding_prints_its_terms_and_levels() -> None:
    """What the columns are, in words."""
    text = str(br.Encoding.of("y ~ x + C(g)", DATA))
    assert text.splitlines() == [
        "y ~ x + C(g)",
        "  intercept: yes",
        "  x: x",
        "  C(g): C(g)[T.b], C(g)[T.c]",
        "  levels of g: a, b, c",
    ]


BEYOND = {
    "bs(age, df=4)": r"bs\(age, df=4\) is given 200 in row 1, outside 20 … 80 of the rows that it "
    r"was learnt from; write bs\(age, df=4, extrapolation='clip'\), or drop such rows",
    "cr(age, df=3, extrapolation='raise')": r"write cr\(age, df=3, extrapolation='clip'\)",
    "bs(`my age`, df=4, upper_bound=90):age": r"bs\(`?my age`?, df=4, upper_bound=90\) is given "
    "200 in row 1, outside its bounds 20 … 90",
}


@pytest.mark.parametrize("term", BEYOND)
def test_a_value_beyond_the_bounds_of_a_spline_is_named(term: str) -> None:
    """With the bounds and what to write, in no words of formulaic's."""
    age = np.linspace(20.0, 80.0, 12)
    encoding = br.Encoding.of(f"y ~ {term}", {"y": np.sin(age), "age": age, "my age": age})
    with pytest.raises(InputError, match=BEYOND[term]) as refusal:
        encoding.encode({"age": [30.0, 200.0], "my age": [30.0, 200.0]})
    assert "evaluate" not in str(refusal.value)


def test_rows_always_have_an_offset_and_a_problem_only_where_it_was_asked_for() -> None:
    """Zeros without one, so that intercept + X coef + offset is the predictor either way."""
    problem = br.from_formula("y ~ x", DATA, likelihood=br.Gaussian(1.0), prior=br.Laplace(1.0))
    encoding = problem.design.encoding
    assert encoding is not None
    assert not encoding.has_offset
    assert problem.design.offset is None
    new, coef = encoding.encode(DATA), np.array([2.0])
    assert np.array_equal(new.offset, np.zeros(N))
    assert not new.offset.flags.writeable
    np.testing.assert_array_equal(0.5 + new.X @ coef + new.offset, problem.predictor(coef, 0.5))
    assert br.Encoding.of("y ~ x + offset(age)", DATA).has_offset


def test_categories_of_arrow_in_pandas_are_those_of_its_tables() -> None:
    """A dictionary: its values, in its order; new rows are encoded by it too."""
    values = pa.array([0, 1, 2] * (N // 3), pa.int8())
    coded = pa.DictionaryArray.from_arrays(values, pa.array(["c", "a", "b"]))
    table = pa.table({"g": coded, "y": DATA["y"]})
    framed = table.to_pandas(types_mapper=pd.ArrowDtype)
    assert isinstance(framed["g"].dtype, pd.ArrowDtype)
    plain, found = (br.Encoding.of("y ~ g", data) for data in (table, framed))
    assert found.names == plain.names == ("g[T.a]", "g[T.b]")
    assert np.array_equal(found.encode(framed[:5]).X, plain.encode(table).X[:5])


@pytest.mark.parametrize("origin", [0.0, 2000.0, 1.7e12, 1e15, -1e15])
def test_polynomials_are_orthonormal_wherever_their_column_lies(origin: float) -> None:
    """And those of the same steps from 0, which these floats hold; new rows follow."""
    steps = np.arange(float(N))
    made, moved = (
        br.Encoding.of("y ~ poly(x, 3)", {"y": steps, "x": start + steps})
        for start in (0.0, origin)
    )
    basis = moved.encode({"x": origin + steps}).X
    assert np.abs(basis.T @ basis - np.eye(3)).max() < 1e-13
    new = [
        encoding.encode({"x": at + steps + 40}).X for encoding, at in ((made, 0), (moved, origin))
    ]
    assert np.allclose(new[0], new[1], rtol=1e-12, atol=0)
