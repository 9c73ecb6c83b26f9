"""Priors as penalties: exact modes with certificates, posteriors, and their comparison.

The public verbs load on first use, so that ``import bayesreg`` costs little more than NumPy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bayesreg import datasets, errors, estimators, figures, gallery, sparsity, units
    from bayesreg.certificate import Certificate, certify
    from bayesreg.comparison import Comparison, compare
    from bayesreg.constrained import ConstrainedForm, constrained_form, penalised_form
    from bayesreg.frames import Encoding, from_formula
    from bayesreg.likelihoods import Bernoulli, Gaussian, Poisson, StudentTNoise
    from bayesreg.map import MapEstimate, find_map
    from bayesreg.model_comparison import (
        MarginalLikelihood,
        PredictiveCheck,
        PriorComparison,
        check_predictions,
        compare_priors,
        log_marginal_likelihood,
    )
    from bayesreg.optimizers import PointEstimate, list_optimizers, optimize
    from bayesreg.path import MapPath, map_path
    from bayesreg.posterior import (
        Diagnosis,
        LaplaceApproximation,
        Moments,
        PosteriorPath,
        diagnose,
        load_draws,
        posterior_moments,
        posterior_path,
        sample,
        save_draws,
    )
    from bayesreg.posterior.laplace_approximation import laplace_approximation
    from bayesreg.priors import (
        Bridge,
        ElasticNet,
        Flat,
        Fused,
        GeneralizedDoublePareto,
        GroupLaplace,
        Horseshoe,
        Laplace,
        LInfinity,
        Normal,
        RegularizedHorseshoe,
        Slope,
        SpikeSlab,
        StudentT,
        UniformBall,
    )
    from bayesreg.problem import Problem
    from bayesreg.pymc_bridge import read_model, to_pymc
    from bayesreg.scale_priors import (
        Exponential,
        HalfCauchy,
        HalfFlat,
        HalfNormal,
        HalfStudentT,
        InverseGamma,
    )
    from bayesreg.selection import (
        CriteriaComparison,
        ScaleSelection,
        compare_criteria,
        select_scale,
    )

__version__ = "0.1.0"

_MODULES = ("datasets", "errors", "estimators", "figures", "gallery", "sparsity", "units")
_HOMES = {
    "certificate": ("Certificate", "certify"),
    "comparison": ("Comparison", "compare"),
    "constrained": ("ConstrainedForm", "constrained_form", "penalised_form"),
    "frames": ("Encoding", "from_formula"),
    "likelihoods": ("Bernoulli", "Gaussian", "Poisson", "StudentTNoise"),
    "map": ("MapEstimate", "find_map"),
    "model_comparison": (
        "MarginalLikelihood",
        "PredictiveCheck",
        "PriorComparison",
        "check_predictions",
        "compare_priors",
        "log_marginal_likelihood",
    ),
    "optimizers": ("PointEstimate", "list_optimizers", "optimize"),
    "path": ("MapPath", "map_path"),
    "posterior": (
        "Diagnosis",
        "LaplaceApproximation",
        "Moments",
        "PosteriorPath",
        "diagnose",
        "load_draws",
        "posterior_moments",
        "posterior_path",
        "sample",
        "save_draws",
    ),
    # The module has the name of its function, so the package cannot export both.
    "posterior.laplace_approximation": ("laplace_approximation",),
    "priors": (
        "Bridge",
        "ElasticNet",
        "Flat",
        "Fused",
        "GeneralizedDoublePareto",
        "GroupLaplace",
        "Horseshoe",
        "LInfinity",
        "Laplace",
        "Normal",
        "RegularizedHorseshoe",
        "Slope",
        "SpikeSlab",
        "StudentT",
        "UniformBall",
    ),
    "scale_priors": (
        "Exponential",
        "HalfCauchy",
        "HalfFlat",
        "HalfNormal",
        "HalfStudentT",
        "InverseGamma",
    ),
    "selection": ("CriteriaComparison", "ScaleSelection", "compare_criteria", "select_scale"),
    "problem": ("Problem",),
    "pymc_bridge": ("read_model", "to_pymc"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Bernoulli",
    "Bridge",
    "Certificate",
    "Comparison",
    "ConstrainedForm",
    "CriteriaComparison",
    "Diagnosis",
    "ElasticNet",
    "Encoding",
    "Exponential",
    "Flat",
    "Fused",
    "Gaussian",
    "GeneralizedDoublePareto",
    "GroupLaplace",
    "HalfCauchy",
    "HalfFlat",
    "HalfNormal",
    "HalfStudentT",
    "Horseshoe",
    "InverseGamma",
    "LInfinity",
    "Laplace",
    "LaplaceApproximation",
    "MapEstimate",
    "MapPath",
    "MarginalLikelihood",
    "Moments",
    "Normal",
    "PointEstimate",
    "Poisson",
    "PosteriorPath",
    "PredictiveCheck",
    "PriorComparison",
    "Problem",
    "RegularizedHorseshoe",
    "ScaleSelection",
    "Slope",
    "SpikeSlab",
    "StudentT",
    "StudentTNoise",
    "UniformBall",
    "certify",
    "check_predictions",
    "compare",
    "compare_criteria",
    "compare_priors",
    "constrained_form",
    "datasets",
    "diagnose",
    "errors",
    "estimators",
    "figures",
    "find_map",
    "from_formula",
    "gallery",
    "laplace_approximation",
    "list_optimizers",
    "load_draws",
    "log_marginal_likelihood",
    "map_path",
    "optimize",
    "penalised_form",
    "posterior_moments",
    "posterior_path",
    "read_model",
    "sample",
    "save_draws",
    "select_scale",
    "sparsity",
    "to_pymc",
    "units",
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"bayesreg.{name}")
    if name in _HOME_OF:
        value = getattr(import_module(f"bayesreg.{_HOME_OF[name]}"), name)
        globals()[name] = value
        return value
    msg = f"module 'bayesreg' has no attribute {name!r}"
    raise AttributeError(msg)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
