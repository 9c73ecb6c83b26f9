"""Nothing that comes with data is run: no such call in the code, and files are judged unread."""

from __future__ import annotations

import ast
import contextlib
import io
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import pytest

import bayesreg as br
from bayesreg.cli import main
from bayesreg.errors import InputError
from bayesreg.posterior.storage import seal
from bayesreg.tables import read_table

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
FILES = sorted(
    path
    for folder, pattern in (
        ("bayesreg", "**/*.py"),
        ("models", "**/*.py"),
        ("notebooks", "*.py"),
        ("benchmarks", "*.py"),
    )
    for path in (ROOT / folder).glob(pattern)
)

# Modules whose files run code when they are read.
MODULES = frozenset({"pickle", "cPickle", "cloudpickle", "dill", "marshal", "shelve", "jsonpickle"})
# Built-in functions that run text.
FUNCTIONS = frozenset({"eval", "exec", "compile", "__import__"})
# The same from other modules.
METHODS = frozenset(
    {
        *("joblib.load", "os.system", "os.popen", "yaml.load", "yaml.unsafe_load"),
        *("pd.read_pickle", "pandas.read_pickle", "pd.eval", "pandas.eval", "ne.evaluate"),
    }
)
# Options that let them.
OPTIONS = frozenset({"allow_pickle", "shell"})
# NumPy's reader, which must say that it takes no pickles.
READERS = frozenset({"np.load", "numpy.load"})

#: File and what it may do all the same, with the reason.
ALLOWED = {
    ("notebooks/figures.py", "exec"): "runs the examples of our own README, to draw their figures",
    ("notebooks/figures.py", "compile"): "the same",
}


def dotted(node: ast.expr) -> str:
    """Name of what is called: ``os.system`` for an attribute of a name."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return ""


def is_false(value: ast.expr) -> bool:
    """Whether an argument is the literal False."""
    return isinstance(value, ast.Constant) and value.value is False


def dangers(code: str) -> Iterator[str]:
    """What a piece of code does that runs text or files."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            yield from (a.name for a in node.names if a.name.partition(".")[0] in MODULES)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if module.partition(".")[0] in MODULES:
                yield module
            yield from (f"{module}.{a.name}" for a in node.names if f"{module}.{a.name}" in METHODS)
        elif isinstance(node, ast.Call):
            name, options = dotted(node.func), {k.arg: k.value for k in node.keywords}
            if name in FUNCTIONS | METHODS or name.removeprefix("builtins.") in FUNCTIONS:
                yield name
            yield from (o for o in OPTIONS & options.keys() if not is_false(options[o]))
            if name in READERS and "allow_pickle" not in options:
                yield name
            if name == "import_module" or name.endswith(".import_module"):
                given = node.args[0] if node.args else None
                if isinstance(given, ast.Constant) and given.value in MODULES:
                    yield str(given.value)


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("import pickle", ["pickle"]),
        ("from cloudpickle import loads", ["cloudpickle"]),
        ("import joblib\njoblib.load(f)", ["joblib.load"]),
        ("from os import system", ["os.system"]),
        ("eval(text)", ["eval"]),
        ("builtins.exec(text)", ["builtins.exec"]),
        ("compile(text, '', 'exec')", ["compile"]),
        ("__import__('x')", ["__import__"]),
        ("import_module('pickle')", ["pickle"]),
        ("yaml.load(f)", ["yaml.load"]),
        ("os.system('ls')", ["os.system"]),
        ("subprocess.run('ls', shell=True)", ["shell"]),
        ("np.load(f)", ["np.load"]),
        ("np.load(f, allow_pickle=True)", ["allow_pickle"]),
        ("np.load(f, allow_pickle=False)\nre.compile(x)\nmodel.eval()\nrun(shell=False)", []),
    ],
)
def test_the_check_sees(code: str, found: list[str]) -> None:
    """Each of the calls that it is about, and none of their harmless namesakes."""
    assert list(dangers(code)) == found


def test_no_code_runs_text_or_files() -> None:
    """In the package, the models, the notebooks' scripts and the benchmarks."""
    assert len(FILES) > 150
    found = {
        (path.relative_to(ROOT).as_posix(), what)
        for path in FILES
        for what in dangers(path.read_text(encoding="utf-8"))
    }
    assert found == set(ALLOWED)


def forged(path: Path, *, rows: int, **options: Any) -> Path:
    """Write a file of draws that declares more of them than it holds, under a good seal."""
    with h5py.File(path, "w") as root:
        root.attrs["bayesreg_schema"] = np.int64(1)
        group = root.create_group("posterior")
        group.create_dataset("beta", shape=(4, rows, 8), dtype="f8", **options)
    seal(path)
    return path


@pytest.mark.parametrize(
    "options",
    [{"chunks": (1, 1000, 8)}, {"chunks": (1, 1000, 8), "compression": "gzip"}],
    ids=["declared", "compressed"],
)
def test_a_huge_array_is_refused_before_it_is_allocated(
    options: dict[str, Any], tmp_path: Path
) -> None:
    """A file of some kilobytes that declares 256 TB, and one that would unpack to that."""
    path = forged(tmp_path / "draws.nc", rows=10**12, **options)
    assert path.stat().st_size < 100_000
    tracemalloc.start()
    with pytest.raises(InputError, match=r"path: .*(declares|compressed)"):
        br.load_draws(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20_000_000


def test_a_pickle_is_not_read_whatever_it_is_called(tmp_path: Path) -> None:
    """It would touch a file when it is loaded; nobody loads it."""
    touched = tmp_path / "touched"
    attack = f"cposix\nsystem\n(S'touch {touched}'\ntR.".encode()
    for name in ("data.csv", "data.pkl", "data.parquet", "data.feather"):
        path = tmp_path / name
        path.write_bytes(attack)
        with contextlib.suppress(InputError):  # as CSV it is a column of text
            read_table(path)
    (tmp_path / "draws.nc").write_bytes(attack)
    with pytest.raises(InputError, match="path: "):
        br.load_draws(tmp_path / "draws.nc")
    assert not touched.exists()


def test_a_model_file_is_code_and_the_command_says_so_first(tmp_path: Path) -> None:
    """Only what is named by its path is run, and not before the word that it is code."""
    touched = tmp_path / "touched"
    file = tmp_path / "lasso.py"
    file.write_text(f"open({str(touched)!r}, 'w').close()\n", encoding="utf-8")
    for name in (str(file.with_suffix("")), f"{file}/../lasso"):
        with contextlib.redirect_stderr(io.StringIO()) as err, pytest.raises(SystemExit) as stop:
            main(["map", "--model", name])
        assert stop.value.code == 2
        assert "model: " in err.getvalue()
        assert not touched.exists()
    out, err = io.StringIO(), io.StringIO()
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        pytest.raises(SystemExit) as stop,
    ):
        main(["map", "--model", str(file)])
    assert stop.value.code == 2
    assert "a model file is code" in out.getvalue()
    assert "defines no function build" in err.getvalue()
    assert touched.exists()


@pytest.mark.parametrize(
    "formula",
    [
        "y ~ __import__('os').system('true')",
        "y ~ open('x', 'w')",
        "y ~ a.__class__",
        "y ~ (lambda: 1)()",
        "y ~ [a for a in (1,)]",
        "y ~ exec('1')",
        "y ~ {a.to_csv('x')}",
        "y ~ I(a ** (10 ** 10 ** 10))",
    ],
)
def test_a_formula_is_no_program(formula: str, tmp_path: Path, monkeypatch: Any) -> None:
    """It comes with data, and may use columns, numbers and a list of functions."""
    monkeypatch.chdir(tmp_path)
    data = {"a": np.arange(4.0), "y": np.array([1.0, 0.0, 2.0, 1.0])}
    with pytest.raises(InputError, match="formula: "):
        br.from_formula(formula, data, likelihood=br.Gaussian(1.0), prior=br.Laplace(1.0))
    assert not list(tmp_path.iterdir())
