"""Gibbs sampling in compiled code, for priors that are scale mixtures of normals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayesreg._threads import blas_threads
from bayesreg.likelihoods import Bernoulli, Gaussian
from bayesreg.posterior.base import Draws, Sampler
from bayesreg.posterior.gibbs import binary
from bayesreg.posterior.gibbs.plan import Plan, reason_against_prior

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from bayesreg.posterior.base import Settings
    from bayesreg.problem import Problem

    type _Run = Callable[
        [Plan, Settings, np.random.Generator], tuple[dict[str, NDArray[np.float64]], bool]
    ]

# Multiplications of one draw, some tens of seconds, beyond which nobody would wait for a thousand.
_MOST_WORK = 1e11


class Gibbs(Sampler):
    """Blocked Gibbs sampling with local variances, in compiled code that chains run in threads.

    Gaussian noise: the coefficients are drawn together from their normal conditional, in O(p³) or
    O(n²p), whichever is less (Rue 2001; Bhattacharya, Chakraborty & Mallick 2016). A logistic
    likelihood becomes Gaussian by Pólya–Gamma variates (Polson, Scott & Windle 2013).
    """

    name = "gibbs"
    advantage = "the prior is a scale mixture of normals, so compiled Gibbs sweeps draw fastest"

    def reason_against(self, problem: Problem) -> str | None:
        """Say why the kernel does not take a problem; None where it does.

        Examples
        --------
        >>> from bayesreg import Laplace, Poisson, Problem
        >>> problem = Problem([[1.0], [2.0]], [1, 2], likelihood=Poisson(), prior=Laplace(1.0))
        >>> Gibbs().reason_against(problem)
        'likelihood: must be Gaussian or Bernoulli for Gibbs steps, found poisson'
        """
        likelihood = problem.likelihood
        if not isinstance(likelihood, Gaussian | Bernoulli):
            return (
                f"likelihood: must be Gaussian or Bernoulli for Gibbs steps, found "
                f"{likelihood.name}"
            )
        reason = reason_against_prior(problem) or _reason_against_size(problem)
        if reason is None and isinstance(likelihood, Bernoulli):
            return binary.reason_against(problem)
        return reason

    def draw(self, problem: Problem, settings: Settings, rng: np.random.Generator) -> Draws:
        """Draw; the first call after installation compiles for half a minute, later ones do not.

        Raises
        ------
        SamplingFailed
            If a chain stops by itself, or a draw is not finite.
        """
        run = _kernel(problem)
        # Chains have the cores; threads of the BLAS inside of each would wait for one another.
        with blas_threads(0):
            posterior, complete = run(Plan.of(problem), settings, rng)
        return Draws(posterior, {}, complete=complete, libraries=("numba",))


def _kernel(problem: Problem) -> _Run:
    """Load Numba and the compiled code of a likelihood."""
    if isinstance(problem.likelihood, Gaussian):
        from bayesreg.posterior.gibbs import gaussian  # noqa: PLC0415  (loads Numba, on use)

        return gaussian.run
    from bayesreg.posterior.gibbs import logistic  # noqa: PLC0415  (loads Numba, on use)

    return logistic.run


def _reason_against_size(problem: Problem) -> str | None:
    n, p = float(problem.design.n), float(problem.p)
    work = min(p**3 / 3, 0.6 * n**2 * p + n**3 / 3)
    if work <= _MOST_WORK:
        return None
    return f"X: with {problem.p} columns and {problem.n} rows one draw takes {work:.1e} operations"
