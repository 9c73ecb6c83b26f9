"""Modes of PyMC models that are no penalised regression, against closed forms and brute force."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pymc as pm
import pytest
from pytensor.compile.mode import Mode
from scipy.optimize import minimize

import bayesreg as br
from bayesreg.errors import (
    DegenerateMode,
    ImproperPosterior,
    InputError,
    NotConverged,
    SamplingFailed,
    UnsupportedModel,
)
from bayesreg.map import Status
from bayesreg.model_certificate import certify_point
from bayesreg.model_map import ModelMapEstimate, find_model_map
from bayesreg.model_objective import compile_objective

CHEAP = Mode(linker="py", optimizer=None)
F = np.float64
RNG = np.random.default_rng(20240607)
N = 40
X = RNG.normal(size=(N, 3))
Y = X @ np.array([1.5, 0.0, -0.3]) + 0.7 * RNG.standard_t(3, size=N)
ZERO_ONE = (X[:, 0] + 0.5 * RNG.normal(size=N) > 0).astype(np.int64)
EIGHT = np.array([28.0, 8, -3, 7, -1, 1, 18, 12])
EIGHT_SD = np.array([15.0, 10, 16, 11, 9, 11, 10, 18])


def log_density(model: pm.Model, point: dict[str, Any], *, jacobian: bool = False) -> float:
    """PyMC's own."""
    return float(model.compile_logp(jacobian=jacobian, mode=CHEAP)(point))


def lasso() -> pm.Model:
    """Make a lasso with known sigma."""
    with pm.Model() as model:
        a = pm.Flat("a")
        b = pm.Laplace("b", F(0), F(0.03), shape=3)
        pm.Normal("y", a + X @ b, F(0.7), observed=Y)
    return model


def logistic() -> pm.Model:
    """Make a logistic lasso."""
    with pm.Model() as model:
        b = pm.Laplace("b", F(0), F(0.4), shape=3)
        pm.Bernoulli("y", logit_p=X @ b, observed=ZERO_ONE)
    return model


def park_casella() -> pm.Model:
    """Make a lasso with unknown sigma, the prior scale relative to it."""
    with pm.Model() as model:
        sigma = pm.HalfNormal("sigma", F(2))
        b = pm.Laplace("b", F(0), F(0.1) * sigma, shape=3)
        pm.Normal("y", X @ b, sigma, observed=Y)
    return model


def student() -> pm.Model:
    """Make a lasso with Student-t noise."""
    with pm.Model(coords={"feature": ["age", "sex", "dose"]}) as model:
        b = pm.Laplace("b", F(0), F(0.1), dims="feature")
        pm.StudentT("y", nu=F(3), mu=X @ b, sigma=F(0.7), observed=Y)
    return model


@pytest.mark.parametrize("build", [lasso, logistic, park_casella])
def test_models_that_are_regressions_agree_with_the_exact_route(build: Any) -> None:
    """Coefficients to 1e-8, zeros exactly, objective to rounding."""
    model = build()
    exact, fit = br.find_map(model), find_model_map(model, starts=3, seed=1)
    np.testing.assert_allclose(fit.coef, exact.coef, atol=1e-8)
    np.testing.assert_array_equal(fit.coef == 0, exact.coef == 0)
    assert (fit.coef == 0).any()
    assert fit.objective == pytest.approx(exact.objective, rel=1e-12)
    assert exact.point is not None
    for name, value in exact.point.items():
        np.testing.assert_allclose(fit.point[name], value, atol=1e-8)


def test_student_lasso_agrees_with_brute_force_over_sign_patterns() -> None:
    """The best stationary point of each sign pattern, by SciPy to high accuracy."""
    fit = find_model_map(student(), seed=0)

    def objective(b: Any) -> float:
        r = (Y - X @ b) / 0.7
        density = math.lgamma(2) - math.lgamma(1.5) - 0.5 * math.log(3 * math.pi * 0.7**2)
        return float((2 * np.log1p(r**2 / 3)).sum() - N * density
                     + np.abs(b).sum() / 0.1 + 3 * math.log(0.2))  # fmt: skip

    best = (objective(np.zeros(3)), np.zeros(3))
    for pattern in itertools.product((-1.0, 0.0, 1.0), repeat=3):
        on = np.flatnonzero(pattern)
        if on.size == 0:
            continue

        def restricted(part: Any, on: Any = on) -> float:
            b = np.zeros(3)
            b[on] = part
            return objective(b)

        found = minimize(
            restricted, 0.5 * np.array(pattern)[on], method="Nelder-Mead",
            options={"xatol": 1e-10, "fatol": 1e-13, "maxiter": 4000, "maxfev": 4000},
        )  # fmt: skip
        b = np.zeros(3)
        b[on] = found.x
        best = min(best, (float(found.fun), b), key=lambda pair: pair[0])
    assert fit.objective == pytest.approx(best[0], rel=1e-11)
    assert fit.objective <= best[0] + 1e-10
    np.testing.assert_allclose(fit.coef, best[1], atol=1e-5)
    assert fit.support == ("b[age]", "b[dose]")
    assert fit.status is Status.STATIONARY


@pytest.mark.parametrize("jacobian", [False, True])
def test_unknown_sigma_has_its_textbook_mode(jacobian: bool) -> None:
    """Of y ~ N(mu, sigma) under flat priors: RSS/n, or RSS/(n − 1) with the Jacobian of log."""
    with pm.Model() as model:
        mu, sigma = pm.Flat("mu"), pm.HalfFlat("sigma")
        pm.Normal("y", mu, sigma, observed=Y)
    fit = find_model_map(model, starts=2, seed=0, jacobian=jacobian)
    rss = float(((Y - Y.mean()) ** 2).sum())
    assert float(fit.values["mu"]) == pytest.approx(Y.mean(), abs=1e-12)
    expected = math.sqrt(rss / (N - 1 if jacobian else N))
    assert float(fit.values["sigma"]) == pytest.approx(expected, rel=1e-12)
    assert ("log" in fit.space) is jacobian
    assert ("Jacobian included" in fit.space) is jacobian


def test_jacobian_can_be_asked_of_a_regression() -> None:
    """A model that is a regression goes the general way then, and only then."""
    model = park_casella()
    plain, other = br.find_map(model), br.find_map(model, jacobian=True, seed=0)
    assert isinstance(plain, br.MapEstimate)
    assert isinstance(other, ModelMapEstimate)
    assert plain.sigma is not None
    assert float(other.values["sigma"]) > plain.sigma
    assert -other.objective == pytest.approx(
        log_density(model, other.point, jacobian=True), rel=1e-12
    )


def test_best_of_two_modes_is_found_and_both_are_told() -> None:
    """A Cauchy likelihood of two clusters: the mode by the larger one is the lower."""
    with pm.Model() as model:
        a = pm.Normal("a", F(0), F(10))
        pm.Cauchy("y", a, F(1), observed=np.array([-5.0, 5.0, 5.3]))
    fit = find_model_map(model, starts=10, seed=0)
    grid = np.linspace(-10, 10, 20_001)
    y = np.array([-5.0, 5.0, 5.3])
    values = np.log1p((y - grid[:, None]) ** 2).sum(axis=1) + grid**2 / 200
    assert float(fit.values["a"]) == pytest.approx(grid[np.argmin(values)], abs=1e-3)
    assert len(fit.search.modes) == 2
    assert 0 < fit.search.reached < fit.search.starts
    assert "2 distinct modes" in str(fit)


def test_saddle_at_the_initial_point_is_left() -> None:
    """A product of two centred variables: the model's initial point is a saddle."""
    with pm.Model() as model:
        a, b = pm.Normal("a", F(0), F(1)), pm.Normal("b", F(0), F(1))
        pm.Normal("y", a * b, F(1), observed=np.full(20, 2.0))
    fit = find_model_map(model, starts=1, seed=0)
    # a = b = √t, where 20 (t − 2) + 1 = 0.
    assert abs(float(fit.values["a"])) == pytest.approx(math.sqrt(1.95), rel=1e-12)
    assert not certify_point(model, {"a": 0.0, "b": 0.0}).stationary


def test_locations_may_be_known_or_other_variables() -> None:
    """Kinks sit at the location: entries there are exactly it, and may follow another variable."""
    with pm.Model() as model:
        mu = pm.Normal("mu", F(0), F(5))
        b = pm.Laplace("b", mu, F(0.5), shape=4)
        c = pm.Laplace("c", F(2), F(0.1))
        pm.StudentT("y", nu=F(4), mu=b, sigma=F(0.1), observed=np.array([1.0, 1.01, 0.99, 9.0]))
        pm.StudentT("z", nu=F(4), mu=c, sigma=F(1), observed=1.5)
    fit = find_model_map(model, starts=4, seed=0)
    assert float(fit.values["c"]) == 2.0
    assert fit.support == ("b[3]",)
    np.testing.assert_array_equal(fit.values["b"][:3], fit.values["mu"])
    assert -fit.objective == pytest.approx(log_density(model, fit.point), rel=1e-12)


@pytest.mark.parametrize("jacobian", [False, True])
def test_objective_is_minus_the_log_density_of_pymc(jacobian: bool) -> None:
    """At random points, for transforms, potentials, unknown scales and locations."""
    with pm.Model() as model:
        tau = pm.HalfCauchy("tau", F(1))
        w = pm.Dirichlet("w", np.ones(3))
        b = pm.Laplace("b", tau, tau * F(0.4), shape=(2, 2))
        s = pm.Uniform("s", F(0), F(3))
        pm.Potential("curb", -(b**2).sum())
        pm.StudentT("y", nu=F(5), mu=b.sum() + w[0], sigma=s, observed=Y)
    objective = compile_objective(model, jacobian=jacobian)
    assert objective.labels[3:5] == ("b[0, 0]", "b[0, 1]")
    rng = np.random.default_rng(0)
    theirs = model.compile_logp(jacobian=jacobian, mode=CHEAP)
    for kind in ("initial", "jitter", "prior"):
        x = objective.start(rng, kind)
        at = objective.evaluate(x)
        assert -at.value == pytest.approx(float(theirs(objective.point(x))), rel=1e-10)
        x = x + rng.normal(size=x.size)
        at = objective.evaluate(x)
        every = np.arange(x.size)
        steps = 1e-6 * np.eye(x.size)
        numeric = [objective.evaluate(x + h).value - objective.evaluate(x - h).value for h in steps]
        np.testing.assert_allclose(at.gradient, np.array(numeric) / 2e-6, rtol=1e-5, atol=1e-5)
        slopes = [
            objective.evaluate(x + h).gradient - objective.evaluate(x - h).gradient for h in steps
        ]
        np.testing.assert_allclose(
            objective.hessian(x, every), np.array(slopes) / 2e-6, rtol=1e-5, atol=1e-4
        )


# --------------------------------------------------------------------------- no mode


def eight_schools(*, centred: bool) -> pm.Model:
    """Rubin's eight schools."""
    with pm.Model() as model:
        mu, tau = pm.Normal("mu", F(0), F(5)), pm.HalfCauchy("tau", F(5))
        if centred:
            theta = pm.Normal("theta", mu, tau, shape=8)
        else:
            theta = mu + tau * pm.Normal("z", F(0), F(1), shape=8)
        pm.Normal("y", theta, EIGHT_SD, observed=EIGHT)
    return model


@pytest.mark.parametrize("jacobian", [False, True])
def test_centred_hierarchy_has_an_unbounded_density(jacobian: bool) -> None:
    """Eight normal densities of sd tau at their centre: tau⁻⁸ as tau goes to 0."""
    with pytest.raises(DegenerateMode, match=r"tau: the density is unbounded.*tau_log__"):
        find_model_map(eight_schools(centred=True), starts=2, seed=0, jacobian=jacobian)


def test_non_centred_hierarchy_peaks_at_the_edge() -> None:
    """Its density is largest at tau = 0, which log tau does not reach: refused, with the cure."""
    model = eight_schools(centred=False)
    with pytest.raises(DegenerateMode, match=r"tau: .*edge of its range.*jacobian=True"):
        find_model_map(model, starts=1, seed=0)
    assert find_model_map(model, starts=1, seed=0, jacobian=True).certificate.stationary


def test_laplace_prior_of_unknown_scale_collapses() -> None:
    """Even where some starts end at a local mode: the density is unbounded elsewhere."""
    with pm.Model() as model:
        scale = pm.HalfCauchy("scale", F(1))
        b = pm.Laplace("b", F(0), scale, shape=3)
        pm.StudentT("y", nu=F(4), mu=X @ b, sigma=F(0.7), observed=Y)
    with pytest.raises(DegenerateMode, match="scale: the density is unbounded"):
        find_model_map(model, starts=2, seed=0)


def test_spike_of_a_mixture_is_found_to_be_unbounded() -> None:
    """One component sits on one observation and shrinks."""
    with pm.Model() as model:
        mu = pm.Normal("mu", np.array([0.0, 1.0]), F(2), shape=2)
        sd = pm.HalfNormal("sd", F(2))
        pm.NormalMixture(
            "y", w=np.array([0.5, 0.5]), mu=mu, sigma=pm.math.stack([F(1), sd]), observed=Y[:5]
        )
    with pytest.raises(DegenerateMode, match="sd: the density is unbounded"):
        find_model_map(model, seed=0)


def test_flat_direction_is_improper() -> None:
    """Two flat variables of which only the sum is seen."""
    with pm.Model() as model:
        a, b = pm.Flat("a"), pm.Flat("b")
        pm.StudentT("y", nu=F(3), mu=a + b, sigma=F(1), observed=Y)
    with pytest.raises(ImproperPosterior, match="direction of a, b"):
        find_model_map(model, starts=2, seed=0)


def test_mode_at_infinity_is_improper() -> None:
    """Counts of zero under a rate exp(a) + 1: the likelihood rises as a falls, for ever."""
    with pm.Model() as model:
        a = pm.Flat("a")
        pm.Poisson("y", pm.math.exp(a) + 1, observed=np.array([0, 0, 1, 0]))
    with pytest.raises(ImproperPosterior, match="a goes to -infinity"):
        br.find_map(model, starts=2, seed=0)


def test_edge_of_an_interval_is_no_mode() -> None:
    """Sigma wants to be larger than its prior allows."""
    with pm.Model() as model:
        s = pm.Uniform("s", F(0), F(2))
        pm.Normal("y", F(0), s + F(0.1), observed=np.array([5.0, 6.0, 7.0]))
    with pytest.raises(DegenerateMode, match=r"s: .*edge of its range"):
        br.find_map(model, starts=2, seed=0)


def test_data_outside_the_support_are_said_to_be() -> None:
    """No NaN, no hang."""
    with pm.Model() as model:
        b = pm.Normal("b", F(0), F(1))
        pm.Gamma("y", alpha=F(2), beta=pm.math.exp(b), observed=np.array([-1.0, 2.0]))
    with pytest.raises(NotConverged, match="not finite at any of the starts"):
        br.find_map(model, starts=2, seed=0)


def test_parameters_outside_their_range_are_outside_the_density() -> None:
    """PyMC raises there; on the way to a mode that is a wall, everywhere it is a refusal."""
    with pm.Model() as model:
        s = pm.Normal("s", F(2), F(1))
        pm.Gamma("y", alpha=s, beta=F(1), observed=np.abs(Y) + 0.1)
    fit = find_model_map(model, starts=4, seed=0)
    assert float(fit.values["s"]) > 0
    assert not certify_point(model, {"s": np.array(-1.0)}).stationary
    with pm.Model() as nowhere:
        b = pm.Normal("b", F(0), F(-1))
        pm.StudentT("y", nu=F(4), mu=b, sigma=F(1), observed=Y)
    with pytest.raises((NotConverged, UnsupportedModel)):
        br.find_map(nowhere, starts=2, seed=0)


# --------------------------------------------------------------------------- refusals


def test_a_model_that_is_no_regression_says_why() -> None:
    """Logistic noise: solved as it stands, from the same verb."""
    with pm.Model() as model:
        pm.Logistic("y", X @ pm.Laplace("b", F(0), F(0.1), shape=3), F(0.7), observed=Y)
    fit = br.find_map(model, starts=1, seed=0)
    assert isinstance(fit, ModelMapEstimate)
    assert "Logistic" in fit.why_not_glm


def test_discrete_variables_are_refused_by_name() -> None:
    """They have no gradient."""
    with pm.Model() as model:
        k = pm.Poisson("k", F(3))
        pm.StudentT("y", nu=F(4), mu=k, sigma=F(1), observed=Y)
    advice = (
        r"'k': is discrete; sum it out of the model \(pm.Mixture, say\), then ask for the mode$"
    )
    with pytest.raises(UnsupportedModel, match=advice):
        br.find_map(model)


@pytest.mark.parametrize("where", ["prior", "likelihood", "predictor", "transform"])
def test_other_kinks_are_refused_by_name(where: str) -> None:
    """Asymmetric Laplace priors, absolute errors, absolute values in the predictor."""
    with pm.Model() as model:
        if where == "prior":
            b = pm.AsymmetricLaplace("b", kappa=F(1.2), mu=F(0), b=F(1), shape=3)
        elif where == "transform":
            b = pm.Laplace("b", F(0), F(1), shape=3, transform=pm.distributions.transforms.ordered,
                           initval=[1.0, 2.0, 3.0])  # fmt: skip
        else:
            b = pm.Normal("b", F(0), F(1), shape=3)
        mean = X @ (pm.math.abs(b) if where == "predictor" else b)
        if where == "likelihood":
            pm.Laplace("y", mean, F(1), observed=Y)
        else:
            pm.StudentT("y", nu=F(4), mu=mean, sigma=F(1), observed=Y)
    name = "b" if where in ("prior", "transform") else "y"
    with pytest.raises(UnsupportedModel, match=f"'{name}'"):
        br.find_map(model)


def test_arguments_are_judged() -> None:
    """By name."""
    model = student()
    with pytest.raises(InputError, match="starts"):
        br.find_map(model, starts=0)
    with pm.Model() as other:
        pm.Logistic("y", X @ pm.Laplace("b", F(0), F(0.1), shape=3), F(1), observed=Y)
    with pytest.raises(InputError, match=r"given: .*Logistic"):
        br.find_map(other, given={"sigma": 1.0})
    with pytest.raises(InputError, match="jacobian"):
        br.find_map(
            br.Problem(X, Y, likelihood=br.Gaussian(br.HalfNormal(1.0)), prior=br.Laplace(1.0)),
            jacobian=True,
        )
    with pytest.raises(InputError, match="no free variable"):
        find_model_map(pm.Model())
    with pytest.raises(InputError, match="'b' has shape"):
        certify_point(model, {"b": np.zeros(2)})
    with pytest.raises(InputError, match="no value of 'b'"):
        certify_point(model, {})


# --------------------------------------------------------------------------- certificate


def test_certificate_rejects_every_perturbed_answer() -> None:
    """Coefficients moved by 1e-4, zeros moved by 1e-12, non-zeros set to 0, NaN, other data."""
    model = student()
    fit = find_model_map(model, starts=3, seed=0)
    assert fit.certificate.stationary
    assert fit.certificate.optimal
    assert fit.certificate.gap == math.inf
    assert not fit.certificate.unique
    b = fit.point["b"]
    for j in range(3):
        absurd = (math.nan, math.inf) if j == 0 else ()
        for step in (1e-4, -1e-4, *absurd, *((1e-12, -1e-12) if b[j] == 0 else ())):
            moved = b.copy()
            moved[j] += step
            assert not certify_point(model, {"b": moved}).stationary
    assert not certify_point(model, {"b": np.zeros(3)}).stationary
    with pm.Model() as other:
        c = pm.Laplace("b", F(0), F(0.101), shape=3)
        pm.StudentT("y", nu=F(3), mu=X @ c, sigma=F(0.7), observed=Y)
    assert not certify_point(other, fit.point).stationary


def test_answer_is_a_table_and_reads_well() -> None:
    """One row per entry of each free variable; the same seed gives the same answer."""
    fit, again = (find_model_map(student(), seed=3) for _ in range(2))
    frame = fit.to_frame()
    assert frame["zero"].tolist() == [False, True, False]
    np.testing.assert_array_equal(frame["value"], fit.coef)
    np.testing.assert_array_equal(again.coef, fit.coef)
    assert str(fit).startswith("mode of p(b | y)\n")
    assert "starts reached the best objective; 1 mode seen" in str(fit)
    assert -fit.objective == pytest.approx(log_density(student(), fit.point), rel=1e-12)


def printed_rows(fit: ModelMapEstimate) -> dict[str, str]:
    """Names and numbers of the tables that `print` shows."""
    rows = [line.split() for line in str(fit).splitlines()[4:]]
    return {row[0]: row[1] for row in rows if len(row) == 2}


def test_print_shows_the_variables_without_a_kink_too() -> None:
    """Level and dispersion beside a Laplace variable; each entry of ordered cutpoints."""
    counts = np.random.default_rng(1).poisson(np.exp(1.0 + 0.5 * X[:, 0]))
    with pm.Model() as model:
        a, b = pm.Normal("a", F(0), F(2)), pm.Laplace("b", F(0), F(0.05), shape=3)
        al = pm.Exponential("al", F(0.1))
        pm.NegativeBinomial("y", mu=pm.math.exp(a + X @ b), alpha=al, observed=counts)
    fit = find_model_map(model, starts=2, seed=0)
    assert fit.names == ("b[0]", "b[1]", "b[2]")
    assert fit.others == {name: float(fit.values[name]) for name in ("a", "al")}
    shown = {f"b[{j}]": value for j, value in enumerate(fit.coef) if value != 0} | fit.others
    assert len(shown) < 5  # zeros are counted, and not shown
    assert printed_rows(fit) == {name: f"{value:.4g}" for name, value in shown.items()}
    levels = np.clip(counts // 2, 0, 2)
    with pm.Model() as ordered:
        b = pm.Laplace("b", F(0), F(0.3), shape=3)
        cuts = pm.Normal(
            "cuts",
            F(0),
            F(3),
            shape=2,
            transform=pm.distributions.transforms.ordered,
            initval=[-1.0, 1.0],
        )
        pm.OrderedLogistic("y", eta=X @ b, cutpoints=cuts, observed=levels)
    fit = find_model_map(ordered, starts=2, seed=0)
    assert list(fit.others) == ["cuts[0]", "cuts[1]"]
    assert printed_rows(fit)["cuts[1]"] == f"{fit.values['cuts'][1]:.4g}"
    assert find_model_map(student(), starts=2, seed=0).others == {}


def test_a_model_without_data() -> None:
    """Its mode is that of its prior; a flat one has none."""
    with pm.Model() as model:
        pm.Laplace("b", 0.0, np.float64(2.0), shape=3)
    fit = br.find_map(model, seed=1)
    assert fit.objective == pytest.approx(3 * np.log(4.0), rel=1e-12)
    assert not fit.coef.any()
    with pm.Model() as flat:
        pm.Flat("b")
    with pytest.raises(ImproperPosterior, match="does not change"):
        br.find_map(flat, seed=1)


def test_a_path_of_any_model_says_that_find_map_takes_it() -> None:
    """Verbs for penalised regressions refuse other models, and name the one that does not."""
    with pm.Model() as model:
        a = pm.Normal("a", 0.0, 1.0)
        pm.Normal("y", pm.math.exp(a) * np.ones(3), 1.0, observed=np.ones(3))
    with pytest.raises(UnsupportedModel, match="linear") as caught:
        br.map_path(model)
    assert any("find_map" in note for note in caught.value.__notes__)


def empty(likelihood: Any = None) -> pm.Model:
    """Return a model whose only free variable has no entries."""
    with pm.Model() as model:
        b = pm.Normal("e", 0.0, 1.0, shape=0)
        if likelihood is not None:
            likelihood(b)
    return model


@pytest.mark.parametrize(
    "likelihood",
    [
        None,
        lambda b: pm.Gumbel("y", pm.math.sum(b), 1.0, observed=Y),
        lambda b: pm.Normal("y", X[:, :0] @ b + 1.0, 1.0, observed=Y),
    ],
    ids=["alone", "gumbel", "normal"],
)
def test_variables_without_entries_leave_nothing_to_find(likelihood: Any) -> None:
    """Neither a mode nor draws."""
    model = empty(likelihood)
    with pytest.raises(InputError, match=r"^model: its free variables \(e\) have no entries"):
        br.find_map(model)
    with pytest.raises(InputError, match=r"^model: has no unknown variable with an entry"):
        br.sample(model, draws=3, tune=3)


@pytest.mark.parametrize("settings", [{"starts": 10**9}, {"seed": -1}], ids=["starts", "seed"])
def test_starts_and_seed_are_judged_where_they_are_not_needed(settings: dict[str, Any]) -> None:
    """A regression ignores both, but what no model could be asked for is a mistake."""
    of_rows = br.Problem(X, Y, likelihood=br.Gaussian(1.0), prior=br.Normal(1.0))
    for asked in (of_rows, empty()):
        with pytest.raises(InputError, match=f"^{next(iter(settings))}: must be"):
            br.find_map(asked, **settings)


def test_a_scale_of_zero_is_refused_without_remarks_of_pytensor() -> None:
    """It folds constants, and divides by them."""
    with pm.Model() as model:
        pm.Gumbel("b", 0.0, 0.0, shape=3)
    with pytest.raises(NotConverged, match="not finite at any of the starts"):
        br.find_map(model)
    with pytest.raises(SamplingFailed, match="nuts stopped"):
        br.sample(model, draws=3, tune=3, chains=1)


def test_a_value_given_to_a_model_without_unknown_scales_is_refused_as_such() -> None:
    """Names of what is not there would not help."""
    with pm.Model() as model:
        b = pm.Normal("b", 0.0, 1.0, shape=3)
        pm.Normal("y", X @ b, 1.0, observed=Y)
    with pytest.raises(InputError, match=r"^given: the model has no unknown sigma or scale"):
        br.find_map(model, given={"zz": 1.0})
