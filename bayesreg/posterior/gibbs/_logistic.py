r"""The compiled steps of a chain for a logistic likelihood.

Two steps move the coefficients given their local variances V, and both leave the same posterior as
it is:

Pólya–Gamma
    With ``ω_i ~ PG(w_i, η_i)`` the likelihood of a row is ``exp(κ_i η_i − ω_i η_i²/2)``,
    ``κ_i = w_i (y_i − ½)``, so (β, level) is normal (Polson, Scott & Windle 2013). It always works,
    but moves by what ω leaves open: ``ω ≈ 1/(2|η|)`` is much more than the information
    ``w p(1 − p)`` of a row that the model is sure of, so where classes are unbalanced or separated
    its moves are small.
Hamiltonian
    One trajectory of the likelihood itself, ω integrated out (`_trajectory`).

With an unknown scale, the scale and the coefficients are multiplied together, too; every other
time, by a coin, the level with them: where the columns separate the classes, only along that ray is
there much room. Coefficients with heavy tails move along that ray whether or not their scale is
known (`_rays`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit

from bayesreg.posterior.gibbs._augmented import (
    LEVEL,
    SCALE,
    coefficient_step,
    joint_stepper,
    prior_step,
)
from bayesreg.posterior.gibbs._binary_rows import add_information, log_likelihood
from bayesreg.posterior.gibbs._polya_gamma import fill_polya_gamma
from bayesreg.posterior.gibbs._rays import ray_step
from bayesreg.posterior.gibbs._trajectory import hamiltonian_step
from bayesreg.posterior.gibbs.fingerprint import fingerprint

if TYPE_CHECKING:
    from numpy.random import Generator

    from bayesreg._validation import Matrix, Vector
    from bayesreg.posterior.gibbs._augmented import Prior, Rows, State
    from bayesreg.posterior.gibbs._trajectory import Metric


@njit(nogil=True, error_model="numpy")
def _of_rows(rows: Rows, sigma: float, eta: Vector) -> float:  # noqa: ARG001  (no noise here)
    """Log likelihood as `joint_stepper` wants it."""
    return log_likelihood(rows, eta)


_joint_step = joint_stepper(_of_rows)


@njit(nogil=True, error_model="numpy")
def polya_gamma_step(rows: Rows, prior: Prior, state: State, rng: Generator) -> None:
    """Draw ω given the linear predictor, then (β, level) given ω.

    The parameters are those of `advance`.
    """
    n = state.eta.size
    omega, target = np.empty(n), np.empty(n)
    fill_polya_gamma(rows.weights, state.eta, omega, rng)
    for i in range(n):
        target[i] = rows.weights[i] * (rows.y[i] - 0.5) / omega[i] - rows.offset[i]
    coefficient_step(rows, prior, state, omega, target, rng)


def _entry(sources: int) -> Any:
    @njit(cache=True, nogil=True, error_model="numpy")
    def advance(
        rows: Rows,
        prior: Prior,
        state: State,
        metric: Metric,
        first: int,
        period: int,
        rays: int,
        mode: int,
        out: Matrix,
        rng: Generator,
    ) -> None:
        """Make as many draws as `out` has rows.

        Parameters
        ----------
        rows, prior, state, metric
            The problem, where the chain is (written), and the metric of its Hamiltonian step.
        first : int
            Number of the first draw.
        period : int
            A Pólya–Gamma step is made every so many draws; the Hamiltonian step at every one.
        rays : int
            How many moves of coefficients with heavy tails along rays there are in a draw.
        mode : int
            0: no Hamiltonian step, and the information of the rows is summed up in ``metric``; 1:
            with it, its step size being tuned; 2: as it is.
        out : ndarray, shape (count, p + 2)
            Written: β about its centre, intercept of the columns as they are, and scale.
        rng : Generator
            Source of random numbers.
        """
        if sources < 0:  # never; the number is part of what the code on disk is looked up by
            return
        p = state.beta.size
        for t in range(out.shape[0]):
            if mode == 0 or (first + t) % period == 0:
                polya_gamma_step(rows, prior, state, rng)
            if mode == 0:
                add_information(rows, state.eta, metric.information)
            else:
                hamiltonian_step(rows, state, metric, mode == 1, rng)
            if prior.scaled >= 0:
                share = 1.0 if rows.has_level and rng.random() < 0.5 else 0.0
                _joint_step(rows, prior, state, SCALE, share, rng)
            ray_step(rows, prior, state, rays, rng)
            prior_step(prior, state, rng)
            out[t, :p] = state.beta
            out[t, p] = state.scalars[LEVEL] - np.dot(rows.mean, state.beta)
            out[t, p + 1] = state.scalars[SCALE]

    return advance


advance = _entry(fingerprint())
