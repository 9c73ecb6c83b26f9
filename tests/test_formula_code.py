"""Formulas, names of columns and levels are text: nothing that comes with data is run or lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from formulaic.parser import DefaultFormulaParser

import bayesreg as br
from bayesreg.errors import BayesregWarning, InputError
from bayesreg.frames import room
from bayesreg.frames.language import parse

if TYPE_CHECKING:
    from pathlib import Path

DATA = pd.DataFrame(
    {
        "y": [1.0, 3.0, 2.0, 5.0],
        "x": [0.5, -1.0, 2.0, 0.0],
        "age": [20.0, 30.0, 45.0, 60.0],
        "g": list("abca"),
    }
)

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


NAMES = [f"x{k}" for k in range(25)]
MANY = f"({' + '.join(NAMES)})"
ENDLESS = {
    "powers": (f"{MANY}**12", "makes too many products of terms; write a lower power"),
    "powers by the other sign": (f"{MANY}^12", "makes too many products of terms"),
    "powers of powers": (f"(({MANY}**2)**2)**2", "makes too many products of terms"),
    "products": ("*".join(NAMES), "makes too many products of terms"),
    "nested terms": ("/".join(f"I(x0 + {k})" for k in range(300)), "makes too many products"),
    "a power of a number": ("(x0 + x1)**2**3", "a power that is not terms to a whole number"),
    "a power that is a sum": ("(x0 + x1)**(2 + 3)", "a power that is not terms to a whole number"),
    "a power that is a column": ("(x0 + x1)**x2", "a power that is not terms to a whole number"),
    "signs": (f"I({'-' * 3000}x0)", "an expression of more than 100 levels; make it a column"),
    "sums in one term": (f"I({'+'.join(['x0'] * 3000)})", "more than 100 levels"),
    "parentheses": (f"I({'(' * 3000}x0{')' * 3000})", "cannot be read"),
    "calls": ("exp(" * 3000 + "x0" + ")" * 3000, "cannot be read"),
    "terms": (" + ".join(["x0"] * 100_000), "may have 20000 at most"),
    "subtractions": ("-" + "-".join(["x0"] * 6000), "leaves no term"),
}


@pytest.mark.parametrize("case", ENDLESS)
def test_formulas_that_would_take_forever_are_refused(case: str) -> None:
    """At once, in one line that can be read."""
    text, message = ENDLESS[case]
    data = {name: [1.0, 3.0, 2.0] for name in ["y", *NAMES]}
    with pytest.raises(InputError, match=message) as refusal:
        br.Encoding.of(f"y ~ {text}", data)
    assert len(str(refusal.value)) < 400


@pytest.mark.parametrize(
    "right",
    [
        *("g", "C(k)", "C(x)", "C(k, contr.sum)", "g:C(k)", "g*C(k)*x", "0 + g:t", "t", "C(t):g"),
        *("bs(x, df=7)", "bs(x, 7)", "poly(x, 3)", "poly(x, degree=3):g", "cr(x, df=4)", "I(x*k)"),
        *("bs(x, knots=[1000, 2000])", "bs(x, degree=2)", "cc(x, df=5):C(k)", "(g + C(k))**2"),
        "C(k, levels=[0, 1, 2, 3])",
    ],
)
def test_no_term_makes_more_columns_than_there_is_room_for(
    right: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is judged before columns are made is a bound of their number, and not a loose one."""
    row = np.arange(500)
    data = {"y": row, "x": row * 7.0, "k": row % 3, "g": [f"g{k % 5}" for k in row], "t": row < 90}
    made = len(br.Encoding.of(f"y ~ {right}", data).names)
    monkeypatch.setattr(room, "_MOST", 500 * 3 * (made + 3))
    assert len(br.Encoding.of(f"y ~ {right}", data).names) == made
    monkeypatch.setattr(room, "_MOST", 500 * (made - 1))
    with pytest.raises(InputError, match=r"may make .* columns of 500 rows"):
        br.Encoding.of(f"y ~ {right}", data)


POWERS = [
    "(a + b + c)**3",
    "(a + b*c)^2 + d",
    "((a + b)**2 + c)**3 - a:b",
    "(a + b + c + d)**4",
    "(a:b + c)**2/d",
    "(.)**2",
    "a**3 + (b - b)**2 + c",
    "(a + b)**2 %in% (c + d)**2",
]


@pytest.mark.filterwarnings("ignore:.* holds a power of one term:bayesreg.errors.BayesregWarning")
@pytest.mark.parametrize("right", POWERS)
def test_powers_are_the_terms_of_formulaic(right: str) -> None:
    """In its order, which also names them."""
    names = list("yabcd")
    context = {"__formulaic_variables_available__": names}
    theirs = DefaultFormulaParser().get_terms(f"y ~ {right}", context=context).rhs
    assert list(map(repr, parse(f"y ~ {right}", names)[1])) == list(map(repr, theirs))


@pytest.mark.parametrize("right", ["a**2", "b + (a:b)^3"])
def test_a_power_of_one_term_is_that_term_and_that_is_said(right: str) -> None:
    """As in R; whoever writes it mostly means the square of its numbers."""
    with pytest.warns(
        BayesregWarning, match=r"a power of one term, .* write I\(a\*\*2\) for numbers"
    ):
        parse(f"y ~ {right}", list("yab"))
    parse("y ~ a**1 + (a + b)**2 + I(a**2)", list("yab"))


def test_a_power_beyond_the_number_of_its_terms_changes_nothing() -> None:
    """However large: four names have products of four at most."""
    data = {name: [1.0, 2.0] for name in ["y", *NAMES]}
    most = br.Encoding.of("y ~ (x0 + x1 + x2 + x3)**4", data)
    for power in (5, 10, 10**12):
        more = br.Encoding.of(f"y ~ (x0 + x1 + x2 + x3)**{power}", data)
        assert more.names == most.names
        assert len(more.names) == 15


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
