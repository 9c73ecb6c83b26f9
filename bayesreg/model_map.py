"""The mode of any PyMC model with continuous variables: search from several starts, and judge.

For models that are no penalised regression: non-linear predictors, Student-t noise, hierarchical
means, unknown scales. Laplace variables get exact zeros, everything else Newton's last digit.
Nothing proves such a mode global, so it says how many of the starts found it; and since joint
densities of scales and what they scale are often unbounded, every start is watched for coordinates
that run away.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from scipy.linalg import eigh
from threadpoolctl import threadpool_limits

from bayesreg._text_table import MOST_COEFFICIENTS, as_table, not_zero
from bayesreg._validation import as_count, as_generator, as_positive
from bayesreg.composite_mode import FLAT, Held, Outcome, Run, descend
from bayesreg.errors import DegenerateMode, ImproperPosterior, NotConverged
from bayesreg.map import MOST_STARTS, Status
from bayesreg.model_certificate import ModelCertificate, certify_point
from bayesreg.model_collapse import FALLING, collapses
from bayesreg.model_objective import Block, ModelObjective, compile_objective
from bayesreg.pymc_labels import distinct_labels

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    import pymc as pm

    from bayesreg._validation import Vector
    from bayesreg.pymc_graph import Array

__all__ = ["ModelMapEstimate", "Search", "find_model_map"]

# Objectives closer than this, relative to 1 + |objective|, are those of one mode if points agree.
_SAME = 1e-8
# At most so many transformed coordinates are followed to the edge of their range, so far down, with
# so many Newton steps at each stop.
_MOST_PROBES = 6
_DEPTHS = (0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 12.0)
_PROBE_STEPS = 15
_PROBES = ((10.0, "initial"), (2.0, "jitter"))


@dataclass(frozen=True)
class Search:
    """What the starts came to.

    Attributes
    ----------
    starts : int
        Searches made.
    reached : int
        Searches that ended at the objective of the best mode.
    modes : tuple of float
        Objective of each distinct mode that was seen, the best first, in nats.
    """

    starts: int
    reached: int
    modes: tuple[float, ...]

    def __str__(self) -> str:
        """Say it in words."""
        seen = "1 mode" if len(self.modes) == 1 else f"{len(self.modes)} distinct modes"
        return f"{self.reached} of {self.starts} starts reached the best objective; {seen} seen"


@dataclass(frozen=True, eq=False)
class ModelMapEstimate:
    """The best local mode found of a PyMC model, with its certificate.

    Attributes
    ----------
    model : pm.Model
        The model that it was asked of.
    point : dict of ndarray
        Value of each of the model's value variables, as for ``model.compile_logp()``.
    values : dict of ndarray
        Value of each free variable on the model's own scale.
    coef : ndarray, shape (p,)
        Entries of all variables whose density has a kink (Laplace), in the model's order, those at
        their kink exactly there (0.0 where the location is 0); of all variables where none has.
    names : tuple of str
        Name of each entry of `coef`: ``beta[age]``, or ``beta[3]`` without coordinates.
    others : dict of float
        Entries of the variables that `coef` leaves out, such as scales, by such names.
    objective : float
        Minus the log density there, in nats, every constant included.
    certificate : ModelCertificate
        Recomputed from (model, point) alone. It is local: its gap is ``inf``.
    status : Status
        How the search ended; ``status.value`` says it in words.
    space : str
        Of which density this is the mode: which variables, on which scale, with Jacobian or not.
    iterations : int
        Newton steps of the search that found it.
    seconds : float
        Time taken, compilation included.
    search : Search
        How many starts found it, and which other modes were seen.
    why_not_glm : str
        Why the model was not solved as a penalised regression.
    """

    model: Any = field(repr=False)
    point: dict[str, Array]
    values: dict[str, Array] = field(repr=False)
    coef: Vector = field(repr=False)
    names: tuple[str, ...] = field(repr=False)
    others: dict[str, float] = field(repr=False)
    objective: float
    certificate: ModelCertificate
    status: Status
    space: str
    iterations: int = field(repr=False)
    seconds: float = field(repr=False)
    search: Search
    why_not_glm: str = field(repr=False)

    @property
    def support(self) -> tuple[str, ...]:
        """Names of the kinked entries that are off their kink; empty where nothing has a kink."""
        return tuple(self.names[j] for j in self.certificate.support)

    def to_frame(self) -> pd.DataFrame:
        """Return one row per entry of the free variables: value, and whether it is exactly zero.

        Returns
        -------
        pandas.DataFrame
            Indexed by name, in the order of the model.
        """
        import pandas as pd  # noqa: PLC0415  (1.5 s that only frames pay)

        each = _labels(self.model, self.values).values()
        labels = [label for group in each for label in group]
        numbers = np.concatenate([[], *(value.ravel() for value in self.values.values())])
        frame = pd.DataFrame({"value": numbers}, index=pd.Index(labels, name="name"))
        frame["zero"] = frame["value"] == 0.0
        return frame

    def __str__(self) -> str:
        """Say what was found, the first entries that are not zero, and the other variables."""
        zeros, others = int((self.coef == 0).sum()), list(self.others.values())
        tables = not_zero(self.names, self.coef.tolist(), None)
        if others:
            tables += as_table(list(self.others), {"value": others}, most=MOST_COEFFICIENTS)
        return (
            f"{self.space}\n"
            f"  objective {self.objective:.10g} nats; {zeros} of {self.coef.size} entries exactly "
            f"zero\n  {self.certificate}\n  {self.search}" + "".join(f"\n{line}" for line in tables)
        )


def find_model_map(
    model: pm.Model,
    *,
    starts: int = 8,
    seed: object = None,
    jacobian: bool = False,
    tol: float = 1e-10,
    why_not_glm: str = "",
) -> ModelMapEstimate:
    """Find the best local mode of a PyMC model from several starts.

    Parameters
    ----------
    model : pm.Model
        Any model whose free variables are all continuous; Laplace variables may have zeros.
    starts : int
        Searches: from the model's initial point, then by turns from jittered ones and from draws of
        the prior. Up to six more follow transformed variables, such as scales, towards the edge of
        their range, where densities may be unbounded.
    seed : None, int or Generator
        Where chance comes from.
    jacobian : bool
        False: the mode of the density on the model's own scale. True: on that of the value
        variables (``log sigma`` for sigma), the density that NUTS samples.
    tol : float
        Largest excess over the local mode to accept, in nats, relative to the objective where that
        exceeds 1.
    why_not_glm : str
        Kept in the answer.

    Returns
    -------
    ModelMapEstimate
        Point, values, certificate, and what the starts came to.

    Raises
    ------
    UnsupportedModel
        If a variable is discrete, or has a density that is not differentiable elsewhere than at
        the kink of a Laplace prior; or two entries are called alike.
    DegenerateMode
        If the density has no mode: it is unbounded, or largest at the edge of a variable's range.
    ImproperPosterior
        If a direction leaves the density as it is, or it rises to a limit for ever.
    NotConverged
        If no search ends at a mode that can be certified.

    Notes
    -----
    Minimises ``f(x) + Σ w_j(x) |x_j|`` by proximal Newton, see `bayesreg.composite_mode`.

    Examples
    --------
    >>> import pymc as pm
    >>> with pm.Model() as model:
    ...     effect = pm.Laplace("effect", 0.0, np.float64(5.0), shape=2)
    ...     y = pm.StudentT("y", nu=3.0, mu=effect, sigma=1.0, observed=[4.0, 0.1])
    >>> fit = find_model_map(model, seed=0)
    >>> fit.coef.round(6), fit.support
    (array([3.848858, 0.      ]), ('effect[0]',))
    """
    begin = time.perf_counter()
    as_count(starts, "starts", maximum=MOST_STARTS)
    as_positive(tol, "tol")
    rng = as_generator(seed)
    with np.errstate(all="ignore"):  # PyTensor divides constants by a scale of 0, say
        objective = compile_objective(model, jacobian=jacobian)
    with threadpool_limits(1, user_api="blas"):  # matrices are small: threads would only wait
        runs = _search(objective, starts, rng)
    best, search = _judge(objective, runs)
    _require_curved(objective, best)
    point, values = objective.point(best.x), objective.values(best.x)
    with np.errstate(all="ignore"):
        certificate = certify_point(model, point, jacobian=jacobian)
    allowed = tol * max(1.0, abs(best.value))
    if not certificate.stationary or 0.5 * certificate.kkt**2 > allowed:
        msg = (
            f"model: the answer could not be certified ({certificate}); give the variables priors "
            "and units of moderate size, or a tighter prior where the data say nothing"
        )
        raise NotConverged(msg)
    kinked = [b for b in objective.blocks if b.kinked]
    rest = [b for b in objective.blocks if kinked and not b.kinked]
    labels = _labels(model, values)
    names, coef = _entries(kinked or objective.blocks, labels, values)
    others, numbers = _entries(rest, labels, values)
    return ModelMapEstimate(
        model=model,
        point=point,
        values=values,
        coef=coef,
        names=names,
        others=dict(zip(others, numbers.tolist(), strict=True)),
        objective=best.value,
        certificate=certificate,
        status=Status.STATIONARY,
        space=_space(model, objective),
        iterations=best.iterations,
        seconds=time.perf_counter() - begin,
        search=search,
        why_not_glm=why_not_glm,
    )


def _labels(model: pm.Model, values: dict[str, Array]) -> dict[str, tuple[str, ...]]:
    """Labels of the entries of each free variable."""
    labels = distinct_labels(model, [(rv, values[str(rv.name)].shape) for rv in model.free_RVs])
    return dict(zip([str(rv.name) for rv in model.free_RVs], labels, strict=True))


def _entries(
    blocks: Sequence[Block], labels: dict[str, tuple[str, ...]], values: dict[str, Array]
) -> tuple[tuple[str, ...], Vector]:
    """Labels and values of the entries."""
    names = tuple(label for block in blocks for label in labels[block.name])
    return names, np.concatenate([[], *(values[block.name].ravel() for block in blocks)])


def _space(model: pm.Model, objective: ModelObjective) -> str:
    """Say of which density this is the mode."""
    data = ", ".join(str(rv.name) for rv in model.observed_RVs)
    given = f" | {data}" if data else ""
    own = ", ".join(block.name for block in objective.blocks)
    if not objective.transformed.any():
        return f"mode of p({own}{given})"
    if objective.jacobian:
        names = ", ".join(block.value_name for block in objective.blocks)
        return (
            f"mode of p({names}{given}), a density with respect to the value variables "
            "(Jacobian included)"
        )
    return f"mode of p({own}{given}), a density with respect to {own} (no Jacobian)"


# --------------------------------------------------------------------------- starts


def _search(objective: ModelObjective, count: int, rng: np.random.Generator) -> list[Run]:
    """Descend from every start, or until one falls for ever, which settles the matter."""
    runs: list[Run] = []
    for kind in ["initial", *(("jitter", "prior")[k % 2] for k in range(count - 1))]:
        runs.append(descend(objective, objective.start(rng, kind)))
        if _falls(runs[-1]):
            return runs
    inside = [run for run in runs if run.outcome is not Outcome.OUTSIDE]
    if inside:
        runs += collapses(objective, min(inside, key=lambda run: run.value).x)
    if not any(run.outcome is Outcome.RUNAWAY for run in runs):
        runs += _probes(objective, runs)
    return runs


def _falls(run: Run) -> bool:
    return run.outcome is Outcome.RUNAWAY and run.slope < -FALLING


def _probes(objective: ModelObjective, runs: Sequence[Run]) -> list[Run]:
    """Follow transformed coordinates towards the edge of their range, the others going along.

    That is where densities are unbounded: a scale shrinks and what it scales moves to its centre, a
    component of a mixture to one observation. The searches that follow the lowest end are free.
    """
    inside = [run for run in runs if run.outcome is not Outcome.OUTSIDE]
    if not inside:
        return []
    origin = min(inside, key=lambda run: run.value).x
    coordinates = np.flatnonzero(objective.transformed)
    most = max(1, min(_MOST_PROBES, 1200 // objective.size))  # steps among many are slow
    if coordinates.size > most:
        coordinates = coordinates[np.linspace(0, coordinates.size - 1, most).astype(int)]
    found = []
    for j in coordinates:
        x = origin.copy()
        for depth in _DEPTHS:
            x[j] = origin[j] - depth
            x = Held(objective, x, int(j)).descend(_PROBE_STEPS)
        found.append(descend(objective, x))
    return found


# --------------------------------------------------------------------------- judgement


def _judge(objective: ModelObjective, runs: Sequence[Run]) -> tuple[Run, Search]:
    """Return the best run and what all came to, or refuse: there is no mode, or none was found."""
    away = [run for run in runs if run.outcome is Outcome.RUNAWAY]
    falling = [run for run in away if _falls(run)]
    if falling:
        _refuse_unbounded(objective, min(falling, key=lambda run: run.value))
    found = sorted(
        (run for run in runs if run.outcome is Outcome.STATIONARY), key=lambda run: run.value
    )
    lowest = min(away, key=lambda run: run.value, default=None)
    if lowest is not None and (not found or lowest.value < found[0].value - _margin(found[0])):
        _refuse_edge(objective, lowest)
    stuck = [run for run in runs if run.outcome is Outcome.STUCK]
    if not found or any(run.value < found[0].value - _margin(found[0]) for run in stuck):
        _refuse_stuck(objective, runs)
    best = found[0]
    modes: list[Run] = []
    for run in found:
        if not any(_same(run, mode) for mode in modes):
            modes.append(run)
    reached = sum(run.value <= best.value + _margin(best) for run in found)
    return best, Search(len(runs), reached, tuple(mode.value for mode in modes))


def _margin(run: Run) -> float:
    return _SAME * (1.0 + abs(run.value))


def _same(one: Run, two: Run) -> bool:
    near = np.abs(one.x - two.x) <= 1e-4 * (1.0 + np.abs(two.x))
    return abs(one.value - two.value) <= _margin(two) and bool(near.all())


def _block_of(objective: ModelObjective, j: int) -> Block:
    return next(block for block in objective.blocks if block.start <= j < block.stop)


def _way(objective: ModelObjective, run: Run, j: int) -> str:
    """Tell of a run that went away: its coordinate and the objective at a few points."""
    name = objective.labels[j]
    steps = [run.trace[k] for k in np.linspace(0, len(run.trace) - 1, 4).astype(int)]
    told = ", ".join(dict.fromkeys(f"{value:.6g} nats at {x[j]:.4g}" for x, value in steps))
    return f"on the way of {name} the objective is {told}"


def _refuse_unbounded(objective: ModelObjective, run: Run) -> NoReturn:
    j = int(np.argmax(np.abs(run.direction)))
    block = _block_of(objective, j)
    msg = (
        f"{block.name}: the density is unbounded, so it has no mode: {_way(objective, run, j)}. "
        f"Fix {block.name} at a value (pm.do, or a number in its place), give it a prior that "
        "vanishes faster there (pm.InverseGamma, say), write what it scales as "
        "scale * standardised variable, or sample the model instead"
    )
    raise DegenerateMode(msg)


def _refuse_edge(objective: ModelObjective, run: Run) -> NoReturn:
    j = int(np.argmax(np.abs(run.direction)))
    block = _block_of(objective, j)
    way = _way(objective, run, j)
    if not block.transform:
        msg = (
            f"{block.name}: the objective falls towards a limit as {objective.labels[j]} goes to "
            f"{'+' if run.x[j] > 0 else '-'}infinity, so no finite mode exists: {way}. Give it a "
            "proper prior"
        )
        raise ImproperPosterior(msg)
    cure = "" if objective.jacobian else "ask for jacobian=True, "
    msg = (
        f"{block.name}: the density is largest at the edge of its range, where the model does not "
        f"reach: {way}. To have a mode inside, {cure}give it a prior that vanishes there "
        "(pm.Gamma with alpha=2, say), or fix it at a value"
    )
    raise DegenerateMode(msg)


def _refuse_stuck(objective: ModelObjective, runs: Sequence[Run]) -> NoReturn:
    inside = [run for run in runs if run.outcome is not Outcome.OUTSIDE]
    if not inside:
        msg = (
            "model: its log density or a derivative is not finite at any of the starts; check the "
            "observed data against the likelihood, and give initval to the variables"
        )
        raise NotConverged(msg)
    run = min(inside, key=lambda run: run.value)
    at = objective.evaluate(run.x)
    j = int(np.argmax(at.residual(run.x, objective.kinked)))
    msg = (
        f"model: the lowest of {len(runs)} searches reached no mode (objective {run.value:.8g}, "
        f"largest derivative at {objective.labels[j]} = {run.x[j]:.4g}, after {run.iterations} "
        "steps); "
        "give the variables priors and units of moderate size, or initval close to the mode, and "
        "write densities in stable forms (logit_p instead of p, say)"
    )
    raise NotConverged(msg)


def _require_curved(objective: ModelObjective, run: Run) -> None:
    """Refuse a mode with a direction along which the objective never changes."""
    support = np.flatnonzero(~(objective.kinked & (run.x == 0))).astype(np.intp)
    if support.size == 0:
        return
    hessian = objective.hessian(run.x, support)
    unit = np.sqrt(np.abs(np.diag(hessian)))
    unit[unit == 0] = 1.0
    values, vectors = eigh(hessian / np.outer(unit, unit))
    for k in np.flatnonzero(np.abs(values) <= FLAT)[:8]:
        direction = np.zeros(objective.size)
        direction[support] = vectors[:, k] / unit
        direction /= np.abs(direction).max()
        if _is_level(objective, run, direction) or _is_level(objective, run, -direction):
            if objective.transformed[np.abs(direction) > 1e-3].all():
                _refuse_edge(objective, replace(run, direction=direction))
            names = [objective.labels[j] for j in np.flatnonzero(np.abs(direction) > 1e-3)]
            named = ", ".join(names[:6]) + (" ..." if len(names) > 6 else "")
            msg = (
                f"model: the density does not change along a direction of {named}, so it has no "
                "mode there and the posterior is improper; give them proper priors, or drop one"
            )
            raise ImproperPosterior(msg)


def _is_level(objective: ModelObjective, run: Run, direction: Vector) -> bool:
    far = 20.0 if (objective.transformed & (direction != 0)).any() else 1e4
    far *= 1.0 + float(np.abs(run.x).max())
    with np.errstate(all="ignore"):
        ends = [objective.evaluate(run.x + t * far * direction).value for t in (1e-4, 1e-2, 1.0)]
    return all(abs(end - run.value) <= 1e-7 * (1.0 + abs(run.value)) for end in ends)
