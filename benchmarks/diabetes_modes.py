"""The mode of the diabetes lasso by every optimiser, judged by the problem, timed in one run.

Run with ``python benchmarks/diabetes_modes.py``. Seconds are the best of five; imports and
just-in-time compilation are not counted, the compilation of a PyMC model is (every model needs it).
"""

from __future__ import annotations

import bayesreg as br


def main() -> None:
    """Print one line per optimiser."""
    data = br.datasets.load("diabetes")
    problem = br.Problem(
        data.X,
        data.y,
        names=data.names,
        standardize=True,
        likelihood=br.Gaussian(sigma=54.0),
        prior=br.Laplace(scale=16.5),
    )
    print(problem)
    exact = min((br.find_map(problem) for _ in range(5)), key=lambda fit: fit.seconds)
    best = problem.objective(exact.coef, exact.intercept)
    heads = (
        ("nats above", 12),
        ("gap", 10),
        ("zeros", 7),
        ("certified", 11),
        ("said", 6),
        ("ms", 10),
    )
    print("\n" + "optimiser".ljust(20) + "".join(text.rjust(width) for text, width in heads))
    row(problem, "exact mode", exact.coef, exact.intercept, 0.0, "yes", exact.seconds)
    for name in br.list_optimizers(problem):
        runs = [br.optimize(problem, name, seed=0) for _ in range(5)]
        fastest = min(runs, key=lambda point: point.seconds)
        said = "yes" if fastest.claims_convergence else "no"
        excess = problem.objective(fastest.coef, fastest.intercept) - best
        row(problem, name, fastest.coef, fastest.intercept, excess, said, fastest.seconds)


def row(
    problem: br.Problem,
    name: str,
    coef: object,
    intercept: float,
    excess: float,
    said: str,
    seconds: float,
) -> None:
    """Print what the problem says of one answer."""
    verdict = br.certify(problem, coef, intercept)
    zeros = problem.p - len(verdict.support)
    certified = "yes" if verdict.optimal else "NO"
    print(
        f"{name:20}{excess:12.2e}{verdict.gap:10.1e}{zeros:7d}{certified:>11}{said:>6}"
        f"{1000 * seconds:10.2f}"
    )


if __name__ == "__main__":
    main()
