"""Problem: its objective, its words, conditioning, equality, and what it refuses."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats

import bayesreg as br
from bayesreg.errors import DegenerateMode, ImproperPosterior, InputError
from tests.problems import P, bank, every_example

if TYPE_CHECKING:
    from bayesreg.likelihoods import Likelihood

BANK = bank()
X = np.array([[1.0, 2.0], [0.0, 1.0], [3.0, -1.0]])
Y = np.array([1.0, 2.0, 4.0])
Y4 = [1.0, 2.0, 3.0, 4.0]


def plain(X: object, y: object, **changes: object) -> br.Problem:
    """Build a problem with unit scales."""
    arguments: dict[str, object] = {"likelihood": br.Gaussian(1.0), "prior": br.Laplace(1.0)}
    return br.Problem(X, y, **(arguments | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", BANK)
def test_gradient_is_the_derivative_of_the_loss(name: str) -> None:
    """By central differences, on the user's own scale."""
    problem = BANK[name]
    coef, shift = np.linspace(-0.2, 0.3, problem.p), 0.1 if problem.design.intercept else 0.0
    gradient, at_intercept = problem.gradient(coef, shift)
    for j in range(problem.p):
        h = np.zeros(problem.p)
        h[j] = 1e-6
        slope = (problem.loss(coef + h, shift) - problem.loss(coef - h, shift)) / 2e-6
        assert gradient[j] == pytest.approx(slope, rel=1e-5, abs=1e-5)
    if problem.design.intercept:
        slope = (problem.loss(coef, shift + 1e-6) - problem.loss(coef, shift - 1e-6)) / 2e-6
        assert at_intercept == pytest.approx(slope, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("name", BANK)
def test_standardized_problem_is_the_same_posterior(name: str) -> None:
    """Same loss and penalty at ``coef * scale``, up to the Jacobian in the constant."""
    problem = BANK[name]
    other, scale = problem.standardized()
    coef, shift = np.linspace(-0.2, 0.3, problem.p), 0.4 if problem.design.intercept else 0.0
    moved = shift
    if problem.design.standardize and problem.design.intercept:
        moved = shift + float(problem.design.X.mean(axis=0) @ coef)
    assert other.penalised(coef * scale, moved) == pytest.approx(
        problem.penalised(coef, shift), rel=1e-12
    )


def test_objective_is_minus_the_log_density() -> None:
    """Against SciPy's densities, unknown sigma and scale included."""
    problem = br.Problem(
        X,
        Y,
        likelihood=br.Gaussian(sigma=br.HalfNormal(2.0)),
        prior=br.Laplace(scale=br.HalfCauchy(1.5), relative_to="sigma"),
    )
    coef, shift, sigma, scale = np.array([0.5, -1.0]), 0.3, 1.7, 0.6
    expected = -(
        stats.norm(X @ coef + shift, sigma).logpdf(Y).sum()
        + stats.laplace(0, scale * sigma).logpdf(coef).sum()
        + stats.halfnorm(0, 2.0).logpdf(sigma)
        + stats.halfcauchy(0, 1.5).logpdf(scale)
    )
    value = problem.objective(coef, shift, sigma=sigma, scale=scale)
    assert value == pytest.approx(expected, rel=1e-13)
    assert problem.unknown == ("sigma", "scale")
    given = problem.given(sigma=sigma, scale=scale)
    assert given.unknown == ()
    assert given.objective(coef, shift) == pytest.approx(
        expected + stats.halfnorm(0, 2.0).logpdf(sigma) + stats.halfcauchy(0, 1.5).logpdf(scale)
    )


def test_inverse_gamma_is_a_density_of_the_square() -> None:
    """As PyMC's InverseGamma on sigma squared."""
    problem = br.Problem(
        X, Y, likelihood=br.Gaussian(sigma=br.InverseGamma(2.0, 3.0)), prior=br.Normal(1.0)
    )
    zero = [0.0, 0.0]
    extra = problem.objective(zero, sigma=1.5) - problem.given(sigma=1.5).objective(zero)
    assert extra == pytest.approx(-stats.invgamma(2.0, scale=3.0).logpdf(1.5**2))


def test_penalised_form_in_words() -> None:
    """The first line states the penalised problem with its numbers, and its usual name."""
    kwargs = {"likelihood": br.Gaussian(sigma=54.0), "intercept": False}
    lasso = plain(X, Y, prior=br.Laplace(1.65), **kwargs)
    assert str(lasso).splitlines()[0] == "‖y − Xβ‖²/(2·54²) + Σ|βⱼ|/1.65: lasso"
    ridge = plain(X, Y, prior=br.Normal(2.0), **kwargs)
    assert str(ridge).splitlines()[0] == "‖y − Xβ‖²/(2·54²) + Σβⱼ²/(2·2²): ridge"
    net = br.Problem(X, [0, 1, 1], likelihood=br.Bernoulli(), prior=br.ElasticNet(1.0, 2.0))
    assert str(net).splitlines()[0] == (
        "Σ[log(1 + exp ηᵢ) − yᵢηᵢ] + Σ[|βⱼ|/1 + βⱼ²/(2·2²)], η = β₀ + Xβ: elastic net"
    )


def test_numbers_behind_symbols_are_stated() -> None:
    """By column where they differ, equal ones together, many abbreviated; only what is named."""
    design: dict[str, Any] = {"likelihood": br.Gaussian(1.0), "intercept": False}
    wide = np.random.default_rng(0).normal(size=(9, 6))
    names = ["slope_age", "Basel", "Bern", "Genf", "Uri", "Zug"]
    parts: Any = [
        (br.Normal([130.0, 50.0, 50.0], loc=[0.0, 5.0, 4.0]), names[:3]),
        (br.Normal(2.0, loc=1.0), ["Genf"]),
        (br.Normal([3.0, 130.0]), ["Uri", "Zug"]),
    ]
    mixed = br.Problem(wide, wide[:, 0], prior=parts, names=names, **design)
    assert str(mixed).splitlines()[1] == (
        "  where mⱼ is 0 [slope_age], 5 [Basel], 4 [Bern]; "
        "τⱼ is 130 [slope_age, Zug], 50 [Basel, Bern], 3 [Uri]"
    )
    for prior, line in (
        (br.Laplace(np.arange(1.0, 7.0)),
         "bⱼ is 1 [j in 0], 2 [j in 1], 3 [j in 2], 4 [j in 3], … (6 numbers in all)"),
        (br.Laplace(br.HalfCauchy(1.0), factor=[1, 1, 1, 1, 2, 2]),
         "fⱼ is 1 [j in 0…3], 2 [j in 4, 5]"),
        (br.ElasticNet(1.0, [2, 2, 2, 2, 2, INF]), "τⱼ is 2 [j in 0…4], ∞ [j in 5]"),
        (br.StudentT(3.0, [1, 1, 1, 1, 1, 2.5]), "sⱼ is 1 [j in 0…4], 2.5 [j in 5]"),
        (br.SpikeSlab(0.5, [1, 1, 1, 1, 1, 2.5]), "τⱼ is 1 [j in 0…4], 2.5 [j in 5]"),
        (br.RegularizedHorseshoe(1.0, slab_scale=[1, 1, 1, 1, 1, 2.5]),
         "cⱼ is 1 [j in 0…4], 2.5 [j in 5]"),
        (br.LInfinity([1, 1, 1, 1, 1, 2.5]), "b is 1 [j in 0…4], 2.5 [j in 5]"),
        (br.Slope(1.0, [3.0, 3.0, 2.0, 1.0, 0.5, 0.25]),
         "wᵢ is 3 (2 times), 2, 1, 0.5, … (5 numbers in all)"),
    ):  # fmt: skip
        lines = str(br.Problem(wide, wide[:, 0], prior=prior, **design)).splitlines()
        assert lines[1] == f"  where {line}"
    plain_ridge = br.Problem(wide, wide[:, 0], prior=br.Normal(2.0, loc=1.0), **design)
    assert "where" not in str(plain_ridge)


INF = float("inf")


@pytest.mark.parametrize(
    "prior",
    [
        br.Normal(INF),
        br.Laplace(INF),
        br.Laplace([INF, INF]),
        br.Laplace(INF, relative_to="sigma"),
        br.ElasticNet(INF, INF),
        br.StudentT(3.0, INF),
        br.GeneralizedDoublePareto(INF, 1.0),
        br.Bridge(INF, 3.0),
        [(br.Laplace(INF), [0]), (br.Flat(), [1])],
    ],
    ids=lambda prior: "blocks" if isinstance(prior, list) else type(prior).__name__,
)
def test_infinite_scales_are_no_penalty_in_words(prior: Any) -> None:
    """As flat as `Flat`, and no penalty over inf."""
    flat = plain(X, Y, prior=br.Flat())
    assert str(plain(X, Y, prior=prior)) == str(flat)
    assert str(flat).startswith("‖y − β₀ − Xβ‖²/(2·1²): unpenalised\n")
    assert "inf" not in str(flat)


def test_bounds_without_a_penalty_have_a_name_of_their_own() -> None:
    """Non-negative least squares, not a lasso; bounds of a few columns beside a penalty."""
    bounded = br.Laplace(INF, nonnegative=True)
    head, facts = str(plain(X, Y, prior=bounded)).splitlines()
    assert head == "‖y − β₀ − Xβ‖²/(2·1²), βⱼ ≥ 0: non-negative least squares"
    assert "2 coefficients, Flat prior" in facts
    parts: Any = [(bounded, ["x0"]), (br.Normal(INF, nonnegative=True), ["x1"])]
    assert str(plain(X, Y, prior=parts)).splitlines()[0] == head
    logistic = br.Problem(X, [0, 1, 1], likelihood=br.Bernoulli(), prior=bounded)
    assert str(logistic).splitlines()[0] == (
        "Σ[log(1 + exp ηᵢ) − yᵢηᵢ], βⱼ ≥ 0, η = β₀ + Xβ: unpenalised"
    )
    for prior, words in (
        ([(bounded, [0]), (br.Flat(), [1])], ", βⱼ ≥ 0 [j in 0]: unpenalised"),
        (
            [(bounded, [0]), (br.Normal(2.0), [1])],
            " + Σβⱼ²/(2·2²) [j in 1] (no penalty on column 0, βⱼ ≥ 0 [j in 0]): mixed penalties",
        ),
        (br.ElasticNet(INF, 2.0), " + Σβⱼ²/(2·2²): elastic net"),
        (br.ElasticNet(2.0, INF, nonnegative=True), " + Σ|βⱼ|/2, βⱼ ≥ 0: elastic net"),
    ):
        line = str(plain(X, Y, prior=prior)).splitlines()[0]
        assert line == f"‖y − β₀ − Xβ‖²/(2·1²){words}"


def test_equality_is_of_posteriors() -> None:
    """Different spellings of the same posterior are equal; another number is not."""
    spelled = plain(X, Y, prior=[(br.Laplace(0.5), [0]), (br.Flat(), [1])])
    assert spelled == plain(X, Y, prior=br.Laplace(np.array([0.5, np.inf])))
    assert spelled != plain(X, Y, prior=br.Laplace(0.5))
    sd = X.std(axis=0)
    standardized = plain(X, Y, prior=br.Laplace(0.5), standardize=True)
    assert standardized == plain(X, Y, prior=br.Laplace(0.5 * (1.0 / sd)))
    assert plain(X, Y) != plain(X, Y + 1)
    assert plain(X, Y, weights=np.ones(3)) == plain(X, Y)


def test_names_come_from_a_frame() -> None:
    """And the caller's arrays are neither changed nor shared."""
    frame = pd.DataFrame(X, columns=["age", "dose"])
    problem = plain(frame, Y)
    assert problem.names == ("age", "dose")
    own = X.copy()
    problem = plain(own, Y)
    own[0, 0] = 99.0
    assert problem.design.X[0, 0] == 1.0
    with pytest.raises(ValueError, match="read-only"):
        problem.design.X[0, 0] = 5.0


REFUSED: dict[str, tuple[dict[str, object], str]] = {
    "X 1-d": ({"X": [1.0, 2.0, 3.0]}, "X: must be two-dimensional"),
    "X 3-d": ({"X": np.zeros((2, 2, 2))}, "X: must be two-dimensional"),
    "X empty": ({"X": np.zeros((0, 2)), "y": []}, "X: has no rows"),
    "X ragged": ({"X": [[1.0], [1.0, 2.0]]}, "X: cannot be read as an array"),
    "X nan": ({"X": [[1.0, np.nan], [0.0, 1.0], [1.0, 1.0]]}, "X: contains NaN.*row 0, column 1"),
    "X inf": ({"X": [[1.0, np.inf], [0.0, 1.0], [1.0, 1.0]]}, "X: contains infinite"),
    "X huge": ({"X": X * 1e200}, "X: has entries beyond"),
    "X text": ({"X": [["a", "b"]] * 3}, "X: found text"),
    "X complex": ({"X": X * 1j}, "X: complex"),
    "X dates": ({"X": np.full((3, 2), np.datetime64("2020-01-01"))}, "X: dates"),
    "X masked": ({"X": np.ma.masked_equal(X, 0.0)}, "X: has masked entries"),
    "y length": ({"y": [1.0, 2.0]}, "y: has 2 entries, but 3 are needed"),
    "y 2-d": ({"y": np.zeros((3, 2))}, "y: must be one-dimensional"),
    "y nan": ({"y": [1.0, np.nan, 2.0]}, "y: contains NaN"),
    "names length": ({"names": ["a"]}, "names: has 1 entries"),
    "names twice": ({"names": ["a", "a"]}, "names: 'a' occurs more than once"),
    "names surrogate": ({"names": ["a", "\ud800"]}, "names: .* holds half a surrogate pair"),
    "names empty": ({"names": ["a", ""]}, "names: entry 1 is empty"),
    "weights zero": ({"weights": [1.0, 0.0, 1.0]}, "weights: must be positive, found 0 at row 1"),
    "weights length": ({"weights": [1.0]}, "weights: has 1 entries"),
    "offset nan": ({"offset": [0.0, np.nan, 0.0]}, "offset: contains NaN"),
    "intercept": ({"intercept": "yes"}, "intercept: must be True or False"),
    "standardize constant": (
        {"X": np.column_stack([X, np.full(3, 1.1)]), "standardize": True},
        "X: column 'x2' is constant",
    ),
    "prior type": ({"prior": "lasso"}, "prior: must be a prior"),
    "prior size": ({"prior": br.Laplace(np.ones(3))}, "prior: scale has 3 entries"),
    "prior column": ({"prior": [(br.Laplace(1.0), ["age"])]}, "prior: no column is named 'age'"),
    "prior missing": ({"prior": [(br.Laplace(1.0), [0])]}, "prior: column 'x1' has no prior"),
    "prior twice": ({"prior": [(br.Laplace(1.0), [0, 1, 1])]}, "prior: column 'x1' has more"),
    "prior range": ({"prior": [(br.Laplace(1.0), [0, 2])]}, "prior: column 2 is out of range"),
    "prior pair": ({"prior": [br.Laplace(1.0)]}, "prior: a list must hold"),
    "likelihood": ({"likelihood": "gaussian"}, "likelihood: must be Gaussian"),
    "no likelihood": ({"likelihood": None}, "likelihood: must be Gaussian.*found None"),
    "no prior": ({"prior": None}, "prior: must be a prior.*found None"),
    "labels": ({"likelihood": br.Bernoulli()}, "y: a Bernoulli target must hold 0 and 1"),
    "one class": ({"likelihood": br.Bernoulli(), "y": [1, 1, 1]}, "y: holds one class only"),
    "counts": ({"likelihood": br.Poisson(), "y": [0.5, 1, 2]}, "y: a Poisson target"),
    "negative": ({"likelihood": br.Poisson(), "y": [-1, 1, 2]}, "y: a Poisson target"),
    "relative": (
        {
            "likelihood": br.Bernoulli(),
            "y": [0, 1, 1],
            "prior": br.Laplace(1.0, relative_to="sigma"),
        },
        'prior: relative_to="sigma" needs a Gaussian',
    ),
    "index": (
        {"X": pd.DataFrame(X), "y": pd.Series(Y, index=[2, 1, 0])},
        "y: its row labels differ",
    ),
    "nothing": ({"X": np.zeros((3, 0)), "intercept": False}, "X: has no columns"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_input_is_refused_by_name(case: str) -> None:
    """One clear error that begins with the argument."""
    changes, message = REFUSED[case]
    with pytest.raises(InputError, match=message):
        plain(**({"X": X, "y": Y} | changes))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: br.Laplace(0.0), "scale: must be positive, found 0"),
        (lambda: br.Laplace(-1.0), "scale: must be positive, found -1"),
        (lambda: br.Laplace(float("nan")), "scale: must be positive, found nan"),
        (lambda: br.Laplace(scale="big"), "scale: found text"),
        (lambda: br.Normal(1.0, loc=float("nan")), "loc: must be finite"),
        (lambda: br.ElasticNet(1.0, 0.0), "l2_scale: must be positive"),
        (lambda: br.Gaussian(sigma=0.0), "sigma: must be positive, found 0"),
        (lambda: br.Gaussian(sigma=-2.0), "sigma: must be positive, found -2"),
        (lambda: br.Gaussian(sigma=float("inf")), "sigma: must be finite"),
        (lambda: br.Gaussian(sigma="1"), "sigma: must be a real number"),  # type: ignore[arg-type]
        (lambda: br.HalfNormal(0.0), "scale: must be positive"),
        (lambda: br.InverseGamma(-1.0, 1.0), "shape: must be positive"),
        (lambda: br.Laplace(br.InverseGamma(1.0, 1.0)), "scale: InverseGamma is a prior"),
        (lambda: br.Laplace(1.0, relative_to="tau"), "relative_to: must be"),  # type: ignore[arg-type]
    ],
)
def test_bad_numbers_are_refused_by_name(make: object, message: str) -> None:
    """Scales are positive numbers."""
    with pytest.raises(InputError, match=message):
        make()  # type: ignore[operator]


def test_objective_asks_for_what_is_unknown() -> None:
    """And refuses what is not, and an intercept where there is none."""
    unknown = plain(X, Y, likelihood=br.Gaussian(sigma=br.HalfNormal(1.0)))
    with pytest.raises(InputError, match="sigma: is unknown"):
        unknown.objective([0.0, 0.0])
    with pytest.raises(InputError, match="sigma: is not unknown"):
        plain(X, Y).given(sigma=1.0)
    with pytest.raises(InputError, match="coef: must have shape"):
        plain(X, Y).objective([0.0, 0.0, 0.0])
    with pytest.raises(InputError, match="intercept: this problem has none"):
        plain(X, Y, intercept=False).objective([0.0, 0.0], 1.0)


@pytest.mark.parametrize("name", ["penalised", "loss", "predictor", "gradient"])
def test_every_number_of_a_problem_checks_the_answer(name: str) -> None:
    """A list is an answer; text, another count, or an intercept that is not there are none."""
    ask = getattr(plain(X, Y), name)
    assert str(ask([1.0, 2.0])) == str(ask(np.array([1.0, 2.0])))
    for text in ("ab", ["a", "b"]):
        with pytest.raises(InputError, match="coef: found text"):
            ask(text)
    with pytest.raises(InputError, match="coef: must have shape"):
        ask(np.zeros(3))
    with pytest.raises(InputError, match="intercept: this problem has none"):
        getattr(plain(X, Y, intercept=False), name)([0.0, 0.0], 1.0)


def logistic(X: list[list[float]]) -> br.Problem:
    """Three rows, the first of class 0, under a flat prior."""
    return br.Problem(X, [0, 1, 1], likelihood=br.Bernoulli(), prior=br.Flat())


@pytest.mark.parametrize(
    ("problem", "message"),
    [
        (plain(np.eye(3), Y, prior=br.Flat()), "not linearly independent"),
        (plain(np.zeros((3, 1)), Y, prior=br.Flat()), "not linearly independent"),
        (logistic([[-1.0], [1.0], [2.0]]), "separated"),
        (plain(X, [0, 0, 0], likelihood=br.Poisson()), "separated"),
        # Quasi-separation: the likelihood rises along it in one row only.
        (logistic([[0.0], [1.0], [0.0]]), "separated"),
    ],
)
def test_improper_posteriors_are_refused(problem: br.Problem, message: str) -> None:
    """Flat priors over dependent or separating columns leave no finite mode."""
    with pytest.raises(ImproperPosterior, match=message):
        problem.require_proper()


BOUNDED = br.Laplace(np.inf, nonnegative=True)


@pytest.mark.parametrize(
    ("X", "y", "likelihood", "message"),
    [
        # A slope that may only rise is enough where larger x goes with y = 1 ...
        ([[-2.0], [-1.0], [1.0], [2.0]], [0, 0, 1, 1], br.Bernoulli(), "separated"),
        # ... or with a smaller count.
        ([[0.0], [-1.0], [0.0], [-2.0]], [3, 0, 2, 0], br.Poisson(), "separated"),
        # What one of two opposite columns adds, the other takes away.
        ([[1.0, -1.0], [2.0, -2.0], [4.0, -4.0], [3.0, -3.0]], Y4, br.Gaussian(1.0), "not linear"),
        ([[1.0, 0.0], [2.0, 0.0], [4.0, 0.0], [3.0, 0.0]], Y4, br.Gaussian(1.0), "not linear"),
    ],
)
def test_bounded_coefficients_without_a_penalty_can_run_away(
    X: list[list[float]], y: list[float], likelihood: Likelihood, message: str
) -> None:
    """Only forwards: where the same columns with the opposite sign push them to 0, all is well."""
    options: dict[str, Any] = {"likelihood": likelihood, "prior": BOUNDED, "intercept": False}
    with pytest.raises(ImproperPosterior, match=message):
        br.find_map(br.Problem(X, y, **options))
    backwards = -np.array(X)[:, :1]
    assert br.find_map(br.Problem(backwards, y, **options)).coef == 0.0


def test_bounded_columns_that_repeat_each_other_leave_a_mode() -> None:
    """Their sum is what the data know; beside a free copy, or a constant, nothing stops them."""
    column = np.array([[1.0], [2.0], [4.0], [3.0]])
    twice = np.hstack([column, column])
    options: dict[str, Any] = {"likelihood": br.Gaussian(1.0), "intercept": False}
    fit = br.find_map(br.Problem(twice, Y4, prior=BOUNDED, **options))
    assert fit.coef.sum() == pytest.approx(29 / 30, rel=1e-12)
    assert not fit.certificate.unique
    with pytest.raises(ImproperPosterior, match="x1, x0"):
        br.find_map(br.Problem(twice, Y4, prior=[(BOUNDED, [0]), (br.Flat(), [1])], **options))
    with pytest.raises(ImproperPosterior, match="intercept, x0"):
        br.find_map(br.Problem(np.ones((4, 1)), Y4, likelihood=br.Gaussian(1.0), prior=BOUNDED))
    wide = np.abs(np.random.default_rng(0).normal(size=(10, 30)))
    fit = br.find_map(br.Problem(wide, wide[:, :3].sum(axis=1), prior=BOUNDED, **options))
    assert fit.certificate.optimal


def test_proper_posteriors_pass() -> None:
    """Overlapping classes, and separation under a proper prior, are fine."""
    overlap = [[-1.0], [1.0], [-2.0], [2.0]]
    br.Problem(overlap, [1, 1, 0, 0], likelihood=br.Bernoulli(), prior=br.Flat()).require_proper()
    br.Problem(
        overlap, [0, 1, 0, 1], likelihood=br.Bernoulli(), prior=br.Laplace(1.0)
    ).require_proper()


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int32, np.bool_])
def test_any_layout_and_any_type_of_numbers(order: str, dtype: type) -> None:
    """The copy is in double precision and Fortran order, whatever was given."""
    values = np.asarray([[1, 0], [0, 1], [1, 1]], dtype=dtype, order=order)  # type: ignore[call-overload]
    kept = plain(values, Y).design.X
    assert kept.dtype == np.float64
    assert kept.flags.f_contiguous
    assert not kept.flags.writeable
    np.testing.assert_array_equal(kept, values)
    np.testing.assert_array_equal(plain(values.astype(object), Y).design.X, values)


def test_entries_are_judged_one_by_one_where_their_squares_are_huge() -> None:
    """1e140 is still a number, although the sum of squares of the column looks suspicious."""
    assert plain(X * 1e140, Y).design.X[0, 1] == 2e140


@pytest.mark.parametrize("standardize", [True, False])
def test_making_a_problem_takes_little_more_than_one_copy(standardize: bool) -> None:
    """No second matrix of the size of X, not even of truth values."""
    rng = np.random.default_rng(0)
    for order in ("C", "F"):
        large = np.asarray(rng.normal(size=(20_000, 50)), order=order)
        y = rng.normal(size=20_000)
        tracemalloc.start()
        plain(large, y, standardize=standardize)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        # Target, and two blocks of a few columns.
        assert peak < 1.45 * large.nbytes


@pytest.mark.parametrize("offset", [0.0, 3.0, 1e6])
def test_standard_deviations_to_rounding(offset: float) -> None:
    """Block by block as in one go, near and far from 0."""
    columns = np.random.default_rng(1).normal(size=(400, 700)) + offset
    problem = plain(columns, np.zeros(400), standardize=True)
    np.testing.assert_allclose(problem.design.column_scale, columns.std(axis=0), rtol=1e-13)
    lengths = np.sqrt(400) * columns.std(axis=0)
    np.testing.assert_allclose(problem.design.lengths, lengths, rtol=1e-11)


def test_an_intercept_may_come_in_an_array_without_dimensions() -> None:
    """As NumPy, PyMC's find_MAP and xarray return one number; a truth value is none."""
    problem = br.Problem(
        [[1.0], [2.0]], [1.0, 2.0], likelihood=br.Gaussian(1.0), prior=br.Laplace(1.0)
    )
    coef = np.array([0.5])
    for one in (np.array(0.25), np.float32(0.25), xr.DataArray(0.25)):
        assert problem.objective(coef, one) == problem.objective(coef, 0.25)  # type: ignore[arg-type]
        assert br.certify(problem, coef, one).kkt == br.certify(problem, coef, 0.25).kkt  # type: ignore[arg-type]
    wrong: list[Any] = [np.array([True])[0], np.array([0.25]), "0.25", None]
    for value in wrong:
        with pytest.raises(InputError, match="intercept: must be a real number"):
            br.certify(problem, coef, value)


class Converted:
    """Coefficients that count how often they are read as an array."""

    def __init__(self) -> None:
        self.times = 0

    def __array__(self, dtype: object = None, copy: object = None) -> Any:
        del dtype, copy
        self.times += 1
        return np.array([1.0, 2.0])


@pytest.mark.parametrize("verb", ["loss", "penalised", "objective", "gradient", "predictor"])
def test_an_answer_is_validated_once(verb: str) -> None:
    """What is read of the caller's object is what is judged."""
    coef = Converted()
    getattr(plain(X, Y), verb)(coef, 0.5)
    assert coef.times == 1


def test_no_offset_is_an_offset_of_zeros() -> None:
    """Everything that adds one up adds these."""
    assert plain(X, Y).design.row_offset.tolist() == [0.0] * Y.size
    given = np.arange(float(Y.size))
    assert plain(X, Y, offset=given).design.row_offset.tolist() == given.tolist()


def test_a_column_of_ones_may_be_an_intercept_with_a_prior() -> None:
    """As of a PyMC model: then it is an unpenalised one that there is none of."""
    ones = np.column_stack([np.ones(Y.size), X])
    assert "; no unpenalised intercept" in str(plain(ones, Y, intercept=False))
    assert "; no intercept" in str(plain(X, Y, intercept=False))
    assert "; unpenalised intercept β₀" in str(plain(X, Y))


FAR = [[np.inf, 0.0], [0.0, -np.inf], [np.inf, np.inf], [1e200, 0.0]]


@pytest.mark.parametrize("coef", FAR, ids=str)
@pytest.mark.parametrize(
    "prior",
    [
        br.Laplace(1.0),
        br.Normal(1.0),
        br.ElasticNet(1.0, 1.0),
        br.Flat(),
        br.Laplace(np.array([np.inf, 1.0])),
        [(br.Flat(), [0]), (br.Normal(1.0), [1])],
        br.StudentT(3.0, 1.0),
    ],
    ids=repr,
)
def test_a_loss_that_nothing_exceeds_is_infinite(prior: Any, coef: list[float]) -> None:
    """Never NaN; and what has no penalty has none at infinity."""
    positive = np.array([[1.0, 2.0], [3.0, 5.0], [2.0, 2.0]])
    for likelihood, y in ((br.Gaussian(1.0), Y), (br.Poisson(), [1.0, 0.0, 2.0])):
        problem = plain(positive, y, likelihood=likelihood, prior=prior)
        assert problem.loss(coef) == np.inf
        assert problem.penalised(coef) == np.inf
        assert problem.penalty.value(np.zeros(2)) == 0.0


def test_a_penalty_at_infinity_is_that_of_what_has_one() -> None:
    """0 of a flat coefficient, the same by terms and in sum."""
    for prior in (br.Laplace([np.inf, 2.0]), br.Normal([np.inf, 0.5])):
        penalty: Any = plain(X, Y, prior=prior).penalty
        assert penalty.value(np.array([np.inf, 1.0])) == penalty.value(np.array([0.0, 1.0]))
        assert penalty.values(np.array([-np.inf, 1.0]))[0] == 0.0
        assert penalty.value(np.array([0.0, -np.inf])) == np.inf


@pytest.mark.parametrize("y", [0.0, 3.0])
def test_counts_at_rates_beyond_double_precision(y: float) -> None:
    """Limits of ``exp(η) − yη``: infinity of an endless rate, 0 of none where none occurred."""
    losses = [
        br.Poisson().loss(np.array([eta]), np.array([y]), np.ones(1))
        for eta in (-np.inf, -1e308, 1e308, np.inf)
    ]
    assert losses == [np.inf if y else 0.0, np.inf if y else 0.0, np.inf, np.inf]
    problem = plain([[1.0], [2.0], [-1.0]], [1, 1, 0], likelihood=br.Poisson())
    for beyond in (np.inf, 4e307):
        assert problem.loss([beyond]) == problem.penalised([beyond]) == np.inf


EVALUATED = ("predictor", "loss", "penalised", "gradient", "objective")
FAMILIES = (br.Gaussian(1.0), br.StudentTNoise(3.0, 1.0), br.Bernoulli(), br.Poisson())


@pytest.mark.parametrize("name", EVALUATED)
@pytest.mark.parametrize("likelihood", FAMILIES, ids=repr)
@pytest.mark.parametrize("prior", list(every_example()))
def test_answers_beyond_double_precision(name: str, likelihood: Any, prior: str) -> None:
    """Refused by name, or an infinity that is one: never NaN, never a warning of arithmetic."""
    rows = np.array([[1.0, 2.0, 0.0, 1.0, 1.0], [3.0, 4.0, 1.0, 0.0, 1.0], np.arange(P)])
    problem = plain(rows, [0.0, 1.0, 0.0], likelihood=likelihood, prior=every_example()[prior])
    one = np.eye(P)[0]
    for size in (4e307, 1e308, np.inf, np.nan):
        for coef in (np.full(P, size), size * np.where(one, 1.0, -1.0), np.where(one, size, 0.0)):
            try:
                found = getattr(problem, name)(coef)
            except (InputError, DegenerateMode) as error:
                message = str(error)
            else:
                numbers = np.hstack(found if isinstance(found, tuple) else [found])
                message = "NaN" if np.isnan(numbers).any() else ""
            assert message.startswith(("coef: ", "prior: ")) or not message


@pytest.mark.parametrize(("number", "kind"), [(np.inf, "infinite values"), (np.nan, "NaN")])
def test_coefficients_and_centres_have_no_rows_to_drop(number: float, kind: str) -> None:
    """So the advice that data get would lead astray."""
    problem = br.Problem(np.eye(2), [1.0, 2.0], likelihood=br.Gaussian(1.0), prior=br.Normal(1.0))
    with pytest.raises(InputError, match=f"^coef: contains {kind}.* entry 0.*; give finite numb"):
        problem.objective([number, 0.0])
    with pytest.raises(InputError, match=f"^loc: contains {kind}.* entry 1.*; give finite numbers"):
        br.Normal(1.0, loc=[0.0, number])
