"""Gibbs sampling in compiled code, for priors that are scale mixtures of normals."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

from bayesreg._threads import blas_threads
from bayesreg.likelihoods import Bernoulli, Gaussian, StudentTNoise
from bayesreg.posterior.base import Draws, Sampler
from bayesreg.posterior.gibbs import binary, routes
from bayesreg.posterior.gibbs.plan import Plan, reason_against_prior

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from bayesreg.likelihoods import Likelihood
    from bayesreg.posterior.base import Settings
    from bayesreg.problem import Problem

    type _Run = Callable[
        [Plan, Settings, np.random.Generator], tuple[dict[str, NDArray[np.float64]], bool]
    ]

# Multiplications of one draw, some tens of seconds, beyond which nobody would wait for a thousand.
_MOST_WORK = 1e11


class _Kernel(NamedTuple):
    """The module whose `run` draws, which loads Numba, and what it cannot take."""

    module: str
    reason_against: Callable[[Problem], str | None]

    def load(self) -> _Run:
        """Load Numba and the compiled code."""
        run: _Run = import_module(f"{__name__}.{self.module}").run
        return run


_KERNELS: dict[type[Likelihood], _Kernel] = {
    Gaussian: _Kernel("gaussian", lambda _: None),
    StudentTNoise: _Kernel("robust", routes.reason_against),
    Bernoulli: _Kernel("logistic", binary.reason_against),
}


class Gibbs(Sampler):
    """Blocked Gibbs sampling with local variances, in compiled code that chains run in threads.

    Gaussian noise: the coefficients are drawn together from their normal conditional, in O(p³) or
    O(n²p), whichever is less (Rue 2001; Bhattacharya, Chakraborty & Mallick 2016). Student-t noise
    becomes Gaussian by gamma variates, the precisions of the rows (West 1987; Geweke 1993), a
    logistic likelihood by Pólya–Gamma variates (Polson, Scott & Windle 2013).
    """

    name = "gibbs"
    advantage = "the prior is a scale mixture of normals, so compiled Gibbs sweeps draw fastest"
    needs_rows = False

    def reason_against(self, problem: Problem) -> str | None:
        """Say why the kernel does not take a problem; None where it does.

        Examples
        --------
        >>> from bayesreg import Laplace, Poisson, Problem
        >>> problem = Problem([[1.0], [2.0]], [1, 2], likelihood=Poisson(), prior=Laplace(1.0))
        >>> Gibbs().reason_against(problem)
        'likelihood: must be Gaussian, StudentTNoise or Bernoulli for Gibbs steps, found poisson'
        """
        kernel = _KERNELS.get(type(problem.likelihood))
        if kernel is None:
            *names, last = (likelihood.__name__ for likelihood in _KERNELS)
            return (
                f"likelihood: must be {', '.join(names)} or {last} for Gibbs steps, found "
                f"{problem.likelihood.name}"
            )
        return (
            reason_against_prior(problem)
            or _reason_against_size(problem)
            or kernel.reason_against(problem)
        )

    def draw(self, problem: Problem, settings: Settings, rng: np.random.Generator) -> Draws:
        """Draw by the kernel of the likelihood: Gaussian or Student-t noise, or a binary target.

        The first call after installation compiles for a minute or a few, later ones do not.

        Raises
        ------
        SamplingFailed
            If a chain stops by itself, or a draw is not finite.
        """
        run = _KERNELS[type(problem.likelihood)].load()
        # Chains have the cores; threads of the BLAS inside of each would wait for one another.
        timed = import_module("bayesreg.posterior.gibbs.chains").timed_compilation()
        with blas_threads(0), timed as clock:
            posterior, complete = run(Plan.of(problem), settings, rng)
        compiling = clock.duration if clock.done else 0.0
        return Draws(posterior, {}, complete=complete, libraries=("numba",), compiling=compiling)


def _reason_against_size(problem: Problem) -> str | None:
    n, p = float(problem.design.n), float(problem.p)
    work = min(p**3 / 3, 0.6 * n**2 * p + n**3 / 3)
    if work <= _MOST_WORK:
        return None
    return f"X: with {problem.p} columns and {problem.n} rows one draw takes {work:.1e} operations"
