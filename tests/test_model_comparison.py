"""compare_priors and check_predictions: against refits, closed forms and simulation."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from scipy import special, stats

import bayesreg as br
from bayesreg.errors import InputError
from bayesreg.model_comparison._statistics import Calibration, Shape, r_squared
from bayesreg.studies import comparing_priors as study

if TYPE_CHECKING:
    from bayesreg._validation import Matrix, Vector


def rows(seed: int, n: int = 60, p: int = 3) -> tuple[Matrix, Vector]:
    """Columns and a Gaussian target."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    return X, X @ np.linspace(1.0, 0.0, p) + 0.7 * rng.normal(size=n)


def ridge(X: Matrix, y: Vector, tau: float, **more: Any) -> br.Problem:
    """Ridge regression of known width and noise."""
    return br.Problem(X, y, likelihood=br.Gaussian(0.7), prior=br.Normal(tau), **more)


def exact_elpd(X: Matrix, y: Vector, tau: float, sigma: float) -> float:
    """Leave-one-out of a ridge without intercept, row by row in closed form."""
    total = 0.0
    for i in range(y.size):
        kept = np.arange(y.size) != i
        inverse = np.linalg.inv(X[kept].T @ X[kept] / sigma**2 + np.eye(X.shape[1]) / tau**2)
        mean = X[i] @ inverse @ X[kept].T @ y[kept] / sigma**2
        sd = math.sqrt(sigma**2 + X[i] @ inverse @ X[i])
        total += float(stats.norm(mean, sd).logpdf(y[i]))
    return total


@pytest.fixture(scope="module")
def compared() -> br.PriorComparison:
    """Three widths of a ridge, a lasso, and a flat prior."""
    X, y = rows(1)
    models: dict[str, br.Problem] = {
        f"ridge {tau:g}": ridge(X, y, tau, intercept=False) for tau in (0.1, 1.0, 100.0)
    }
    models["lasso"] = models["ridge 1"].with_prior(br.Laplace(0.7))
    models["flat"] = models["ridge 1"].with_prior(br.Flat())
    return br.compare_priors(models, draws=1000, seed=1, progress=False)


# --------------------------------------------------------------------------- priors side by side


def test_elpd_is_that_of_refits(compared: br.PriorComparison) -> None:
    """PSIS against leaving each row out exactly: within a tenth of a nat over sixty rows."""
    X, y = rows(1)
    for tau in (0.1, 1.0, 100.0):
        score = compared[f"ridge {tau:g}"]
        assert score.elpd == pytest.approx(exact_elpd(X, y, tau, 0.7), abs=0.1)
        assert score.bad_rows == 0


def test_probabilities_are_those_of_the_evidences(compared: br.PriorComparison) -> None:
    """Bayes' rule over models; the flat prior has no evidence and no probability."""
    known = [score for score in compared.scores if score.evidence is not None]
    values = np.array([score.evidence.value for score in known if score.evidence])
    np.testing.assert_allclose(
        [score.probability or 0.0 for score in known], special.softmax(values), rtol=1e-12
    )
    best = max(known, key=lambda score: score.probability or 0.0)
    assert best.log_bayes_factor == 0.0
    assert best.name == compared.most_probable
    flat = compared["flat"]
    assert (flat.evidence, flat.probability, flat.log_bayes_factor) == (None, None, None)
    assert "is flat on 'x0'" in flat.no_evidence


def test_the_evidence_punishes_a_vague_prior_and_leave_one_out_does_not(
    compared: br.PriorComparison,
) -> None:
    """Jeffreys–Lindley: elpd of width 100 is that of a flat prior, its evidence falls like 1/τ³."""
    vague, flat, one = (compared[name] for name in ("ridge 100", "flat", "ridge 1"))
    assert vague.elpd == pytest.approx(flat.elpd, abs=0.1)
    assert vague.evidence is not None
    assert one.evidence is not None
    fall = one.evidence.value - vague.evidence.value
    assert fall == pytest.approx(3 * math.log(100), abs=1.5)


def test_the_best_predictions_come_first(compared: br.PriorComparison) -> None:
    """Sorted by elpd; weights add up; frame, text and name say the same."""
    elpd = [score.elpd for score in compared.scores]
    assert elpd == sorted(elpd, reverse=True)
    assert compared.best == compared.scores[0].name
    assert compared.scores[0].difference == 0.0
    assert sum(score.weight for score in compared.scores) == pytest.approx(1.0, abs=1e-6)
    frame = compared.to_frame()
    assert list(frame.index) == [score.name for score in compared.scores]
    assert frame["log_marginal_likelihood"].isna().tolist() == [i == "flat" for i in frame.index]
    assert "ridge 0.1" in str(compared)
    assert "fewer than 100 rows" in str(compared)
    assert repr(compared).startswith("PriorComparison(")


def test_prior_probabilities_count() -> None:
    """Odds of nine to one multiply the Bayes factor."""
    X, y = rows(2, n=20)
    models = {"a": ridge(X, y, 1.0), "b": ridge(X, y, 2.0)}
    odds = []
    for given in (None, {"a": 9.0, "b": 1.0}):
        found = br.compare_priors(models, draws=100, prior_probabilities=given, seed=1)
        pair = found["a"].probability, found["b"].probability
        assert pair[0] is not None
        assert pair[1] is not None
        odds.append(pair[0] / pair[1])
    assert odds[1] == pytest.approx(9 * odds[0], rel=1e-9)
    assert "density 1 for the flat intercept" in str(found)
    assert "P(model | y): of those given" in str(found)


def test_evidences_with_and_without_a_flat_intercept_are_kept_apart() -> None:
    """An arbitrary constant in one of them: no Bayes factor, but elpd all the same."""
    X, y = rows(3, n=20)
    models = {"with": ridge(X, y, 1.0), "without": ridge(X, y, 1.0, intercept=False)}
    found = br.compare_priors(models, draws=100, seed=1)
    assert found.most_probable is None
    assert all(score.probability is None for score in found.scores)
    assert "not comparable: some models have a flat intercept" in str(found)


def test_other_likelihoods_and_columns_of_the_same_rows_compare() -> None:
    """Student-t noise beats normal noise where there is an outlier, in both senses."""
    X, y = rows(4)
    y[7] += 12.0
    normal = br.Problem(X, y, likelihood=br.Gaussian(br.HalfNormal(2.0)), prior=br.Normal(1.0))
    robust = br.Problem(
        X[:, :2], y, likelihood=br.StudentTNoise(3.0, br.HalfNormal(2.0)), prior=br.Normal(1.0)
    )
    found = br.compare_priors({"normal": normal, "robust": robust}, draws=500, seed=1)
    assert (found.best, found.most_probable) == ("robust", "robust")
    assert (found["normal"].log_bayes_factor or 0.0) < -10


def test_refusals_to_compare() -> None:
    """Other rows, other weights, densities with probabilities, no mapping."""
    X, y = rows(5, n=20)
    one = ridge(X, y, 1.0)
    binary = (y > 0).astype(float)
    others: list[tuple[br.Problem, str]] = [
        (ridge(X, y + 1.0, 1.0), "different targets"),
        (ridge(X[1:], y[1:], 1.0), r"different targets \(20 and 19 rows\)"),
        (ridge(X, y, 1.0, weights=np.arange(1.0, 21.0)), "different weights"),
    ]
    for other, message in others:
        with pytest.raises(InputError, match=message):
            br.compare_priors({"one": one, "other": other})
    classes = br.Problem(X, binary, likelihood=br.Bernoulli(), prior=br.Normal(1.0))
    with pytest.raises(InputError, match="different kinds of target"):
        br.compare_priors({"normal": ridge(X, binary, 1.0), "classes": classes})
    for bad in ({"one": one}, [one, one]):
        with pytest.raises(InputError, match="problems: must be a mapping of at least two"):
            br.compare_priors(bad)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="prior_probabilities: must have a number for each"):
        br.compare_priors({"a": one, "b": one}, prior_probabilities={"a": 1.0})
    with pytest.raises(InputError, match="prior_probabilities"):
        br.compare_priors({"a": one, "b": one}, prior_probabilities={"a": 1.0, "b": -1.0})


# --------------------------------------------------------------------------- predictive checks


def test_p_values_and_transforms_of_a_right_model_are_harmless() -> None:
    """Data from the model, weights and offset included: nothing is rare, PIT is uniform."""
    rng = np.random.default_rng(6)
    X = rng.normal(size=(400, 2))
    w, offset = rng.uniform(0.5, 2.0, 400), rng.normal(size=400)
    y = offset + X @ [1.0, -1.0] + 0.7 * rng.normal(size=400) / np.sqrt(w)
    check = br.check_predictions(ridge(X, y, 1.0, weights=w, offset=offset), seed=1)
    assert check.pit is not None
    assert check.pit_p_value is not None
    assert check.pit_p_value > 1e-4
    assert check.surprises == ()
    assert "none of these is rare under the model" in str(check)
    assert check.bad_rows == 0


def test_leave_one_out_transform_is_that_of_refits() -> None:
    """Against the normal predictive law of each row given the others."""
    X, y = rows(7, n=25)
    check = br.check_predictions(ridge(X, y, 1.0, intercept=False), seed=2)
    assert check.pit is not None
    exact = []
    for i in range(y.size):
        kept = np.arange(y.size) != i
        inverse = np.linalg.inv(X[kept].T @ X[kept] / 0.49 + np.eye(3))
        mean = X[i] @ inverse @ X[kept].T @ y[kept] / 0.49
        exact.append(stats.norm(mean, math.sqrt(0.49 + X[i] @ inverse @ X[i])).cdf(y[i]))
    # Shares of 4000 draws, weighed: an error of at most 0.01 or so.
    np.testing.assert_allclose(check.pit, exact, atol=0.06)


def test_a_wrong_model_is_caught() -> None:
    """Normal noise for heavy tails; a rate without overdispersion; too many zeros."""
    rng = np.random.default_rng(8)
    X = rng.normal(size=(300, 1))
    heavy = X[:, 0] + rng.standard_t(1.2, size=300)
    normal = br.Problem(X, heavy, likelihood=br.Gaussian(br.HalfNormal(50.0)), prior=br.Normal(5.0))
    check = br.check_predictions(normal, seed=1)
    assert {"min", "max"} & set(check.surprises)
    assert check.pit_p_value is not None
    assert check.pit_p_value < 1e-4
    counts = rng.poisson(4.0, size=300) * (rng.random(300) < 0.6)
    poisson = br.Problem(X, counts.astype(float), likelihood=br.Poisson(), prior=br.Normal(1.0))
    check = br.check_predictions(poisson, seed=1)
    assert "share of zeros" in check.surprises
    assert "← rare" in str(check)
    said = str(check)
    assert "<0.001" in said
    assert "0.000" not in said.split("Bayesian", maxsplit=1)[0]
    found = {s.name: s.p_value for s in check.statistics}
    assert found["share of zeros"] == 0
    verdict = next(line for line in said.splitlines() if line.startswith("rare: "))
    smaller = verdict.split("smaller in ")[1].split(", and larger")[0]
    assert "share of zeros" in smaller
    assert [name in smaller for name, p in found.items() if name in check.surprises] == [
        p < 0.5 for name, p in found.items() if name in check.surprises
    ]
    assert check.shape is not None
    assert check.shape.edges[0] % 1 == 0.5


def test_classes_get_a_calibration() -> None:
    """Data from the model lie in the bands; the leave-one-out probabilities are those of refits."""
    rng = np.random.default_rng(9)
    X = rng.normal(size=(400, 1))
    y = (rng.random(400) < special.expit(1.5 * X[:, 0])).astype(float)
    problem = br.Problem(X, y, likelihood=br.Bernoulli(), prior=br.Normal(2.0))
    tree = br.sample(problem, seed=1, progress=False)
    check = br.check_predictions(problem, tree, seed=1)
    groups = check.calibration
    assert groups is not None
    assert (check.pit, check.shape) == (None, None)
    assert check.pit_p_value is None
    assert check.pit_band is None
    assert groups.rows.sum() == 400
    inside = (groups.lower <= groups.observed) & (groups.observed <= groups.upper)
    assert inside.sum() >= groups.rows.size - 3
    assert np.all(np.diff(groups.predicted) > 0)
    assert check.statistics[0].name == "share of ones"
    assert check.r_squared is not None


def test_calibration_bands_are_binomial() -> None:
    """A group of equal probabilities: quantiles of a binomial share."""
    y, p = np.repeat([0.0, 1.0], 20), np.full(40, 0.3)
    groups = Calibration.of(y, p, np.random.default_rng(0))
    law = stats.binom(20, 0.3)
    assert groups.rows.tolist() == [20, 20]
    np.testing.assert_allclose(groups.lower, law.ppf(0.05) / 20, atol=0.051)
    np.testing.assert_allclose(groups.upper, law.ppf(0.95) / 20, atol=0.051)


def test_r_squared_is_its_formula() -> None:
    """One draw of each family by hand, and the limits of Student-t noise."""
    X, y = rows(10, n=12)
    mean = (X @ np.ones(3))[None]
    variance = float(mean.var(ddof=1))
    w = np.linspace(0.5, 2.0, 12)
    gaussian = ridge(X, y, 1.0, weights=w)
    found = r_squared(gaussian, mean, np.array([0.7]))
    assert found is not None
    assert found[0] == pytest.approx(variance / (variance + 0.49 * np.mean(1 / w)), rel=1e-12)

    def student(nu: float) -> Vector | None:
        noise = br.StudentTNoise(nu, 0.7)
        problem = br.Problem(X, y, likelihood=noise, prior=br.Normal(1.0))
        return r_squared(problem, mean, np.array([0.7]))

    assert student(2.0) is None
    four = student(4.0)
    assert four is not None
    assert four[0] == pytest.approx(variance / (variance + 0.98), rel=1e-12)
    p = special.expit(mean)
    binary = br.Problem(X, (y > 0) * 1.0, likelihood=br.Bernoulli(), prior=br.Normal(1.0))
    share = r_squared(binary, p, np.ones(1))
    assert share is not None
    spread = p.var(ddof=1)
    assert share[0] == pytest.approx(spread / (spread + (p * (1 - p)).mean()), rel=1e-12)


def test_a_histogram_counts_every_row() -> None:
    """Shares add up to one, beyond the ends too."""
    rng = np.random.default_rng(11)
    shape = Shape.of(rng.normal(size=50), rng.standard_cauchy(size=(200, 50)))
    assert shape.observed.sum() == pytest.approx(1.0)
    assert (shape.lower <= shape.median).all()
    assert (shape.median <= shape.upper).all()


def test_own_statistics_and_refusals() -> None:
    """A function of a target; what is none is refused in words."""
    X, y = rows(12, n=20)
    problem = ridge(X, y, 1.0)
    tree = br.sample(problem, draws=50, seed=1, progress=False)
    check = br.check_predictions(
        problem, tree, statistics={"median": lambda t: float(np.median(t))}, replicates=60, seed=1
    )
    assert check.replicated.shape == (60, 20)
    (median,) = check.statistics
    assert median.observed == np.median(y)
    assert median.p_value == pytest.approx(
        np.mean([np.median(row) > np.median(y) for row in check.replicated])
    )
    frame = check.to_frame()
    assert frame.loc["median", "p_value"] == median.p_value
    assert "PredictiveCheck(" in repr(check)
    with pytest.raises(InputError, match="statistics: must be a mapping"):
        br.check_predictions(problem, tree, statistics=[np.mean])  # type: ignore[arg-type]
    with pytest.raises(InputError, match="'all' does not make a number"):
        br.check_predictions(problem, tree, statistics={"all": lambda t: t})  # type: ignore[dict-item, return-value]
    with pytest.raises(InputError, match="replicates"):
        br.check_predictions(problem, tree, replicates=0)


# --------------------------------------------------------------------------- figures and study


@pytest.fixture(scope="module")
def studied() -> dict[str, br.PriorComparison]:
    """The bundled data, fewer draws than for the book."""
    return study.prior_comparison(seed=1, draws=600)


def test_the_comparisons_of_the_bundled_data_hold_together(
    studied: dict[str, br.PriorComparison],
) -> None:
    """A vague ridge is refuted by its evidence, and elpd calls none of the rest worse."""
    assert tuple(studied) == study.DATA
    for name in ("diabetes", "prostate"):
        against = studied[name]["vague ridge"].log_bayes_factor
        assert against is not None
        assert against < -35
    for name, comparison in studied.items():
        assert sum(s.probability or 0.0 for s in comparison.scores) == pytest.approx(1.0)
        assert comparison.not_comparable == ""
        sane = [s for s in comparison.scores if s.name != "vague ridge"]
        assert all(s.difference > -4 for s in sane), name
        assert all(s.evidence is not None and s.evidence.se < 0.3 for s in comparison.scores)
    # Of Gaussian data the wide ridge predicts as well as any: leave-one-out does not mind.
    assert studied["diabetes"]["vague ridge"].difference > -2
    assert studied["diabetes"]["ridge"].evidence is not None
    assert studied["diabetes"]["ridge"].evidence.method == "exact"


def test_evidence_of_the_diabetes_data_does_not_depend_on_the_route() -> None:
    """Ridge with unknown noise and scale: quadrature and bridge."""
    problem = study.models("diabetes")["ridge"]
    exact = br.log_marginal_likelihood(problem)
    found = br.log_marginal_likelihood(problem, "bridge", seed=1)
    assert exact.method == "exact"
    assert abs(found.value - exact.value) < 4.9 * found.se
    assert found.se < 0.01


def test_figures_draw_what_they_are_given(studied: dict[str, br.PriorComparison]) -> None:
    """One comparison or several; a check of real numbers and one of classes."""
    one = studied["prostate"].plot()
    assert isinstance(one, Figure)
    assert len(one.axes) == 2
    several = br.figures.prior_comparison(studied)
    assert len(several.axes) == 6
    checks = study.predictive_check(seed=1, draws=100)
    figure = br.figures.predictive_check(checks)
    assert len(figure.axes) == 9
    assert isinstance(checks["prostate"].plot(), Figure)
    assert "min" in checks["diabetes"].surprises  # no target is negative, and normal ones are


def test_a_flat_prior_is_drawn_without_an_evidence(compared: br.PriorComparison) -> None:
    """The right panel says that there is none, and the table among whom the probabilities are."""
    texts = [text.get_text() for text in compared.plot().axes[1].texts]
    assert "flat prior: none" in texts
    assert "P(model | y): among those with an evidence, of equal prior probab" in str(compared)


@pytest.fixture(scope="module")
def alone() -> br.PriorComparison:
    """One model with an evidence, and two rivals without."""
    X, y = rows(5, n=30)
    one = ridge(X, y, 1.0)
    models = {
        "ridge": one,
        "flat": one.with_prior(br.Flat()),
        "half flat": one.with_prior([(br.Flat(), [0]), (br.Laplace(1.0), [1, 2])]),
    }
    return br.compare_priors(models, draws=100, seed=1, progress=False)


def test_a_model_without_a_rival_has_no_probability(alone: br.PriorComparison) -> None:
    """One evidence is compared with nothing, in table and figure; it is stated all the same."""
    assert alone["ridge"].evidence is not None
    assert (alone["ridge"].probability, alone["ridge"].log_bayes_factor) == (None, None)
    assert alone.most_probable is None
    assert alone.to_frame()["probability"].isna().all()
    row = next(line for line in str(alone).splitlines() if line.startswith("ridge"))
    assert row.split()[-1] == "-"
    assert "P(model | y):" not in str(alone)
    assert "no rival has one" in [text.get_text() for text in alone.plot().axes[1].texts]


def test_weights_of_equals_are_called_arbitrary(alone: br.PriorComparison) -> None:
    """Where the best is far ahead they are not."""
    note = "weights of models that predict alike are arbitrary"
    assert note in str(alone)
    X, y = rows(6)
    models = {"wide": ridge(X, y, 1.0), "tight": ridge(X, y, 1e-3)}
    assert note not in str(br.compare_priors(models, draws=100, seed=1, progress=False))


def test_the_labels_of_the_figure_do_not_meet(studied: dict[str, br.PriorComparison]) -> None:
    """Below each row the label of the left axis ends before that of the right one begins."""
    figure = br.figures.prior_comparison(studied)
    figure.draw_without_rendering()
    for left, right in zip(figure.axes[::2], figure.axes[1::2], strict=True):
        ends = left.xaxis.label.get_window_extent().x1
        assert ends < right.xaxis.label.get_window_extent().x0


def test_draws_of_another_posterior_are_refused() -> None:
    """Of another prior, of other rows, by whoever is handed them."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20, 2))
    y = X[:, 0] + rng.normal(size=20)
    one = br.Problem(X, y, likelihood=br.Gaussian(1.0), prior=br.Laplace(1.0))
    draws = br.sample(one, draws=50, tune=50, chains=2, seed=1, progress=False)
    rows = br.Problem(X, -y, likelihood=br.Gaussian(1.0), prior=br.Laplace(1.0))
    for other in (one.with_prior(br.Laplace(0.1)), rows):
        for ask in (br.check_predictions, br.sparsity.summarise):
            with pytest.raises(InputError, match=r"^draws: are of (another|other)"):
                ask(other, draws)
        with pytest.raises(InputError, match=r"^draws: are of"):
            br.log_marginal_likelihood(other, "bridge", draws=draws)


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("one row", "row 0 determines the intercept"),
        ("a column of one row", "row 2 determines the intercept, or a coefficient with a flat"),
        ("one of a class", "row 4 determines the intercept"),
        ("sigma", "without row 0 the posterior is none: sigma: a flat prior needs"),
    ],
)
def test_what_one_row_determines_alone_is_not_left_out(case: str, message: str) -> None:
    """Without that row there is no posterior, and weights of draws have no mean, whatever k̂ is."""
    X, y = rows(7, n=6, p=1)
    problem = {
        "one row": lambda: ridge(X[:1], y[:1], 1.0),
        "a column of one row": lambda: br.Problem(
            np.column_stack([X, np.eye(6)[2]]),
            y,
            likelihood=br.Gaussian(0.7),
            prior=[(br.Normal(1.0), [0]), (br.Flat(), [1])],
        ),
        "one of a class": lambda: br.Problem(
            X, np.eye(6)[4], likelihood=br.Bernoulli(), prior=br.Normal(1.0)
        ),
        "sigma": lambda: br.Problem(
            X[:3], y[:3], likelihood=br.Gaussian(br.Flat()), prior=br.Normal(1.0)
        ),
    }[case]()
    with pytest.raises(InputError, match=f"^problems: of 'a', {message}"):
        br.compare_priors({"a": problem, "b": problem}, draws=100, chains=1)
    with pytest.raises(InputError, match=f"^problem: {message}"):
        br.check_predictions(problem)
