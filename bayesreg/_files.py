"""Writing files so that they appear whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from bayesreg.errors import InputError


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
    target = Path(path)
    if target.is_dir():
        msg = f"{argument}: {target} is a directory; name a file"
        raise InputError(msg)
    if not target.parent.is_dir():
        msg = f"{argument}: there is no directory {target.parent}; create it first"
        raise InputError(msg)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        try:
            temporary.write_bytes(content)
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        msg = f"{argument}: {target} cannot be written ({error.strerror})"
        raise InputError(msg) from error
    return target
