"""The report as a browser shows it: hostile text stays text, nothing is fetched, phones can read.

Where there is no browser the page is read by `html.parser`, which asserts what can be known without
one.
"""

from __future__ import annotations

import csv
import re
import shlex
import sys
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import numpy as np
import pytest

import bayesreg as br
from bayesreg._visible import visible
from bayesreg.cli import main
from bayesreg.report import along_the_scale
from bayesreg.report.text import as_name, brief
from bayesreg.studies import balls
from tests.browser import Browser, Sight, browsers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bayesreg.comparison import Comparison

# Names of columns, of levels, of a target, of a data set, of files: all become text of the page.
HOSTILE = (
    "<script>document.title='owned';fetch('http://example.org/')</script>",
    '"><img src=http://example.org/x onerror=console.error(1)>',
    "' onload='console.error(2)",
    "</style><style>*{display:none}</style>",
    "</title><h1>owned</h1>",
    "<svg onload=console.error(3)><text>",
    "C(g)[T.<iframe src=javascript:alert(1)>]",
    "<!-- <base href=http://example.org/> -->",
    "{{7*7}}{% raw %}",
    "&lt;b&gt; &amp;",
    "\u202egpj.exe",
    "\u2066\u2067 end \u2069\u2069\u2069",
    "two\nlines\r\n\tand a tab",
    "NUL\x00 and bell\x07",
    "$\\frac{1}{2}$ _{x}^{y}",
    "\u05e9\u05dc\u05d5\u05dd",
    "日本語の列",
    "x" * 5_000,
    "a b " * 500,
)
COMMAND = f"bayesreg compare --data '{HOSTILE[0]}.csv' --target '{HOSTILE[1]}'\x00\u202e\ud800"
NOTES = tuple(f"{name}: 40 rows, target {name}" for name in HOSTILE)
FILE = "\"><img src=x onerror=alert(1)> it's.csv"
TARGET, COLUMN = "</style><b>y", "<svg onload=alert(1)>"
LEVELS = ("!first, so that it is the baseline", "<script>alert(1)</script>", "\u202egpj")
# What a page may consist of: nothing that runs, loads, submits or embeds.
KINDS = {
    *("html", "head", "meta", "title", "style", "body", "header", "main", "section", "h1", "h2"),
    *("h3", "p", "span", "bdi", "b", "ul", "li", "dl", "dt", "dd", "figure", "figcaption", "img"),
    *("div", "table", "caption", "thead", "tbody", "tr", "th", "td", "pre", "code"),
}


class Parsed(HTMLParser):
    """What a page would do, as far as its source tells; no browser."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.kinds: dict[str, None] = {}
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.text, self.title = "", ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        self.complaints += [f"<{tag}> is not closed" for tag in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what the element would run or load."""
        self.kinds[tag] = None
        if tag not in ("meta", "img", "br", "input"):
            self._open.append(tag)
        for name, value in attrs:
            if name.startswith("on"):
                self.complaints.append(f"<{tag} {name}>")
            if name in ("src", "href", "srcset", "action", "data", "poster", "background"):
                self.requests += [] if (value or "").startswith("data:") else [str(value)]

    def handle_endtag(self, tag: str) -> None:
        """Note what does not nest."""
        if not self._open or self._open.pop() != tag:
            self.complaints.append(f"</{tag}> closes nothing")

    def handle_data(self, data: str) -> None:
        """Collect text; a style that loads something is a request."""
        inside = self._open[-1] if self._open else ""
        if inside == "style":
            self.requests += re.findall(r"url\([^)]*\)|@import[^;]*", data)
        elif inside == "title":
            self.title += data
        elif inside != "script":
            self.text += data

    def sight(self) -> Sight:
        """Return it as a browser's; a parser knows no widths."""
        return Sight(
            complaints=tuple(self.complaints),
            requests=tuple(self.requests),
            width=0,
            beyond=(),
            text=self.text,
            title=self.title,
            kinds=tuple(self.kinds),
        )


type Look = Callable[[Path, int], Sight]


@pytest.fixture(scope="module", params=["html.parser", *browsers()])
def look(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Look]:
    """Every reader of pages that is at hand: a parser always, and a browser where there is one."""
    if request.param == "html.parser":
        yield lambda page, _: Parsed(page.read_text(encoding="utf-8")).sight()
        return
    with Browser(request.param, tmp_path_factory.mktemp("profile")) as browser:
        yield lambda page, width: browser.look(page, width, phone=width < 600)


def _compared(names: tuple[str, ...]) -> Comparison:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, len(names)))
    y = 2 * X[:, 0] + rng.normal(size=60)
    problem = br.Problem(X, y, likelihood=br.Gaussian(1.0), prior=br.Laplace(0.1), names=names)
    return br.compare(problem, ["coordinate_descent"], draws=100, chains=2, seed=3, progress=False)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of names that would be markup, scripts, templates or commands elsewhere."""
    folder = tmp_path_factory.mktemp("hostile")
    with pytest.MonkeyPatch.context() as quick:
        quick.setattr(along_the_scale, "_CHEAP", {})  # no ribbon: its draws would take seconds
        return _compared(HOSTILE).to_html(folder / "page.html", command=COMMAND, notes=NOTES)


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of names as they should be."""
    folder = tmp_path_factory.mktemp("honest")
    return _compared(("age", "bmi", "bp")).to_html(folder / "page.html", command="bayesreg compare")


@pytest.mark.parametrize("width", [1200, 390])
@pytest.mark.parametrize("which", ["honest", "hostile"])
def test_nothing_happens_but_reading(
    look: Look, request: pytest.FixtureRequest, which: str, width: int
) -> None:
    """No complaint in the console, no request, no sideways movement, on a desk or a phone."""
    seen = look(request.getfixturevalue(which), width)
    assert seen.complaints == ()
    assert seen.requests == ()
    assert seen.width <= width
    assert seen.beyond == ()
    assert set(seen.kinds) <= KINDS
    assert seen.title.startswith("bayesreg: ‖y")


def test_hostile_text_is_there_to_be_read(look: Look, hostile: Path) -> None:
    """Every name as it is, but for what hides or turns around its neighbours: that is spelt out."""
    text = look(hostile, 1200).text
    squeezed = " ".join(text.split())
    for name in HOSTILE:
        assert " ".join(as_name(name).split()) in squeezed, name
    assert " ".join(visible(COMMAND).split()) in squeezed
    for note in NOTES:
        assert " ".join(visible(brief(note)).split()) in squeezed
    assert not re.search("[\x00\u202a-\u202e\u2066-\u2069\ud800-\udfff]", text)
    assert "{{7*7}}" in text


@pytest.fixture(scope="module")
def commanded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of the command line, whose file, target, column and levels are all hostile."""
    folder = tmp_path_factory.mktemp("commanded")
    data, page = folder / FILE, folder / "page.html"
    rng = np.random.default_rng(0)
    with data.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow([TARGET, "g", COLUMN])
        rows.writerows([rng.normal(), LEVELS[k % 3], rng.normal()] for k in range(30))
    arguments = ["compare", "--data", str(data), "--formula", f"`{TARGET}` ~ C(g) + `{COLUMN}`"]
    arguments += ["--optimizers", "coordinate_descent", "--draws", "100", "--chains", "2", "-q"]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sys, "argv", ["bayesreg", *arguments, "--output", str(page)])
        with pytest.raises(SystemExit) as stop:
            main(sys.argv[1:])
    assert not stop.value.code
    return page


def test_the_command_line_escapes_file_target_column_and_levels(
    look: Look, commanded: Path
) -> None:
    """And the command can be pasted into a shell: what has quotes in it is quoted again."""
    seen = look(commanded, 390)
    assert (seen.complaints, seen.requests, seen.beyond) == ((), (), ())
    assert set(seen.kinds) <= KINDS
    for words in (FILE, f"target {TARGET}", COLUMN, f"C(g)[T.{LEVELS[1]}]", "C(g)[T.⟨U+202E⟩gpj]"):
        assert words in seen.text
    (command,) = (line for line in seen.text.split("\n") if line.startswith("bayesreg compare"))
    pasted = shlex.split(command)
    assert pasted[pasted.index("--data") + 1].endswith(FILE)
    assert pasted[pasted.index("--formula") + 1] == f"`{TARGET}` ~ C(g) + `{COLUMN}`"


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The other page that bayesreg writes."""
    path = tmp_path_factory.mktemp("film") / "film.html"
    return br.figures.moving_costs_animation(balls.moving_costs(frames=2), path, dpi=30)


def test_the_film_is_read_without_complaint(look: Look, film: Path) -> None:
    """It runs its own script and nothing else."""
    for width in (1200, 390):
        seen = look(film, width)
        assert (seen.complaints, seen.requests, seen.beyond) == ((), (), ())
        assert seen.width <= width


def test_a_bad_page_is_noticed(look: Look, tmp_path: Path) -> None:
    """So that silence about ours means something."""
    page = tmp_path / "bad.html"
    page.write_text(
        "<script>console.error('loud'); broken()</script><img src=http://example.org/x.png>"
        "<div style='width: 3000px' class=wide onclick=loud()>wide</div>",
    )
    seen = look(page, 1200)
    assert seen.requests == ("http://example.org/x.png",)
    assert "script" in seen.kinds
    assert seen.complaints
    if seen.width:  # of a browser; a parser knows none
        assert any("loud" in complaint for complaint in seen.complaints)
        assert any("broken" in complaint for complaint in seen.complaints)
        assert seen.width >= 3000
        assert seen.beyond == ("DIV.wide",)


# Regions that can be moved sideways: whether they say so, by their label.
_MOVED = """
[...document.querySelectorAll(".scroll")].filter(e => e.scrollWidth > e.clientWidth)
  .map(e => [e.getAttribute("aria-label"), getComputedStyle(e, "::before").display])
"""


def test_what_moves_sideways_says_so(honest: Path, tmp_path: Path) -> None:
    """Nothing does on a desk, calls of other packages included; on a phone there is a hint."""
    for path in browsers():
        with Browser(path, tmp_path) as browser:
            browser.look(honest, 1200)
            assert browser.run(_MOVED) == []
            browser.look(honest, 390, phone=True)
            moved = dict(browser.run(_MOVED))
        assert {"Table of estimators", "All coefficients on one axis"} <= set(moved)
        assert set(moved.values()) == {"block"}
