"""The package's shape: what imports what, and how light ``import bayesreg`` is."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import bayesreg

ROOT = Path(bayesreg.__file__).parent

# From the bottom up. A module may import only from layers before its own, or from its own package.
LAYERS = (
    ("_visible",),
    ("errors",),
    ("_frames", "_bambi", "_piped", "_text_table"),
    ("_validation", "_files", "_console", "_csv", "_threads", "_overflow"),
    ("penalties", "scale_priors", "columns", "independence", "composite_quadratic", "_labels"),
    ("priors", "composite_mode"),
    ("blocks", "likelihoods", "pseudo_rows", "datasets", "gallery", "named_priors"),
    ("design",),
    ("propriety", "assembly", "least_squares", "problem_words"),
    ("problem",),
    ("frames",),
    ("pymc_ops",),
    ("pymc_distributions", "pymc_vector_priors"),
    ("pymc_scalar_priors", "pymc_ball_prior"),
    ("pymc_graph", "pymc_labels", "pymc_table"),
    ("pymc_parts", "model_graph", "model_reading"),
    ("pymc_reading", "model_objective", "model_certificate"),
    ("pymc_bridge", "model_collapse"),
    ("_inputs", "solvers", "defaults", "tables", "standardized"),
    ("units", "certificate", "path_scales", "constrained"),
    ("modes", "nearness"),
    ("optimizers", "map"),
    ("model_map", "path"),
    ("posterior",),
    ("scoring",),
    ("comparison", "model_comparison", "sparsity", "selection", "estimators"),
    ("figures", "terminal"),
    ("studies",),
    (
        "report",
        "terminal_path",
        "terminal_posterior",
        "terminal_select",
        "cli_options",
        "cli_scales",
    ),
    ("cli_problem", "cli_units", "cli_select"),
    ("cli",),
    ("__main__",),
)
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
FILES = sorted(path for path in ROOT.rglob("*.py") if "_gallery" not in path.parts)


def layer_of(path: Path) -> str:
    """Name of the top-level module or package that a file belongs to."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def runtime_imports(path: Path) -> set[str]:
    """Modules of bayesreg that a file imports when it runs, annotations aside."""
    found = set()
    stack: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("bayesreg"):
            parts = (node.module or "").split(".")
            found |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
        if isinstance(node, ast.Import):
            found |= {a.name.split(".")[1] for a in node.names if a.name.startswith("bayesreg.")}
        stack += ast.iter_child_nodes(node)
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_file_imports_only_from_layers_below_it(path: Path) -> None:
    """So that data flow one way, and there is no circle."""
    layer = layer_of(path)
    if layer == "__init__":
        return
    assert layer in RANK, f"{path.name}: give the new module a layer"
    for imported in runtime_imports(path):
        assert imported == layer or RANK[imported] < RANK[layer], f"{path.name} imports {imported}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_modules_stay_readable(path: Path) -> None:
    """At most 500 lines in a module, at most 60 in a function, its docstring aside."""
    source = path.read_text(encoding="utf-8")
    assert source.count("\n") <= 500
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            doc = node.body[0] if ast.get_docstring(node) else None
            documented = 0 if doc is None else (doc.end_lineno or 0) - doc.lineno + 1
            length = (node.end_lineno or 0) - node.lineno + 1 - documented
            assert length <= 60, f"{path.name}: {node.name} has {length} lines"


def loaded_by(code: str) -> set[str]:
    """Top-level modules that are loaded after running `code` in a fresh interpreter."""
    script = f"{code}\nimport sys, json\nprint(json.dumps(sorted(sys.modules)))"
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}


HEAVY = {
    *("pymc", "pytensor", "arviz", "numba", "matplotlib"),
    *("pandas", "sklearn", "xarray", "nutpie"),
    *("narwhals", "formulaic", "polars"),
}


MODE = """
import bayesreg as br
br.find_map(br.Problem([[1.0], [2.0]], [1, 2], likelihood=br.Gaussian(1.0), prior=br.Laplace(1.0)))
"""


@pytest.mark.parametrize(
    "code",
    [
        "import bayesreg",
        MODE,
        "import bayesreg as br; br.list_optimizers()",
        "import bayesreg.cli",
    ],
)
def test_light_things_load_nothing_heavy(code: str) -> None:
    """Exact modes need NumPy and SciPy only."""
    assert loaded_by(code) & HEAVY == set()


def test_every_public_name_exists_and_has_a_docstring() -> None:
    """What ``__all__`` promises, whichever module was imported first."""
    for name in bayesreg.__all__:
        value = getattr(bayesreg, name)
        assert value.__doc__, name
    assert set(bayesreg.__all__) <= set(dir(bayesreg))
    with pytest.raises(AttributeError, match="no attribute 'lasso'"):
        _ = bayesreg.lasso
