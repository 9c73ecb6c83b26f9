"""The certificate: accepts the mode, and fails on everything that is not the mode."""

from __future__ import annotations

import math
from dataclasses import replace
from decimal import Decimal, localcontext
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_diabetes

import bayesreg as br
from bayesreg.certificate import certify_path
from bayesreg.errors import InputError
from bayesreg.independence import independent
from bayesreg.likelihoods import ConvexLikelihood
from bayesreg.penalties import SeparablePenalty
from bayesreg.problem import Problem
from bayesreg.solvers import solve
from tests.problems import (
    bank,
    data,
    likelihood_examples,
    nonconvex_examples,
    norm_examples,
)

BANK = bank()
CONVEX = [name for name, problem in BANK.items() if problem.convex]
FAMILIES = sorted(k for k, v in likelihood_examples().items() if isinstance(v, ConvexLikelihood))


@pytest.mark.parametrize("name", CONVEX)
def test_accepts_the_mode_and_bounds_every_excess(name: str) -> None:
    """At random points the gap is at least the objective's true excess over the mode."""
    problem = BANK[name]
    mode = solve(problem)
    at_mode = br.certify(problem, mode.coef, mode.intercept)
    assert at_mode.optimal
    assert at_mode.unique
    assert at_mode.gap <= 1e-9
    best = problem.penalised(mode.coef, mode.intercept)
    rng = np.random.default_rng(0)
    for size in (1e-3, 1e-1, 1.0):
        coef = mode.coef + size * rng.normal(size=problem.p)
        excess = problem.penalised(coef, mode.intercept) - best
        certificate = br.certify(problem, coef, mode.intercept)
        assert certificate.gap >= excess * (1 - 1e-9) - 1e-9
        assert not certificate.optimal


@pytest.mark.parametrize("name", BANK)
def test_rejects_faults(name: str) -> None:
    """NaN, a flipped zero, a dropped coefficient, a moved intercept, another prior scale."""
    problem = BANK[name]
    mode = solve(problem)
    for bad in (np.full(problem.p, np.nan), np.where(np.arange(problem.p) == 2, np.inf, mode.coef)):
        certificate = br.certify(problem, bad, mode.intercept)
        assert not certificate.minimum
        assert math.isinf(certificate.gap)
    if problem.design.intercept:
        assert not br.certify(problem, mode.coef, math.nan).minimum
    else:
        with pytest.raises(InputError, match="intercept: this problem has none"):
            br.certify(problem, mode.coef, 1.0)
    penalty = problem.penalty
    for j in range(problem.p):
        moved = mode.coef.copy()
        if moved[j] == 0.0:
            # Tiny for the gap, but not a zero.
            moved[j] = 1e-13
            assert br.certify(problem, moved, mode.intercept).gap < 1e-9 or not problem.convex
        else:
            moved[j] = 0.0
        certificate = br.certify(problem, moved, mode.intercept)
        assert not certificate.minimum, (j, mode.coef[j])
        assert f"NOT {'optimal' if problem.convex else 'stationary'}" in str(certificate)
    if problem.design.intercept:
        moved_intercept = mode.intercept + 1e-2
        assert not br.certify(problem, mode.coef, moved_intercept).minimum
    # Where only unpenalised coefficients differ from zero, a tighter prior has the same mode.
    assert isinstance(penalty, SeparablePenalty)
    if penalty.slope(mode.coef)[mode.coef != 0].any():
        tighter = problem.with_prior(problem.prior.rescaled(np.full(problem.p, 0.9)))
        assert not br.certify(tighter, mode.coef, mode.intercept).minimum


@given(
    seed=st.integers(0, 10_000),
    n=st.integers(3, 12),
    p=st.integers(1, 15),
    family=st.sampled_from(FAMILIES),
    size=st.sampled_from([1e-6, 1e-3, 0.1, 3.0]),
)
def test_no_gap_is_below_the_excess(seed: int, n: int, p: int, family: str, size: float) -> None:
    """More columns than rows, coefficients set to 0, several priors: the bound is a bound."""
    rng = np.random.default_rng(seed)
    likelihood = likelihood_examples()[family]
    X = rng.normal(size=(n, p))
    y = likelihood.draw(X[:, :1].T, np.ones(n), rng)[0]
    y[:2] = 0.0, 1.0
    priors = [br.Normal(3.0), br.Laplace(0.3), br.ElasticNet(0.5, 10.0), br.Laplace(5.0)]
    problem = br.Problem(X, y, likelihood=likelihood, prior=priors[seed % 4])
    mode = br.find_map(problem)
    coef = mode.coef + size * rng.normal(size=p) * (rng.random(p) < 0.5)
    coef[rng.integers(p)] = 0.0
    excess = problem.penalised(coef, mode.intercept) - problem.penalised(mode.coef, mode.intercept)
    assert br.certify(problem, coef, mode.intercept).gap >= excess * (1 - 1e-9) - 1e-9


def test_verdict_does_not_depend_on_the_units_of_a_column() -> None:
    """Scaling a column and its prior leaves gap and KKT residual alone."""
    problem = BANK["gaussian-laplace-b0-plain"]
    coef = solve(problem).coef + 0.01
    units = np.array([1e-6, 1.0, 1e3, 1e6, 1.0])
    d = problem.design
    scaled = br.Problem(
        d.X * units,
        d.y,
        likelihood=problem.likelihood,
        prior=problem.coef_prior.rescaled(1 / units),
    )
    one, two = br.certify(problem, coef), br.certify(scaled, coef / units)
    assert two.kkt == pytest.approx(one.kkt, rel=1e-9)
    assert two.gap == pytest.approx(one.gap, rel=1e-9)


def test_duplicate_columns_are_an_optimum_that_is_not_unique() -> None:
    """Whatever the split between them; with a square in the penalty there is only one."""
    rng = np.random.default_rng(1)
    x, noise = rng.normal(size=(30, 1)), rng.normal(size=30)
    X, y = np.hstack([x, x]), 2 * x[:, 0] + noise
    problem = br.Problem(X, y, likelihood=br.Gaussian(1.0), prior=br.Laplace(0.2))
    mode = solve(problem)
    total = mode.coef.sum()
    for share in (0.0, 0.3, 1.0):
        certificate = br.certify(problem, [share * total, (1 - share) * total], mode.intercept)
        assert certificate.optimal
        assert not certificate.unique
        assert certificate.copies == ("x0", "x1")
        assert "not unique: x0 and x1 are copies" in str(certificate)
    assert not br.certify(problem, [1.5 * total, -0.5 * total], mode.intercept).optimal
    net = problem.with_prior(br.ElasticNet(0.2, 3.0))
    mode = solve(net)
    certificate = br.certify(net, mode.coef, mode.intercept)
    assert certificate.unique
    assert certificate.copies is None
    assert str(certificate).endswith("; unique")


COLUMN = np.random.default_rng(1).normal(size=(30, 1))
CODE = np.arange(30.0)[:, None] % 2
OTHER = np.random.default_rng(2).normal(size=(30, 1))


@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize(
    ("columns", "prior"),
    [
        ((COLUMN, COLUMN), br.Laplace(0.2)),
        ((COLUMN, -COLUMN), br.Laplace(0.2)),
        ((COLUMN, COLUMN), br.Laplace(0.2, nonnegative=True)),
        ((OTHER, CODE, 1 - CODE), br.Laplace(0.2)),
        (
            (COLUMN, OTHER, COLUMN),
            [(br.Laplace(0.2), [0]), (br.Flat(), [1]), (br.Laplace(0.2), [2])],
        ),
    ],
    ids=["same", "opposite", "bounded", "codes", "of two priors"],
)
def test_mass_moves_between_copies(columns: tuple[Any, ...], prior: Any, standardize: bool) -> None:
    """Half of what one has, given to the other, is certified to be an optimum as well."""
    X = np.hstack(columns)
    y = 2 * X[:, 0] - 3 * CODE[:, 0] + np.random.default_rng(3).normal(size=30)
    problem = br.Problem(X, y, likelihood=br.Gaussian(1.0), prior=prior, standardize=standardize)
    fit = br.find_map(problem)
    assert fit.certificate.copies is not None
    one, other = (problem.names.index(name) for name in fit.certificate.copies)
    ratio = (X[1, other] - X[0, other]) / (X[1, one] - X[0, one])
    level = X[0, other] - ratio * X[0, one]
    moved = fit.coef.copy()
    total = moved[one] + ratio * moved[other]
    moved[[one, other]] = 0.5 * total, 0.5 * total / ratio
    assert not np.allclose(moved, fit.coef)
    intercept = fit.intercept + level * (fit.coef[other] - moved[other])
    assert problem.objective(moved, intercept) == pytest.approx(fit.objective, abs=1e-10)
    assert br.certify(problem, moved, intercept).optimal


@pytest.mark.parametrize("along_path", [False, True])
@pytest.mark.parametrize(
    ("columns", "prior"),
    [
        ((COLUMN, 2 * COLUMN), br.Laplace(0.2)),  # the longer one is cheaper
        ((COLUMN, COLUMN), br.Laplace(np.array([0.2, 0.21]))),
        ((COLUMN, -COLUMN), br.Laplace(0.2, nonnegative=True)),
        ((COLUMN, COLUMN), br.Laplace(1e-4)),  # nothing to move
        ((COLUMN, COLUMN), br.Normal(1.0)),
        ((COLUMN, COLUMN), [(br.Laplace(0.2), [0]), (br.Normal(0.2), [1])]),
        ((COLUMN, COLUMN + np.eye(30)[:, :1] * 1e-6), br.Laplace(0.2)),
    ],
    ids=["price", "scales", "bound", "zero", "square", "mixed", "near"],
)
def test_copies_at_a_cost_are_none(columns: tuple[Any, ...], prior: Any, along_path: bool) -> None:
    """A slope, a bound or a square that differs; a last digit of a column."""
    X = np.hstack(columns)
    y = 2 * X[:, 0] + np.random.default_rng(3).normal(size=30)
    problem = br.Problem(X, y, likelihood=br.Gaussian(1.0), prior=prior)
    fit = br.find_map(problem)
    found = fit.certificate
    if along_path:
        [found] = certify_path([problem], fit.coef[None, :], [fit.intercept])
    assert found.optimal
    assert found.copies is None
    assert "not unique" not in str(found)


def test_copies_along_a_path_are_those_of_each_answer() -> None:
    """Twice a column: told wherever one of the pair is in the mode, and only there."""
    X = np.hstack([OTHER, COLUMN, COLUMN])
    y = OTHER[:, 0] * 5 + COLUMN[:, 0]
    path = br.map_path(
        br.Problem(X, y, likelihood=br.Gaussian(1.0), prior=br.Laplace(1.0)),
        scales=np.geomspace(0.003, 10, 30),
    )
    entered = path.coef[:, 1:].any(axis=1)
    assert 0 < entered.sum() < 30
    for there, certificate in zip(entered.tolist(), path.certificates, strict=True):
        assert certificate.copies == (("x1", "x2") if there else None)


def test_large_offsets_are_judged_at_their_own_rounding() -> None:
    """A column at 1e9 ± 1 has no more digits to give; the verdict allows for that and no more."""
    rng = np.random.default_rng(2)
    X = rng.normal(size=(50, 3))
    y = X @ [1.0, 0.0, -1.0] + rng.normal(size=50)
    X[:, 0] += 1e9
    problem = br.Problem(X, y, likelihood=br.Gaussian(1.0), prior=br.Laplace(0.1))
    mode = solve(problem)
    assert br.certify(problem, mode.coef, mode.intercept).optimal
    worse = mode.coef + np.array([0.0, 0.01, 0.0])
    assert not br.certify(problem, worse, mode.intercept).optimal


def test_a_column_of_zeros_must_have_a_zero_coefficient() -> None:
    """Its coefficient is prior alone."""
    problem = br.Problem(
        [[0.0, 1.0], [0.0, 2.0]],
        [1.0, 2.0],
        likelihood=br.Gaussian(1.0),
        prior=br.Laplace(1.0),
        intercept=False,
    )
    mode = solve(problem)
    assert br.certify(problem, mode.coef).optimal
    assert not br.certify(problem, mode.coef + np.array([1e-12, 0.0])).optimal


def test_joint_certificate_sees_sigma() -> None:
    """A joint stationary point is one in sigma too."""
    base = BANK["gaussian-laplace-b0-plain"]
    problem = br.Problem(
        base.design.X,
        base.design.y,
        likelihood=br.Gaussian(br.HalfNormal(1.0)),
        prior=br.Laplace(0.3, relative_to="sigma"),
    )
    fit = br.find_map(problem)
    assert fit.sigma is not None
    joint = br.certify(problem, fit.coef, fit.intercept, sigma=fit.sigma)
    assert joint.optimal
    assert joint.joint
    assert not joint.minimum  # nothing is proved of other values of sigma, and the words say so
    assert "given sigma" in str(joint)
    other = br.find_map(problem, given={"sigma": 1.1 * fit.sigma})
    assert other.certificate.optimal
    off = br.certify(problem, other.coef, other.intercept, sigma=1.1 * fit.sigma)
    assert not off.optimal
    assert off.worst == "sigma"


def test_rejects_find_map_of_pymc_tolerance() -> None:
    """An answer a thousandth of a nat above the optimum, without zeros, is not certified."""
    X, y = load_diabetes(return_X_y=True, scaled=False)
    problem = br.Problem(
        X, y, likelihood=br.Gaussian(54.0), prior=br.Laplace(16.5), standardize=True
    )
    mode = solve(problem)
    smoothed = np.where(mode.coef == 0, 1e-4, mode.coef)
    certificate = br.certify(problem, smoothed, mode.intercept)
    assert certificate.kkt > 1e-3
    assert not certificate.optimal


def test_an_answer_within_a_thousandth_of_a_nat_is_called_near_and_not_optimal() -> None:
    """What a point optimiser of loose tolerance ends at; a nat off is not near."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(50, 3))
    problem = br.Problem(
        X, X @ [1.0, 0.5, 0.0], likelihood=br.Gaussian(1.0), prior=br.Laplace(0.1), intercept=False
    )
    mode = br.find_map(problem).coef
    for step, words in ((1e-4, "near but NOT optimal (worst: x"), (0.3, "NOT optimal (worst: x")):
        found = br.certify(problem, mode + step * (mode != 0))
        assert str(found).startswith(words)
        assert found.near == (step < 0.1)
    assert br.certify(problem, mode).near


def test_bad_input() -> None:
    """Wrong lengths and unknown scales are errors, not verdicts."""
    problem = BANK["gaussian-laplace-b0-plain"]
    with pytest.raises(InputError, match=r"coef: must have shape \(5,\)"):
        br.certify(problem, [1.0])
    unknown = br.Problem.of(problem.design, br.Gaussian(br.HalfNormal(1.0)), problem.prior)
    with pytest.raises(InputError, match="sigma is unknown"):
        br.certify(unknown, np.zeros(5))


def test_certificate_is_frozen() -> None:
    """A verdict cannot be edited in place."""
    problem = BANK["gaussian-normal-b0-plain"]
    certificate = br.certify(problem, np.zeros(5))
    with pytest.raises(AttributeError):
        certificate.optimal = True  # type: ignore[misc]
    assert replace(certificate, optimal=True).optimal


def norm_problems() -> dict[str, br.Problem]:
    """Priors that tie coefficients together, under each likelihood."""
    problems = {}
    for family, likelihood in likelihood_examples().items():
        X, y = data(likelihood, seed=1)
        for name, prior in norm_examples().items():
            problems[f"{family}-{name}"] = br.Problem(X, y, likelihood=likelihood, prior=prior)
    return problems


EVERY = BANK | norm_problems()


@pytest.mark.parametrize("name", EVERY)
def test_rejects_every_perturbed_answer(name: str) -> None:
    """A coefficient + 1e-4, a flipped zero, a scale changed by 1 %, other data, NaN."""
    problem = EVERY[name]
    mode = solve(problem)
    zero, level = mode.coef == 0, mode.intercept

    def accepted(coef: np.ndarray, problem: br.Problem = problem) -> bool:
        return br.certify(problem, coef, level).minimum

    assert accepted(mode.coef)
    for j, unit in enumerate(np.eye(problem.p)):
        assert not accepted(mode.coef + 1e-4 * unit), j
        assert not accepted(mode.coef - 1e-4 * unit), j
        assert not accepted(mode.coef + 1e-8 * unit) or not zero[j], j
        assert not accepted(np.where(unit == 1, 0.0, mode.coef)) or zero[j], j
        assert not accepted(np.where(unit == 1, np.nan, mode.coef)), j
    d = problem.design
    others = (
        problem.with_prior(problem.prior.rescaled(np.full(problem.p, 1 / 1.01))),
        Problem.of(replace(d, y=np.roll(d.y, 3)), problem.likelihood, problem.prior),
    )
    for other in others:
        # All zeros, say, may be the mode of both.
        there = solve(other)
        if np.abs(there.coef - mode.coef).max() + abs(there.intercept - level) > 1e-9:
            assert not accepted(mode.coef, other)


@given(
    seed=st.integers(0, 10_000),
    prior=st.sampled_from(sorted(norm_examples() | {"exponential": br.Laplace(1.0)})),
    family=st.sampled_from(FAMILIES),
    size=st.sampled_from([1e-6, 1e-3, 0.1, 3.0]),
)
def test_no_gap_is_below_the_excess_whatever_the_penalty(
    seed: int, prior: str, family: str, size: float
) -> None:
    """Norms, balls and bounds: what is outside of a constraint is infinitely far."""
    likelihood = likelihood_examples()[family]
    X, y = data(likelihood, seed=seed % 50, n=12)
    density = norm_examples().get(prior, br.Laplace(0.2, nonnegative=True))
    problem = br.Problem(X, y, likelihood=likelihood, prior=density)
    mode = solve(problem)
    rng = np.random.default_rng(seed)
    coef = mode.coef + size * rng.normal(size=problem.p) * (rng.random(problem.p) < 0.5)
    excess = problem.penalised(coef, mode.intercept) - problem.penalised(mode.coef, mode.intercept)
    assert br.certify(problem, coef, mode.intercept).gap >= excess * (1 - 1e-9) - 1e-9


def exact_value(problem: br.Problem, coef: np.ndarray, intercept: float) -> Decimal:
    """Loss plus penalty of an unweighted Gaussian lasso to 60 digits."""
    d, penalty = problem.design, problem.elastic_net
    assert isinstance(problem.likelihood, br.Gaussian)
    b = [Decimal(float(value)) for value in coef]
    total = Decimal(0)
    for row, target in zip(d.X, d.y, strict=True):
        eta = Decimal(intercept) + sum(
            (Decimal(float(x)) * v for x, v in zip(row, b, strict=True)), Decimal(0)
        )
        total += (Decimal(float(target)) - eta) ** 2
    total /= 2 * Decimal(float(problem.likelihood.sigma)) ** 2  # type: ignore[arg-type]
    return total + sum(
        (Decimal(float(slope)) * abs(v) for slope, v in zip(penalty.l1, b, strict=True)), Decimal(0)
    )


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("size", [1e-9, 1e-6, 1e-3, 1.0])
def test_the_gap_is_sound_to_its_rounding_error(seed: int, size: float) -> None:
    """Columns over eight decades and far off centre: against the objective to 60 digits."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(20, 6)) * 10 ** rng.uniform(-3, 3, 6) + 10 ** rng.uniform(0, 4)
    sd = X.std(axis=0)
    y = (X - X.mean(axis=0)) @ (rng.normal(size=6) / sd) + rng.normal(size=20)
    problem = br.Problem(
        X, y, likelihood=br.Gaussian(0.05), prior=br.Laplace(0.3), standardize=bool(seed % 2)
    )
    mode = br.find_map(problem)
    coef = mode.coef + size * rng.normal(size=6) / sd
    level = mode.intercept - float(X.mean(axis=0) @ (coef - mode.coef))
    certificate = br.certify(problem, coef, level)
    with localcontext() as context:
        context.prec = 60
        best = exact_value(problem, mode.coef, mode.intercept)
        excess = float(exact_value(problem, coef, level) - best)
    noise = certificate.gap_tolerance - 1e-9
    assert certificate.gap + noise >= excess * (1 - 1e-12)


@pytest.mark.parametrize("name", sorted(nonconvex_examples()))
def test_without_convexity_it_says_stationary_and_no_more(name: str) -> None:
    """No gap, no verdict "optimal"; still a stationary point is told from one that is not."""
    X, y = data(br.Gaussian(0.7), seed=1)
    problem = br.Problem(X, y, likelihood=br.Gaussian(0.7), prior=nonconvex_examples()[name])
    mode = br.find_map(problem)
    certificate = mode.certificate
    assert certificate.stationary
    assert (certificate.convex, certificate.optimal, certificate.unique) == (False, False, False)
    assert math.isinf(certificate.gap)
    assert "stationary: KKT residual" in str(certificate)
    assert "not convex: no global statement" in str(certificate)
    assert certificate.cusp == ("cusp" in name)
    assert ("0 is always a local mode" in str(certificate)) == certificate.cusp
    moved = np.where(mode.coef == 0, 0.0, mode.coef + 1e-3)
    worse = br.certify(problem, moved, mode.intercept + 1e-3)
    assert not worse.stationary
    assert str(worse).startswith("NOT stationary")


@pytest.mark.parametrize("family", likelihood_examples())
@pytest.mark.parametrize("p", [5, 60])
def test_along_a_path_the_verdicts_are_those_of_one_by_one(family: str, p: int) -> None:
    """Modes, answers that are none, NaN, and more columns than rows."""
    likelihood = likelihood_examples()[family]
    X, y = data(likelihood, seed=2, p=p)
    X[:, -1] = X[:, 0]
    base = br.Problem(X, y, likelihood=likelihood, prior=br.Laplace(1.0))
    problems = [base.with_prior(br.Laplace(scale)) for scale in np.geomspace(0.02, 2.0, 12)]
    modes = [solve(problem) for problem in problems]
    coefs = np.array([mode.coef for mode in modes])
    coefs[3] += 0.01
    coefs[5, 0] = np.nan
    levels = np.array([mode.intercept for mode in modes])
    together = certify_path(problems, coefs, levels)
    assert sum(c.optimal if c.convex else c.stationary for c in together) == 10
    for one, problem, coef, level in zip(together, problems, coefs, levels, strict=True):
        alone = br.certify(problem, coef, float(level))
        for field in ("optimal", "stationary", "minimum", "unique", "support"):
            assert getattr(one, field) == getattr(alone, field)
        assert one.gap == pytest.approx(alone.gap, rel=1e-6, abs=1e-11)
        assert one.kkt == pytest.approx(alone.kkt, rel=1e-6, abs=1e-11)


def test_a_path_shares_its_data() -> None:
    """Other data, other families and other shapes are refused; no problem needs no verdict."""
    one, two = BANK["gaussian-laplace-b0-plain"], BANK["gaussian-laplace-no-b0-plain"]
    answer = np.zeros((2, 5))
    assert certify_path([], np.zeros((0, 5))) == ()
    with pytest.raises(InputError, match="problems: must share their data"):
        certify_path([one, two], answer)
    with pytest.raises(InputError, match=r"coefs: must have shape \(2, 5\)"):
        certify_path([one, one], answer[:, :3])
    with pytest.raises(InputError, match="coefs: found text"):
        certify_path([one, one], np.full((2, 5), "a"))
    with pytest.raises(InputError, match=r"intercepts: must be a number or 2 of them"):
        certify_path([one, one], answer, [0.0, 1.0, 2.0])
    with pytest.raises(InputError, match="intercepts: these problems have none"):
        certify_path([two, two], answer, [0.0, 1.0])
    unknown = one.with_prior(br.Laplace(br.HalfCauchy(1.0)))
    with pytest.raises(InputError, match="scale is unknown"):
        certify_path([unknown], answer[:1])


def test_multipliers_are_signs_on_the_support_and_within_one_elsewhere() -> None:
    """The closed form of orthogonal columns; a column without an absolute value has none."""
    scale = np.array([1.0, 1.0, np.inf])
    problem = br.Problem(
        np.eye(3),
        [3.0, -0.5, 2.0],
        likelihood=br.Gaussian(1.0),
        prior=br.Laplace(scale),
        intercept=False,
    )
    certificate = br.certify(problem, [2.0, 0.0, 2.0])
    assert certificate.optimal
    assert certificate.multipliers is not None
    np.testing.assert_allclose(certificate.multipliers, np.array([1.0, -0.5, np.nan]))
    assert "multipliers" not in repr(certificate)
    for name in ("gaussian-exponential-b0-plain", "poisson-elastic-net-no-b0-w"):
        mode = br.find_map(BANK[name])
        found = mode.certificate.multipliers
        assert found is not None
        on = mode.coef != 0
        np.testing.assert_allclose(found[on], np.sign(mode.coef[on]), rtol=1e-9)
        assert (found[~on] <= 1).all()


def test_independence_is_proved_or_denied() -> None:
    """Against ranks by construction: any units, tall and wide, nearly dependent and exactly."""
    rng = np.random.default_rng(0)
    tall = rng.normal(size=(500, 20))
    assert independent(tall)
    assert independent(tall * 10 ** rng.uniform(-100, 100, 20))
    assert not independent(np.column_stack([tall, tall @ rng.normal(size=20)]))
    assert not independent(np.column_stack([tall, np.zeros(500)]))
    assert not independent(rng.normal(size=(5, 6)))
    assert independent(np.empty((3, 0)))
    near = np.column_stack([tall, tall[:, 0] + 1e-7 * rng.normal(size=500)])
    assert independent(near)
    # Nothing but zeros in the rows that are looked at first.
    late = np.zeros((1000, 2))
    late[1, 0] = late[3, 1] = 1.0
    assert independent(late)


def test_many_columns_on_few_rows_are_certified_by_their_columns() -> None:
    """Ten candidates among 400 columns: unique; with one of them doubled: not."""
    rng = np.random.default_rng(4)
    X = rng.normal(size=(50, 400))
    y = X[:, :5] @ np.ones(5) + 0.1 * rng.normal(size=50)
    kwargs: dict[str, Any] = {"likelihood": br.Gaussian(1.0), "prior": br.Laplace(0.1)}
    fit = br.find_map(br.Problem(X, y, **kwargs))
    assert fit.certificate.unique
    doubled = br.Problem(np.column_stack([X, X[:, 0]]), y, **kwargs)
    again = br.certify(doubled, np.append(fit.coef, 0.0), fit.intercept)
    assert again.optimal
    assert not again.unique
    assert again.copies == ("x0", "x400")


@pytest.mark.parametrize(
    "prior",
    [
        br.GroupLaplace(0.1, np.arange(60).reshape(20, 3).tolist()),
        br.Bridge(scale=1.0, power=1.5),
        br.Laplace(0.1, nonnegative=True),
    ],
)
def test_uniqueness_with_more_columns_than_rows(prior: br.Prior) -> None:
    """Groups that cannot enter, and strictly convex terms, need no independent columns."""
    rng = np.random.default_rng(5)
    X = rng.normal(size=(30, 60))
    y = X[:, :3].sum(axis=1) + 0.1 * rng.normal(size=30)
    fit = br.find_map(br.Problem(X, y, likelihood=br.Gaussian(1.0), prior=prior))
    assert fit.certificate.optimal
    assert fit.certificate.unique


@pytest.mark.parametrize(
    "prior",
    [
        br.GroupLaplace(0.3, groups=[[0, 1], [2, 3, 4]]),
        br.LInfinity(0.1),
        br.Slope(0.2, weights=np.array([2.0, 1.5, 1.0, 1.0, 0.5])),
        br.Fused(0.3),
    ],
    ids=["group", "sup", "sorted", "fused"],
)
def test_the_gap_of_a_norm_falls_with_the_square_of_the_error(prior: br.GroupLaplace) -> None:
    """Along its manifold: ten times as near the mode, a hundred times the bound."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(40, 5))
    y = X @ [2.0, -1.0, 1.0, 0.5, 0.7] + rng.normal(size=40)
    problem = br.Problem(X, y, likelihood=br.Gaussian(1.0), prior=prior)
    fit = br.find_map(problem)
    gaps = [
        br.certify(problem, fit.coef * (1 + error), fit.intercept).gap for error in (1e-3, 1e-4)
    ]
    assert gaps[1] <= 0.02 * gaps[0]
