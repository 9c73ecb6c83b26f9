"""The options that commands share: what they are called, and what their help says."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from bayesreg._visible import shown
from bayesreg.errors import InputError

# Written out, so that --help loads no prior; a test holds it to the list.
_PRIORS = (
    "normal, laplace, student_t, double_pareto, horseshoe, regularized_horseshoe or spike_slab"
)

Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        help=(
            "Gallery model, see 'models' (default: lasso; logistic_lasso if the target is 0 and "
            "1); or a .py file: code that is run, and that defines "
            "build(X, y, *, scale, sigma, intercept, names), see the README."
        ),
    ),
]
DatasetName = Annotated[str | None, typer.Option("--dataset", help="Bundled data; see 'datasets'.")]
Data = Annotated[
    Path | None,
    typer.Option("--data", "--csv", help="CSV file with a header line, or Parquet, or Feather."),
]
Target = Annotated[str | None, typer.Option("--target", help="Column of the file to predict.")]
DropMissing = Annotated[
    bool,
    typer.Option("--drop-missing", help="Leave out the file's incomplete rows; how many is said."),
]
Formula = Annotated[
    str | None,
    typer.Option("--formula", help="As in 'y ~ x + C(g) + bs(age, df=4) + offset(log(t))'."),
]
Scale = Annotated[
    float | None, typer.Option("--scale", help="Prior scale, per sd of a column (not a rate).")
]
Sigma = Annotated[float | None, typer.Option("--sigma", help="Noise sd, in units of the target.")]
Scales = Annotated[
    str | None,
    typer.Option(
        "--scales",
        help=(
            "How many scales (100; fewer where each has draws of its own), or which ones, with "
            "commas between: 0.1,0.3,1."
        ),
    ),
]
Draws = Annotated[int, typer.Option("--draws", help="Draws per chain.")]
Chains = Annotated[int, typer.Option("--chains", help="Chains.")]
Seed = Annotated[int, typer.Option("--seed", help="Seed of the draws.")]
PriorName = Annotated[
    str | None, typer.Option("--prior", help=f"Prior in place of the model's: {_PRIORS}.")
]
Tune = Annotated[int, typer.Option("--tune", help="Tuning steps per chain.")]
TargetAccept = Annotated[
    float, typer.Option("--target-accept", help="Acceptance rate that nuts tunes for.")
]
LogLikelihood = Annotated[
    bool, typer.Option("--log-likelihood", help="Add that of every row, as arviz.loo needs it.")
]
PriorDraws = Annotated[bool, typer.Option("--prior-draws", help="Add draws from the prior.")]
Predictive = Annotated[
    bool, typer.Option("--posterior-predictive", help="Add a new target of every row per draw.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
Quiet = Annotated[
    bool,
    typer.Option("--quiet", "-q", help="No title, no progress; what is asked about is still said."),
]
Debug = Annotated[bool, typer.Option("--debug", help="On failure, print the whole traceback.")]


def read_scales(text: str | None) -> dict[str, Any]:
    """Return the arguments that an option --scales stands for: their number, or the scales.

    Raises
    ------
    InputError
        If it is neither.
    """
    if text is None:
        return {}
    try:
        if "," not in text:
            return {"n_scales": int(text)}
        return {"scales": [float(part) for part in text.split(",") if part.strip()]}
    except ValueError:
        msg = (
            "scales: must be how many, or scales with commas between, such as 0.1,0.3,1; found "
            f"{shown(text)}"
        )
        raise InputError(msg) from None
