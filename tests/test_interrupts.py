"""Ctrl-C in processes of their own: what was drawn comes back, is marked, and is written."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import bayesreg as br
from bayesreg.errors import SamplingWarning
from bayesreg.posterior import interrupts, sampling

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# A shell may have started us with Ctrl-C ignored. The process says when draws are on their way, and
# when the first of a chain are there.
START = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
def tell(module, name):
    function = getattr(module, name)
    def told(*arguments):
        function(*arguments)
        print("drawing", flush=True)
    setattr(module, name, told)
"""
HELD = """
from bayesreg.posterior import interrupts
tell(interrupts, "hold")
"""
DRAWN = """
from bayesreg.posterior.gibbs import chains
tell(chains._Draws, "put")
"""
SAMPLE = """
import json, warnings
import numpy as np
import bayesreg as br
warnings.simplefilter("ignore")
rng = np.random.default_rng(0)
X, noise = rng.normal(size=(60, 5)), rng.normal(size=60)
y = X[:, 0] + noise
route, draws = sys.argv[1], int(sys.argv[2])
noise, prior, method = br.Gaussian(br.HalfCauchy(1.0)), br.Laplace(br.HalfCauchy(1.0)), route
if route == "logistic":
    y, noise, method = (y > 0).astype(float), br.Bernoulli(), "gibbs"
if route == "exact":
    prior = br.Normal(1.0)
if route == "laplace":
    noise = br.Gaussian(1.0)
problem = br.Problem(X, y, likelihood=noise, prior=prior)
br.sample(problem, method, draws=4, tune=40, chains=2, seed=1)  # what is compiled is compiled
if method == "gibbs":
    from bayesreg.posterior.gibbs import chains
    tell(chains._Draws, "put")
else:
    from bayesreg.posterior import interrupts
    tell(interrupts, "hold")
tree = br.sample(problem, method, draws=draws, tune=40, chains=2, seed=1)
posterior = tree["posterior"].to_dataset()
print(json.dumps({
    "complete": tree.attrs["complete"],
    "sizes": dict(tree["posterior"].sizes),
    "finite": bool(np.isfinite(posterior["beta"]).all()),
    "lp": bool(np.isfinite(tree["sample_stats"].to_dataset()["lp"]).all()),
    "verdict": br.diagnose(tree.isel(draw=slice(100))).verdict,
}))
"""
COMMAND = """
from bayesreg.cli import main
main()
"""
MANY = {"gibbs": 2_000_000, "logistic": 1_000_000, "nuts": 1_000_000, "exact": 2_000_000}


@contextmanager
def process(code: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Start one, and end it whatever happens."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        [sys.executable, "-c", START + code, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    ) as started:
        try:
            yield started
        finally:
            started.kill()


def press(started: subprocess.Popen[str], seconds: float = 0.0) -> tuple[str, str]:
    """Press Ctrl-C some time after the first draws, and return what was printed since."""
    assert started.stdout is not None
    while started.stdout.readline().strip() != "drawing":
        assert started.poll() is None, started.communicate()[1]
    time.sleep(seconds)
    started.send_signal(signal.SIGINT)
    return started.communicate()


def check_route(route: str) -> None:
    """Interrupt one route, and look at what it returns."""
    with process(SAMPLE, route, str(MANY[route])) as started:
        out, err = press(started, seconds=1.5 if route == "nuts" else 0.0)
        assert started.returncode == 0, err
    found = json.loads(out.splitlines()[-1])
    assert found["complete"] == 0
    assert 1 <= found["sizes"]["chain"] <= 2
    assert 1 <= found["sizes"]["draw"] < MANY[route]
    assert found["finite"]
    assert found["lp"]
    assert "interrupted" in found["verdict"]


def test_gibbs_returns_the_draws_so_far() -> None:
    """A signal from another process, as a terminal sends it."""
    check_route("gibbs")


@pytest.mark.slow
@pytest.mark.parametrize("route", ["logistic", "nuts", "exact"])
def test_every_route_returns_the_draws_so_far(route: str) -> None:
    """A signal from another process, as a terminal sends it."""
    check_route(route)


def test_the_command_line_writes_the_draws_so_far(tmp_path: Path) -> None:
    """It exits with 130, and the file is whole."""
    file = tmp_path / "draws.nc"
    options = ("--draws", "1000000", "--chains", "2", "--tune", "10", "--output", str(file))
    with process(DRAWN + COMMAND, "sample", *options) as started:
        out, err = press(started)
        assert started.returncode == 130, err
    assert f"written: {file}" in out
    assert "interrupted; run it again to the end" in out
    assert err.endswith("bayesreg: interrupted\n")
    tree = br.load_draws(file)
    assert tree.attrs["complete"] == 0
    assert 1 <= tree["posterior"].sizes["draw"] < 1_000_000
    assert [path.name for path in tmp_path.iterdir()] == ["draws.nc"]


def test_before_the_first_draw_nothing_is_written(tmp_path: Path) -> None:
    """There is nothing to write; the exit code is the same."""
    file = tmp_path / "draws.nc"
    options = ("--draws", "10", "--tune", "100000000", "--output", str(file))
    with process(HELD + COMMAND, "sample", *options) as started:
        out, err = press(started, seconds=0.2)
        assert (started.returncode, err) == (130, "bayesreg: interrupted\n")
    assert "written" not in out
    assert list(tmp_path.iterdir()) == []


def test_compilation_can_be_interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes half a minute, and is announced where progress is shown."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("FORCE_COLOR", "1")  # as if stderr were a terminal
    code = """
import os
import bayesreg as br
problem = br.Problem([[1.0], [2.0]], [1.0, 2.0], likelihood=br.Gaussian(1.0), prior=br.Laplace(1.0))
from rich.status import Status
start = Status.start
def started(self):
    start(self)
    os.write(1, b"drawing\\n")  # a status takes over what is printed
Status.start = started
br.sample(problem, "gibbs", draws=10, tune=10, progress=True)
"""
    with process(code) as started:
        _, err = press(started, seconds=0.2)
        assert started.returncode == -signal.SIGINT
    assert "compiling the Gibbs sampler, once per installation and kind of" in err
    assert "KeyboardInterrupt" in err


# --------------------------------------------------------------------------- noting


def test_a_held_interrupt_is_noted_and_a_second_one_raised() -> None:
    """So that impatience has its way in the end."""
    with interrupts.attended():
        interrupts.hold()
        signal.raise_signal(signal.SIGINT)
        assert interrupts.was_pressed()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert not interrupts.was_pressed()


def test_before_it_is_held_and_where_it_is_released_it_is_raised() -> None:
    """What computes for long without draws to lose stops at once."""
    with pytest.raises(KeyboardInterrupt), interrupts.attended():
        signal.raise_signal(signal.SIGINT)
    with interrupts.attended():
        interrupts.hold()
        with pytest.raises(KeyboardInterrupt), interrupts.released():
            signal.raise_signal(signal.SIGINT)
        assert interrupts.was_pressed()


def test_a_handler_of_the_program_stays() -> None:
    """So do threads: signals are not theirs."""
    seen = []
    usual = signal.signal(signal.SIGINT, lambda *_: seen.append(1))
    try:
        with interrupts.attended():
            interrupts.hold()
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, usual)
    assert seen == [1]

    def attend() -> None:
        with interrupts.attended():
            interrupts.hold()
            seen.append(signal.getsignal(signal.SIGINT) is usual)

    thread = threading.Thread(target=attend)
    thread.start()
    thread.join()
    assert seen == [1, True]


def test_an_interrupt_after_the_draws_loses_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """All are there, though marked."""
    finish = sampling._finish

    def interrupted(*arguments: Any, **more: Any) -> Any:
        signal.raise_signal(signal.SIGINT)
        return finish(*arguments, **more)

    monkeypatch.setattr(sampling, "_finish", interrupted)
    problem = br.Problem(
        np.eye(3), [1.0, 2.0, 3.0], likelihood=br.Gaussian(1.0), prior=br.Normal(1.0)
    )
    for method in ("exact", "gibbs", "nuts"):
        with pytest.warns(SamplingWarning, match="2 chains of 5 draws are kept"):
            tree = br.sample(problem, method, draws=5, tune=20, chains=2, seed=1)
        assert tree.attrs["complete"] == 0
