"""Model files of one's own, read back on the scale of the data: intercepts with a prior."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pymc as pm
import pytest

from bayesreg.datasets import Dataset
from bayesreg.errors import InputError
from bayesreg.gallery import GalleryModel
from bayesreg.standardized import problem_of

if TYPE_CHECKING:
    from collections.abc import Callable

RNG = np.random.default_rng(5)
X = RNG.normal(size=(12, 2)) * [2.0, 0.5] + 3.0
Y = X @ [1.0, -1.0] + RNG.normal(size=12)
DATA = Dataset("own", X, Y, ("x0", "x1"), "y", "", "", "", "gaussian")


def file(predictor: Callable[[Any, Any, Any], Any], name: str = "a") -> GalleryModel:
    """Return a model file whose predictor is made of columns, coefficients and a level."""

    def build(X: Any, y: Any, **_: Any) -> pm.Model:
        with pm.Model() as model:
            b, a = pm.Normal("b", 0.0, 1.0, shape=2), pm.Normal(name, 0.0, np.float64(5.0))
            pm.Normal("y", predictor(X, b, a), np.float64(1.0), observed=y)
        return model

    return GalleryModel("own.py", "", build)


def test_a_variable_alone_in_the_predictor_is_the_level_at_the_means() -> None:
    """Beside columns about their means."""
    problem = problem_of(DATA, file(lambda X, b, a: X @ b + a), {})
    level = problem.names.index("a")
    assert (problem.design.X[:, level] == 1).all()
    others = np.delete(problem.design.X, level, axis=1)
    np.testing.assert_allclose(others.mean(axis=0), 0.0, atol=1e-12)


@pytest.mark.parametrize(
    ("predictor", "number"),
    [(lambda X, b, a: X @ b - a, "-1"), (lambda X, b, a: 2.0 * a + X @ b, "2")],
    ids=["minus", "twice"],
)
def test_a_multiple_of_a_variable_is_no_level(
    predictor: Callable[[Any, Any, Any], Any], number: str
) -> None:
    """What would be printed under its name is the predictor at the means, which it is not."""
    with pytest.raises(InputError, match=f": {number} times a variable, where an intercept is 1"):
        problem_of(DATA, file(predictor), {})


def test_a_level_called_like_a_column_is_to_be_renamed_in_the_file() -> None:
    """The data may not be the user's to rename."""
    own = file(lambda X, b, a: X @ b + a, "x1")
    with pytest.raises(InputError, match=r"its intercept is called 'x1', like a column .* rename"):
        problem_of(DATA, own, {})
