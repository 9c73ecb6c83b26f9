"""A number that changes with the sources of the compiled code.

Numba keeps compiled code on disk with the file of the function that was called, and looks at that
file alone: after an update that changes another one it would go on with old machine code. So only
the functions that Python calls are kept on disk, and they hold this number in a closure, which is
part of the key that Numba looks them up by.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import bayesreg.scale_priors


@cache
def fingerprint() -> int:
    """Return the number.

    Examples
    --------
    >>> fingerprint() == fingerprint() >= 0
    True
    """
    digest = hashlib.sha256()
    compiled = sorted(Path(__file__).parent.glob("_[a-z]*.py"))
    for path in (*compiled, Path(bayesreg.scale_priors.__file__)):
        digest.update(path.read_bytes())
    return int.from_bytes(digest.digest()[:7], "big")
