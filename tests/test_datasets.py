"""The bundled data are the published data."""

import sys
from dataclasses import replace
from subprocess import run
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.stats import norm

import bayesreg as br
from bayesreg import datasets
from bayesreg.defaults import prior_settings, settings
from bayesreg.errors import InputError
from bayesreg.likelihoods import Likelihood
from bayesreg.named_priors import NAMES, named_prior
from bayesreg.priors import Prior

SHAPES = {
    "boston_crim_zn": (506, 2),
    "breast_cancer": (569, 30),
    "diabetes": (442, 10),
    "prostate": (97, 8),
}


def test_every_data_set_is_listed() -> None:
    """A new data set has to be given a shape here."""
    assert set(datasets.names()) == set(SHAPES)


@pytest.mark.parametrize("name", datasets.names())
def test_shapes_types_and_descriptions(name: str) -> None:
    """Arrays agree with each other and with the published size, and every text is there."""
    data = datasets.load(name)
    assert data.name == name
    assert data.X.shape == SHAPES[name]
    assert data.y.shape == data.X.shape[:1]
    assert data.X.dtype == data.y.dtype == np.float64
    assert np.isfinite(data.X).all()
    assert np.isfinite(data.y).all()
    assert len(set(data.names)) == data.X.shape[1]
    assert all((data.target, data.source, data.licence, data.summary))
    assert "\n" not in data.summary
    assert data.likelihood == ("bernoulli" if set(data.y) == {0.0, 1.0} else "gaussian")


@pytest.mark.parametrize("name", datasets.names())
def test_arrays_are_read_only(name: str) -> None:
    """Nobody can change the data under somebody else."""
    data = datasets.load(name)
    for array in (data.X, data.y):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0.0


def test_prostate_least_squares_of_the_textbook() -> None:
    """Least squares on the training rows, columns scaled by the sd of all rows, as published."""
    data = datasets.load("prostate")
    assert data.train is not None
    assert data.train.sum() == 67
    assert not data.train.flags.writeable
    scaled = (data.X - data.X.mean(axis=0)) / data.X.std(axis=0, ddof=1)
    design = np.column_stack([np.ones(97), scaled])
    coef, *_ = np.linalg.lstsq(design[data.train], data.y[data.train])
    published = [2.465, 0.680, 0.263, -0.141, 0.210, 0.305, -0.288, -0.021, 0.267]
    assert coef == pytest.approx(published, abs=6e-4)
    error = np.mean((data.y - design @ coef)[~data.train] ** 2)
    assert error == pytest.approx(0.521, abs=6e-4)


def test_prostate_holds_the_corrected_weight() -> None:
    """Row 32 had its logarithm taken wrongly in many copies."""
    data = datasets.load("prostate")
    assert data.X[31, data.names.index("lweight")] == 3.804438


def test_boston_least_squares() -> None:
    """Least squares without an intercept on the two columns gives the known numbers."""
    data = datasets.load("boston_crim_zn")
    coef, *_ = np.linalg.lstsq(data.X, data.y)
    assert coef == pytest.approx([0.57891441, 0.49506501], abs=1e-8)
    assert np.mean((data.y - data.X @ coef) ** 2) == pytest.approx(397.794235, abs=1e-6)


def test_breast_cancer_codes_malignant_as_one() -> None:
    """212 of the tumours are malignant, and they are the larger ones."""
    data = datasets.load("breast_cancer")
    assert data.y.sum() == 212
    radius = data.X[:, data.names.index("mean radius")]
    assert radius[data.y == 1].mean() > radius[data.y == 0].mean()


def test_diabetes_is_in_its_own_units() -> None:
    """Ages are years, not standardised numbers."""
    data = datasets.load("diabetes")
    age = data.X[:, data.names.index("age")]
    assert (age.min(), age.max()) == (19.0, 79.0)
    assert data.y.mean() == pytest.approx(152.1334841629)


def test_unknown_name_is_explained() -> None:
    """The error names the argument, the input, a close match and all the names."""
    with pytest.raises(InputError, match=r"name: 'diabets'.*'diabetes'.*prostate"):
        datasets.load("diabets")


def _made(X: object) -> datasets.Dataset:
    rows = np.asarray(X, dtype=np.float64)
    rng = np.random.default_rng(1)
    return replace(
        datasets.load("prostate"),
        X=rows,
        y=rng.normal(size=len(rows)),
        names=tuple(f"x{j}" for j in range(rows.shape[1])),
        train=None,
    )


def test_the_rule_for_sigma_says_why_it_is_not_least_squares() -> None:
    """Few rows and a perfect fit are called by their names; no column that varies is neither."""
    x = np.random.default_rng(0).normal(size=(9, 2))
    half = "sd of half the variance of the target"
    made = _made(x[:3])
    rules = settings(made, "lasso")
    assert rules["sigma"].rule == f"{half}: too few rows for least squares"
    assert rules["sigma"].value ** 2 == pytest.approx(made.y.var() / 2, rel=1e-12)
    # A Laplace prior with this mean |coefficient| has the variance 2 scale² for each column.
    signal = 2 * x.shape[1] * rules["scale"].value ** 2
    assert signal == pytest.approx(made.y.var() / 2, rel=1e-12)
    assert "mean |coefficient| if columns share the other half" in rules["scale"].rule
    for columns in (x[:, :0], np.full((9, 1), 0.1)):
        made = _made(columns)
        sigma = settings(made, "lasso")["sigma"]
        assert sigma.value == pytest.approx(made.y.std(ddof=1), rel=1e-12)
        assert sigma.rule == "residual sd of least squares"
    perfect = settings(replace(_made(x), y=x @ [1.0, 2.0]), "lasso")["sigma"]
    assert perfect.rule == f"{half}: least squares fits it perfectly"
    assert settings(_made(x), "lasso")["sigma"].rule == "residual sd of least squares"


@pytest.mark.parametrize("case", ["a total", "all levels of a factor"])
def test_dependent_columns_leave_the_residual_sd_that_independent_ones_do(case: str) -> None:
    """On n - rank degrees of freedom; the coefficients are NumPy's, of least norm."""
    rng = np.random.default_rng(5)
    X = rng.normal(size=(200, 3))
    y = X[:, 0] + X[:, 1] + 0.1 * rng.normal(size=200)
    levels = np.eye(3)[rng.integers(0, 3, 200)]
    more = X[:, [0]] + X[:, [1]] if case == "a total" else levels
    kept = 3 if case == "a total" else 5

    def made(columns: np.ndarray[Any, Any]) -> datasets.Dataset:
        return replace(_made(columns), y=y)

    whole = np.column_stack([X, more])
    rules = settings(made(whole), "lasso")
    independent = settings(made(whole[:, :kept]), "lasso")["sigma"]
    assert rules["sigma"].value == pytest.approx(independent.value, rel=1e-9)
    assert rules["sigma"].value == pytest.approx(0.1, rel=0.2)
    assert independent.rule == "residual sd of least squares"
    p = whole.shape[1]
    assert rules["sigma"].rule == f"{independent.rule}; {kept} of {p} columns are independent"
    Z = (whole - whole.mean(axis=0)) / whole.std(axis=0)
    coef = np.linalg.lstsq(Z, y - y.mean(), rcond=1e-9)[0]
    assert rules["scale"].value == pytest.approx(np.abs(coef).mean(), rel=1e-9)
    assert rules["scale"].rule.startswith("mean |minimum-norm least-squares coefficient|")


def test_a_fault_in_a_frame_is_found_by_its_column() -> None:
    """Text and missing values are named with the column of the frame that holds them."""
    frame = pd.DataFrame({"age": [1.0, 2.0], "sex": ["f", "m"]})
    with pytest.raises(InputError, match=r"X: found text \('f'\) in column 'sex'"):
        br.Problem(frame, [1.0, 2.0], likelihood=br.Gaussian(1.0), prior=br.Flat())
    frame["sex"] = [0.0, np.nan]
    with pytest.raises(InputError, match="first at row 1 in column 'sex'"):
        br.Problem(frame, [1.0, 2.0], likelihood=br.Gaussian(1.0), prior=br.Flat())


def test_module_loads_nothing_heavy() -> None:
    """Importing the module needs neither scikit-learn nor pandas nor PyMC."""
    code = (
        "import sys, bayesreg.datasets; "
        "sys.exit(' '.join({'sklearn', 'pandas', 'pymc', 'scipy.stats'} & set(sys.modules)))"
    )
    result = run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.stderr.strip() == ""


def test_without_an_intercept_the_rules_are_those_of_least_squares_through_the_origin() -> None:
    """All levels of a factor are dependent about their means, and independent as they are."""
    rng = np.random.default_rng(4)
    levels = np.eye(3)[np.arange(30) % 3]
    X = np.column_stack([levels, rng.normal(size=30)])
    y = X @ [5.0, 6.0, 7.0, 1.0] + rng.normal(size=30)
    data = replace(datasets.load("prostate"), X=X, y=y, names=("a", "b", "c", "x"), train=None)
    rules = settings(data, "lasso", intercept=False)
    assert rules["sigma"].rule == "residual sd of least squares"
    coef, rest, _, _ = np.linalg.lstsq(X, y)
    assert rules["sigma"].value == pytest.approx(np.sqrt(rest[0] / 26), rel=1e-12)
    assert rules["scale"].value == pytest.approx(np.abs(coef * X.std(axis=0)).mean(), rel=1e-12)
    assert "3 of 4 columns are independent" in settings(data, "lasso")["sigma"].rule


def _prior(data: datasets.Dataset, name: str, likelihood: Likelihood) -> Prior:
    rules = prior_settings(data, name, likelihood)
    return named_prior(name, **{key: rule.content for key, rule in rules.items()})


def test_a_prior_has_the_spread_of_the_least_squares_coefficients() -> None:
    """The mean square of normal and Student t, the mean of Laplace, the median of double Pareto."""
    data = datasets.load("prostate")
    Z = (data.X - data.X.mean(axis=0)) / data.X.std(axis=0)
    sizes = np.abs(np.linalg.lstsq(Z, data.y - data.y.mean())[0])
    noise = br.Gaussian(1.0)
    for name in ("normal", "student_t"):
        variance = _prior(data, name, noise).moments(1)[1][0]
        assert variance == pytest.approx((sizes**2).mean(), rel=1e-10)
    laplace = _prior(data, "laplace", noise)
    assert laplace.moments(1)[1][0] == pytest.approx(2 * sizes.mean() ** 2, rel=1e-10)
    inside, _ = quad(
        lambda x: np.exp(_prior(data, "double_pareto", noise).log_densities(np.array([x]))[0]),
        0.0,
        np.median(sizes),
    )
    assert 2 * inside == pytest.approx(0.5, rel=1e-8)


@pytest.mark.parametrize("name", ["prostate", "wide"])
def test_at_the_median_of_its_scale_a_horseshoe_leaves_half_unshrunk(name: str) -> None:
    """Of the columns, or of the rows: the expectation by quadrature over the local scale."""
    data = datasets.load("prostate")
    if name == "wide":
        X = np.random.default_rng(0).normal(size=(20, 90))
        data = replace(data, X=X, y=data.y[:20], names=tuple(map(str, range(90))), train=None)
    n, p = data.X.shape
    prior = _prior(data, "horseshoe", br.Gaussian(0.7))
    assert isinstance(prior, br.Horseshoe)
    assert isinstance(prior.scale, br.HalfCauchy)  # whose scale is its median
    signal = n * (prior.scale.scale / 0.7) ** 2
    kept, _ = quad(
        lambda x: 2 / np.pi / (1 + x**2) * signal * x**2 / (1 + signal * x**2), 0.0, np.inf
    )
    assert p * kept == pytest.approx(min(n, p) / 2, rel=1e-6)


def test_other_likelihoods_have_rules_on_the_scale_of_their_predictor() -> None:
    """Log-odds and log rates: 1, slabs of 2 and 1, and a half-normal scale of a horseshoe."""
    data = datasets.load("breast_cancer")
    share = data.y.mean()
    median = 1 / np.sqrt(share * (1 - share) * len(data.y))
    for name in ("horseshoe", "regularized_horseshoe"):
        scale = prior_settings(data, name, br.Bernoulli())["scale"].content
        assert isinstance(scale, br.HalfNormal)
        assert norm.cdf(median / scale.scale) == pytest.approx(0.75, rel=1e-12)
    slabs = {br.Bernoulli(): 2.0, br.Poisson(): 1.0}
    for likelihood, slab in slabs.items():
        assert prior_settings(data, "spike_slab", likelihood)["scale"].value == slab
        for name in ("normal", "laplace", "student_t", "double_pareto"):
            assert prior_settings(data, name, likelihood)["scale"].value == 1.0


@pytest.mark.parametrize("name", NAMES)
def test_rules_exist_without_least_squares(name: str) -> None:
    """Where columns outnumber rows, or sigma is unknown."""
    rows = np.random.default_rng(0).normal(size=(4, 9))
    data = _made(rows)
    problem = br.Problem(data.X, data.y, likelihood=br.Gaussian(1.0), prior=br.Flat())
    likelihood = br.Gaussian(br.HalfNormal(1.0))
    found = problem.with_prior(_prior(data, name, likelihood))
    assert ("scale" in found.unknown) == ("horseshoe" in name)
