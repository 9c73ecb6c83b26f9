"""Priors of formulas: by term, of groups, and with columns that no prior is to shrink."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import bayesreg as br
from bayesreg.blocks import Blocks
from bayesreg.errors import InputError

RNG = np.random.default_rng(4)
N = 48
DATA = pd.DataFrame(
    {
        "x": RNG.normal(size=N),
        "z": 3 * RNG.normal(size=N),
        "g": RNG.permutation(np.repeat(["a", "b", "c"], N // 3)),
    }
)
DATA["y"] = 2 * DATA["x"] + (DATA["g"] == "c") + RNG.normal(size=N)
FORMULA = "y ~ x + C(g) + z"
NAMES = ("x", "C(g)[T.b]", "C(g)[T.c]", "z")


def made(prior: Any, unpenalised: Any = "x", **others: Any) -> br.Problem:
    """Return the problem of the formula."""
    settings: dict[str, Any] = {"likelihood": br.Gaussian(1.0)} | others
    return br.from_formula(FORMULA, DATA, prior=prior, unpenalised=unpenalised, **settings)


def by_hand(prior: Any, **others: Any) -> br.Problem:
    """Return the problem of the columns, with a prior that is written out."""
    columns = br.Encoding.of(FORMULA, DATA).encode(DATA).X
    return br.Problem(
        columns, DATA["y"], likelihood=br.Gaussian(1.0), prior=prior, names=NAMES, **others
    )


def every_term(encoding: br.Encoding) -> br.GroupLaplace:
    """Make every term a group."""
    return br.GroupLaplace(0.02, groups=encoding.groups())


ONE_FOUR = np.array([0.1, 0.2, 0.3, 0.4])
MEANT: dict[str, tuple[Any, Any, Any]] = {
    "one scale": (
        br.Laplace(0.3),
        "x",
        [(br.Flat(), [0]), (br.Laplace(0.3), [1, 2, 3])],
    ),
    "scales of all": (
        br.Laplace(ONE_FOUR),
        ["x"],
        [(br.Flat(), [0]), (br.Laplace(ONE_FOUR[1:]), [1, 2, 3])],
    ),
    "scales of the rest": (
        br.Laplace(ONE_FOUR[:3]),
        ["x"],
        [(br.Flat(), [0]), (br.Laplace(ONE_FOUR[:3]), [1, 2, 3])],
    ),
    "scales and centres of all": (
        br.Normal(ONE_FOUR, loc=-ONE_FOUR),
        ["C(g)"],
        [(br.Flat(), [1, 2]), (br.Normal([0.1, 0.4], loc=[-0.1, -0.4]), [0, 3])],
    ),
    "groups of the terms": (
        every_term,
        ["x"],
        [(br.Flat(), [0]), (br.GroupLaplace(0.02, [[0, 1], [2]]), [1, 2, 3])],
    ),
    "groups, a whole one free": (
        every_term,
        ["C(g)"],
        [(br.Flat(), [1, 2]), (br.GroupLaplace(0.02, [[0], [1]]), [0, 3])],
    ),
    "groups, a part of one free": (
        every_term,
        ["C(g)[T.b]"],
        [(br.Flat(), [1]), (br.GroupLaplace(0.02, [[0], [1], [2]]), [0, 2, 3])],
    ),
    "groups with scales of all": (
        br.GroupLaplace(ONE_FOUR, [[0], [1, 2, 3]]),
        ["C(g)[T.b]", "C(g)[T.b]"],
        [(br.Flat(), [1]), (br.GroupLaplace([0.1, 0.3, 0.4], [[0], [1, 2]]), [0, 2, 3])],
    ),
    "groups with scales of the rest": (
        br.GroupLaplace(ONE_FOUR[:3], [[0, 2]]),
        ["x"],
        [(br.Flat(), [0]), (br.GroupLaplace(ONE_FOUR[:3], [[0, 2]]), [1, 2, 3])],
    ),
    "sorted weights of the rest": (
        br.Slope(1.0, [3.0, 2.0, 1.0]),
        ["x"],
        [(br.Flat(), [0]), (br.Slope(1.0, [3.0, 2.0, 1.0]), [1, 2, 3])],
    ),
    "a list": (
        [(br.Laplace(0.3), ["C(g)"]), (br.Normal(2.0), ["z"])],
        ["x"],
        [(br.Flat(), [0]), (br.Laplace(0.3), [1, 2]), (br.Normal(2.0), [3])],
    ),
    "everything": (br.Laplace(0.3), ["x", "C(g)", "z"], br.Flat()),
    "nothing": (br.Laplace(0.3), None, br.Laplace(0.3)),
}


@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("case", MEANT)
def test_a_prior_beside_unpenalised_columns_is_the_one_written_out(
    case: str, standardize: bool
) -> None:
    """The same objective, mode and certificate, on either scale of the columns."""
    prior, unpenalised, written = MEANT[case]
    one = made(prior, unpenalised, standardize=standardize)
    two = by_hand(written, standardize=standardize)
    coef = np.array([1.0, -2.0, 0.5, 0.25])
    assert one.objective(coef, 0.3) == pytest.approx(two.objective(coef, 0.3), rel=1e-13)
    fit = br.find_map(one)
    assert fit.certificate.optimal
    np.testing.assert_allclose(fit.coef, br.find_map(two).coef, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("case", MEANT)
def test_another_prior_leaves_unpenalised_columns_unpenalised(case: str) -> None:
    """A rival made with `with_prior` is the problem that a formula makes of that prior at once."""
    prior, unpenalised, _ = MEANT[case]
    rival = made(br.Laplace(9.0), unpenalised)
    again = made(prior, unpenalised)
    if callable(prior) or isinstance(prior, list):
        assert (
            rival.with_prior(
                list(again.prior.parts) if isinstance(again.prior, Blocks) else again.prior
            )
            == again
        )
        return
    assert rival.with_prior(prior) == again


def test_a_list_of_priors_says_of_every_column_what_it_has() -> None:
    """Then nothing is left unpenalised that it does not leave so itself."""
    problem = made(br.Laplace(9.0), ["x"])
    everywhere = problem.with_prior([(br.Normal(2.0), ["x", "z", "C(g)[T.b]", "C(g)[T.c]"])])
    assert everywhere.free == ()
    assert everywhere.with_prior(br.Normal(2.0)).free == (0,)
    assert problem.given_ones().with_prior(br.Laplace(1.0)) == problem.with_prior(br.Laplace(1.0))


def test_an_unpenalised_coefficient_is_not_shrunk() -> None:
    """Beside groups that the prior sets to 0 it is that of least squares on its column alone."""
    problem = made(lambda e: br.GroupLaplace(1e-4, groups=e.groups()))
    fit = br.find_map(problem)
    assert isinstance(problem.prior, Blocks)
    assert problem.free == (0,)
    assert fit.certificate.optimal
    assert np.array_equal(fit.coef[1:], np.zeros(3))
    slope = np.polyfit(DATA["x"], DATA["y"], 1)[0]
    assert fit.coef[0] == pytest.approx(slope, rel=1e-9)


REFUSED: dict[str, tuple[Any, Any, str]] = {
    "a column of the data": (
        br.Laplace(1.0),
        ["g"],
        (
            r"unpenalised: 'g' is neither a term nor a column .* did you mean 'C\(g\)'\? Terms: x, "
            r"C\(g\), z. Columns: C\(g\)\[T.b\], C\(g\)\[T.c\]"
        ),
    ),
    "a typing error": (br.Laplace(1.0), "xx", "unpenalised: 'xx' is neither .* mean 'x'"),
    "the first level": (br.Laplace(1.0), "C(g)[T.a]", "unpenalised: .* mean 'C"),
    "a list in a list": (br.Laplace(1.0), [["x"]], r"unpenalised: \['x'\] is neither a term nor"),
    "no list": (br.Laplace(1.0), 7, "unpenalised: must be a list of names .* found 7"),
    "a typing error in the prior": (
        [(br.Laplace(1.0), ["C(h)"])],
        (),
        r"prior: 'C\(h\)' is neither a term nor a column of the formula; did you mean 'C\(g\)'",
    ),
    "scales of neither": (
        br.Laplace([1.0, 2.0]),
        "x",
        "prior: scale has 2 entries, but X has 4 columns, or 3 without the unpenalised ones",
    ),
    "scales of one, centres of the other": (
        br.Normal(ONE_FOUR, loc=[1.0, 2.0, 3.0]),
        "x",
        "prior: loc has 3 entries, but X has 4 columns",
    ),
    "sorted weights of all": (
        br.Slope(1.0, [4.0, 3.0, 2.0, 1.0]),
        "x",
        "weights: are 4, and Slope has one per coefficient that it is on, .* give 3",
    ),
    "a group beyond all": (br.GroupLaplace(1.0, [[0, 4]]), "x", "groups name position 4"),
    "twice": (
        [(br.Laplace(1.0), ["x", "C(g)", "z"])],
        "x",
        "prior: column 'x' has more than one prior",
    ),
    "blocks of all": (
        by_hand([(br.Laplace(1.0), [0]), (br.Normal(1.0), [1, 2, 3])]).prior,
        "x",
        "prior: column 'x' has more than one prior",
    ),
    "a class": (br.Laplace, (), r"prior: must be a prior such as Laplace\(scale=...\)"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_fits_no_columns_is_refused_by_name(case: str) -> None:
    """With the names that are valid, or the numbers that are needed."""
    prior, unpenalised, message = REFUSED[case]
    with pytest.raises(InputError, match=message):
        made(prior, unpenalised)


def test_blocks_of_other_sizes_are_refused() -> None:
    """Those of another problem, say."""
    blocks = by_hand([(br.Laplace(1.0), [0]), (br.Normal(1.0), [1, 2, 3])]).prior
    with pytest.raises(InputError, match="its blocks are on 4 columns, but X has 2"):
        br.Problem(np.eye(3)[:, :2], [1.0, 2.0, 4.0], likelihood=br.Gaussian(1.0), prior=blocks)
    with pytest.raises(InputError, match="its blocks are on 4 columns, but X has 1"):
        br.from_formula("y ~ x", DATA, likelihood=br.Gaussian(1.0), prior=blocks)


def test_part_of_a_ball_keeps_its_radius_and_its_groups() -> None:
    """The uniform prior of the columns that are left."""
    ball = br.UniformBall(2.0, "group", scale=[1.0, 2.0, 3.0], groups=[[0, 1], [2]])
    assert ball.part([1, 2]) == br.UniformBall(2.0, "group", scale=[2.0, 3.0], groups=[[0], [1]])
