r"""Integrals and draws of a smooth density on the whole line, from equally spaced nodes.

The trapezoidal rule with step h on the whole line has an error of order ``exp(−2πd/h)`` for an
integrand that is analytic within a distance d of the line (Trefethen & Weideman 2014): halving the
step squares the error. So the nodes are halved until two lattices agree, and the finer one is then
much better than they agree. Everything is in logarithms; the density need not be normalised.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from bayesreg.errors import NoClosedForm

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bayesreg._validation import Vector
    from bayesreg.posterior.conditional import Array, Mask

    #: From points (k,) to the log density and the logs of other integrands (k, m).
    type Integrands = Callable[[Vector], Array]
    #: From (k, m) to (k, m), the rows with parameters of their own.
    type RowFunction = Callable[[Array], Array]

#: Nats below its peak at which a density is cut off: e^−45 = 3e−20 of the mass.
CUT = 45.0
# Two lattices agree if totals and moments differ by this, relatively; the finer one has the square.
_AGREEMENT = 1e-8
_MOST_NODES = 400_000
# A tail that is not over within so many powers of e is none to integrate numerically.
_LONGEST_TAIL = 20_000.0
_EPS = float(np.finfo(np.float64).eps)
_PEAKS, _LEVELS = 6, 14
# More rejections in a row than a density under its envelope ever has.
_MOST_ROUNDS = 1000
_LEAST_ROW, _MOST_ROW = 64, 4096
_ENVELOPE_SLACK = 1e-3
_UNEVEN = (
    "the density of the unknowns has too heavy a tail or too narrow a peak to integrate "
    'numerically; use sample(problem, method="gibbs") or "nuts"'
)


def log_sum(values: Array) -> Array:
    """Log of the sum of exponentials over the last axis; no row may be −∞ throughout."""
    top = values.max(axis=-1, keepdims=True)
    return np.asarray(np.log(np.exp(values - top).sum(axis=-1)) + top[..., 0])


@dataclass(frozen=True, eq=False)
class Lattice:
    """A density on the line at equally spaced nodes; make it with `Lattice.of`.

    Attributes
    ----------
    integrands : callable
        Maps points (k,) to logs of integrands (k, m), the density first.
    nodes, log_values : ndarray, shape (k,)
        The nodes, and the log density there.
    step : float
        Distance of neighbouring nodes.
    """

    integrands: Integrands
    nodes: Vector
    log_values: Vector
    step: float

    @classmethod
    def of(cls, integrands: Integrands, landmarks: Sequence[float]) -> Lattice:
        """Find where the integrands matter and halve the step until nothing changes.

        Parameters
        ----------
        integrands : callable
            Logs of a density, and of its products with what has to be integrated too: analytic, and
            falling at least exponentially on both sides.
        landmarks : sequence of float
            Where something may happen: the search for peaks spans them.

        Raises
        ------
        NoClosedForm
            If a tail is so heavy, or a peak so narrow, that nodes do not reach.

        Examples
        --------
        >>> normal = Lattice.of(lambda x: -0.5 * (x[:, None] - 3.0) ** 2, [0.0])
        >>> round(normal.log_total, 12) == round(0.5 * math.log(2 * math.pi), 12)
        True
        """
        low, high, width = _Search(integrands).extent(landmarks)
        half = max(8.0, 0.5 * (high - low) / width)
        if not half < _MOST_NODES:
            raise NoClosedForm(_UNEVEN)
        half = math.ceil(half)
        nodes = np.linspace(low, high, 2 * half + 1)
        values = integrands(nodes)
        while not _agree(nodes, values):
            if nodes.size > _MOST_NODES:
                raise NoClosedForm(_UNEVEN)
            between = integrands(0.5 * (nodes[1:] + nodes[:-1]))
            values = np.insert(values, np.arange(1, nodes.size), between, axis=0)
            nodes = np.linspace(low, high, values.shape[0])
        return cls(integrands, nodes, values[:, 0], float(nodes[1] - nodes[0]))

    @property
    def log_total(self) -> float:
        """Log of the integral."""
        return float(log_sum(self.log_values)) + math.log(self.step)

    @property
    def weights(self) -> Vector:
        """Share of each node, shape (k,); they sum to 1."""
        share = np.exp(self.log_values - self.log_values.max())
        return np.asarray(share / share.sum())

    def draw(self, rng: np.random.Generator, size: int) -> Vector:
        """Draw independently, shape (size,), by rejection under a piecewise exponential envelope.

        Between nodes the envelope is the chord of the log density raised by what the density
        exceeds it by in the middle and at the quarters, times 1.25, and a little. A lattice that
        integrates to ten digits leaves no room between nodes for more than that.
        """
        left, right = self.log_values[:-1], self.log_values[1:]
        excess = np.zeros_like(left)
        for part in (0.25, 0.5, 0.75):
            chord = left + part * (right - left)
            with np.errstate(invalid="ignore"):  # −inf minus −inf where the density has ended
                above = self.integrands(self.nodes[:-1] + part * self.step)[:, 0] - chord
            excess = np.fmax(excess, above)
        raised = 1.25 * excess + _ENVELOPE_SLACK
        top, drop = np.maximum(left, right), np.abs(right - left)
        # A piece of a density e^−t on (0, drop) has the mass (1 − e^−drop)/drop.
        mass = np.where(drop > 1e-12, -np.expm1(-drop) / np.maximum(drop, 1e-12), 1.0)
        usable = np.isfinite(left) & np.isfinite(right)
        share = np.where(usable, mass * np.exp(top + raised - top.max()), 0.0)
        out, missing = np.empty(size), np.arange(size)
        cumulative = np.cumsum(share) / share.sum()
        for _ in range(_MOST_ROUNDS):
            piece = np.searchsorted(cumulative, rng.random(missing.size), side="right")
            piece = np.minimum(piece, share.size - 1)
            along, chord = self._within(piece, drop[piece], rng.random(missing.size))
            gap = self.integrands(along)[:, 0] - chord - raised[piece]
            taken = -rng.standard_exponential(missing.size) <= gap
            out[missing[taken]] = along[taken]
            missing = missing[~taken]
            if not missing.size:
                return out
        raise NoClosedForm(_UNEVEN)

    def _within(self, piece: np.ndarray, drop: Vector, uniform: Vector) -> tuple[Vector, Vector]:
        """Points within pieces, by the inverse of an exponential, and the chord there."""
        left, right = self.log_values[piece], self.log_values[piece + 1]
        level = drop > 1e-12
        safe = np.where(level, drop, 1.0)
        from_top = np.where(level, -np.log1p(uniform * np.expm1(-safe)) / safe, uniform)
        share = np.where(right > left, 1.0 - from_top, from_top)
        return self.nodes[piece] + share * self.step, left + share * (right - left)


def _noise(log_value: Vector) -> Vector:
    """Relative rounding error of the exponential of a large logarithm, with room."""
    return 100 * _EPS * np.abs(log_value)


def _agree(nodes: Vector, values: Array) -> bool:
    """Whether every other node gives the totals and moments of all nodes."""
    for value in values.T:
        mass: Vector = np.exp(value - value.max())
        mass = mass / mass.sum()
        centre = mass @ nodes
        spread = math.sqrt(mass @ (nodes - centre) ** 2)
        if spread == 0:
            return False
        z = (nodes - centre) / spread
        for moment in (mass, mass * z, mass * z**2):
            if abs(2 * moment[::2].sum() - moment.sum()) > _AGREEMENT + _noise(value.max()):
                return False
    return True


class _Search:
    """Points at which integrands were evaluated, in order, and where their peaks are."""

    def __init__(self, integrands: Integrands) -> None:
        self.integrands = integrands
        self.x, self.values = np.zeros(0), integrands(np.zeros(0))

    def extent(self, landmarks: Sequence[float]) -> tuple[float, float, float]:
        """Ends of the range that matters, and the width of its narrowest peak."""
        low, high = min(landmarks) - 4.0, max(landmarks) + 4.0
        even = np.linspace(low, high, 2 * math.ceil(high - low) + 17)
        self.add(np.unique(np.append(even, landmarks)))
        for sign in (-1.0, 1.0):
            self._reach(sign)
        width = self._climb()
        return self._edge(-1), self._edge(1), width

    def add(self, x: Vector) -> None:
        """Evaluate, and keep in order."""
        values = self.integrands(x)
        if np.isnan(values).any() or (values == np.inf).any():
            raise NoClosedForm(_UNEVEN)
        self.x = np.concatenate([self.x, x])
        self.values = np.concatenate([self.values, values])
        order = np.argsort(self.x, kind="stable")
        self.x, self.values = self.x[order], self.values[order]

    def _depth(self) -> Vector:
        """Nats below the peak, the least over the integrands; shape (k,)."""
        return np.asarray((self.values.max(axis=0) - self.values).min(axis=1))

    def _reach(self, sign: float) -> None:
        """Walk outwards until the density is over."""
        at, walked, stride = (0 if sign < 0 else -1), 0.0, 4.0
        while self._depth()[at] < CUT:
            self.add(self.x[at] + sign * np.linspace(0.0, stride, 9)[1:])
            walked, stride = walked + stride, 1.5 * stride
            if walked > _LONGEST_TAIL:
                raise NoClosedForm(_UNEVEN)

    def _climb(self) -> float:
        """Refine around each peak until neighbours differ little; return the least width."""
        widths = [1.0]
        for _ in range(_LEVELS):
            depth, values = self._depth(), self.values[:, 0]
            inner = np.arange(1, values.size - 1)
            high = (values[inner] >= values[inner - 1]) & (values[inner] >= values[inner + 1])
            peaks = inner[high & (depth[inner] < CUT)]
            peaks = peaks[np.argsort(depth[peaks], kind="stable")][:_PEAKS]
            falls = 2 * values[peaks] - values[peaks - 1] - values[peaks + 1]
            steps = 0.5 * (self.x[peaks + 1] - self.x[peaks - 1])
            widths = [1.0, *(steps / np.sqrt(np.maximum(falls, 1e-300)))]
            coarse = peaks[falls > 0.5]
            if not coarse.size:
                break
            self.add(
                np.concatenate(
                    [np.linspace(self.x[j - 1], self.x[j + 1], 12)[1:-1] for j in coarse]
                )
            )
        return float(min(widths))

    def _edge(self, side: int) -> float:
        """Outermost point that matters, to a quarter of the interval it lies in."""
        for _ in range(10):
            inside = np.flatnonzero(self._depth() < CUT)
            at = inside[0] if side < 0 else inside[-1]
            gap = self.x[at + side] - self.x[at]
            span = self.x[inside[-1]] - self.x[inside[0]]
            if abs(gap) <= max(0.05 * span, 1e-14):
                break
            self.add(np.array([self.x[at] + 0.5 * gap]))
        return float(self.x[at + side])


@dataclass(frozen=True, eq=False)
class Rows:
    """Many log-concave densities on the line at once, one per row; make them with `Rows.of`.

    Attributes
    ----------
    log_density : callable
        Log densities: from (k, m) to (k, m).
    low, step : ndarray, shape (k,)
        First node, and the distance of nodes.
    log_values : ndarray, shape (k, m)
        Log densities at the nodes.
    """

    log_density: RowFunction
    low: Vector
    step: Vector
    log_values: Array

    @classmethod
    def of(
        cls, log_density: RowFunction, slope: RowFunction, start: Vector, tilt: float = 0.0
    ) -> Rows:
        """Find where each density matters and double the nodes until nothing changes.

        Parameters
        ----------
        log_density, slope : callable
            Log densities and their derivatives, which fall.
        start : ndarray, shape (k,)
            Where the search for each peak begins.
        tilt : float
            Power k ≥ 0 for which the integral of ``exp(k x)`` times the density is wanted too.

        Examples
        --------
        >>> centre = np.array([[0.0], [50.0]])
        >>> rows = Rows.of(lambda x: -0.5 * (x - centre) ** 2, lambda x: centre - x, np.ones(2))
        >>> print(np.exp(2 * rows.log_totals()).round(10) / (2 * math.pi))
        [1. 1.]
        """
        peak = _peaks(slope, start[:, None])
        least = log_density(peak) - CUT
        low = peak - _reach(lambda r: log_density(peak - r) > least, peak)
        high = peak + _reach(lambda r: log_density(peak + r) + tilt * r > least, peak)
        nodes, width = _LEAST_ROW, high - low
        while True:
            values = log_density(low + width * (np.arange(nodes + 1) / nodes))
            mass = np.exp(values - values.max(axis=1, keepdims=True))
            off = np.abs(2 * mass[:, ::2].sum(axis=1) / mass.sum(axis=1) - 1)
            if (off < _AGREEMENT + _noise(values.max(axis=1))).all():
                return cls(log_density, low[:, 0], width[:, 0] / nodes, values)
            nodes *= 2
            if nodes > _MOST_ROW:
                raise NoClosedForm(_UNEVEN)

    @property
    def nodes(self) -> Array:
        """The nodes, shape (k, m)."""
        return np.asarray(
            self.low[:, None] + self.step[:, None] * np.arange(self.log_values.shape[1])
        )

    def log_totals(self, tilt: float = 0.0) -> Vector:
        """Log of each integral of ``exp(tilt x)`` times the density, shape (k,)."""
        values = self.log_values + tilt * self.nodes if tilt else self.log_values
        return np.asarray(log_sum(values) + np.log(self.step))

    def draw(self, rng: np.random.Generator) -> Vector:
        """Draw once from each row, shape (k,).

        A lattice shifted by a uniform share of its step, and a node of it with probability
        proportional to the density there: the sum over nodes is the same for every shift, so the
        node has the density itself, to the accuracy of the sum.
        """
        moved = self.nodes + self.step[:, None] * rng.random((self.low.size, 1))
        share = np.cumsum(special.softmax(self.log_density(moved), axis=1), axis=1)
        chosen = (share < rng.random((self.low.size, 1)) * share[:, -1:]).sum(axis=1)
        return np.asarray(moved[np.arange(self.low.size), chosen])


def _peaks(slope: RowFunction, start: Array) -> Array:
    """Bisect falling slopes; shape (k, 1)."""
    low, high = start.copy(), start.copy()
    for end, sign in ((low, -1.0), (high, 1.0)):
        stride = 0.5
        while (outwards := sign * slope(end) > 0).any():
            end[outwards] += sign * stride
            stride *= 2
            if stride > _LONGEST_TAIL:
                raise NoClosedForm(_UNEVEN)
    for _ in range(45):
        middle = 0.5 * (low + high)
        rising = slope(middle) > 0
        low, high = np.where(rising, middle, low), np.where(rising, high, middle)
    return np.asarray(0.5 * (low + high))


def _reach(inside: Callable[[Array], Mask], like: Array) -> Array:
    """Distances at which a condition that holds at 0 ends, from beyond; shape (k, 1)."""
    near, far = np.zeros_like(like), np.full_like(like, 1e-3)
    while (within := inside(far)).any():
        near, far = np.where(within, far, near), np.where(within, 2 * far, far)
        if far.max() > _LONGEST_TAIL:
            raise NoClosedForm(_UNEVEN)
    for _ in range(5):
        middle = 0.5 * (near + far)
        within = inside(middle)
        near, far = np.where(within, middle, near), np.where(within, far, middle)
    return far
