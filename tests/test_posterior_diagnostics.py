"""diagnose: every verdict, on draws made to deserve it."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import xarray as xr

import bayesreg as br
from bayesreg.errors import InputError


def _tree(beta: Any, *, attrs: dict[str, Any] | None = None, **stats: Any) -> xr.DataTree:
    values = np.asarray(beta)
    dims = ("chain", "draw", "feature")[: values.ndim]
    coords = {"feature": [f"c{j}" for j in range(values.shape[2])]} if values.ndim == 3 else {}
    groups = {"posterior": xr.Dataset({"beta": (dims, values)}, coords=coords)}
    if stats:
        groups["sample_stats"] = xr.Dataset({k: (("chain", "draw"), v) for k, v in stats.items()})
    tree = xr.DataTree.from_dict(groups)
    tree.attrs = attrs or {}
    return tree


NOISE = np.random.default_rng(1).normal(size=(4, 1000, 2))
ENERGY = np.random.default_rng(2).normal(size=(4, 1000))


def test_good() -> None:
    """Independent noise from four chains."""
    found = br.diagnose(_tree(NOISE, energy=ENERGY, diverging=np.zeros((4, 1000), dtype=bool)))
    assert found.ok
    assert found.verdict.startswith("good: R-hat at most 1.00")
    assert found.verdict.endswith("% of a posterior sd, no divergences")
    assert found.mcse_max is not None
    # Independent draws: the error of a mean is 1/√4000 posterior sds, the estimate good to 10 %.
    assert abs(found.mcse_max * np.sqrt(4000) - 1) < 0.1
    assert found.rhat_max is not None
    assert found.rhat_max < 1.01
    assert found.bfmi_min is not None
    assert found.bfmi_min > 0.5
    assert found.divergences == 0


def test_chains_that_disagree() -> None:
    """The variable is named, and so is the remedy."""
    draws = NOISE.copy()
    draws[2, :, 1] += 1.0
    found = br.diagnose(_tree(draws))
    assert not found.ok
    assert found.worst == "beta[c1]"
    assert "for beta[c1]" in found.verdict
    assert "chains disagree; raise tune and draws" in found.verdict


def test_chains_stuck_apart() -> None:
    """Each chain stands still at a place of its own: R-hat is infinite."""
    found = br.diagnose(_tree(np.broadcast_to(NOISE[:, :1], NOISE.shape)))
    assert not found.ok
    assert "R-hat is" in found.verdict


def test_slow_chains() -> None:
    """A random walk has few effective draws."""
    walk = np.cumsum(NOISE, axis=1)
    found = br.diagnose(_tree(walk))
    assert not found.ok
    assert "effective draws (want 400)" in found.verdict


def _slow(draws: int, seed: int) -> Any:
    """Four chains that agree, worth a twentieth of their draws: autoregression at 0.9."""
    rng, out = np.random.default_rng(seed), np.empty((4, draws, 2))
    state = rng.normal(size=(4, 2))
    for k in range(draws):
        state = 0.9 * state + np.sqrt(1 - 0.9**2) * rng.normal(size=(4, 2))
        out[:, k] = state
    return out


def test_advice_on_slow_chains_is_a_number_that_does() -> None:
    """Of draws per chain, in two digits, from what was measured; so many draws are then good."""
    found = br.diagnose(_tree(_slow(1000, 1)))
    advised = re.search(r"raise draws to (\d+) per chain", found.verdict)
    assert advised is not None
    assert found.ess_bulk_min is not None
    assert found.ess_tail_min is not None
    needed = 1000 * 400 / min(found.ess_bulk_min, found.ess_tail_min)
    assert 1.5 * needed < int(advised[1]) < 2.5 * needed
    assert len(advised[1].rstrip("0")) <= 2
    assert br.diagnose(_tree(_slow(int(advised[1]), 2))).ok


def _apart() -> Any:
    draws = _slow(1000, 1)
    draws[0] += 2.0
    return draws


@pytest.mark.parametrize(
    ("draws", "more"),
    [
        (_apart(), {}),
        (_slow(1000, 1), {"diverging": np.eye(4, 1000, dtype=bool)}),
        (_slow(200, 1)[:1], {}),
        (_slow(1000, 1), {"attrs": {"complete": 0}}),
    ],
    ids=["apart", "divergent", "one chain", "interrupted"],
)
def test_where_more_draws_may_not_help_no_number_is_advised(
    draws: Any, more: dict[str, Any]
) -> None:
    """Chains that disagree say nothing of how many would do; the advice is without one."""
    verdict = br.diagnose(_tree(draws, **more)).verdict
    assert "); raise draws" in verdict
    assert "raise draws to" not in verdict


@pytest.mark.parametrize(
    ("names", "variables", "called"),
    [
        (("scale", "1|site_sigma"), "1|site_sigma is scale", "scale (your '1|site_sigma')"),
        (("sigma", "v"), "v is sigma²; effects, start are beta", "sigma"),
        (
            ("problem_sigma", "sigma"),
            "noise is sigma; sigma is scale",
            "problem_sigma (your 'noise')",
        ),
        (("sigma", "problem_sigma"), "noise is sigma; sigma is scale", "sigma"),
        (("scale", "tau"), None, "scale"),
    ],
)
def test_the_worst_is_named_as_the_model_calls_it(
    names: tuple[str, str], variables: str | None, called: str
) -> None:
    """What a model calls the scale otherwise is said beside it, in the words of other messages."""
    draws = NOISE[..., 0].copy()
    draws[2] += 1.0
    data = {names[0]: (("chain", "draw"), draws), names[1]: (("chain", "draw"), NOISE[..., 1])}
    tree = xr.DataTree.from_dict({"posterior": xr.Dataset(data)})
    tree.attrs = {} if variables is None else {"variables": variables}
    found = br.diagnose(tree)
    assert found.worst == called
    assert f"for {called} (limit 1.01)" in found.verdict


def test_divergences_and_energy() -> None:
    """Each is a fault of its own."""
    diverging = np.zeros((4, 1000), dtype=bool)
    diverging[1, :3] = True
    found = br.diagnose(_tree(NOISE, diverging=diverging, energy=np.cumsum(ENERGY, axis=1)))
    assert not found.ok
    assert found.divergences == 3
    assert "3 divergences" in found.verdict
    assert "target_accept" in found.verdict
    assert "BFMI is 0.0" in found.verdict


def test_one_chain_is_never_good() -> None:
    """R-hat needs two."""
    found = br.diagnose(_tree(NOISE[:1]))
    assert not found.ok
    assert found.rhat_max is None
    assert found.ess_bulk_min is not None
    assert "R-hat is not available from one chain" in found.verdict


@pytest.mark.parametrize("draws", [NOISE[:, :3], np.ones((4, 1000, 2))], ids=["few", "stuck"])
def test_nothing_to_go_by(draws: Any) -> None:
    """Three draws, or a sampler that never moved."""
    found = br.diagnose(_tree(draws))
    assert not found.ok
    assert found.rhat_max is None
    assert found.ess_bulk_min is None
    assert "say nothing" in found.verdict


def test_missing_values_are_a_fault() -> None:
    """NaN compares false with every limit."""
    draws = NOISE.copy()
    draws[0, 5, 0] = np.nan
    found = br.diagnose(_tree(draws))
    assert not found.ok
    assert found.worst == "beta[c0]"
    assert "beta[c0] cannot be judged: its draws are not all finite" in found.verdict
    assert "nan" not in found.verdict


def test_a_constant_beside_others_is_left_out() -> None:
    """A deterministic constant of a model is no fault, and is said."""
    draws = NOISE.copy()
    draws[..., 0] = 3.0
    found = br.diagnose(_tree(draws))
    assert found.ok
    assert found.unmoved == 1
    assert found.verdict.endswith("but for 1 quantity that is the same in every draw")


@pytest.mark.parametrize("inclusion", [0.97, 0.5, 0.1, 0.001])
def test_exact_zeros_are_no_fault(inclusion: float) -> None:
    """Spike and slab: ties at 0 break neither ranks nor quantiles, however many there are."""
    rng = np.random.default_rng(5)
    draws = np.where(rng.random(NOISE.shape) < inclusion, NOISE + 3, 0.0)
    found = br.diagnose(_tree(draws))
    assert found.ok, found.verdict
    assert found.ess_tail_min is not None
    assert found.ess_tail_min > 2000


def test_a_chain_that_never_includes_a_coefficient_is_a_fault() -> None:
    """The others do, half of the time."""
    draws = np.where(np.random.default_rng(6).random(NOISE.shape) < 0.5, NOISE, 0.0)
    draws[0, :, 1] = 0.0
    found = br.diagnose(_tree(draws))
    assert not found.ok
    assert "for beta[c1]" in found.verdict


def test_interrupted() -> None:
    """However good they look."""
    found = br.diagnose(_tree(NOISE, attrs={"complete": 0}))
    assert not found.ok
    assert "interrupted" in found.verdict


def test_exact_draws_are_independent() -> None:
    """One chain will do; there is nothing to estimate."""
    found = br.diagnose(_tree(NOISE[:1], attrs={"method": "exact"}))
    assert found.ok
    assert found.verdict == (
        "good: 1000 independent draws, Monte Carlo error 3.2 % of a posterior sd"
    )
    assert found.ess_bulk_min == 1000


def test_interrupted_exact_draws_are_incomplete() -> None:
    """However independent."""
    found = br.diagnose(_tree(NOISE, attrs={"method": "exact", "complete": 0}))
    assert not found.ok
    assert "interrupted" in found.verdict


def test_an_approximation_is_never_good() -> None:
    """Its draws are independent, and not from the posterior."""
    found = br.diagnose(_tree(NOISE, attrs={"method": "laplace"}))
    assert not found.ok
    assert "drawn from the normal approximation at the mode, not from the posterior" in (
        found.verdict
    )


def test_scalars_have_plain_names() -> None:
    """No brackets without a dimension."""
    assert br.diagnose(_tree(NOISE[..., 0])).worst == "beta"


@pytest.mark.parametrize("bad", [None, 3, xr.DataTree(), _tree(NOISE)["posterior"]])
def test_not_draws(bad: Any) -> None:
    """Anything without a posterior group."""
    with pytest.raises(InputError, match="draws: must be a DataTree"):
        br.diagnose(bad)
