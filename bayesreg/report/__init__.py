"""The report: one self-contained HTML page about one comparison; no script, nothing remote."""

from __future__ import annotations

from bayesreg.report.page import render, write
from bayesreg.report.text import number

__all__ = ["number", "render", "write"]
