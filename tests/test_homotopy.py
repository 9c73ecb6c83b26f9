"""The homotopy: knots against exact rational arithmetic, published paths and other packages."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import lars_path

import bayesreg as br
from bayesreg import datasets
from bayesreg.solvers import homotopy
from tests.reference_cases import CASES, number, vector

REFERENCE = {case.id: case for case in CASES}
NOISE = br.Gaussian(1.0)

# --------------------------------------------------------------------------- exact arithmetic


@dataclass(frozen=True)
class Piece:
    """A straight piece of the exact path: from λ = high (None: infinity) down to low."""

    high: Fraction | None
    low: Fraction
    support: tuple[int, ...]


def _solve(A: list[list[Fraction]], b: list[Fraction]) -> list[Fraction] | None:
    """Solve a linear system of rational numbers; None where it is singular."""
    rows = [[*row, value] for row, value in zip(A, b, strict=True)]
    for i in range(len(rows)):
        pivot = next((k for k in range(i, len(rows)) if rows[k][i] != 0), None)
        if pivot is None:
            return None
        rows[i], rows[pivot] = rows[pivot], rows[i]
        rows[i] = [value / rows[i][i] for value in rows[i]]
        for k in range(len(rows)):
            if k != i:
                factor = rows[k][i]
                rows[k] = [a - factor * c for a, c in zip(rows[k], rows[i], strict=True)]
    return [row[-1] for row in rows]


def exact_path(X: list[list[int]], y: list[int], r: list[int], *, bounded: bool) -> list[Piece]:
    """Go through all supports and signs: on which λ does each meet the KKT conditions."""
    p = len(X[0])
    G = [[Fraction(sum(row[a] * row[b] for row in X)) for b in range(p)] for a in range(p)]
    c = [Fraction(sum(row[a] * t for row, t in zip(X, y, strict=True))) for a in range(p)]
    found = []
    for size in range(p + 1):
        for support in combinations(range(p), size):
            gram = [[G[a][b] for b in support] for a in support]
            u = _solve(gram, [c[a] for a in support])
            if u is None:
                continue
            for signs in product((1,) if bounded else (1, -1), repeat=size):
                v = _solve(gram, [s * Fraction(r[a]) for s, a in zip(signs, support, strict=True)])
                assert v is not None
                # Conditions A + λB >= 0: signs kept, and correlations within ±λr.
                rules = [(s * x, -s * z) for s, x, z in zip(signs, u, v, strict=True)]
                for j in set(range(p)) - set(support):
                    a = c[j] - sum(G[j][b] * x for b, x in zip(support, u, strict=True))
                    d = sum(G[j][b] * z for b, z in zip(support, v, strict=True))
                    w = Fraction(r[j])
                    rules += [(-a, w - d)] if bounded else [(-a, w - d), (a, w + d)]
                low = max([Fraction(0), *(-a / b for a, b in rules if b > 0)])
                high = min((-a / b for a, b in rules if b < 0), default=None)
                impossible = any(a < 0 for a, b in rules if b == 0)
                if not impossible and (high is None or high > low):
                    found.append(Piece(high, low, support))
    return sorted(found, key=lambda piece: -piece.low)


def violation(problem: br.Problem, lam: float, coef: np.ndarray, intercept: float) -> float:
    """Largest violation of the KKT conditions at a multiple of the penalty."""
    penalty = problem.elastic_net
    gradient, slope = problem.gradient(coef, intercept)
    gradient = gradient + penalty.l2 * (coef - penalty.loc)
    weight = lam * penalty.l1
    pull = np.where(penalty.nonnegative, -gradient, np.abs(gradient))
    outside = np.maximum(pull - weight, 0.0)
    on = np.abs(gradient + weight * np.sign(coef))
    below = np.where(penalty.nonnegative, -coef, 0.0)
    return float(max(np.where(coef == 0, outside, on).max(), abs(slope), below.max(), 0.0))


def lasso(X: object, y: object, scale: object = 1.0, **settings_: object) -> br.Problem:
    """Return a lasso without intercept and with unit noise."""
    prior = br.Laplace(scale, nonnegative=bool(settings_.get("nonnegative", False)))  # type: ignore[arg-type]
    return br.Problem(X, y, likelihood=NOISE, prior=prior, intercept=False)


@st.composite
def small_problems(draw: st.DrawFn) -> tuple[list[list[int]], list[int], list[int], bool]:
    """Small whole numbers: ties, copies, zero columns and p > n are common among them."""
    n, p = draw(st.integers(1, 6)), draw(st.integers(1, 4))
    entry = st.integers(-3, 3)
    X = draw(st.lists(st.lists(entry, min_size=p, max_size=p), min_size=n, max_size=n))
    y = draw(st.lists(st.integers(-5, 5), min_size=n, max_size=n))
    r = draw(st.lists(st.integers(1, 3), min_size=p, max_size=p))
    return X, y, r, draw(st.booleans())


@settings(max_examples=150, deadline=None)
@given(small_problems())
def test_knots_are_those_of_exact_arithmetic(
    case: tuple[list[list[int]], list[int], list[int], bool],
) -> None:
    """By brute force over supports and signs; where the mode is not unique, the KKT conditions."""
    X, y, r, bounded = case
    problem = lasso(X, y, 1.0 / np.array(r), nonnegative=bounded)
    found = homotopy.knots(problem)
    pieces = exact_path(X, y, r, bounded=bounded)
    top = float(pieces[0].low)
    apart = all(a.low == b.high for a, b in pairwise(pieces))
    if apart and pieces[-1].low == 0:
        expected = sorted({float(piece.low) for piece in pieces} | {0.0}, reverse=True)
        assert found.lam == pytest.approx(expected, abs=1e-12 * max(top, 1.0))
        for piece in pieces:
            high = 2 * float(piece.low) + 1 if piece.high is None else float(piece.high)
            coef, _ = found.at((high + float(piece.low)) / 2)
            assert tuple(np.flatnonzero(coef)) == piece.support
    for lam in [*found.lam, *np.linspace(0.0, 1.1 * top, 7)]:
        coef, intercept = found.at(float(lam))
        assert violation(problem, float(lam), coef, intercept) <= 1e-11 * max(top, 1.0)


def test_reference_knots() -> None:
    """Rational knots of a path with four columns, and the modes there."""
    case = REFERENCE["lassopath_knots_p4"]
    found = homotopy.knots(lasso(case.definition["X"], case.definition["y"]))
    assert found.lam == pytest.approx(vector(case.expected["knots"]), rel=1e-13)
    expected = np.array([vector(row) for row in case.expected["coef_at_knots"]])
    np.testing.assert_allclose(found.coef, expected, rtol=1e-13, atol=1e-15)
    assert found.entered == ((0,), (2,), (3,), (1,), ())
    assert found.left == ((),) * 5


def diabetes() -> br.Problem:
    """The diabetes data as Efron et al. (2004) use them: columns of unit length."""
    data = datasets.load("diabetes")
    Z = data.X - data.X.mean(axis=0)
    Z /= np.sqrt((Z**2).sum(axis=0))
    return br.Problem(Z, data.y, likelihood=NOISE, prior=br.Laplace(1.0), names=data.names)


def test_diabetes_knots_and_the_return_of_s3() -> None:
    """Twelve knots to 25 digits elsewhere; the seventh column leaves and enters again."""
    case = REFERENCE["lassopath_diabetes"]
    found = homotopy.knots(diabetes())
    np.testing.assert_allclose(found.lam, vector(case.expected["knots"]), rtol=2e-12)
    expected = np.array([vector(row) for row in case.expected["coef_at_knots"]])
    np.testing.assert_allclose(found.coef, expected, rtol=1e-11, atol=1e-10)
    assert found.changes.size == 12
    events = [f"add {j}" for moved in found.entered for j in moved]
    assert sorted(events) == sorted(e for e in case.expected["events"] if e.startswith("add"))
    assert [k for k, moved in enumerate(found.left) if moved] == [10]
    assert found.left[10] == (6,)
    assert found.entered[11] == (6,)
    assert found.intercept == pytest.approx(number(case.expected["y_mean"]))


def test_as_lars_path() -> None:
    """Scikit-learn's LARS finds the same knots (its alpha is λ/n) and coefficients."""
    problem = diabetes()
    alphas, _, coefs = lars_path(problem.design.X, problem.design.y - 152.13348416, method="lasso")
    found = homotopy.knots(problem)
    np.testing.assert_allclose(found.lam, alphas * problem.n, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(found.coef, coefs.T, rtol=1e-7, atol=1e-6)


def _mixed(seed: int, n: int, p: int, prior: object, **settings_: object) -> br.Problem:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) * np.geomspace(0.2, 5.0, p) + rng.normal(size=p)
    y = X[:, :2].sum(axis=1) + rng.normal(size=n)
    return br.Problem(X, y, likelihood=br.Gaussian(0.5), prior=prior, **settings_)  # type: ignore[arg-type]


def _everything() -> dict[str, br.Problem]:
    """Weights, offset, intercept, flat columns, squares, bounds, standardised columns, p > n."""
    rng = np.random.default_rng(5)
    rows = {"weights": rng.uniform(0.5, 2.0, 30), "offset": rng.normal(size=30)}
    scale = np.geomspace(0.05, 2.0, 8)
    scale[3] = np.inf
    blocks = [
        (br.Laplace(0.2), [0, 1, 2]),
        (br.Flat(), [3]),
        (br.Normal(0.3, loc=0.5), [4]),
        (br.ElasticNet(0.1, 0.5), [5, 6]),
        (br.Laplace(0.4, nonnegative=True), [7]),
    ]
    return {
        "weights, offset, flat": _mixed(1, 30, 8, br.Laplace(scale), **rows),
        "blocks": _mixed(2, 30, 8, blocks, **rows),
        "elastic net": _mixed(3, 30, 8, br.ElasticNet(0.2, 0.4), intercept=False),
        "more columns than rows": _mixed(4, 12, 30, br.Laplace(0.1), standardize=True),
        "nonnegative": _mixed(5, 30, 8, br.Laplace(0.5, nonnegative=True)),
    }


@pytest.mark.parametrize("name", list(_everything()))
def test_kkt_on_both_sides_of_every_knot(name: str) -> None:
    """And as a solver: the certificate at the problem's own penalty."""
    problem = _everything()[name]
    found = homotopy.knots(problem)
    size = float(np.abs(problem.gradient(np.zeros(problem.p), 0.0)[0]).max())
    for high, low in pairwise(found.lam):
        for lam in (high * (1 + 1e-9), high, 0.5 * (high + low), high * (1 - 1e-9)):
            assert violation(problem, lam, *found.at(lam)) <= 1e-10 * size
    solution = homotopy.solve(problem)
    certificate = br.certify(problem, solution.coef, solution.intercept)
    assert certificate.optimal
    assert certificate.gap <= 1e-10
    coef, intercept = homotopy.knots(problem, smallest=1.0).at(1.0)
    np.testing.assert_allclose(coef, solution.coef, rtol=1e-12, atol=1e-14)
    assert intercept == pytest.approx(solution.intercept, rel=1e-12)


def test_the_path_ends_where_the_rows_are_fitted() -> None:
    """With more columns than rows the residual is 0 at λ = 0, on no more columns than rows."""
    problem = _everything()["more columns than rows"]
    found = homotopy.knots(problem)
    assert found.lam[-1] == 0.0
    assert (found.coef[-1] != 0).sum() <= problem.n - 1
    assert problem.loss(found.coef[-1], float(found.intercept[-1])) <= 1e-20


def test_copies_and_ties_enter_together_or_not_at_all() -> None:
    """A copy never enters beside its original; orthogonal columns that tie enter at one knot."""
    X = np.column_stack([np.eye(4)[:, :3], np.eye(4)[:, 0]])
    found = homotopy.knots(lasso(X, [3.0, 3.0, -1.0, 0.0]))
    assert found.lam.tolist() == [3.0, 1.0, 0.0]
    assert len(found.entered[0]) == 2
    np.testing.assert_array_equal((found.coef[-1] != 0).sum(), 3)


def test_nothing_to_explain() -> None:
    """A target of zeros, and columns that do not see it, leave an empty path."""
    for y in (np.zeros(3), np.array([0.0, 0.0, 1.0])):
        found = homotopy.knots(lasso(np.eye(3)[:, :2], y))
        assert found.lam.tolist() == [0.0]
        assert found.changes.size == 0
        assert not found.coef.any()


def test_orthogonal_columns_have_soft_threshold_paths() -> None:
    """In closed form: θ = soft(X'y, λ r), one knot per column."""
    rng = np.random.default_rng(3)
    Q = np.linalg.qr(rng.normal(size=(12, 5)))[0]
    y, r = 4 * rng.normal(size=12), np.array([1.0, 2.0, 0.5, 1.0, 3.0])
    found = homotopy.knots(lasso(Q, y, 1 / r))
    z = Q.T @ y
    assert found.changes == pytest.approx(np.sort(np.abs(z) / r)[::-1], rel=1e-13)
    for lam in (0.01, 0.3, 1.0):
        expected = np.sign(z) * np.maximum(np.abs(z) - lam * r, 0.0)
        np.testing.assert_allclose(found.at(lam)[0], expected, atol=1e-13)


@pytest.mark.parametrize(
    ("problem", "reason"),
    [
        (
            br.Problem([[1.0], [2.0]], [0, 1], likelihood=br.Bernoulli(), prior=br.Laplace(1.0)),
            "not Gaussian",
        ),
        (
            br.Problem([[1.0], [2.0]], [0, 1], likelihood=NOISE, prior=br.Normal(1.0)),
            "no coefficient has an absolute value",
        ),
        (
            br.Problem([[1.0], [2.0]], [0, 1], likelihood=NOISE, prior=br.StudentT(3.0, 1.0)),
            "more than absolute values and squares",
        ),
        (
            br.Problem(
                [[1.0], [2.0]], [0, 1], likelihood=NOISE, prior=br.Normal(1.0, nonnegative=True)
            ),
            "held above 0",
        ),
    ],
)
def test_what_has_no_knots_is_refused(problem: br.Problem, reason: str) -> None:
    """With the reason."""
    with pytest.raises(br.errors.InputError, match=reason):
        homotopy.knots(problem)
    with pytest.raises(br.errors.InputError, match=reason):
        homotopy.solve(problem)


def test_below_the_last_knot_is_refused() -> None:
    """Nothing is extrapolated; above the first knot all is 0."""
    found = homotopy.knots(diabetes(), smallest=10.0)
    assert found.lam[-1] == 10.0
    assert not found.at(1e6)[0].any()
    with pytest.raises(br.errors.InputError, match="at least 10"):
        found.at(9.0)


def test_large_offsets_keep_their_digits() -> None:
    """Columns at 1e6 beside an intercept have the path of the centred ones."""
    problem = diabetes()
    X = np.array(problem.design.X)
    moved = br.Problem(X + 1e6, problem.design.y, likelihood=NOISE, prior=br.Laplace(1.0))
    np.testing.assert_allclose(
        homotopy.knots(moved, 20.0).lam, homotopy.knots(problem, 20.0).lam, rtol=1e-6
    )
