"""Draws on disk: NetCDF 4, which ArviZ, R and Julia read, with nothing in it that can be run.

A file ends in a seal, a hash of all that comes before, which other readers of NetCDF pass over: the
HDF5 library may wait for ever on a damaged file, so damage has to be seen before it is opened.
Within are numbers, truth values and text, uncompressed, in groups one level deep. `load_draws`
checks that before it reads a value, so that even a file with a forged seal can neither claim more
memory than it has bytes, nor point elsewhere, nor nest without end. What HDF5's own code does with
a forgery is beyond us.
"""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesreg._files import check_place, replacing
from bayesreg.errors import InputError

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator
    from pathlib import Path

    import xarray as xr

#: Version of the layout; a change that old readers would misread raises it.
SCHEMA = 1
_SUFFIXES = (".nc", ".nc4", ".netcdf", ".h5")
_SCHEMA = "bayesreg_schema"
_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_SEAL = b"bayesreg"
_SEAL_SIZE = len(_SEAL) + hashlib.sha256().digest_size
_BLOCK = 1 << 20
# A tree of bayesreg has eight groups at most, each with a dozen variables and attributes.
_MOST_MEMBERS = 1000
_MOST_ATTRIBUTE_BYTES = 1 << 20
# What HDF5 itself writes beside the data; h5netcdf reads it, we do not.
_OF_HDF5 = frozenset(
    {
        *("CLASS", "NAME", "DIMENSION_LIST", "REFERENCE_LIST"),
        *("_Netcdf4Dimid", "_Netcdf4Coordinates", "_NCProperties", "_nc3_strict"),
    }
)
# What attributes must not be called, because the format gives these names a meaning.
_RESERVED = _OF_HDF5 | {_SCHEMA, "_FillValue", "_Encoding", "coordinates", "dtype"}
_BARE_DIMENSION = b"This is a netCDF dimension but not a netCDF variable"
_BAD_FILE = (OSError, KeyError, ValueError, TypeError, AttributeError, RuntimeError, IndexError)


def save_draws(draws: xr.DataTree, path: str | os.PathLike[str]) -> Path:
    """Write draws to a NetCDF file, which appears whole or not at all.

    Parameters
    ----------
    draws : xarray.DataTree
        As `sample` returns it; every group is written, bit by bit.
    path : path-like
        Where; an existing file is replaced. The name ends in ``.nc``, ``.nc4``, ``.netcdf`` or
        ``.h5``: other names promise another format.

    Returns
    -------
    pathlib.Path
        The file, which `load_draws` reads back, and ``arviz.from_netcdf`` as well.

    Raises
    ------
    InputError
        If these are no draws, the place cannot be written or its name promises another format, or
        something is neither number, truth value nor text.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from bayesreg import Gaussian, Normal, Problem, sample
    >>> problem = Problem([[1.0], [2.0]], [1.0, 2.0], intercept=False,
    ...                   likelihood=Gaussian(sigma=1.0), prior=Normal(scale=1.0))
    >>> draws = sample(problem, draws=50, seed=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = save_draws(draws, pathlib.Path(folder, "draws.nc"))
    ...     load_draws(file).identical(draws)
    True
    """
    target = check_place(path, "path")
    if target.suffix.lower() not in _SUFFIXES:
        msg = f"path: {target.name!r} must end in one of {', '.join(_SUFFIXES)}; draws are NetCDF"
        raise InputError(msg)
    _require_draws(draws, "draws")
    encoding = {}
    for node in draws.subtree:
        _check_group(node)
        encoding[node.path] = {
            str(name): _encoding(variable)
            for name, variable in node.to_dataset(inherit=False).variables.items()
        }
    marked = draws.copy(deep=False)
    marked.attrs = dict(draws.attrs) | {_SCHEMA: SCHEMA}
    with replacing(target, "path") as temporary:
        marked.to_netcdf(
            temporary, engine="h5netcdf", encoding=encoding, write_inherited_coords=False
        )
        seal(temporary)
    return target


def seal(file: Path) -> None:
    """Append the seal: `_SEAL`, and the hash of the file so far."""
    digest = _digest(file, file.stat().st_size)
    with file.open("ab") as stream:
        stream.write(_SEAL + digest)


def _digest(file: Path, size: int) -> bytes:
    """Hash the first bytes of a file."""
    found = hashlib.sha256()
    with file.open("rb") as stream:
        while size > 0 and (block := stream.read(min(_BLOCK, size))):
            found.update(block)
            size -= len(block)
    return found.digest()


def _encoding(variable: xr.Variable) -> dict[str, Any]:
    """Write values as they are, and text as UTF-8 bytes of one length.

    Text of free length would lie in a heap, where a damaged file can point anywhere.
    """
    text = {"dtype": "S1"} if variable.dtype.kind == "U" else {}
    return text | {"_FillValue": None}


def _require_draws(draws: Any, argument: str) -> None:
    """Raise InputError unless there is a posterior whose variables have chains and draws."""
    groups = getattr(draws, "children", {})
    if "posterior" not in groups or not {"chain", "draw"} <= set(draws["posterior"].dims):
        found = f"groups: {', '.join(groups) or 'none'}"
        msg = f"{argument}: must have a posterior group with chains and draws, found {found}"
        raise InputError(msg)


def _check_group(node: xr.DataTree) -> None:
    """Refuse what a file cannot hold as it is, by name."""
    where = node.path
    if where.count("/") > 1:
        msg = f"draws: group {where} lies within another group; only one level can be saved"
        raise InputError(msg)
    _check_attributes(node.attrs, where)
    for name, variable in node.to_dataset(inherit=False).variables.items():
        place = f"{where}/{name}"
        kind, size = variable.dtype.kind, variable.dtype.itemsize
        if not (kind in "bU" or (kind in "iu" and size <= 8) or (kind == "f" and size in (4, 8))):
            msg = (
                f"draws: {place} has dtype {variable.dtype}; only numbers of at most 64 bits, "
                "truth values and text can be saved"
            )
            raise InputError(msg)
        if kind == "U":
            for text in np.unique(variable.to_numpy()).tolist():
                _check_text(text, place)
        _check_attributes(variable.attrs, place)


def _check_attributes(attributes: dict[Any, Any], where: str) -> None:
    for name, value in attributes.items():
        place = f"attribute {name!r} of {where}"
        if not isinstance(name, str) or name in _RESERVED:
            msg = f"draws: {place} cannot be saved, as the format uses that name; rename it"
            raise InputError(msg)
        if isinstance(value, str):
            _check_text(value, place)
        elif isinstance(value, bool | np.bool_) or not isinstance(
            value, int | float | np.integer | np.floating
        ):
            msg = f"draws: {place} is of type {type(value).__name__}; use text or one number"
            raise InputError(msg)
        elif isinstance(value, int) and not -(2**63) <= value < 2**63:
            msg = f"draws: {place} has more than 64 bits; write it as text"
            raise InputError(msg)


def _check_text(text: str, place: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        msg = f"draws: {place} holds half of a surrogate pair ({text!r}), which is no Unicode text"
        raise InputError(msg) from None
    if "\0" in text:
        msg = f"draws: {place} holds a NUL character ({text!r}), which ends text in a file"
        raise InputError(msg)


# --------------------------------------------------------------------------- reading


def load_draws(path: str | os.PathLike[str]) -> xr.DataTree:
    """Read draws that `save_draws` wrote.

    Parameters
    ----------
    path : path-like
        The file. It may come from a stranger: nothing in it is executed.

    Returns
    -------
    xarray.DataTree
        As it was saved, in memory.

    Raises
    ------
    InputError
        If there is no such file, or it is damaged, was written by something else or by a later
        version; the message says what was found.
    """
    file = _readable(path)
    try:
        _inspect(file)
        tree = _read(file)
    except InputError:
        raise
    except _BAD_FILE as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        msg = f"path: {file} is damaged, or no NetCDF file of draws ({reason})"
        raise InputError(msg) from error
    _require_draws(tree, f"path: {file}")
    return tree


def _readable(path: str | os.PathLike[str]) -> Path:
    """Return the file if it begins like HDF5 and its seal is whole; InputError says what it is."""
    file = check_place(path, "path")
    if not file.is_file():
        msg = f"path: there is no file {file}"
        raise InputError(msg)
    size = max(file.stat().st_size - _SEAL_SIZE, 0)
    try:
        with file.open("rb") as stream:
            start = stream.read(len(_SIGNATURE))
            stream.seek(size)
            end = stream.read(_SEAL_SIZE)
        whole = end == _SEAL + _digest(file, size)
    except OSError as error:
        msg = f"path: {file} cannot be read ({error.strerror})"
        raise InputError(msg) from error
    if start != _SIGNATURE:
        msg = f"path: {file} is no NetCDF 4 file: it begins with {start!r}, not {_SIGNATURE!r}"
        raise InputError(msg)
    if not end.startswith(_SEAL):
        msg = (
            f"path: {file} was not written by save_draws, or was cut or changed since: its seal is "
            "missing; arviz.from_netcdf reads files of other packages"
        )
        raise InputError(msg)
    if not whole:
        msg = f"path: {file} is damaged: its bytes do not match the seal that save_draws put on it"
        raise InputError(msg)
    return file


def _inspect(file: Path) -> None:
    """Refuse a file that holds anything but what `save_draws` writes, without reading values."""
    import h5py  # noqa: PLC0415  (on use)

    size = file.stat().st_size
    with h5py.File(file, "r") as root:
        _check_schema(root, file)
        _check_attribute_sizes(root, "/")
        declared = 0
        for name, group in _members(root, "/"):
            if not isinstance(group, h5py.Group):
                msg = f"path: {file} holds {name!r} beside its groups, which is not ours"
                raise InputError(msg)
            _check_attribute_sizes(group, name)
            for key, dataset in _members(group, name):
                place = f"{name}/{key}"
                if not isinstance(dataset, h5py.Dataset):
                    msg = f"path: {file} has a group within a group ({place}), which is not ours"
                    raise InputError(msg)
                _check_attribute_sizes(dataset, place)
                declared += _declared_bytes(dataset, place)
        if declared > size:
            msg = (
                f"path: {file} declares {declared:.3g} bytes of values, but has {size} bytes: it "
                "is damaged or was compressed"
            )
            raise InputError(msg)


def _check_schema(root: Any, file: Path) -> None:
    if _SCHEMA not in root.attrs or root.attrs.get_id(_SCHEMA).dtype.kind not in "iu":
        msg = (
            f"path: {file} has no whole number {_SCHEMA!r} among its attributes, so that its "
            f"layout is unknown (groups: {', '.join(list(root)[:9]) or 'none'})"
        )
        raise InputError(msg)
    found = np.ravel(root.attrs[_SCHEMA])
    if found.tolist() != [SCHEMA]:
        advice = "update bayesreg" if found.size == 1 and found[0] > SCHEMA else "save it again"
        msg = f"path: {file} has schema {found.tolist()}, but this version reads {SCHEMA}; {advice}"
        raise InputError(msg)


def _members(group: Any, where: str) -> Iterator[tuple[str, Any]]:
    """Yield what a group holds itself; links to elsewhere are refused."""
    import h5py  # noqa: PLC0415  (on use)

    if len(group) > _MOST_MEMBERS:
        msg = f"path: group {where} holds {len(group)} things; at most {_MOST_MEMBERS} are expected"
        raise InputError(msg)
    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            msg = f"path: {where} has a link {name!r} to somewhere else, which is not followed"
            raise InputError(msg)
        yield name, group[name]


def _check_attribute_sizes(item: Any, where: str) -> None:
    """Refuse attributes that are not text or one number."""
    if len(item.attrs) > _MOST_MEMBERS:
        msg = f"path: {where} has {len(item.attrs)} attributes; that is not ours"
        raise InputError(msg)
    for name in item.attrs:
        found = item.attrs.get_id(name)
        if found.get_storage_size() > _MOST_ATTRIBUTE_BYTES or (
            name not in _OF_HDF5
            and not (math.prod(found.shape) == 1 and _is_plain(found.dtype, text=True))
        ):
            msg = f"path: attribute {name!r} of {where} is neither text nor one number"
            raise InputError(msg)


def _is_plain(dtype: np.dtype[Any], *, text: bool) -> bool:
    """Whether values are numbers or bytes, or else text of free length where that may be."""
    import h5py  # noqa: PLC0415  (on use)

    return dtype.kind in "iufS" or (text and h5py.check_string_dtype(dtype) is not None)


def _declared_bytes(dataset: Any, place: str) -> int:
    """Return how many bytes the values of a data set will take; InputError if it is not ours."""
    if bytes(np.bytes_(dataset.attrs.get("NAME", b""))).startswith(_BARE_DIMENSION):
        return 0
    if not _is_plain(dataset.dtype, text=False):
        msg = f"path: {place} has values of type {dataset.dtype}; that is neither number nor text"
        raise InputError(msg)
    stored = dataset.id.get_create_plist()
    if dataset.is_virtual or dataset.external or stored.get_nfilters():
        msg = f"path: {place} is compressed or keeps its values elsewhere; that is not ours"
        raise InputError(msg)
    return int(dataset.nbytes)


def _read(file: Path) -> xr.DataTree:
    """Read the whole tree, and undo what the format does to text and to attributes."""
    import xarray as xr  # noqa: PLC0415  (2 s, on use)

    # Neither times nor missing values: attributes named like theirs mean nothing here.
    opened = xr.open_datatree(file, engine="h5netcdf", decode_times=False, mask_and_scale=False)
    with opened:
        groups = {
            node.path: _as_saved(node.to_dataset(inherit=False).load()) for node in opened.subtree
        }
    del groups["/"].attrs[_SCHEMA]
    return xr.DataTree.from_dict(groups)


def _as_saved(dataset: xr.Dataset) -> xr.Dataset:
    texts = {
        name: variable.astype(np.str_)
        for name, variable in dataset.variables.items()
        if variable.dtype.kind == "O"
    }
    restored = dataset.assign({k: v for k, v in texts.items() if k not in dataset.coords})
    restored = restored.assign_coords({k: v for k, v in texts.items() if k in dataset.coords})
    restored.attrs = _plain(restored.attrs)
    for variable in restored.variables.values():
        variable.attrs = _plain(variable.attrs)
        variable.encoding = {}
    return restored


def _plain(attributes: dict[Any, Any]) -> dict[Any, Any]:
    return {
        name: value.item() if isinstance(value, np.generic) else value
        for name, value in attributes.items()
    }
