"""The λ of each of the five documents, teaching texts, whose figures `bayesreg.studies` makes.

The first and the last also draw penalties that are norms, not sums over coefficients: those are
`GroupLaplace` and `LInfinity` with the same conversion, scale = 1/(l1 in nats).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bayesreg.units._convention import (
    Convention,
    Encoding,
    Factors,
    Single,
    Two,
    half_mean_squares,
    mean_squares,
    nats,
    squares,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bayesreg.units._convention import Facts

#: What each document is called here, by its number.
TITLES = {
    1: "Level sets and tangency",
    2: "One weight",
    3: "Soft thresholding, step by step",
    4: "Logistic regression with Laplace and Gaussian priors",
    5: "Balls, norms and moving costs",
}


def _text(names: tuple[str, ...], facts: Facts, numbers: Mapping[str, float]) -> str:
    del facts, numbers
    return ", ".join(f"{name} = {{{name}}}" for name in names)


def _row(
    document: int,
    call: str,
    objective: str,
    factors: Factors,
    encoding: Encoding,
    *,
    family: str = "gaussian",
    note: str = "",
) -> Convention:
    return Convention(
        package=f"document {document}",
        call=call,
        families=(family,),
        objective=objective,
        factors=factors,
        encoding=encoding,
        text=partial(_text, encoding.names),
        note="; ".join(filter(None, (f"notebook {document}, “{TITLES[document]}”", note))),
        source=f"the document itself, reproduced as document {document} in bayesreg.studies",
    )


_SUMS = "the λ of its steps, which follow sums; the cost that it prints takes means"
ROWS = (
    _row(1, "L1", "RSS/n + λ‖w‖₁", mean_squares, Single("λ", "l1")),
    _row(2, "L1", "RSS/n + λ|w|", mean_squares, Single("λ", "l1")),
    # λw² = 2λ·w²/2
    _row(2, "L2", "RSS/n + λw²", mean_squares, Single("λ", "l2", times=0.5)),
    _row(3, "L1", "RSS/(2n) + λ‖w‖₁", half_mean_squares, Single("λ", "l1")),
    _row(4, "L1", "loss + λ‖w‖₁", nats, Single("λ", "l1"), family="bernoulli", note=_SUMS),
    _row(
        4,
        "L2",
        "loss + λ‖w‖²/2",
        nats,
        Single("λ", "l2"),
        family="bernoulli",
        note="the inverse of the prior variance; it penalises the intercept too",
    ),
    _row(
        4,
        "elastic net",
        "loss + λ₁‖w‖₁ + λ₂‖w‖²",
        nats,
        Two(Single("λ₁", "l1"), Single("λ₂", "l2", times=0.5)),
        family="bernoulli",
    ),
    _row(5, "L1", "RSS + r‖w‖₁", squares, Single("r", "l1"), note="its X is the identity"),
)
