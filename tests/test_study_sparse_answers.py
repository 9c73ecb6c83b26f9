"""The study of sparse answers: its table is what the simulation says, and can be made again."""

from __future__ import annotations

import numpy as np
import pytest

import bayesreg as br
from bayesreg.errors import InputError
from bayesreg.studies import sparse_answers as study

SMALL = (study.Regime("p ≪ n", 40, 6), study.Regime("p = n", 12, 12))


@pytest.fixture(scope="module")
def result() -> study.SparseAnswers:
    """Two small regimes."""
    return study.sparse_answers(3, regimes=SMALL, data_sets=2, draws=100, pairs=5)


def test_a_seed_makes_it_again(result: study.SparseAnswers) -> None:
    """Number by number; another seed does not."""
    again = study.sparse_answers(3, regimes=SMALL[:1], data_sets=2, draws=100, pairs=5)
    frame = result.to_frame()
    assert frame[frame["regime"] == "p ≪ n"].equals(again.to_frame())
    other = study.sparse_answers(4, regimes=SMALL[:1], data_sets=1, draws=50, pairs=5)
    assert not again.to_frame().equals(other.to_frame())


def test_the_table_is_consistent(result: study.SparseAnswers) -> None:
    """Kept = found + false; found + missed = signals; a row per regime and rule."""
    assert len(result.verdicts) == len(SMALL) * len(study.RULES)
    for regime, signals in zip(result.regimes, result.signals, strict=True):
        for verdict in result.of(regime):
            assert verdict.kept - verdict.false == pytest.approx(signals - verdict.missed)
            assert 0 <= verdict.brier <= 1
            if verdict.rule in study.PROBABILITIES:
                assert verdict.reliability is not None
                assert verdict.reliability[:, 2].sum() == 2 * regime.p
            else:
                wrong = verdict.false + verdict.missed
                assert verdict.brier == pytest.approx(wrong / regime.p)
    text = str(result)
    assert all(f"{owner}: {rule}" in text for owner, rule in study.RULES[:-1])
    assert len(br.figures.sparse_answers(result).axes) == 6


def test_reliability_is_counted_in_bins() -> None:
    """Ends included; a probability of 1 is in the last bin."""
    stated = np.array([0.0, 0.04, 1.0, 0.99, 0.5, 0.5])
    event = np.array([False, True, True, False, True, True])
    expected = [[0.02, 0.5, 2.0], [0.5, 1.0, 2.0], [0.995, 0.5, 2.0]]
    np.testing.assert_allclose(study.reliability(stated, event), expected)


def test_the_simulation_is_the_law_that_the_spike_and_slab_is_told() -> None:
    """Share and variance of the coefficients, correlation of neighbours, noise of variance 1."""
    regime = study.Regime("wide", 2000, 50)
    truths = []
    for seed in range(30):
        X, y, truth = study.simulate(regime, np.random.default_rng(seed))
        truths.append(truth)
    together = np.concatenate(truths)
    assert abs((together != 0).mean() - 0.1) < 6 * np.sqrt(0.09 / 1500)
    assert abs(together[together != 0].var() - 1) < 6 * np.sqrt(2 / 150)
    neighbours = [np.corrcoef(X[:, j], X[:, j + 1])[0, 1] for j in range(49)]
    assert abs(np.mean(neighbours) - 0.5) < 0.02
    assert abs(np.var(y - X @ truth) - 1) < 6 * np.sqrt(2 / 2000)


def test_no_data_sets_are_refused() -> None:
    """The message names the argument."""
    with pytest.raises(InputError, match="data_sets: must be at least 1"):
        study.sparse_answers(data_sets=0)


@pytest.mark.slow
def test_probabilities_under_the_right_prior_are_frequencies() -> None:
    """The spike and slab is told the truth, so it is calibrated; the lasso's mode is no answer."""
    found = study.sparse_answers(regimes=study.LARGE_REGIMES, data_sets=12, draws=250)
    print(f"\n{found}")  # noqa: T201  (for the record of a slow run)
    for regime in found.regimes:
        rules = {(v.prior, v.rule): v for v in found.of(regime)}
        included = rules["spike and slab", "inclusion"]
        assert included.reliability is not None
        stated, observed, count = included.reliability.T
        # Answers of one data set depend on each other; few share a bin with more than a neighbour.
        error = np.sqrt(2 * np.maximum(stated * (1 - stated), 0.25 / count) / count)
        assert (np.abs(stated - observed) < 5 * error).all()
        assert included.brier == min(v.brier for v in found.of(regime) if v.rule != "P(|β| ≥ ε)")
        assert rules["lasso", "zeros of the mode"].false > 2 * included.false
