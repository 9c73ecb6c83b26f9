"""Writing files so that they appear whole or not at all."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bayesreg._visible import begun, shown
from bayesreg.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: Endings of a page.
PAGE_KINDS = (".html", ".htm")


def write_whole(path: str | os.PathLike[str], content: bytes, argument: str) -> Path:
    """Write bytes under a temporary name beside `path`, then rename.

    Parameters
    ----------
    path : path-like
        Where the file is to appear; an existing file is replaced.
    content : bytes
        What to write.
    argument : str
        Name used in error messages.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    InputError
        If the place is a directory, is missing or cannot be written.
    """
    target = check_place(path, argument)
    with replacing(target, argument) as temporary:
        temporary.write_bytes(content)
    return target


@contextmanager
def replacing(target: Path, argument: str) -> Iterator[Path]:
    """Lend a temporary name beside `target`, which is renamed to it if what is within succeeds.

    Parameters
    ----------
    target : Path
        Where the file is to appear, as `check_place` returns it.
    argument : str
        Name used in error messages.

    Yields
    ------
    pathlib.Path
        Where to write.

    Raises
    ------
    InputError
        If the place cannot be written.
    """
    temporary = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        try:
            yield temporary
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        msg = f"{argument}: {target} cannot be written ({error.strerror or error})"
        raise InputError(msg) from error


def check_place(path: object, argument: str) -> Path:
    """Return a path where a file can appear; InputError where it cannot."""
    if not isinstance(path, str | os.PathLike):
        msg = f"{argument}: must be a path, found {shown(path)}"
        raise InputError(msg)
    try:
        target = Path(path)
        is_folder, has_parent = target.is_dir(), target.parent.is_dir()
        special = target.exists() and not target.is_file()
    except (OSError, ValueError, TypeError) as error:
        msg = f"{argument}: {shown(path)} is no name for a file ({begun(str(error))})"
        raise InputError(msg) from error
    if "\0" in str(target):  # for `is_dir`, a place where nothing is
        msg = f"{argument}: {shown(path)} is no name for a file (a null character ends it)"
        raise InputError(msg)
    if is_folder:
        msg = f"{argument}: {target} is a directory; name a file"
        raise InputError(msg)
    if not has_parent:
        msg = f"{argument}: there is no directory {target.parent}; create it first"
        raise InputError(msg)
    if special:
        msg = f"{argument}: {target} is not an ordinary file; name one"
        raise InputError(msg)
    return target


def check_kind(path: object, kinds: Sequence[str], argument: str) -> Path:
    """Return a path where a file can appear whose name says what to write.

    Parameters
    ----------
    path : path-like
        Where the file is to appear.
    kinds : sequence of str
        The endings that it may have.
    argument : str
        Name used in error messages.

    Raises
    ------
    InputError
        If it cannot appear there, or has another ending.
    """
    target = check_place(path, argument)
    if target.suffix.lower() not in kinds:
        msg = f"{argument}: {target.name!r} must end in one of {', '.join(kinds)}"
        raise InputError(msg)
    return target
