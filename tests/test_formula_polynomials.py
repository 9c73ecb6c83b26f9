"""Polynomials of a column: R's, exact ones at every degree that is granted, on old and new rows."""

from __future__ import annotations

from decimal import Decimal, localcontext
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import bayesreg as br
from bayesreg.errors import InputError
from bayesreg.frames.polynomials import Polynomials

if TYPE_CHECKING:
    from bayesreg._validation import Matrix, Vector

RNG = np.random.default_rng(3)
COLUMNS = {
    "steps": np.arange(1.0, 31.0),
    "milliseconds": 1.7e12 + np.arange(30.0),
    "normal": RNG.normal(size=60),
    "long-tailed": np.exp(RNG.normal(size=60)),
    "repeated": np.repeat(np.arange(25.0), 3),
}


def exact(x: Vector, new: Vector, degree: int) -> tuple[Matrix, Matrix]:
    """Return the orthonormal polynomials of x at x and at new values, by 150 digits."""
    with localcontext() as context:
        context.prec = 150
        points = [Decimal(float(value)) for value in (*x, *new)]
        n, before = x.size, [Decimal(0)] * len(points)
        column, last, out = [Decimal(1)] * len(points), Decimal(1), []
        for _ in range(degree):
            square = sum((value * value for value in column[:n]), Decimal(0))
            moment = (at * v * v for at, v in zip(points[:n], column[:n], strict=True))
            own = sum(moment, Decimal(0)) / square
            following = [
                (at - own) * v - square / last * b
                for at, v, b in zip(points, column, before, strict=True)
            ]
            before, column, last = column, following, square
            size = sum((value * value for value in column[:n]), Decimal(0)).sqrt()
            out.append([float(value / size) for value in column])
    both = np.array(out).T
    return both[:n], both[n:]


CASES = [
    *((name, degree) for name in COLUMNS for degree in (1, 2, 5)),
    *((name, 20) for name in ("steps", "milliseconds", "repeated")),
]


@pytest.mark.parametrize(("name", "degree"), CASES)
def test_polynomials_are_exact_on_old_rows_and_new(name: str, degree: int) -> None:
    """Whatever the column; those of new rows relative to their largest."""
    x = COLUMNS[name]
    encoding = br.Encoding.of(f"y ~ poly(x, {degree})", {"x": x, "y": x})
    new = np.concatenate([np.linspace(x.min(), x.max(), 9), [x.max() + 0.1 * np.ptp(x)]])
    old, fresh = exact(x, new, degree)
    made = encoding.encode({"x": x}).X
    np.testing.assert_allclose(made, old, rtol=0, atol=1e-10)
    np.testing.assert_allclose(made.T @ made, np.eye(degree), rtol=0, atol=1e-10)
    size = np.abs(fresh).max(axis=0)
    np.testing.assert_allclose(
        encoding.encode({"x": new}).X / size, fresh / size, rtol=0, atol=1e-11
    )


def test_polynomials_are_those_of_r() -> None:
    """``poly(c(1, 2, 4, 8, 16, 20), 3)`` of R 4.2.2, and its ``predict`` at 3, 10 and 24."""
    made = Polynomials.of(np.array([1.0, 2.0, 4.0, 8.0, 16.0, 20.0]), 3)
    first = [
        [-0.427699461384151, 0.431272446247312, -0.370393289073587],
        [-0.0285132974256101, -0.638663754957415, 0.255720394164774],
        [0.655805840789031, 0.491523743884803, 0.385600268156628],
    ]
    np.testing.assert_allclose(made.at(np.array([1.0, 8.0, 20.0])), first, rtol=1e-12)
    expected = [
        [-0.31364627168171, -0.00443956929960489, 0.262716980983738],
        [0.0855398922768301, -0.710331087936748, -0.0769991729116729],
        [0.883912220193912, 1.70035504174859, 3.73877991091721],
    ]
    np.testing.assert_allclose(made.at(np.array([3.0, 10.0, 24.0])), expected, rtol=1e-12)


@pytest.mark.parametrize("name", ["normal", "long-tailed"])
def test_degrees_that_lose_digits_are_refused(name: str) -> None:
    """The message names a degree that is granted, and the columns of that are orthonormal."""
    x = COLUMNS[name]
    degree = len(np.unique(x)) - 1
    with pytest.raises(InputError, match="loses its digits") as refused:
        br.Encoding.of(f"y ~ poly(x, {degree})", {"x": x, "y": x})
    most = int(str(refused.value).partition("bear degree ")[2].partition(";")[0])
    made = br.Encoding.of(f"y ~ poly(x, {most})", {"x": x, "y": x}).encode({"x": x}).X
    assert np.abs(made.T @ made - np.eye(most)).max() < 1e-7


def test_polynomials_of_what_is_no_column_of_numbers() -> None:
    """Several columns are refused, and a value that is none is named with its row."""
    data = {"y": np.arange(9.0), "x": np.arange(9.0)}
    for several in ("bs(x, df=4)", "poly(x, 2)", "scale(cr(x, df=3))", "[x, x]"):
        for how in ("2", "1, raw=True"):
            with pytest.raises(InputError, match="formula: poly takes one column"):
                br.Encoding.of(f"y ~ poly({several}, {how})", data)
    with pytest.raises(InputError, match=r"NaN in 1 of 9 rows, first in row 0"):
        br.Encoding.of("y ~ poly(log(x), 2)", data)


@pytest.mark.parametrize("text", ["s", "C(s)", "g", "C(g)", "c", "C(x)", "I(s)", "C(b)"])
def test_text_that_reads_like_numbers_has_no_polynomial(text: str) -> None:
    """As it has no logarithm; nor have categories."""
    three = pd.Categorical([1, 2, 10] * 3)
    data = {"y": np.arange(9.0), "s": ["1", "2", "10"] * 3, "g": list("abc") * 3, "c": three}
    data |= {"x": np.arange(9.0), "b": [True, False, True] * 3}
    for raw in (False, True):
        with pytest.raises(InputError, match=r"poly takes numbers, and \w is text or categories"):
            br.Encoding.of(f"y ~ poly({text}, 1, raw={raw})", data)
    assert br.Encoding.of("y ~ poly(b, 1) + poly(g == 'a', 1)", data).encode(data).X.shape == (9, 2)


def test_polynomials_of_numbers_whose_differences_overflow() -> None:
    """No degree is to blame; the row is named, of old rows and of new."""
    x = np.arange(9.0)
    huge = np.append(x[:7], [-1.7e308, 1.7e308])
    for degree in (1, 5):
        with pytest.raises(InputError, match=r"given -1.7e\+308 in row 7, beyond ±1e\+150"):
            br.Encoding.of(f"y ~ poly(x, {degree})", {"x": huge, "y": x})
    encoding = br.Encoding.of("y ~ poly(x, 2)", {"x": x, "y": x})
    with pytest.raises(InputError, match=r"given -1.7e\+308 in row 7"):
        encoding.encode({"x": huge})
