r"""Coordinates in which a posterior with unknown sigma or scale is near standard normal.

Given the unknowns, the Gaussian surrogate of `Conditional` has prior sd ``τ_j``, and ``M`` and the
residual grow as ``1/σ``. Against their values at the centre, with ``q = σ₀/σ``, ``ρ = q τ/τ₀``,
that leaves U and V alone and changes only singular values, ``s → ρ s``, and residuals, ``a → q a``.
So the map from standard normal z to φ at any unknowns is, with ``d = (1 + ρ²s²)^(−1/2)``, ::

    φ = z + V [(d − 1) Vᵀz + μ],   μ = q ρ s a d²,   β_j = loc_j + τ_j φ_j

with log-determinant ``Σ log τ_j + Σ log d``. Flat coefficients and the level have conditional sd
proportional to σ. Where blocks of coefficients depend on different unknowns, ρ is that of the
block that depends on most: the map is then not the conditional one, but still one-to-one, with the
Jacobian as stated; and that is all that the draws being right depends on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from bayesreg._validation import Matrix, Vector
    from bayesreg.posterior.conditional import Conditional


@dataclass(frozen=True, eq=False)
class Point:
    """Where coordinates lead, and what the way back needs.

    Attributes
    ----------
    beta : ndarray, shape (p,)
        Coefficients.
    level : float
        Deviation of the level from its centre.
    log_det : float
        Log of the Jacobian determinant of (β, level) by (z_β, z_level), up to a constant.
    """

    beta: Vector
    level: float
    log_det: float
    z: Vector
    along: Vector
    stretch: Vector  # τ
    shifted: Vector  # β − loc of the penalised
    pull: Vector  # ρ² s² d²
    d: Vector
    mu: Vector
    width: float  # σ / σ₀


class Whitening:
    """The map from (z_β, z_level) to (β, level), given the logarithms of unknowns over centres.

    Parameters
    ----------
    conditional : Conditional
        The surrogate at the centre.
    level : bool
        Whether there is an intercept.
    powers : ndarray, shape (m, p)
        Exponent of each unknown in the prior scale of each coefficient.
    of_noise : ndarray, shape (m,)
        1 for the unknown that is the noise sd, else 0.
    """

    def __init__(
        self, conditional: Conditional, level: bool, powers: Matrix, of_noise: Vector
    ) -> None:
        self.conditional, self.has_level = conditional, level
        self.powers = powers[:, conditional.penalised]
        self.main_power = self.powers.max(axis=1, initial=0.0)
        self.of_noise = of_noise
        V = conditional.V
        self.square = V.shape[0] == V.shape[1]
        self.V, self.Vt = V, np.ascontiguousarray(V.T)
        self.sa = conditional.s * conditional.along
        self.mean_phi = (conditional.mean - conditional.loc)[
            conditional.penalised
        ] / conditional.prior_sd

    def _shrink(self, inner: Vector, along: Vector, d: Vector, shift: Vector | float) -> Vector:
        """Return ``inner + V ((d − 1) along + shift)``; if V is square, without the difference."""
        if self.square:
            return self.V @ (d * along + shift)
        return inner + self.V @ ((d - 1) * along + shift)

    def forward(self, z: Vector, log_unknown: Vector) -> Point:
        """Map coordinates to coefficients."""
        c = self.conditional
        log_width = float(self.of_noise @ log_unknown)
        log_stretch = log_unknown @ self.powers
        width, rho = np.exp(log_width), np.exp(float(self.main_power @ log_unknown) - log_width)
        rs = rho * c.s
        d = 1 / np.hypot(1, rs)
        mu = (rho / width) * self.sa * d**2
        along = self.Vt @ z[c.penalised]
        phi = self._shrink(z[c.penalised], along, d, mu)
        stretch = c.prior_sd * np.exp(log_stretch)
        shifted = stretch * phi
        beta = c.loc.copy()
        beta[c.penalised] += shifted
        wide, level = c.flat.size + self.has_level, 0.0
        if c.flat.size:
            fall = c.flat_slope @ (shifted / c.prior_sd - self.mean_phi)
            beta[c.flat] = c.mean[c.flat] - fall + width * (c.flat_root @ z[c.flat])
        if self.has_level:
            level = float(width * c.level_sd * z[-1])
        log_det = float(log_stretch.sum() + np.log(d).sum()) + wide * log_width
        return Point(
            beta, level, log_det, z, along, stretch, shifted, (rs * d) ** 2, d, mu, float(width)
        )

    def pull_back(self, at: Point, by_beta: Vector, by_level: float) -> tuple[Vector, Vector]:
        """Turn the gradient of a function in (β, level) into one in z and in the log unknowns."""
        c = self.conditional
        by_z, by_flat = np.empty_like(at.z), by_beta[c.flat]
        by_shifted = by_beta[c.penalised]
        log_width = 0.0  # derivative by log σ of the flat coefficients and of the level
        if c.flat.size:
            by_shifted = by_shifted - (by_flat @ c.flat_slope) / c.prior_sd
            by_z[c.flat] = at.width * (by_flat @ c.flat_root)
            log_width += float(by_z[c.flat] @ at.z[c.flat])
        if self.has_level:
            by_z[-1] = at.width * c.level_sd * by_level
            log_width += float(by_z[-1] * at.z[-1])
        by_phi = by_shifted * at.stretch
        by_along = self.Vt @ by_phi
        by_z[c.penalised] = self._shrink(by_phi, by_along, at.d, 0.0)
        # dd/dlog ρ = −d ρ²s²d², dμ/dlog ρ = μ (1 − 2 ρ²s²d²), dμ/dlog q = μ
        log_rho = float(by_along @ (at.mu * (1 - 2 * at.pull) - at.d * at.pull * at.along))
        log_q = float(by_along @ at.mu)
        by_unknown = self.powers @ (by_shifted * at.shifted) + self.main_power * log_rho
        return by_z, by_unknown + self.of_noise * (log_width - log_q - log_rho)

    def log_det_gradient(self, at: Point) -> Vector:
        """Gradient of `Point.log_det` in the log unknowns."""
        wide = self.conditional.flat.size + self.has_level
        shrink = float(at.pull.sum())
        return self.powers.sum(axis=1) - self.main_power * shrink + self.of_noise * (shrink + wide)
