"""The high-precision reference cases of tests/reference/exact_cases.json."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Case:
    """One problem with its answers."""

    id: str
    family: str
    definition: dict[str, Any]
    expected: dict[str, Any]
    rtol: float
    atol: float


def _load() -> tuple[Case, ...]:
    text = (Path(__file__).parent / "reference" / "exact_cases.json").read_text(encoding="utf-8")
    keys = ("id", "family", "definition", "expected", "rtol", "atol")
    return tuple(Case(**{key: case[key] for key in keys}) for case in json.loads(text)["cases"])


CASES = _load()


def number(entry: dict[str, Any]) -> float:
    """Return the double nearest to a reference number."""
    return float(entry["value"])


def vector(entry: Any) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return a reference vector; a single number becomes a vector of one."""
    return np.array([number(e) for e in (entry if isinstance(entry, list) else [entry])])
