"""Formulas: the encoded columns, the same columns of new rows, and what a formula may not say."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from pathlib import Path

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
    assert rows.offset is not None
    assert others.offset is not None
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
    assert some.offset is not None
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
    with pytest.raises(InputError, match=r"columns: 'C\(g\)' is not known"):
        encoding.columns("C(g)")


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
        "column 'g' has levels that were not seen before: 'z'; known are 'a', 'b', 'c'",
    ),
    "whole numbers": (DATA.assign(year=1999), "data: .*1999"),
    "no text": (DATA.assign(g=1.0), "column 'g' held text or categories before, found float64"),
    "holes": (
        DATA.assign(x=[np.nan] * 2 + [1.0] * (N - 2), g=["", *["a"] * (N - 1)]).replace(
            {"g": ""}, None
        ),
        r"missing values in 'x' \(2 of 30\), 'g' \(1 of 30\)",
    ),
    "outside of the knots": (DATA.assign(age=99.0), "extend beyond upper and/or lower bounds"),
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
    "y ~ log(g)": "cannot be evaluated on these data",
    "y ~ log(x)": r"'log\(x\)' is NaN in",
    "y ~ C(g, levels=['a', 'b'])": "categories outside of the nominated levels",
    'y ~ I(g == "it\'s")': "holds a quotation mark",
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


CODE = [
    "__import__('os').system('touch {mark}')",
    "I(__import__('os').system('touch {mark}'))",
    "open('{mark}', 'w')",
    "I(open('{mark}', 'w').close())",
    "exec('open(1)')",
    "eval('1')(x)",
    "I(x.__class__.__base__)",
    "I(x.to_csv('{mark}'))",
    "np.save('{mark}', x)",
    "np.lib",
    "log.__call__(x)",
    "center(x, _state={{}})",
    "center(x, **{{}})",
    "I(*[x])",
    "I([v for v in [1]])",
    "I((lambda: open('{mark}', 'w'))())",
    "I((t := 3))",
    "I(f'{{x}}')",
    "I(x if x else x)",
    "x[0]",
    "{{open('{mark}', 'w')}}",
    "contr.custom",
    "contr.__class__",
    "I(x**9**9**9)",
    "I(x + 9**(9**9))",
    "bs(age, df=100000000)",
    "poly(age, 100000000)",
    "hashed(g, levels=9)",
    "lag(x)",
    "Q('x')",
    "__FORMULAIC_STATE__",
    "I(b'x')",
    "I(...)",
]


@pytest.mark.parametrize("code", CODE)
def test_a_formula_runs_nothing_but_its_own_functions(code: str, tmp_path: Path) -> None:
    """Refused before formulaic sees it, which evaluates some of it while it parses."""
    mark = tmp_path / "ran"
    for formula in (f"y ~ x + {code}", f"{code} ~ x"):
        with pytest.raises(InputError, match=r"^formula: "):
            br.Encoding.of(formula.format(mark=mark), DATA)
    assert not mark.exists()


def _hostile(mark: object) -> list[str]:
    return [
        f"__import__('os').system('touch {mark}')",
        f"x') + open('{mark}', 'w') + I('",
        f"{{open('{mark}', 'w')}}",
        "__FORMULAIC_CONTEXT__",
        "__class__",
        "log",
        "C",
        "np",
        "x + g",
        "x:g",
        "log(age)",
        "import",
        "a\nb",
        "0",
        "1",
        ".",
        "~",
        "مرحبا بك",
        '"quoted"',
        "'",
        "bayesreg_column_0",
        "%s {0} {name}",
    ]


def test_names_of_columns_are_never_code(tmp_path: Path) -> None:
    """In backticks, by the dot and inside of functions they are the columns of these names."""
    mark = tmp_path / "ran"
    names = _hostile(mark)
    values = np.random.default_rng(0).uniform(1, 2, (40, len(names)))
    data = pd.DataFrame(values, columns=names).assign(y=values[:, 0])
    encoding = br.Encoding.of("y ~ .", data)
    assert encoding.names == tuple(names)
    assert np.array_equal(encoding.encode(data).X, values)
    for j, name in enumerate(names):
        if "\n" in name:
            continue
        made = br.Encoding.of(f"y ~ `{name}` + center(`{name}`) + log(`{name}`)", data)
        one = values[:, j]
        by_hand = np.column_stack([one, one - one.mean(), np.log(one)])
        np.testing.assert_allclose(made.encode(data).X, by_hand, atol=1e-12)
        assert made.names[0] == name
        alone = made.encode(data.iloc[[7]])
        assert np.array_equal(alone.X, made.encode(data).X[[7]])
    assert not mark.exists()


def test_a_name_with_a_backtick_is_reached_by_the_dot_only(tmp_path: Path) -> None:
    """Put into a formula it falls apart, and what is left is refused as code."""
    mark = tmp_path / "ran"
    name = f"a` + open('{mark}', 'w') + `x"
    data = {"y": [1.0, 2.0], "a": [1.0, 3.0], "x": [2.0, 1.0], name: [0.0, 1.0]}
    assert br.Encoding.of("y ~ .", data).names == ("a", "x", name)
    with pytest.raises(InputError, match="'open' in"):
        br.Encoding.of(f"y ~ `{name}`", data)
    assert not mark.exists()


def test_levels_are_never_code_and_never_lost(tmp_path: Path) -> None:
    """They are text in names; those that interactions would mix up are refused."""
    mark = tmp_path / "ran"
    levels = [f"I(__import__('os').system('touch {mark}'))", "{field}", "%d", "a]", "'"]
    data = {"y": np.arange(5.0), "g": levels, "h": ["p]:h[T.q", "r", "p", "r", "p"]}
    encoding = br.Encoding.of("y ~ 0 + g", data)
    assert np.array_equal(encoding.encode(data).X.sum(axis=0), np.ones(5))
    assert set(encoding.levels["g"]) == set(levels)
    with pytest.raises(InputError, match=r"level 'p\]:h\[T.q' of 'h' holds '\]:'"):
        br.Encoding.of("y ~ g:h", data)
    with pytest.raises(InputError, match="level '__b' of 'g' holds '__'"):
        br.Encoding.of("y ~ g", {"y": [1.0, 2.0], "g": ["a", "__b"]})
    assert not mark.exists()


BAD_DATA: dict[str, tuple[object, str]] = {
    "array": (np.ones((3, 2)), "must be a frame .* found ndarray"),
    "uneven": ({"y": [1.0], "x": [1.0, 2.0]}, "cannot be read as columns"),
    "lazy": (pl.LazyFrame({"y": [1.0]}), "is a lazy frame"),
    "mixed": ({"y": [1.0, 2.0], "x": [1, "b"]}, r"column 'x': found text \('b'\)"),
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
    with pytest.raises(InputError, match=f"data.*{message}"):
        br.Encoding.of("y ~ x", data)


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
