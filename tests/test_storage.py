"""save_draws and load_draws: what comes back, what is refused, and that nothing else can happen."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, Any

import arviz as az
import h5py
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import bayesreg as br
from bayesreg.errors import InputError
from bayesreg.posterior.storage import seal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

RNG = np.random.default_rng(4)
X, Y = RNG.normal(size=(40, 3)), RNG.normal(size=40)
EVERYTHING: dict[str, Any] = {
    "log_likelihood": True,
    "prior": True,
    "posterior_predictive": True,
}


@pytest.fixture(scope="module")
def tree() -> xr.DataTree:
    """Return draws with every group, names beyond ASCII, and every unknown."""
    problem = br.Problem(
        X,
        Y,
        likelihood=br.Gaussian(br.InverseGamma(2.0, 1.0)),
        prior=br.Normal(1.0, relative_to="sigma"),
        names=["dose", "größe", "[red] 年"],
    )
    return br.sample(problem, "exact", draws=200, chains=2, seed=1, **EVERYTHING)


@pytest.fixture
def file(tree: xr.DataTree, tmp_path: Path) -> Path:
    """Write a good file to spoil."""
    return br.save_draws(tree, tmp_path / "draws.nc")


def _bits(tree: xr.DataTree) -> dict[str, Any]:
    """Every number as bytes, with its type and labels."""
    return {
        f"{node.path}/{name}": (v.dims, v.dtype, v.shape, v.to_numpy().tobytes(), v.attrs)
        for node in tree.subtree
        for name, v in node.to_dataset(inherit=False).variables.items()
    }


def test_round_trip(tree: xr.DataTree, file: Path) -> None:
    """Every bit of every group, and every attribute with its type; the tree itself is untouched."""
    back = br.load_draws(file)
    assert len(tree.children) == 6
    assert back.identical(tree)
    assert _bits(back) == _bits(tree)
    assert back.attrs == tree.attrs
    assert [type(v) for v in back.attrs.values()] == [type(v) for v in tree.attrs.values()]
    assert "bayesreg_schema" not in tree.attrs
    assert br.diagnose(back) == br.diagnose(tree)


@settings(max_examples=8, deadline=None)
@given(
    values=st.lists(st.floats(width=64), min_size=1, max_size=8),
    text=st.lists(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=4),
        min_size=1,
        max_size=3,
    ),
    number=st.integers(-(2**63), 2**63 - 1),
)
def test_any_numbers_and_text(
    values: list[float], text: list[str], number: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """NaN, infinities, -0.0 and denormals; empty strings and any script."""
    posterior = xr.Dataset(
        {
            "beta": (("chain", "draw"), np.array([values])),
            "label": (("k",), np.array(text)),
            "flag": (("chain", "draw"), np.isfinite(np.array([values]))),
            "count": ((), np.uint64(2**64 - 1)),
            "single": (("draw",), np.arange(len(values), dtype=np.float32)),
            "none": (("nothing",), np.zeros(0)),
        },
        attrs={"number": number, "text": text[0]},
    )
    posterior["beta"].attrs = {"units": "days since 1900-01-01", "scale": values[0]}
    made = xr.DataTree.from_dict({"posterior": posterior})
    path = tmp_path_factory.mktemp("any") / "x.nc"
    back = br.load_draws(br.save_draws(made, path))
    for name, variable in posterior.variables.items():
        found = back["posterior"].to_dataset().variables[name]
        assert found.dims == variable.dims
        assert found.dtype.kind == variable.dtype.kind
        if variable.dtype.kind == "f":  # bit by bit, but for which NaN it is
            assert np.array_equal(np.signbit(found), np.signbit(variable)) or np.isnan(found).any()
            assert np.array_equal(found, variable, equal_nan=True)
        else:
            assert np.array_equal(found, variable)
    assert back["posterior"].attrs == posterior.attrs
    assert str(back["posterior"]["beta"].attrs) == str(posterior["beta"].attrs)


@pytest.mark.filterwarnings("ignore:Estimated shape parameter")
def test_arviz_reads_it(tree: xr.DataTree, file: Path) -> None:
    """The format is the community's, and what it says of the draws is the same."""
    theirs = az.from_netcdf(file)
    np.testing.assert_array_equal(theirs["posterior"]["beta"], tree["posterior"]["beta"])
    assert theirs["posterior"]["feature"].to_numpy().tolist() == ["dose", "größe", "[red] 年"]
    assert az.loo(theirs).elpd == az.loo(br.load_draws(file)).elpd == az.loo(tree).elpd


def test_readers_of_hdf5_pass_over_the_seal(tree: xr.DataTree, file: Path) -> None:
    """The HDF5 library alone reads it, as those of R and Julia do: every number and every text."""
    with h5py.File(file, "r") as root:
        assert list(root) == list(tree.children)
        assert {name: root.attrs[name] for name in tree.attrs} == tree.attrs
        for name, group in tree.children.items():
            for key, variable in group.to_dataset(inherit=False).variables.items():
                stored = root[name][key]
                values = stored[()]
                if variable.dtype.kind == "U":  # bytes of UTF-8, one by one, as NetCDF has it
                    values = np.array([b"".join(text).decode() for text in values])
                assert values.dtype == variable.dtype
                np.testing.assert_array_equal(values, variable.to_numpy(), strict=True)
                labels = [dim.keys()[0] for dim in stored.dims if dim.keys()]
                assert labels == ([] if key in variable.dims else list(variable.dims))


def test_xarray_passes_over_the_seal(tree: xr.DataTree, file: Path) -> None:
    """By itself, and lazily."""
    with xr.open_datatree(file, engine="h5netcdf") as theirs:
        assert list(theirs.children) == list(tree.children)
        np.testing.assert_array_equal(theirs["posterior"]["beta"], tree["posterior"]["beta"])
        assert theirs.attrs["method"] == "exact"


def test_an_existing_file_is_replaced_whole(
    tree: xr.DataTree, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or not at all: an interrupt leaves the old one, and no debris."""
    before = file.read_bytes()

    def interrupted(self: object, path: Path, **_: object) -> None:
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(xr.DataTree, "to_netcdf", interrupted)
    with pytest.raises(KeyboardInterrupt):
        br.save_draws(tree, file)
    assert file.read_bytes() == before
    assert [path.name for path in file.parent.iterdir()] == ["draws.nc"]
    monkeypatch.undo()
    assert (
        br.load_draws(br.save_draws(tree.isel(draw=slice(5)), file))["posterior"].sizes["draw"] == 5
    )


# --------------------------------------------------------------------------- refused on saving


def _posterior(**variables: Any) -> xr.DataTree:
    beta = (("chain", "draw"), np.zeros((1, 5)))
    return xr.DataTree.from_dict({"posterior": xr.Dataset({"beta": beta} | variables)})


def _marked(**attrs: Any) -> xr.DataTree:
    made = _posterior()
    made.attrs = attrs
    return made


def _nested() -> xr.DataTree:
    inner = {"posterior": _posterior()["posterior"].to_dataset(), "a/b": xr.Dataset({"x": 1})}
    return xr.DataTree.from_dict(inner)


UNSAVABLE: dict[str, tuple[Callable[[], Any], str]] = {
    "objects": (lambda: _posterior(x=((), np.array({}, dtype=object))), "/posterior/x has dtype o"),
    "complex": (lambda: _posterior(x=((), np.array(1j))), "x has dtype complex128"),
    "long double": (lambda: _posterior(x=((), np.longdouble(1))), "only numbers of at most 64"),
    "times": (lambda: _posterior(x=((), np.datetime64("2020", "ns"))), "x has dtype datetime64"),
    "list": (lambda: _marked(a=[1, 2]), "attribute 'a' of / is of type list"),
    "truth": (lambda: _marked(a=True), "attribute 'a' of / is of type bool"),
    "none": (lambda: _marked(a=None), "attribute 'a' of / is of type NoneType"),
    "big": (lambda: _marked(a=2**70), "attribute 'a' of / has more than 64 bits"),
    "surrogate": (lambda: _marked(a="x\ud800"), "attribute 'a' of / holds half of a surrogate"),
    "nul": (lambda: _posterior(x=((), np.array("a\0b"))), "/posterior/x holds a NUL"),
    "reserved": (
        lambda: _posterior(x=((), 1.0, {"_FillValue": 2.0})),
        "attribute '_FillValue' of /posterior/x",
    ),
    "nested": (_nested, "group /a/b lies within another group"),
    "no posterior": (lambda: xr.DataTree.from_dict({"prior": xr.Dataset()}), "found groups: prior"),
    "no draws": (
        lambda: xr.DataTree.from_dict({"posterior": xr.Dataset({"x": 1})}),
        "draws: must have a posterior group with chains and draws",
    ),
    "no tree": (lambda: 3, "draws: must have a posterior group"),
}


@pytest.mark.parametrize("case", UNSAVABLE)
def test_what_a_file_cannot_hold_is_refused(case: str, tmp_path: Path) -> None:
    """By name, and nothing is written."""
    make, words = UNSAVABLE[case]
    with pytest.raises(InputError) as caught:
        br.save_draws(make(), tmp_path / "x.nc")
    assert words in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("", "is a directory"),
        ("no/x.nc", "there is no directory"),
        ("x.pkl", "'x.pkl' must end in one of .nc, .nc4, .netcdf, .h5; draws are NetCDF"),
        (3, "must be a path"),
    ],
)
def test_places_that_cannot_be_written(
    place: Any, words: str, tree: xr.DataTree, tmp_path: Path
) -> None:
    """Named before the work."""
    with pytest.raises(InputError, match=words):
        br.save_draws(tree, tmp_path / place if isinstance(place, str) else place)


# --------------------------------------------------------------------------- refused on loading


NOT_HDF5 = {
    "empty": b"",
    "text": b"chain,draw\n",
    "old NetCDF": b"CDF\x01" + bytes(100),
    "zip": b"PK\x03\x04" + bytes(100),
    "pickle": b"\x80\x04\x95" + bytes(100),
}


@pytest.mark.parametrize("case", NOT_HDF5)
def test_another_format(case: str, tmp_path: Path) -> None:
    """The message shows how the file begins."""
    path = tmp_path / "x.nc"
    path.write_bytes(NOT_HDF5[case])
    with pytest.raises(InputError, match="is no NetCDF 4 file: it begins with"):
        br.load_draws(path)


def test_no_file(tmp_path: Path) -> None:
    """A missing one, a folder, no path; a pipe would wait for ever."""
    with pytest.raises(InputError, match="path: there is no file"):
        br.load_draws(tmp_path / "x.nc")
    with pytest.raises(InputError, match="is a directory"):
        br.load_draws(tmp_path)
    with pytest.raises(InputError, match="must be a path, found None"):
        br.load_draws(None)  # type: ignore[arg-type]
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(InputError, match="not an ordinary file"):
            br.load_draws(tmp_path / "pipe")
    if hasattr(socket, "AF_UNIX"):
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(str(tmp_path / "socket"))
            with pytest.raises(InputError, match="not an ordinary file"):
                br.load_draws(tmp_path / "socket")


@pytest.mark.parametrize("share", [0.001, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 0.9999])
def test_truncated(share: float, file: Path) -> None:
    """Wherever it was cut."""
    content = file.read_bytes()
    file.write_bytes(content[: max(int(share * len(content)), 8)])
    with pytest.raises(InputError, match="or was cut or changed since: its seal is missing"):
        br.load_draws(file)


def _spoil_attribute(name: str, value: object) -> Callable[[h5py.File], None]:
    def spoil(root: h5py.File) -> None:
        root.attrs[name] = value

    return spoil


def _without_schema(root: h5py.File) -> None:
    del root.attrs["bayesreg_schema"]


def _without(name: str) -> Callable[[h5py.File], None]:
    def spoil(root: h5py.File) -> None:
        del root[name]

    return spoil


def _huge(root: h5py.File) -> None:
    root["posterior"].create_dataset("huge", shape=(10**12,), dtype="f8", chunks=(1024,))


def _bomb(root: h5py.File) -> None:
    root["posterior"].create_dataset("bomb", data=np.zeros(10**5), compression="gzip")


def _many(root: h5py.File) -> None:
    for k in range(1001):
        root.create_group(f"g{k}")


def _virtual(root: h5py.File) -> None:
    layout = h5py.VirtualLayout(shape=(4,), dtype="f8")
    layout[:] = h5py.VirtualSource("/etc/hostname", "x", shape=(4,))
    root["posterior"].create_virtual_dataset("v", layout)


def _external(root: h5py.File) -> None:
    root["posterior"].create_dataset(
        "e", shape=(1,), dtype="f8", external=[("/etc/hostname", 0, 8)]
    )


def _linked(link: Any) -> Callable[[h5py.File], None]:
    def spoil(root: h5py.File) -> None:
        root["posterior"]["elsewhere"] = link

    return spoil


def _cycle(root: h5py.File) -> None:
    root["posterior"]["up"] = root["posterior"]


def _put(name: str, data: Any, **more: Any) -> Callable[[h5py.File], None]:
    def spoil(root: h5py.File) -> None:
        root.create_dataset(name, data=data, **more)

    return spoil


HOSTILE: dict[str, tuple[Callable[[h5py.File], None], str]] = {
    "no schema": (_without_schema, "so that its layout is unknown (groups: posterior,"),
    "schema of text": (_spoil_attribute("bayesreg_schema", "1"), "so that its layout is unknown"),
    "later schema": (
        _spoil_attribute("bayesreg_schema", 2),
        "has schema [2], but this version reads 1; update bayesreg",
    ),
    "schema 0": (_spoil_attribute("bayesreg_schema", 0), "reads 1; save it again"),
    "two schemas": (_spoil_attribute("bayesreg_schema", [1, 1]), "has schema [1, 1]"),
    "no posterior": (_without("posterior"), "must have a posterior group"),
    "no chains": (_without("posterior/beta"), ""),
    "absurd size": (_huge, "declares 8e+12 bytes of values, but has"),
    "compressed": (_bomb, "posterior/bomb is compressed or keeps its values elsewhere"),
    "many groups": (_many, "group / holds 1007 things"),
    "virtual": (_virtual, "posterior/v is compressed or keeps its values elsewhere"),
    "external": (_external, "posterior/e is compressed or keeps its values elsewhere"),
    "external link": (_linked(h5py.ExternalLink("/etc/hostname", "x")), "a link 'elsewhere'"),
    "soft link": (_linked(h5py.SoftLink("/posterior/beta")), "a link 'elsewhere'"),
    "cycle": (_cycle, "a group within a group (posterior/up)"),
    "outside": (_put("alone", 1.0), "holds 'alone' beside its groups"),
    "free text": (_put("posterior/t", ["a", "b"]), "posterior/t has values of type object"),
    "references": (
        _put("posterior/r", None, shape=(2,), dtype=h5py.ref_dtype),
        "posterior/r has values of type object",
    ),
    "records": (_put("posterior/c", np.zeros(2, dtype="i4,f8")), "neither number nor text"),
    "complex": (_put("posterior/c", np.zeros(2, dtype=complex)), "neither number nor text"),
    "opaque": (_put("posterior/o", np.void(b"\x80\x04")), "neither number nor text"),
    "attribute of many": (
        _spoil_attribute("method", np.arange(5)),
        "attribute 'method' of / is neither text nor one number",
    ),
    "attribute of texts": (
        _spoil_attribute("method", ["exact", "nuts"]),
        "attribute 'method' of / is neither text nor one number",
    ),
    "attribute of records": (
        _spoil_attribute("method", np.zeros((), dtype="i4,f8")),
        "attribute 'method' of / is neither text nor one number",
    ),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_files(case: str, file: Path) -> None:
    """Each is refused before its values are read, and the message says what was found."""
    spoil, words = HOSTILE[case]
    with h5py.File(file, "a") as root:
        spoil(root)
    seal(file)  # forged: as if save_draws had written it
    if not words:
        assert "beta" not in br.load_draws(file)["posterior"].to_dataset()
        return
    with pytest.raises(InputError) as caught:
        br.load_draws(file)
    assert words in str(caught.value)


def test_files_of_other_packages(tree: xr.DataTree, tmp_path: Path) -> None:
    """What ArviZ wrote is a good file, but not ours to vouch for."""
    tree.to_netcdf(tmp_path / "x.nc", engine="h5netcdf")
    with pytest.raises(InputError, match=r"its seal is missing; arviz\.from_netcdf reads"):
        br.load_draws(tmp_path / "x.nc")


@pytest.mark.parametrize("seed", range(12))
def test_flipped_bytes(seed: int, file: Path) -> None:
    """The seal sees them before the HDF5 library does, which hangs on some."""
    rng = np.random.default_rng(seed)
    content = bytearray(file.read_bytes())
    for place in rng.integers(len(content), size=3):
        content[place] ^= 1 << rng.integers(8)
    file.write_bytes(content)
    with pytest.raises(InputError, match=r"its bytes do not|seal is missing|it begins with"):
        br.load_draws(file)
