"""posterior_path: against closed forms, against fresh draws, and the rules of reuse."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

import bayesreg as br
from bayesreg.errors import ImproperPosterior, InputError, NoClosedForm, SamplingWarning
from bayesreg.posterior import along_scales
from bayesreg.posterior.along_scales import next_place
from bayesreg.posterior.exact import posterior_moments
from bayesreg.posterior.path import posterior_path
from bayesreg.posterior.reweighting import (
    Source,
    Use,
    Weights,
    array_stats,
    khat_limit,
    shortest,
    smooth,
    summarise,
)
from bayesreg.posterior.sampling import sample

if TYPE_CHECKING:
    from bayesreg.posterior.path_result import PosteriorPath

type Array = np.ndarray[tuple[int, ...], np.dtype[np.float64]]

RNG = np.random.default_rng(7)
X = RNG.normal(size=(30, 3)) * [1.0, 2.0, 0.5]
Y = X @ [1.0, 0.0, -1.0] + RNG.normal(size=30)
QUICK: dict[str, Any] = {"draws": 400, "chains": 4, "tune": 200, "seed": 1}


def _problem(**parts: Any) -> br.Problem:
    parts = {"likelihood": br.Gaussian(1.0), "prior": br.Laplace(0.5)} | parts
    return br.Problem(X, Y, **parts)


@pytest.fixture(scope="module")
def reused() -> PosteriorPath:
    """A lasso with unknown sigma on a grid fine enough for some reuse."""
    problem = _problem(likelihood=br.Gaussian(br.HalfNormal(2.0)))
    return posterior_path(problem, n_scales=12, method="gibbs", **QUICK)


# ------------------------------------------------------------------ closed forms


@pytest.mark.parametrize(
    "prior", [br.Normal(1.0), br.Normal(scale=[0.3, np.inf, 2.0], loc=[0.5, 0.0, -1.0])]
)
@pytest.mark.parametrize("standardize", [False, True])
def test_a_normal_posterior_is_that_of_posterior_moments(
    prior: br.Normal, standardize: bool
) -> None:
    """Mean, median, interval and closeness to zero are those of the normal law, at every scale."""
    problem = _problem(prior=prior, standardize=standardize)
    path = posterior_path(problem, scales=[0.1, 3.0, 1.0], hdi_prob=0.8)
    assert set(path.method) == {"closed form"}
    assert not (path.fresh | path.reused).any()
    for k, scale in enumerate(path.scales):
        exact = posterior_moments(path.problem_at(scale))
        law = stats.norm(exact.mean, exact.sd)
        assert_allclose(path.mean[k], exact.mean, rtol=1e-9, atol=1e-12)
        assert_allclose(path.median[k], exact.mean, rtol=1e-9, atol=1e-12)
        assert_allclose(path.hdi[k].T, np.array(law.interval(0.8)), rtol=1e-9)
        near = law.cdf(path.epsilon) - law.cdf(-path.epsilon)
        assert_allclose(path.near_zero[k], near, rtol=1e-6, atol=1e-12)
        assert path.intercept is not None
        assert path.intercept.mean[k] == pytest.approx(exact.intercept_mean, rel=1e-9)


def test_a_normal_inverse_gamma_posterior_is_that_of_its_independent_draws() -> None:
    """Coefficients are t, sigma is the root of an inverse gamma; no draw is needed to say so."""
    likelihood = br.Gaussian(br.InverseGamma(3.0, 2.0))
    problem = _problem(likelihood=likelihood, prior=br.Normal(0.7, relative_to="sigma"))
    path = posterior_path(problem, scales=[0.7])
    draws = sample(problem, "exact", draws=20_000, chains=2, seed=3)["posterior"].to_dataset()
    beta = draws["beta"].to_numpy().reshape(-1, 3)
    sigma, n = draws["sigma"].to_numpy().ravel(), beta.shape[0]
    assert path.method == ("closed form",)
    assert path.sigma is not None
    error = 5 * math.sqrt(0.25 / n)
    columns = [(beta[:, j], path.median[0, j], path.hdi[0, j]) for j in range(3)]
    for x, median, (low, high) in [*columns, (sigma, path.sigma.median[0], path.sigma.hdi[0])]:
        assert abs((x < median).mean() - 0.5) < error
        assert abs(((x > low) & (x < high)).mean() - 0.95) < error
        assert high - low < 1.02 * np.diff(array_stats().hdi(x, 0.95))
    assert_allclose(path.near_zero[0], (np.abs(beta) < path.epsilon).mean(axis=0), atol=error)
    assert path.sigma.mean[0] == pytest.approx(sigma.mean(), abs=5 * sigma.std() / math.sqrt(n))


def test_known_means_are_exact_and_the_rest_is_drawn() -> None:
    """With a half-normal sigma the moments come from quadrature, the quantiles from draws."""
    problem = _problem(likelihood=br.Gaussian(br.HalfNormal(2.0)), prior=br.Normal(1.0))
    path = posterior_path(problem, scales=[0.2, 2.0], **QUICK)
    assert path.method == ("exact", "exact")
    assert path.fresh.all()
    assert path.sigma is not None
    for k, scale in enumerate(path.scales):
        exact = posterior_moments(path.problem_at(scale))
        assert_allclose(path.mean[k], exact.mean, rtol=1e-8, atol=1e-12)
        assert path.sigma.mean[k] == pytest.approx(exact.sigma_mean, rel=1e-8)
        assert_array_equal(path.mcse[k], 0.0)
        # The law is near t: its middle is near its mean.
        assert np.all(np.abs(path.median[k] - exact.mean) < 6 * exact.sd / math.sqrt(1600))


class _LaplaceLaw:
    """Posterior of one coefficient under a Laplace prior: two truncated normals."""

    def __init__(self, mean: float, sd: float, b: float) -> None:
        self.right = stats.norm(mean - sd**2 / b, sd)
        self.left = stats.norm(mean + sd**2 / b, sd)
        # Completing the square leaves exp(shifted mean² / 2 sd²) on each side.
        up = (mean - sd**2 / b) ** 2 / (2 * sd**2) + self.right.logsf(0.0)
        down = (mean + sd**2 / b) ** 2 / (2 * sd**2) + self.left.logcdf(0.0)
        self.p_right = 1 / (1 + math.exp(down - up))

    def cdf(self, x: Array | float) -> Any:
        """Distribution function."""
        below = self.left.cdf(np.minimum(x, 0.0)) / self.left.cdf(0.0)
        above = (self.right.cdf(np.maximum(x, 0.0)) - self.right.cdf(0.0)) / self.right.sf(0.0)
        return (1 - self.p_right) * below + self.p_right * above

    def on_grid(self, prob: float) -> tuple[float, float]:
        """Mean, and width of the shortest interval, to four digits or more."""
        grid = np.linspace(-3.0, 3.0, 60_001)
        mass = self.cdf(grid)
        low, high = shortest(grid, mass, prob)
        return float(0.5 * (grid[1:] + grid[:-1]) @ np.diff(mass)), high - low


def test_one_laplace_coefficient_is_two_truncated_normals() -> None:
    """Mean within 4 MCSE, shares within 5 sd, at every scale, drawn there or reweighted."""
    x, y = np.array([1.0, 2.0, -1.0, 0.5]), np.array([0.9, 1.1, 0.2, -0.4])
    problem = br.Problem(
        x[:, None], y, likelihood=br.Gaussian(0.8), prior=br.Laplace(1.0), intercept=False
    )
    path = posterior_path(
        problem, scales=np.geomspace(0.05, 20.0, 9), method="gibbs", draws=2000, seed=5
    )
    assert path.reused.any()
    assert path.fresh.any()
    mean, sd = float(x @ y / (x @ x)), 0.8 / math.sqrt(float(x @ x))
    for k, scale in enumerate(path.scales):
        law, error = _LaplaceLaw(mean, sd, float(scale)), 5 * math.sqrt(0.25 / path.ess[k])
        low, high = path.hdi[k, 0]
        eps = path.epsilon[0]
        expected, width = law.on_grid(0.95)
        assert abs(path.mean[k, 0] - expected) < 4 * path.mcse[k, 0]
        assert abs(law.cdf(path.median[k, 0]) - 0.5) < error
        assert abs(law.cdf(high) - law.cdf(low) - 0.95) < error
        assert high - low == pytest.approx(width, rel=0.15)
        assert abs(path.near_zero[k, 0] - (law.cdf(eps) - law.cdf(-eps))) < error


# ------------------------------------------------------------------ reuse


def test_reweighted_scales_agree_with_fresh_draws(reused: PosteriorPath) -> None:
    """Means of coefficients, intercept and sigma, and shares, within 5 sd of the difference."""
    assert reused.reused.sum() >= 4
    for k in np.flatnonzero(reused.reused):
        settings = QUICK | {"seed": 100 + k}
        fresh = posterior_path(
            reused.problem, scales=[reused.scales[k]], method="gibbs", **settings
        )
        error = np.hypot(reused.mcse[k], fresh.mcse[0])
        assert np.all(np.abs(reused.mean[k] - fresh.mean[0]) < 5 * error)
        for a, b in ((reused.sigma, fresh.sigma), (reused.intercept, fresh.intercept)):
            assert a is not None
            assert b is not None
            assert abs(a.mean[k] - b.mean[0]) < 5 * math.hypot(a.mcse[k], b.mcse[0])
        share = 5 * math.sqrt(0.25 / reused.ess[k] + 0.25 / fresh.ess[0])
        assert np.all(np.abs(reused.near_zero[k] - fresh.near_zero[0]) < share)


def test_draws_are_reused_only_where_they_can_be_trusted(reused: PosteriorPath) -> None:
    """k̂ below its limit, effective draws above their floor, the source drawn at its own scale."""
    again = reused.reused
    assert np.all(reused.khat[again] < 0.7)
    assert np.all(reused.ess >= reused.min_ess)
    assert reused.fresh[reused.source].all()
    assert np.isfinite(reused.rhat[reused.fresh]).all()
    assert np.isnan(reused.rhat[again]).all()
    assert np.all(reused.draws >= 1600)


def test_a_coarse_grid_is_drawn_afresh_and_a_fine_one_once() -> None:
    """Scales a hundred times apart share nothing; scales one per cent apart share everything."""
    coarse = posterior_path(_problem(), scales=[0.3, 3e-5, 3e-3], method="gibbs", **QUICK)
    assert coarse.fresh.all()
    fine = posterior_path(_problem(), scales=[1.0, 1.01, 1.02], method="gibbs", **QUICK)
    assert fine.fresh.tolist() == [False, True, False]
    assert fine.source.tolist() == [1, 1, 1]
    assert np.all(fine.ess > 0.9 * fine.ess[1])


def test_a_floor_above_what_weights_leave_forces_fresh_draws() -> None:
    """`min_ess` is obeyed, and a lower one lets draws go further."""
    grid = np.geomspace(0.3, 1.2, 5)
    count = [
        posterior_path(_problem(), grid, method="gibbs", min_ess=floor, **QUICK).fresh.sum()
        for floor in (50.0, 800.0)
    ]
    assert count[0] < count[1]


def test_few_draws_are_made_again_and_said_to_be_few() -> None:
    """A run with too few effective draws is four times as long; below the floor is a warning."""
    settings = QUICK | {"draws": 100, "min_ess": 1e6}
    with pytest.warns(SamplingWarning, match="too few"):
        path = posterior_path(_problem(), [0.01], method="gibbs", **settings)
    assert path.draws.tolist() == [4 * 4 * 100]


def test_a_ball_is_never_reweighted_to_a_larger_one() -> None:
    """No draw lies in what the larger ball adds, though all weights would be equal."""
    small, large = (_problem(prior=br.UniformBall(radius)) for radius in (1.0, 1.1))
    rng = np.random.default_rng(0)
    draws = {"beta": large.coef_prior.draw(3, rng, 500)[None]}
    assert Source.of(small, draws, independent=True).towards(large) is None
    inward = Source.of(large, draws, independent=True).towards(small)
    assert inward is not None
    inside = (draws["beta"][0] ** 2).sum(axis=1) <= 1.0
    assert_allclose(inward.values, inside / inside.sum(), rtol=1e-12)
    assert inward.khat == 0.0


@settings(deadline=None)
@given(st.integers(1, 40), st.data())
def test_the_walk_covers_every_scale_and_draws_nowhere_twice(
    count: int, data: st.DataObject
) -> None:
    """Whatever the reach of each run."""
    done: set[int] = set()
    reach: dict[int, tuple[int, int]] = {}
    while (place := next_place(count, done, reach)) >= 0:
        assert 0 <= place < count
        assert place not in done
        down = data.draw(st.integers(0, place))
        up = data.draw(st.integers(0, count - 1 - place))
        reach[place] = down, up
        done |= set(range(place - down, place + up + 1))
    assert done == set(range(count))


# ------------------------------------------------------------------ weights and summaries


def test_smoothed_weights_turn_one_exponential_into_another() -> None:
    """Towards a mean of 1.5 the tail's shape is 1 − 1/1.5, and the mean comes out right."""
    x = np.random.default_rng(2).exponential(size=20_000)
    weights = smooth(-x / 1.5 + x)
    assert weights.khat == pytest.approx(1 / 3, abs=0.1)
    assert weights.values.sum() == pytest.approx(1.0)
    assert weights.values @ x == pytest.approx(1.5, abs=0.1)
    assert weights.efficiency == pytest.approx(1.5 * 0.5, abs=0.05)  # 1/E w² = r (2 − r)
    assert smooth(-x / 9 + x).khat > khat_limit(x.size)


def test_equal_weights_give_the_interval_of_arviz() -> None:
    """And the median between the middle draws."""
    x = np.random.default_rng(4).gamma(2.0, size=4000)
    ends = shortest(np.sort(x), np.arange(1, 4001) / 4000, 0.95)
    assert_allclose(np.array(ends), array_stats().hdi(x, 0.95), rtol=1e-12)


def test_a_weight_counts_like_that_many_draws() -> None:
    """Whole weights give the summary of the draws repeated, whatever source they are in."""
    rng = np.random.default_rng(5)
    beta, times = rng.normal(size=(1, 300, 3)).round(1), rng.integers(1, 4, 300)
    source = Source.of(_problem(intercept=False), {"beta": beta}, independent=True)
    weights = Weights(times / times.sum(), math.nan)
    uses = [Use(0, source.ordered(), weights, 100.0), Use(1, source.ordered(), weights, 50.0)]
    epsilon = np.array([0.25, 0.5, 1.0])
    repeated = np.repeat(beta[0], times, axis=0)
    for summary in (summarise(uses[:1], epsilon, 0.9), summarise(uses, epsilon, 0.9)):
        assert_allclose(summary.mean, repeated.mean(axis=0), atol=1e-12)
        middle = np.sort(repeated, axis=0)[(len(repeated) - 1) // 2]
        assert_allclose(summary.median, middle, atol=1e-12)
        assert_allclose(summary.near_zero, (np.abs(repeated) < epsilon).mean(axis=0), atol=1e-12)
        inside = (repeated >= summary.hdi[:, 0]) & (repeated <= summary.hdi[:, 1])
        assert np.all(inside.mean(axis=0) >= 0.9)
        assert np.all(
            np.diff(summary.hdi)[:, 0] <= np.diff(array_stats().hdi(repeated.T, 0.9)).T + 0.11
        )


# ------------------------------------------------------------------ what is asked


def test_the_same_seed_gives_the_same_path_in_any_order() -> None:
    """Bit for bit; another seed gives another."""
    grid = np.geomspace(0.2, 2.0, 4)
    one, two, other = (
        posterior_path(_problem(), scales, method="gibbs", **(QUICK | {"seed": seed}))
        for scales, seed in ((grid, 1), (grid[::-1], 1), (grid, 2))
    )
    assert_array_equal(one.hdi, two.hdi[::-1])
    assert_array_equal(one.scales[one.source], two.scales[two.source][::-1])
    assert not np.array_equal(one.mean, other.mean)
    assert one.seed == "1"


def test_an_unknown_scale_is_set_to_those_of_the_path() -> None:
    """Its own prior plays no part in the posterior given the scale."""
    unknown = _problem(prior=br.Laplace(br.HalfCauchy(1.0)))
    a, b = (posterior_path(p, [0.5, 0.7], method="gibbs", **QUICK) for p in (unknown, _problem()))
    assert_array_equal(a.mean, b.mean)
    assert a.own_scale is None
    assert b.own_scale == 0.5


def test_the_default_grid_is_that_of_the_mode() -> None:
    """With sigma known; with sigma unknown it is the one at the sd of y."""
    known = posterior_path(_problem(prior=br.Normal(1.0)), n_scales=5)
    expected = br.map_path(_problem(prior=br.Normal(1.0)), n_scales=5)
    assert_array_equal(known.scales, expected.scales)
    prior = br.Normal(1.0, relative_to="sigma")
    unknown = _problem(likelihood=br.Gaussian(br.InverseGamma(1.0, 1.0)), prior=prior)
    path = posterior_path(unknown, n_scales=5)
    given = br.map_path(unknown, n_scales=5, given={"sigma": float(Y.std())})
    assert_allclose(path.scales, given.scales, rtol=1e-12)


def test_modes_stand_beside_the_posterior(reused: PosteriorPath) -> None:
    """Given the median of sigma where it is unknown; with exact zeros."""
    assert reused.mode is not None
    assert reused.sigma is not None
    for k in (0, 5, 11):
        problem = reused.problem_at(reused.scales[k]).given(sigma=reused.sigma.median[k])
        assert_allclose(reused.mode[k], br.find_map(problem).coef, rtol=1e-12)
    assert (reused.mode == 0).any()
    known = posterior_path(_problem(prior=br.Normal(1.0)), [0.1, 1.0])
    assert known.mode is not None
    assert_allclose(known.mode, known.mean, rtol=1e-8, atol=1e-10)


def test_a_horseshoe_has_a_path_and_no_modes() -> None:
    """Its grid is that of a lasso with the same scale."""
    prior = br.Horseshoe(0.3, relative_to="sigma")
    problem = _problem(likelihood=br.Gaussian(br.HalfNormal(2.0)), prior=prior)
    path = posterior_path(problem, n_scales=4, method="gibbs", **QUICK)
    lasso = problem.with_prior(br.Laplace(0.3, relative_to="sigma"))
    given = br.map_path(lasso, n_scales=4, given={"sigma": float(Y.std())})
    assert_allclose(path.scales, given.scales, rtol=1e-12)
    assert path.mode is None
    assert np.all(path.hdi[..., 0] <= path.median)
    assert np.all(path.median <= path.hdi[..., 1])


def test_closeness_to_zero_is_relative_to_the_columns_or_given() -> None:
    """One number is a share of sd(y) per sd of the column; several are taken as they are."""
    problem = _problem(prior=br.Normal(1.0))
    relative = posterior_path(problem, [1.0], epsilon=0.1)
    assert_allclose(relative.epsilon * X.std(axis=0), 0.1 * Y.std(), rtol=1e-12)
    given = posterior_path(problem, [1.0], epsilon=[0.1, 0.2, 0.3])
    assert_array_equal(given.epsilon, [0.1, 0.2, 0.3])


def test_a_path_says_what_it_is(reused: PosteriorPath) -> None:
    """A few lines of text, and a frame with a row per scale and number."""
    text = str(reused)
    assert "12 scales of the Laplace prior" in text
    assert f"drawn at {reused.fresh.sum()} (gibbs), reweighted at {reused.reused.sum()}" in text
    frame = reused.to_frame()
    assert frame["name"][:5].tolist() == ["intercept", "x0", "x1", "x2", "sigma"]
    assert len(frame) == 12 * 5
    row = frame.query("name == 'x1'").iloc[7]
    assert row["hdi_low"] == reused.hdi[7, 1, 0]
    assert row["near_zero"] == reused.near_zero[7, 1]
    assert row["fresh"] == reused.fresh[7]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"scales": []}, "scales: is empty"),
        ({"scales": [1.0, 1.0]}, "scales: holds a number twice"),
        ({"scales": [-1.0]}, "scales: must be"),
        ({"n_scales": 1}, "n_scales: must be at least 2"),
        ({"draws": 50}, "draws: must be at least 100"),
        ({"chains": 0}, "chains: must be at least 1"),
        ({"method": "gibs"}, "method: 'gibs' is not known"),
        ({"hdi_prob": 1.0}, "hdi_prob: must lie"),
        ({"epsilon": 0.0}, "epsilon: must be"),
        ({"epsilon": [0.1, 0.2]}, "epsilon"),
        ({"epsilon": [0.1, 0.2, 0.0]}, "epsilon: must be positive"),
        ({"min_ess": 0.0}, "min_ess: must be"),
        ({"seed": -1}, "seed: must be"),
        ({"progress": "yes"}, "progress: must be"),
    ],
)
def test_bad_arguments_are_named(settings: dict[str, Any], message: str) -> None:
    """With what was found."""
    with pytest.raises(InputError, match=message):
        posterior_path(_problem(), **settings)


def test_problems_without_a_path_say_why() -> None:
    """Flat priors have no scale, improper posteriors no integral, the lasso no closed form."""
    with pytest.raises(InputError, match="no scale to vary"):
        posterior_path(_problem(prior=br.Flat()))
    free = [(br.Laplace(1.0), [0]), (br.Flat(), [1, 2])]
    with pytest.raises(ImproperPosterior):
        posterior_path(br.Problem(X[:2], Y[:2], likelihood=br.Gaussian(1.0), prior=free), [1.0])
    with pytest.raises(NoClosedForm):
        posterior_path(_problem(), [1.0], method="exact")


# ------------------------------------------------------------------ interruption


def test_ctrl_c_keeps_the_finished_scales(monkeypatch: pytest.MonkeyPatch) -> None:
    """Marked incomplete, in the order asked for, with sources that are among them."""
    calls = []

    def interrupted(*args: Any, **settings: Any) -> Any:
        calls.append(args)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return sample(*args, **settings)

    monkeypatch.setattr(along_scales, "sample", interrupted)
    with pytest.warns(SamplingWarning, match=r"2 of 4 scales are kept"):
        path = posterior_path(_problem(), scales=[0.1, 1e-6, 1e-3, 1e-9], method="gibbs", **QUICK)
    assert not path.complete
    assert "interrupted" in str(path)
    assert len(path) == 2
    assert path.fresh.all()
    assert set(path.scales) < {0.1, 1e-6, 1e-3, 1e-9}


@pytest.mark.parametrize("by", ["exception", "incomplete draws"])
def test_ctrl_c_before_the_first_scale_is_raised(by: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is nothing to return, however the sampler took it."""

    def interrupted(*args: Any, **settings: Any) -> Any:
        if by == "exception":
            raise KeyboardInterrupt
        tree = sample(*args, **settings)
        tree.attrs["complete"] = 0
        return tree

    monkeypatch.setattr(along_scales, "sample", interrupted)
    with pytest.raises(KeyboardInterrupt):
        posterior_path(_problem(), scales=[1.0], method="gibbs", **QUICK)


def test_without_room_for_all_draws_the_best_serve_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same scales are drawn and the numbers agree; only the pooling is gone."""
    grid = np.geomspace(0.3, 1.2, 5)
    pooled = posterior_path(_problem(), grid, method="gibbs", **QUICK)
    monkeypatch.setattr(along_scales, "_MOST_KEPT", 1)
    alone = posterior_path(_problem(), grid, method="gibbs", **QUICK)
    assert_array_equal(pooled.fresh, alone.fresh)
    assert np.all(alone.ess <= pooled.ess * (1 + 1e-12))
    error = np.hypot(pooled.mcse, alone.mcse)
    assert np.all(np.abs(pooled.mean - alone.mean) < 5 * error)
