"""The scales of the problem that the command line is asked about, and where they come from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayesreg import defaults, gallery
from bayesreg._text_table import six_digits
from bayesreg._validation import as_positive
from bayesreg.errors import InputError
from bayesreg.likelihoods.base import Noise

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bayesreg.datasets import Dataset
    from bayesreg.gallery import GalleryModel
    from bayesreg.problem import Problem

# Where a number of the user's comes from.
_GIVEN = "as given"


def settings_of(
    data: Dataset,
    model: GalleryModel,
    *,
    intercept: bool,
    scale: float | None,
    sigma: float | None,
) -> dict[str, defaults.Setting]:
    """Scales that the user gave, and rules of thumb for the others; where each comes from."""
    settings = _rules(data, model, intercept=intercept)
    for argument, given in (("scale", scale), ("sigma", sigma)):
        if given is None:
            continue
        if argument not in settings:
            has = ", ".join(settings) or "none"
            msg = f"{argument}: model {model.name!r} has no such number; it has {has}"
            raise InputError(msg)
        settings[argument] = defaults.Setting(as_positive(given, argument), _GIVEN)
    return settings


def _rules(data: Dataset, model: GalleryModel, *, intercept: bool) -> dict[str, defaults.Setting]:
    """Return rules of thumb for the scales of a model; of a file, for those that it takes."""
    if model.name in gallery.names():
        return defaults.settings(data, model.name, intercept=intercept)
    rules = {"scale": defaults.Setting(1.0, "per sd of a column")}
    # What takes any keyword may hand them on to a logistic model, which has no sigma.
    if model.takes("sigma") and not (model.takes_any and data.likelihood == "bernoulli"):
        rules = defaults.settings(data, "lasso", intercept=intercept)
    return {name: rule for name, rule in rules.items() if model.takes(name)}


def settings_of_prior(
    settings: Mapping[str, defaults.Setting],
    prior: str,
    data: Dataset,
    problem: Problem,
    entry: GalleryModel,
) -> dict[str, defaults.Setting]:
    """Return the numbers of a prior that takes the place of the model's, and the model's sigma."""
    if "scale" not in settings or entry.name == "lasso_park_casella":
        msg = (
            f"prior: takes the place of a prior with one known scale, which model {entry.name!r} "
            "does not have; use lasso"
        )
        raise InputError(msg)
    intercept = problem.design.intercept
    if problem.p > data.X.shape[1]:
        msg = (
            f"prior: would take the place of that of the intercept too, which model {entry.name!r} "
            "has; make its intercept pm.Flat"
        )
        raise InputError(msg)
    rules = defaults.prior_settings(data, prior, problem.likelihood, intercept=intercept)
    if settings["scale"].rule == _GIVEN:
        rules["scale"] = settings["scale"]
    return {name: s for name, s in settings.items() if name == "sigma"} | rules


def scale_lines(problem: Problem, settings: Mapping[str, defaults.Setting]) -> list[str]:
    """Say what scales there are: numbers that the model uses, and priors of those unknown."""
    unknown = problem.hyperpriors()
    unused = {*unknown} if isinstance(problem.likelihood, Noise) else {*unknown, "sigma"}
    lines = [
        f"  {name} = {setting.value:.6g} ({setting.rule})"
        for name, setting in settings.items()
        if name not in unused or setting.rule == _GIVEN
    ]
    rules = {name: setting.rule for name, setting in settings.items() if setting.hyperprior}
    return lines + [
        f"  {name} unknown, with prior {six_digits(repr(prior))} "
        f"({rules.get(name, 'set by the model')})"
        for name, prior in unknown.items()
    ]
