"""log_marginal_likelihood: against closed forms, quadrature, brute force and published digits."""

from __future__ import annotations

import math
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy import special, stats

import bayesreg as br
from bayesreg.errors import ImproperPosterior, InputError, NoClosedForm, SamplingWarning
from bayesreg.model_comparison._bridge import bridge
from bayesreg.model_comparison._contrasts import without_intercept
from bayesreg.model_comparison._proposal import CHAINS, Proposal
from bayesreg.model_comparison._space import Space
from bayesreg.posterior.drawn import read_draws
from tests.orthants import laplace_by_orthants
from tests.posterior_bank import TEMPLATES
from tests.reference_cases import CASES, number

if TYPE_CHECKING:
    from bayesreg._validation import Matrix, Vector

EXACT = {case.id: case for case in CASES if "log_marginal_likelihood" in case.expected}
# A normal number is beyond this once in a million times.
FAR = 4.9


def rows(seed: int, n: int = 30, p: int = 3) -> tuple[Matrix, Vector]:
    """Correlated columns and a target."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) + 0.7 * rng.normal(size=(n, 1))
    return X, X @ np.linspace(1.0, 0.0, p) + 0.5 * rng.normal(size=n) + 2.0


def direct(problem: br.Problem, tau: float, *, flat: bool) -> float:
    """``log N(y; 0, S)``; with a flat intercept the integral over it as well."""
    design = problem.design
    likelihood = problem.likelihood
    assert isinstance(likelihood, br.Gaussian)
    S = likelihood.variance * np.diag(1 / design.row_weights) + tau**2 * design.X @ design.X.T
    y = design.y if design.offset is None else design.y - design.offset
    law = stats.multivariate_normal(cov=S)
    if not flat:
        return float(law.logpdf(y))
    inverse = np.linalg.inv(S)
    precision = float(inverse.sum())
    level = float(inverse.sum(axis=0) @ y) / precision
    return float(law.logpdf(y - level)) + 0.5 * math.log(2 * math.pi / precision)


# --------------------------------------------------------------------------- closed forms


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("seed", range(5))
def test_ridge_is_the_density_of_the_data(seed: int, *, intercept: bool) -> None:
    """Weights, an offset, and an intercept under Lebesgue measure: the direct formula."""
    X, y = rows(seed, n=12 + seed, p=2 + 4 * seed)
    rng = np.random.default_rng(seed)
    problem = br.Problem(
        X, y, likelihood=br.Gaussian(0.8), prior=br.Normal(0.6), intercept=intercept,
        weights=rng.uniform(0.5, 2.0, y.size), offset=rng.normal(size=y.size),
    )  # fmt: skip
    found = br.log_marginal_likelihood(problem)
    assert found.value == pytest.approx(direct(problem, 0.6, flat=intercept), rel=1e-11)
    assert (found.se, found.method, found.flat_intercept) == (0.0, "exact", intercept)


def test_a_flat_intercept_is_the_limit_of_a_wide_one() -> None:
    """A column of ones with prior sd s, less the log density of that prior at 0, as s grows."""
    X, y = rows(1)
    flat = br.log_marginal_likelihood(
        br.Problem(X, y, likelihood=br.Gaussian(0.5), prior=br.Normal(1.0))
    )
    width = 1e5
    ones = br.Problem(
        np.column_stack([X, np.ones(y.size)]), y, likelihood=br.Gaussian(0.5), intercept=False,
        prior=br.Normal(np.array([1.0, 1.0, 1.0, width])),
    )  # fmt: skip
    wide = br.log_marginal_likelihood(ones).value + 0.5 * math.log(2 * math.pi * width**2)
    assert flat.value == pytest.approx(wide, abs=1e-6)


@pytest.mark.parametrize("name", sorted(EXACT))
def test_published_digits(name: str) -> None:
    """The high-precision cases: in closed form to their digits, by bridge within its error."""
    problem, tolerance = reference_problem(name), EXACT[name].rtol
    expected = number(EXACT[name].expected["log_marginal_likelihood"])
    found = br.log_marginal_likelihood(problem, seed=1)
    if found.method == "exact":
        assert found.value == pytest.approx(expected, rel=tolerance)
        found = br.log_marginal_likelihood(problem, "bridge", seed=1)
    assert found.method == "bridge"
    assert 0 < found.se < 0.02
    assert abs(found.value - expected) < FAR * found.se


def reference_problem(name: str) -> br.Problem:
    """Translate a reference case."""
    of = EXACT[name].definition
    if name.startswith("horseshoe"):
        prior: Any = br.Horseshoe(of["tau"])
        return plain([[1.0]], [of["z"]], br.Gaussian(of["sigma"]), prior)
    if name.startswith("logit"):
        return plain(of["X"], of["y"], br.Bernoulli(), br.Laplace(1.0))
    if name == "ridge_nig":
        sigma = br.Gaussian(br.InverseGamma(of["a"], of["b"]))
        prior = br.Normal(of["kappa"] ** -0.5, relative_to="sigma")
        return plain(of["X"], of["y"], sigma, prior)
    if name.startswith("ridge"):
        return plain(of["X"], of["y"], br.Gaussian(of["sigma"]), br.Normal(of["tau"]))
    scale = 1 / np.atleast_1d(np.array(of["lam"], dtype=float))
    return plain(of["X"], of["y"], br.Gaussian(of["sigma"]), br.Laplace(scale))


def plain(X: Any, y: Any, likelihood: Any, prior: Any) -> br.Problem:
    """Make a problem without an intercept."""
    return br.Problem(X, y, likelihood=likelihood, prior=prior, intercept=False)


# --------------------------------------------------------------------------- quadrature


def nodes(low: float, high: float, *, few: bool) -> tuple[Vector, Vector]:
    """Gauss–Legendre nodes and weights on panels that are shorter near 0, where there is a kink."""
    reach = max(abs(low), abs(high))
    near = np.geomspace(*((1e-3, reach, 7) if few else (1e-8, reach, 10)))
    even = np.linspace(low, high, 15 if few else 40)
    ends = np.unique(np.clip([*-near, 0.0, *near, *even], low, high))
    x, w = np.polynomial.legendre.leggauss(6 if few else 10)
    half, middle = np.diff(ends) / 2, (ends[1:] + ends[:-1]) / 2
    return (middle[:, None] + half[:, None] * x).ravel(), (half[:, None] * w).ravel()


def integral(problem: br.Problem, ranges: dict[str, tuple[float, float]]) -> float:
    """Log of the integral of exp(−objective) over one or two unknowns."""
    squared = {name for name, prior in problem.hyperpriors().items() if prior.of_square}
    flat, prior = problem.with_prior(br.Flat()), problem.coef_prior
    names, grids = list(ranges), [nodes(*pair, few=len(ranges) > 1) for pair in ranges.values()]
    logs = []
    for point in product(*(x.tolist() for x, _ in grids)):
        at = dict(zip(names, point, strict=True))
        coef = np.array([at.pop("beta")])
        jacobian = sum(math.log(2 * at[name]) for name in squared)
        if isinstance(prior, br.Horseshoe):  # which has no objective, being infinite at 0
            logs.append(prior.log_densities(coef).item() - flat.objective(coef, **at))
        else:
            logs.append(jacobian - problem.objective(coef, **at))
    weights = [math.prod(pair) for pair in product(*(w.tolist() for _, w in grids))]
    return float(special.logsumexp(logs, b=weights))


def one_column(seed: int, likelihood: Any) -> tuple[Matrix, Vector]:
    """Eight rows of one column."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(8, 1))
    return x, likelihood.draw(x.T * 0.8, np.ones(8), rng)[0]


BY_QUADRATURE: dict[str, tuple[Any, Any, dict[str, tuple[float, float]]]] = {
    "bernoulli-laplace": (br.Bernoulli(), br.Laplace(0.7), {"beta": (-9, 20)}),
    "poisson-student": (br.Poisson(), br.StudentT(4.0, 0.5), {"beta": (-9, 9)}),
    "poisson-double-pareto": (
        br.Poisson(), br.GeneralizedDoublePareto(0.5, 3.0), {"beta": (-9, 9)},
    ),
    "gaussian-exponential": (
        br.Gaussian(0.7), br.Laplace(0.3, nonnegative=True), {"beta": (1e-9, 6)},
    ),
    "student-horseshoe": (br.StudentTNoise(3.0, 0.7), br.Horseshoe(0.5), {"beta": (-9, 9)}),
    "gaussian-ball": (br.Gaussian(0.7), br.UniformBall(0.9), {"beta": (-0.9, 0.9)}),
    "bernoulli-intercept": (
        br.Bernoulli(), br.Laplace(0.7), {"beta": (-9, 20), "intercept": (-9, 9)},
    ),
    "student-sigma": (
        br.StudentTNoise(3.0, br.HalfNormal(1.0)), br.Laplace(0.5),
        {"beta": (-9, 9), "sigma": (1e-4, 8)},
    ),
    "sigma-squared": (
        br.Gaussian(br.InverseGamma(2.0, 1.0)), br.Laplace(0.5, relative_to="sigma"),
        {"beta": (-9, 9), "sigma": (0.1, 12)},
    ),
    "scale": (
        br.Gaussian(0.7), br.Laplace(br.HalfNormal(0.8)), {"beta": (-4, 4), "scale": (1e-6, 7)},
    ),
    "nonnegative-scale": (
        br.Bernoulli(), br.Normal(br.HalfNormal(1.0), nonnegative=True),
        {"beta": (1e-9, 18), "scale": (1e-5, 8)},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BY_QUADRATURE)
def test_bridges_agree_with_quadrature(name: str) -> None:
    """Every likelihood, unknowns of every kind, bounds, poles and kinks."""
    likelihood, prior, ranges = BY_QUADRATURE[name]
    known = likelihood.given(0.7) if "sigma" in ranges else likelihood
    X, y = one_column(11, known)
    problem = br.Problem(X, y, likelihood=likelihood, prior=prior, intercept="intercept" in ranges)
    found = br.log_marginal_likelihood(problem, n_draws=500, seed=2)
    assert found.method == "bridge"
    assert found.se < 0.03
    assert abs(found.value - integral(problem, ranges)) < FAR * found.se


@pytest.mark.parametrize("p", [3, 5])
def test_the_lasso_agrees_with_sums_over_orthants(p: int) -> None:
    """Correlated columns, several coefficients (Hans 2009)."""
    X, y = rows(p, p=p)
    sigma, b = 0.9, 0.4
    problem = plain(X, y, br.Gaussian(sigma), br.Laplace(b))
    orthants = laplace_by_orthants(X.T @ X / sigma**2, X.T @ y / sigma**2, np.full(p, 1 / b))
    constant = -p * math.log(2 * b) - 0.5 * (y @ y / sigma**2)
    constant -= y.size * math.log(sigma * math.sqrt(2 * math.pi))
    found = br.log_marginal_likelihood(problem, seed=3)
    error = math.hypot(found.se, orthants.log_integral_error)
    assert abs(found.value - orthants.log_integral - constant) < FAR * error
    assert found.se < 0.01


# --------------------------------------------------------------------------- invariances


def lasso(X: Matrix, y: Vector, unit: float = 1.0) -> br.Problem:
    """Lasso with unknown sigma and scale, in units of y."""
    noise = br.Gaussian(br.HalfNormal(2.0 * unit))
    return br.Problem(X, y, likelihood=noise, prior=br.Laplace(br.HalfCauchy(unit)))


@pytest.mark.parametrize("unit", [1e-3, 1e4])
def test_units_of_the_target_shift_it_by_n_log_units(unit: float) -> None:
    """A density of n numbers; the flat intercept takes one of them back."""
    X, y = rows(5)
    one, other = (br.log_marginal_likelihood(lasso(X, u * y, u), seed=4) for u in (1.0, unit))
    error = math.hypot(one.se, other.se)
    assert abs(other.value + (y.size - 1) * math.log(unit) - one.value) < FAR * error
    ridge = [
        br.log_marginal_likelihood(plain(X, u * y, br.Gaussian(u), br.Normal(u))).value
        for u in (1.0, unit)
    ]
    assert ridge[1] == pytest.approx(ridge[0] - y.size * math.log(unit), rel=1e-10)


def test_order_and_units_of_columns_do_not_matter() -> None:
    """Standardised columns in any order and any units are the same model."""
    X, y = rows(6, p=4)
    likelihood = br.Gaussian(br.HalfNormal(1.0))
    values = [
        br.log_marginal_likelihood(
            br.Problem(Z, y, likelihood=likelihood, prior=br.Horseshoe(0.5), standardize=True),
            seed=5,
        )
        for Z in (X, X[:, ::-1], X * np.array([1e-4, 1.0, 1e3, 7.0]))
    ]
    for one in values[1:]:
        assert abs(one.value - values[0].value) < FAR * math.hypot(one.se, values[0].se)


# --------------------------------------------------------------------------- standard errors


def calibration_cases() -> dict[str, br.Problem]:
    """Problems with a closed form or quadrature, on which bridges can be judged."""
    X, y = rows(7, n=20)
    u = np.linalg.qr(X - X.mean(axis=0))[0]
    return {
        "ridge": br.Problem(X, y, likelihood=br.Gaussian(0.7), prior=br.Normal(0.5)),
        "ridge-unknown": br.Problem(
            X, y, likelihood=br.Gaussian(br.HalfNormal(1.0)), prior=br.Normal(br.HalfCauchy(0.5))
        ),
        "ridge-funnel": br.Problem(
            X[:3], y[:3] / 50, likelihood=br.Gaussian(0.7), prior=br.Normal(br.HalfCauchy(0.5)),
        ),
        "lasso": br.Problem(u, y, likelihood=br.Gaussian(0.7), prior=br.Laplace(0.5)),
    }  # fmt: skip


@pytest.mark.parametrize("name", calibration_cases())
def test_standard_errors_are_right(name: str) -> None:
    """Over 24 seeds the deviations are as large as the standard errors say: chi-square."""
    problem = calibration_cases()[name]
    truth = br.log_marginal_likelihood(problem, "exact").value
    z = []
    for seed in range(24):
        found = br.log_marginal_likelihood(problem, "bridge", n_draws=250, seed=seed)
        z.append((found.value - truth) / found.se)
    square = float(np.square(z).sum())
    assert stats.chi2.ppf(1e-6, len(z)) < square < stats.chi2.isf(1e-6, len(z))


def eight_coefficients() -> br.Problem:
    """A ridge whose posterior is normal: a proposal errs by the draws it was fitted to alone."""
    X, y = rows(1, n=30, p=8)
    return plain(X, y - 2, br.Gaussian(1.0), br.Normal(0.7))


@pytest.mark.parametrize("memory", [0.0, 0.5, 0.7])
def test_two_ways_of_few_draws_are_not_independent(memory: float) -> None:
    """Two short chains: without their correlation the z have an sd of 1.3."""
    problem = eight_coefficients()
    truth, exact = br.log_marginal_likelihood(problem).value, br.posterior_moments(problem)
    root, z = np.linalg.cholesky(exact.covariance), []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        chains = rng.standard_normal((2, 300, 8))
        for t in range(1, 300):
            chains[:, t] = memory * chains[:, t - 1] + math.sqrt(1 - memory**2) * chains[:, t]
        found = bridge(problem, {"beta": exact.mean + chains @ root.T}, rng)
        z.append((found.value - truth) / found.se)
    print(f"\nbridge  memory {memory}: z mean {np.mean(z):.2f}, sd {np.std(z):.2f}")  # noqa: T201
    assert 0.8 < np.std(z) < 1.2


def test_draws_of_the_same_seed_are_no_draws_of_the_proposal() -> None:
    """The proposal has a stream of its own: else all of these are off by three errors."""
    problem, z = eight_coefficients(), []
    truth = br.log_marginal_likelihood(problem).value
    for seed in range(40):
        tree = br.sample(problem, draws=300, chains=2, seed=seed, progress=False)
        found = br.log_marginal_likelihood(problem, "bridge", draws=tree, seed=seed)
        z.append((found.value - truth) / found.se)
    assert abs(np.mean(z)) < FAR / math.sqrt(len(z))


@pytest.mark.parametrize(("chains", "words"), [(1, "R-hat is not available"), (2, "R-hat is ")])
def test_chains_that_disagree_are_said(chains: int, words: str) -> None:
    """One chain alone, or two at different places: the error within them knows nothing of it."""
    X, y = rows(10)
    problem = lasso(X, y)
    tree = br.sample(problem, draws=400, chains=chains, seed=1, progress=False)
    if chains == 2:
        tree["posterior"].dataset["beta"].values[1] += 0.3
    with pytest.warns(SamplingWarning, match=f"off by more than its error: draws are .*{words}"):
        found = br.log_marginal_likelihood(problem, draws=tree, seed=2)
    assert words in found.caution
    assert found.caution in str(found)


@pytest.mark.slow
@pytest.mark.parametrize("name", calibration_cases())
def test_standard_errors_are_right_over_many_seeds(name: str) -> None:
    """Two hundred seeds; a line for the record."""
    problem = calibration_cases()[name]
    truth = br.log_marginal_likelihood(problem, "exact").value
    found = [br.log_marginal_likelihood(problem, "bridge", seed=seed) for seed in range(200)]
    z = np.array([(each.value - truth) / each.se for each in found])
    summary = f"se {found[0].se:.2g}, z mean {z.mean():.3f}, sd {z.std():.3f}"
    print(f"\nbridge  {name:16} {summary}")  # noqa: T201  (for the record of a slow run)
    assert abs(z.mean()) < FAR * z.std() / math.sqrt(z.size)
    assert 0.8 < z.std() < 1.25


@pytest.mark.parametrize("name", ["both-horseshoe", "bernoulli-group", "student-scale-laplace"])
def test_two_seeds_agree_on_every_kind_of_problem(name: str) -> None:
    """Where there is no truth to hold it to: two independent answers."""
    problem = TEMPLATES[name]
    one, two = (br.log_marginal_likelihood(problem, n_draws=1000, seed=s) for s in (1, 2))
    assert abs(one.value - two.value) < FAR * math.hypot(one.se, two.se)
    assert max(one.se, two.se) < 0.15


# --------------------------------------------------------------------------- spike and slab


def spike_by_hand(X: Matrix, y: Vector, sigma: float, tau: float, inclusion: float) -> float:
    """Sum over all sets of columns of the prior of the set times N(y; 0, S)."""
    n, p = X.shape
    logs = []
    for pattern in product((False, True), repeat=p):
        kept = X[:, list(pattern)]
        size = sum(pattern)
        S = sigma**2 * np.eye(n) + tau**2 * kept @ kept.T
        logs.append(
            size * math.log(inclusion) + (p - size) * math.log1p(-inclusion)
            + float(stats.multivariate_normal(cov=S).logpdf(y))
        )  # fmt: skip
    return float(special.logsumexp(logs))


@pytest.mark.parametrize("p", [1, 6, 10])
def test_a_spike_and_slab_is_a_sum_over_models(p: int) -> None:
    """All sets of six columns; of ten those that the draws visit, with an error."""
    X, y = rows(8, n=15, p=p)
    problem = plain(X, y - 2, br.Gaussian(0.8), br.SpikeSlab(0.3, 1.1))
    found = br.log_marginal_likelihood(problem, n_draws=1000, seed=6)
    truth = spike_by_hand(X, y - 2, 0.8, 1.1, 0.3)
    assert found.method == "models"
    if p < 10:
        assert found.value == pytest.approx(truth, rel=1e-11)
    else:
        assert 0 < found.se < 0.02
        assert abs(found.value - truth) < FAR * found.se


def test_a_spike_and_slab_of_classes_bridges_each_model() -> None:
    """One column, two models, each by quadrature."""
    X, y = one_column(12, br.Bernoulli())
    problem = plain(X, y, br.Bernoulli(), br.SpikeSlab(0.4, 1.5))
    slab = integral(problem.with_prior(br.Normal(1.5)), {"beta": (-12, 12)})
    truth = np.logaddexp(math.log(0.6) - y.size * math.log(2), math.log(0.4) + slab)
    found = br.log_marginal_likelihood(problem, seed=7)
    assert abs(found.value - truth) < FAR * found.se


# --------------------------------------------------------------------------- the parts


@pytest.mark.parametrize("name", CHAINS)
def test_a_proposal_is_a_density_of_what_it_draws(name: str) -> None:
    """Its integral over a grid is one, and its draws have the probabilities of the grid."""
    rng = np.random.default_rng(9)
    fit = rng.gamma(2.0, size=(3000, 2)) @ np.array([[1.0, 0.4], [0.0, 0.7]])
    proposal = Proposal.of(fit, CHAINS[name])
    x, y = np.linspace(-14, 26, 700), np.linspace(-14, 26, 700)
    grid = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1).reshape(-1, 2)
    mass = np.exp(proposal.log_density(grid)) * (x[1] - x[0]) * (y[1] - y[0])
    assert mass.sum() == pytest.approx(1.0, abs=3e-3)
    draws = proposal.draw(rng, 20_000, 2)
    inside = float(mass[(grid < 2.0).all(axis=1)].sum())
    assert abs((draws < 2.0).all(axis=1).mean() - inside) < 0.01 + FAR * 0.5 / math.sqrt(20_000)


@pytest.mark.parametrize("name", ["both-laplace", "both-relative-laplace", "sigma-exponential"])
def test_coordinates_keep_the_posterior(name: str) -> None:
    """A bridge from coordinates of either kind has the same answer."""
    problem, _ = without_intercept(TEMPLATES[name])
    draws = read_draws(problem, br.sample(problem, seed=1, progress=False))
    spaces = Space.all_of(problem)
    assert [space.scaled for space in spaces] == [False, True][: len(spaces)]
    rng = np.random.default_rng(2)
    x = [space.pack(draws)[0, :50] for space in spaces]
    densities = [space.log_density(each) for space, each in zip(spaces, x, strict=True)]
    if len(spaces) == 2:  # the Jacobian of β/(σ^e s^f) in β
        logs = x[0][:, problem.p :]
        jacobian = (logs @ spaces[1].powers).sum(axis=1)
        np.testing.assert_allclose(densities[1], densities[0] + jacobian, rtol=1e-9)
    assert bridge(problem, draws, rng).se < 0.1


# --------------------------------------------------------------------------- what is asked


def test_given_draws_are_used_and_seeds_repeat() -> None:
    """The same draws and seed give the same number."""
    X, y = rows(10)
    problem = lasso(X, y)
    tree = br.sample(problem, seed=1, progress=False)
    one, two = (br.log_marginal_likelihood(problem, draws=tree, seed=2) for _ in range(2))
    assert one == two
    assert "density 1" in str(one)
    assert "log p(y)" in str(one)


def test_draws_under_longer_names_are_read_and_columns_checked() -> None:
    """A model's own "beta" leaves ours a longer name; draws of other columns are refused."""
    X, y = rows(10)
    problem = lasso(X, y)
    tree = br.sample(problem, seed=1, progress=False)
    renamed = tree.copy()
    renamed["posterior"] = tree["posterior"].to_dataset().rename(beta="problem_beta")
    assert br.log_marginal_likelihood(problem, draws=renamed, seed=2) == (
        br.log_marginal_likelihood(problem, draws=tree, seed=2)
    )
    other = br.Problem(X, y, likelihood=problem.likelihood, prior=problem.prior, names=list("abc"))
    with pytest.raises(InputError, match="are of column 'x0' where the problem has 'a'"):
        br.log_marginal_likelihood(other, draws=tree)


def _changed(tree: Any, how: str) -> Any:
    """Return draws with something wrong."""
    out, posterior = tree.copy(), tree["posterior"].to_dataset()
    if how == "few":
        return tree.isel(draw=slice(3))
    changes = {
        "text": lambda: posterior.assign(beta=posterior["beta"].astype(str)),
        "complex": lambda: posterior.assign(beta=posterior["beta"] * 1j),
        "one chain": lambda: posterior.assign(intercept=posterior["intercept"].isel(chain=0)),
        "no columns": lambda: posterior.drop_vars("feature"),
    }
    out["posterior"] = changes[how]()
    return out


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("few", "draws: hold 3 per chain; a bridge needs 8"),
        ("text", "draws: 'beta' holds <U"),
        ("complex", "draws: 'beta' holds complex128"),
        ("one chain", "draws: 'intercept' holds float64 by draw, not real numbers by chain"),
        ("no columns", "do not say which columns they are of"),
    ],
)
def test_draws_that_are_none_are_refused(how: str, words: str) -> None:
    """A wrong number, or an error of NumPy's, otherwise."""
    X, y = rows(10)
    problem = lasso(X, y)
    tree = br.sample(problem, draws=20, chains=2, seed=1, progress=False)
    with pytest.raises(InputError, match=words):
        br.log_marginal_likelihood(problem, "bridge", draws=_changed(tree, how))


def test_refusals_say_what_to_do() -> None:
    """Improper priors, wrong names, foreign draws."""
    X, y = rows(11)
    gaussian = br.Gaussian(1.0)
    ridge = br.Problem(X, y, likelihood=gaussian, prior=br.Normal(1.0))
    half_flat = br.Problem(X, y, likelihood=br.Gaussian(br.Flat()), prior=br.Normal(1.0))
    partly: Any = [(br.SpikeSlab(0.5, 1.0), [0]), (br.Normal(1.0), [1, 2])]
    cases: list[tuple[br.Problem, str]] = [
        (half_flat, "sigma: has a flat prior"),
        (br.Problem(X, y, likelihood=gaussian, prior=br.Flat()), "prior: is flat on 'x0'"),
        (br.Problem(X, y, likelihood=gaussian, prior=partly), "or none"),
    ]
    for problem, message in cases:
        with pytest.raises(InputError, match=message):
            br.log_marginal_likelihood(problem)
    with pytest.raises(InputError, match="method: 'brigde' is not known; did you mean 'bridge'"):
        br.log_marginal_likelihood(ridge, "brigde")
    with pytest.raises(InputError, match="takes a spike and slab"):
        br.log_marginal_likelihood(ridge, "models")
    with pytest.raises(InputError, match='use method="models"'):
        br.log_marginal_likelihood(ridge.with_prior(br.SpikeSlab(0.5, 1.0)), "bridge")
    with pytest.raises(NoClosedForm, match="no closed form"):
        br.log_marginal_likelihood(ridge.with_prior(br.Laplace(1.0)), "exact")
    other = br.sample(br.Problem(X[:, :2], y, likelihood=gaussian, prior=br.Normal(1.0)), seed=1)
    with pytest.raises(InputError, match="hold 2 coefficients, but the problem has 3 columns"):
        br.log_marginal_likelihood(ridge, "bridge", draws=other)
    with pytest.raises(InputError, match="have no 'scale'"):
        br.log_marginal_likelihood(
            ridge.with_prior(br.Laplace(br.HalfNormal(1.0))), draws=br.sample(ridge, seed=1)
        )
    with pytest.raises(InputError, match="for 500 draws per chain use n_draws"):
        br.log_marginal_likelihood(ridge, "bridge", draws=500)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="a DataTree with 'beta' in the group 'posterior'"):
        br.log_marginal_likelihood(ridge, "bridge", draws={"beta": X})  # type: ignore[arg-type]
    with pytest.raises(InputError, match="problem: must be"):
        br.log_marginal_likelihood(3.0)
    few = plain(X[:2], y[:2], br.Gaussian(br.HalfNormal(1.0)), br.Laplace(br.Flat()))
    with pytest.raises((ImproperPosterior, InputError), match="scale"):
        br.log_marginal_likelihood(few)


def test_a_large_standard_error_is_said_aloud() -> None:
    """A few draws of many unknowns."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(20, 15))
    problem = br.Problem(
        X, rng.normal(size=20), likelihood=br.Gaussian(1.0),
        prior=br.Horseshoe(br.HalfCauchy(1.0)),
    )  # fmt: skip
    with pytest.warns(SamplingWarning, match="raise n_draws"):
        br.log_marginal_likelihood(problem, n_draws=25, seed=1)


@pytest.mark.slow
def test_sequential_monte_carlo_agrees() -> None:
    """PyMC's sampler of tempered posteriors, an independent estimate."""
    import pymc as pm  # noqa: PLC0415  (the slow test alone needs it)

    X, y = rows(13, n=25, p=3)
    noise = br.Gaussian(br.HalfNormal(1.0))
    problem = plain(X, y - 2, noise, br.Laplace(br.HalfNormal(1.0)))
    with br.to_pymc(problem):
        tree = pm.sample_smc(draws=4000, chains=4, cores=1, random_seed=1, progressbar=False)
    values = [
        float(np.asarray(chain, dtype=float)[-1])
        for chain in np.asarray(tree["sample_stats"]["log_marginal_likelihood"])
    ]
    error = np.std(values, ddof=1) / math.sqrt(len(values))
    found = br.log_marginal_likelihood(problem, seed=8)
    print(f"\nSMC {np.mean(values):.3f} ± {error:.3f}, {found}")  # noqa: T201  (for the record)
    assert abs(np.mean(values) - found.value) < 6 * math.hypot(error, found.se) + 0.02
