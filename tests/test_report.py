"""The report is one page that holds everything, runs nothing and fetches nothing."""

import stat
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from xarray import Dataset, DataTree

import bayesreg as br
from bayesreg import report, terminal
from bayesreg._visible import visible
from bayesreg.certificate import certify
from bayesreg.cli import main
from bayesreg.comparison import Comparison
from bayesreg.errors import InputError
from bayesreg.map import find_map
from bayesreg.posterior import Diagnosis
from bayesreg.report import along_the_scale, number, pictures, sections
from bayesreg.report import page as report_page
from bayesreg.report.text import as_name, brief
from bayesreg.scoring import SCORE_WORDS, PosteriorSummary, Sampled, Score
from bayesreg.units.rows import HEADING, LEGEND

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{7*7}}",
    "' onload='alert(1)",
    "\u202eright to left",
    "日本",
)
COMMAND = "bayesreg compare 'a&b.csv' --target \"<b>\""


class Page(HTMLParser):
    """What a browser would see: tags with attributes, and text without markup."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert not self._open, "every element is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Record a tag."""
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "img", "br"):
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Check that elements nest."""
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Record text."""
        if self._open[-1:] != ["style"]:
            self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """Attributes of every element of one kind."""
        return [attributes for name, attributes in self.tags if name == tag]


def _comparison(names: tuple[str, ...] = HOSTILE, **settings: Any) -> Comparison:
    """Build a small comparison by hand: an optimiser that lies, one that does not."""
    p = len(names)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, p))
    y = 2 * X[:, 0] + rng.normal(size=50)
    prior = settings.pop("prior", br.Laplace(0.05))
    given = settings.pop("given", None)
    problem = br.Problem(X, y, likelihood=br.Gaussian(1.0), prior=prior, names=names)
    mode = find_map(problem, given=given)
    draws = mode.coef + 0.1 * rng.normal(size=(200, p))
    lower, median, upper = np.quantile(draws, [0.025, 0.5, 0.975], axis=0)
    near = (np.abs(draws) < 0.02).mean(axis=0)
    summary = PosteriorSummary(
        draws.mean(axis=0), median, lower, upper, np.full(p, 0.02), near, np.zeros(p), 0.95
    )
    scored = mode.conditional_problem

    def score(name: str, coef: Any, *, claims: bool | None) -> Score:
        certificate = certify(scored, coef, mode.intercept)
        shift = mode.intercept
        return Score(name, coef, shift, 1e-14, certificate, 0, p, 0, 1.0, 0.1, claims)

    answers = (
        score("exact mode", mode.coef, claims=True),
        score("honest<b>", mode.coef, claims=True),
        score("liar", mode.coef + 0.1, claims=True),
        score("posterior mean", summary.mean, claims=None),
        score("posterior median", median, claims=None),
    )
    tree = DataTree.from_dict(
        {"posterior": Dataset({"beta": (("chain", "draw", "feature"), draws[None])})}
    )
    tree.attrs = {"seed": 17, "numpy_version": "<2>"}
    ok = True
    comparison = Comparison(
        problem=problem,
        mode=mode,
        joint_mode=None,
        joint_refusal=None,
        scores=answers,
        failures={"broken<i>": "it <failed>"},
        sampled=Sampled(
            draws=tree,
            diagnosis=Diagnosis(ok, "the draws <agree>", 1.001, 900.0, 800.0, 0, None, "beta[<q>]"),
            posterior=summary,
            epsilon_rule="a change of one sd moves <nothing>",
        ),
    )
    return replace(comparison, **settings)


@pytest.fixture(scope="module")
def hostile() -> Comparison:
    """Names that would be markup, templates or commands elsewhere."""
    return _comparison()


@pytest.fixture(scope="module")
def html(hostile: Comparison) -> str:
    """The page about them."""
    return report.render(hostile, command=COMMAND)


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    """The page, parsed."""
    return Page(html)


def test_nothing_runs_and_nothing_is_fetched(page: Page, html: str) -> None:
    """No script, no handler, no address other than data of its own; a policy that says so."""
    kinds = {tag for tag, _ in page.tags}
    assert not kinds & {"script", "iframe", "object", "embed", "link", "a", "base", "form", "svg"}
    for _, attributes in page.tags:
        assert not any(name.startswith("on") for name in attributes)
        for name in ("src", "href", "srcset", "action", "data"):
            assert (attributes.get(name) or "data:image/png;base64,").startswith("data:image/png")
    assert "http:" not in html
    assert "https:" not in html
    assert "url(" not in html
    assert "@import" not in html
    named = {meta.get("http-equiv"): meta.get("content") for meta in page.all("meta")}
    policy = named["Content-Security-Policy"] or ""
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:")


def test_hostile_text_is_text(page: Page, html: str) -> None:
    """Whatever comes from outside is shown as it is, and is nowhere markup or template."""
    for name in HOSTILE:
        assert visible(name) in page.text
    assert "\u202e" not in html
    for words in (
        COMMAND,
        "honest<b>",
        "it <failed>",
        "broken<i>",
        "<nothing>",
        "<agree>",
        "<2>",
        "<q>",
    ):
        assert words in page.text
    assert "<script" not in html
    assert "49" not in {cell.strip() for cell in page.text.split("\n")}
    forest, densities, _ = page.all("img")
    for image in (forest, densities):
        assert HOSTILE[1] in (image["alt"] or "")


def test_every_estimator_and_coefficient_is_there(page: Page, hostile: Comparison) -> None:
    """Score table, coefficients, counts, failures, units, command, seed."""
    for score in hostile.scores:
        assert score.name in page.text
    rows = [row for row in page.all("th") if row.get("scope") == "row"]
    stated = [row for row in br.units.table(hostile.problem) if "document" not in row.package]
    measured = 5  # of the draws
    assert len(rows) == len(hostile.scores) + hostile.problem.p + len(stated) + measured
    assert hostile.problem.formula() in page.text
    assert hostile.mode.space in page.text
    assert f"{int((hostile.mode.coef == 0).sum())} of {hostile.problem.p}" in page.text
    assert f"0 of {200 * hostile.problem.p}" in page.text
    assert "Lasso(alpha=" in page.text
    assert "seed" in page.text
    assert "17" in page.text
    assert "1.001" in page.text


def test_page_and_terminal_name_their_columns_alike(page: Page, hostile: Comparison) -> None:
    """What `SCORE_WORDS` calls them, and the page says what that means."""
    table = terminal._score_table(hostile.scores)
    heads = {str(column.header) for column in table.columns}
    for name, meaning in SCORE_WORDS.items():
        assert f"{name}: {meaning}" in page.text.replace("Nats above", "nats above")
        assert name in heads or name == "distance"
    assert page.text.count("moves <nothing>") == 1


def test_calls_of_other_packages_are_headed_and_explained_as_on_the_terminal(
    page: Page, hostile: Comparison, capsys: pytest.CaptureFixture[str]
) -> None:
    """With what each minimises or draws from: samplers among them have no mode."""
    with pytest.raises(SystemExit, match="0"):
        main(["units"])
    told = " ".join(capsys.readouterr().out.split())
    for words in (HEADING, LEGEND):
        assert words in page.text
        assert words in told
    for row in br.units.table(hostile.problem):
        assert row.objective in page.text or "document" in row.package


def test_terms_of_the_formula_stay_together(html: str) -> None:
    """Lines break between its words only, where the browser obeys, and first between its terms."""
    assert "<span><span>‖y</span> <span>−</span>" in html
    assert "<span><span>+</span> <span>Σ|βⱼ|/0.05</span></span>" in html


def test_several_priors_are_named() -> None:
    """By their own names, once each, and not as blocks."""
    prior = [(br.Flat(), [0]), (br.Laplace(1.0), [1]), (br.Laplace(2.0), [2])]
    problem = br.Problem(np.eye(3), np.ones(3), likelihood=br.Gaussian(1.0), prior=prior)
    assert "3 coefficients, Flat and Laplace prior;" in str(problem)
    assert "make it a regression with mixed penalties." in sections.problem_in_words(problem)[0]


def test_the_numbers_behind_symbols_are_stated_and_sums_in_parentheses_stay_whole() -> None:
    """On the page, and in the title of its figures."""
    prior = [(br.Normal([130.0, 50.0], loc=[0.0, 5.0]), [0, 1]), (br.Laplace(2.0), [2])]
    names = ["slope of a variable with a long name", "Basel in the northwest", "c"]
    problem = br.Problem(
        np.eye(3), np.ones(3), likelihood=br.Gaussian(1.0), prior=prior, names=names
    )
    _, numbers, data = sections.problem_in_words(problem)
    assert numbers.startswith("In it mⱼ is 0 [slope of a v")
    assert "τⱼ is 130 [" in numbers
    assert data.startswith("y ~ gaussian")
    comparison = br.compare(problem, ["closed_form"], draws=100, seed=1, progress=False)
    assert ">(βⱼ\xa0−\xa0mⱼ)²/(2·τⱼ²)<" in report.page.render(comparison).replace("Σ", ">")
    title = br.map_path(problem, [1.0, 2.0]).plot().texts[0].get_text()
    assert "(βⱼ\xa0−\xa0mⱼ)²" in title


def test_only_the_wrong_claim_is_highlighted(page: Page) -> None:
    """An optimiser that claims convergence without a certificate stands out, by words too."""
    wrong = [row for row in page.all("tr") if row.get("class") == "wrong"]
    assert len(wrong) == 1
    assert page.text.count("yes ✗ (wrongly)") == 1
    assert "Optimisers run: 2; that say they converged: 2;" in page.text


def test_a_page_has_the_name_of_one(hostile: Comparison, tmp_path: Path) -> None:
    """As on the command line, and in its words."""
    with pytest.raises(InputError, match=r"path: 'page.txt' must end in one of .html, .htm$"):
        hostile.to_html(tmp_path / "page.txt")
    assert not list(tmp_path.iterdir())
    assert hostile.to_html(tmp_path / "page.HTM").is_file()


def test_the_page_is_accessible(page: Page) -> None:
    """Language, viewport, one h1, ordered headings, captions, scopes, reachable scroll areas."""
    assert page.all("html") == [{"lang": "en"}]
    assert any("width=device-width" in (m.get("content") or "") for m in page.all("meta"))
    levels = [int(tag[1]) for tag, _ in page.tags if tag in ("h1", "h2", "h3")]
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert len(page.all("caption")) == len(page.all("table")) == 4
    assert all(cell.get("scope") in ("row", "col") for cell in page.all("th"))
    assert all(image.get("alt") for image in page.all("img"))
    for area in [d for d in page.all("div") if d.get("class") == "scroll"]:
        assert area["tabindex"] == "0"
        assert area["aria-label"]
    identifiers = [a["id"] for _, a in page.tags if "id" in a]
    assert len(set(identifiers)) == len(identifiers)
    assert {s["aria-labelledby"] for s in page.all("section")} == set(identifiers)


def test_unknown_scales_are_said() -> None:
    """A conditional mode names its condition; a joint mode that does not exist says why."""
    comparison = _comparison(
        ("a", "b"),
        prior=br.Laplace(scale=br.HalfCauchy(1.0)),
        given={"scale": 0.1},
        joint_refusal="scale: it collapses",
    )
    text = Page(report.render(comparison)).text
    assert "conditional mode of p(beta, intercept | y, scale = 0.1)" in text
    assert "There is no joint mode. scale: it collapses." in text
    joint = replace(comparison, joint_mode=comparison.mode, joint_refusal=None)
    assert "There is a joint mode as well" in Page(report.render(joint)).text


def test_what_holds_given_sigma_is_said_to() -> None:
    """The gap of a joint mode bounds nothing at another sigma, where another mode may be."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 2))
    noise = br.Gaussian(sigma=br.HalfCauchy(1.0))
    problem = br.Problem(X, X[:, 0] + rng.normal(size=30), likelihood=noise, prior=br.Laplace(1.0))
    mode = find_map(problem)
    assert mode.certificate.joint
    text = " ".join(str(one) for one in sections.certified(mode.certificate))
    assert "nats given sigma: the objective here is at most that far above its minimum over" in text
    assert "Unique given sigma: no other coefficients reach that minimum." in text
    assert "whether another joint mode lies at another sigma is not said" in text
    assert "far above its minimum." not in text


def test_the_page_names_copies_that_share_a_coefficient() -> None:
    """Then the mode is proved not to be the only one."""
    X = np.arange(12.0)[:, None] ** [1, 1, 2]
    fit = br.find_map(
        br.Problem(
            X, X[:, 0], likelihood=br.Gaussian(1.0), prior=br.Laplace(1.0), names=["a<", "b", "c"]
        )
    )
    text = " ".join(str(one) for one in sections.certified(fit.certificate))
    assert "Not unique: <bdi>a&lt;</bdi> and <bdi>b</bdi> are copies" in text
    assert "proved" not in text


def test_the_page_without_optimizers_or_command() -> None:
    """Nothing is promised that is not there."""
    whole = _comparison(("a", "b"), failures={})
    text = Page(report.render(replace(whole, scores=(whole.scores[0], *whole.scores[-2:])))).text
    assert "No optimiser was run" in text
    assert "failed" not in text


def test_the_same_comparison_gives_the_same_page() -> None:
    """No clock, no random identifiers."""
    comparison = _comparison(("a",))
    assert report.render(comparison) == report.render(comparison)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (None, "—"),
        (1e-14, "1.00e−14"),
        (-1234.56, "−1.23e3"),
        (-0.5, "−0.500"),
        (12.0, "12.0"),
        (123.0, "123"),
        (np.inf, "∞"),
        (-np.inf, "−∞"),
        (np.nan, "NaN"),
    ],
)
def test_numbers_read_well(value: float | None, text: str) -> None:
    """Significant digits, a real minus sign, and 0 only for zero."""
    assert number(value, 3) == text


def test_the_file_appears_whole_or_not_at_all(
    tmp_path: Path, hostile: Comparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An older file survives a failure; a success leaves nothing else behind."""
    monkeypatch.setattr(report_page, "render", lambda *_, **__: "<!doctype html><html></html>")
    target = tmp_path / "report.html"
    target.write_text("old")

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(Path, "replace", refuse)
        with pytest.raises(br.errors.InputError, match=r"path: .*No space"):
            report.write(hostile, target)
    assert target.read_text() == "old"
    assert report.write(hostile, target, command=COMMAND) == target
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]
    assert stat.S_IMODE(target.stat().st_mode) & stat.S_IRUSR
    assert Page(target.read_text(encoding="utf-8")).all("html")


@pytest.mark.parametrize("place", [".", "missing/report.html", "file/report.html"])
def test_a_place_that_cannot_be_written_is_named(
    tmp_path: Path, hostile: Comparison, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """A directory, a missing directory, a file in the way: InputError that names path."""
    monkeypatch.setattr(report_page, "render", lambda *_, **__: pytest.fail("worked in vain"))
    (tmp_path / "file").write_text("")
    with pytest.raises(br.errors.InputError, match=r"^path: "):
        report.write(hostile, tmp_path / place)


def test_a_real_comparison_becomes_a_page(tmp_path: Path) -> None:
    """What `compare` makes is what the report reads."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 3))
    problem = br.Problem(X, X[:, 0], likelihood=br.Gaussian(1.0), prior=br.Normal(0.5))
    comparison = br.compare(problem, ["closed_form"], draws=100, seed=11, progress=False)
    written = comparison.to_html(tmp_path / "page.html", command="bayesreg compare --seed 11")
    text = Page(written.read_text(encoding="utf-8")).text
    for words in ("closed_form", "bayesreg 0", "--seed 11", comparison.diagnosis.verdict[1:]):
        assert words in text


# --------------------------------------------------------------------------- the path


def _drawn(p: int, **settings: Any) -> Comparison:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, p))
    y = X[:, 0] + rng.normal(size=40)
    settings = {"likelihood": br.Gaussian(1.0), "prior": br.Laplace(0.3)} | settings
    if isinstance(settings["likelihood"], br.Bernoulli):
        y = (y > 0).astype(float)
    problem = br.Problem(X, y, **settings)
    return br.compare(problem, ["lbfgs"], draws=100, chains=2, seed=11, progress=False)


@pytest.fixture(scope="module")
def lasso() -> Comparison:
    """Three coefficients, drawn by Gibbs sampling."""
    return _drawn(3)


def test_the_ribbon_is_the_posterior_path(
    lasso: Comparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is drawn is what `posterior_path` returns for the same problem and the seed said."""
    shown: list[br.posterior.PosteriorPath] = []
    monkeypatch.setattr(pictures, "ribbon", shown.append)
    found = along_the_scale.along_the_scale(lasso)
    again = br.posterior_path(lasso.problem, seed=along_the_scale.SEED, progress=False)
    (path,) = shown
    np.testing.assert_array_equal(path.hdi, again.hdi)
    how, zeros = found.statements
    assert how.startswith(f"Drawn at {again.fresh.sum()} of 30 scales by gibbs, seed 0")
    assert f"{again.ess.min():.0f} effective draws" in how
    assert zeros.startswith("Exact zeros of the mode: 3 of 3 at the smallest scale, ")


def test_a_normal_posterior_needs_no_draws_along_the_path() -> None:
    """However many coefficients there are: the closed form is cheap."""
    found = along_the_scale.along_the_scale(_drawn(60, prior=br.Normal(0.3)))
    assert (
        found.statements[0] == "The posterior is in closed form at all 30 scales: nothing is drawn."
    )
    assert "ribbon" in (found.picture.alt if found.picture else "")


def test_a_costly_posterior_leaves_the_modes_alone_and_says_so(
    lasso: Comparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a count of operations, not by a clock: the same page on every machine."""
    assert along_the_scale.reason_against_a_ribbon(lasso) == ""
    monkeypatch.setattr(along_the_scale, "_CHEAP", {"gibbs": 26.0})  # 3³ are more
    found = along_the_scale.along_the_scale(lasso)
    assert "not drawn at every scale here, as that would take long" in found.statements[0]
    assert found.statements[2].startswith("All 60 modes are certified optimal")
    assert found.picture is not None
    assert found.picture.title == "The mode along the path"
    monkeypatch.setattr(along_the_scale, "_MOST_ENTRIES", 100)
    assert along_the_scale.along_the_scale(lasso).picture is None


def test_rows_cost_where_the_likelihood_is_not_gaussian(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Gibbs sweep of a logistic regression passes over every row, 40 of them here."""
    comparison = _drawn(2, likelihood=br.Bernoulli())
    monkeypatch.setattr(along_the_scale, "_CHEAP", {"gibbs": 8 + 160.0})
    assert along_the_scale.reason_against_a_ribbon(comparison) == ""
    monkeypatch.setattr(along_the_scale, "_CHEAP", {"gibbs": 8 + 159.0})
    assert along_the_scale.reason_against_a_ribbon(comparison) != ""


def test_a_prior_without_a_scale_has_no_path() -> None:
    """And the page says why."""
    flat = along_the_scale.along_the_scale(_drawn(2, prior=br.Flat()))
    assert flat.picture is None
    assert "prior: is flat" in " ".join(flat.statements)


# --------------------------------------------------------------------------- what else is said


def test_the_page_says_how_to_make_it_again(lasso: Comparison) -> None:
    """Command and call with all that `compare` was asked; versions with draws and without."""
    text = Page(report.render(lasso, command="bayesreg compare --seed 11")).text
    call = next(line for line in text.split("\n") if line.startswith("br.compare("))
    expected = (
        "br.compare(problem, ['lbfgs'], draws=100, chains=2, level=0.95, epsilon=0.05, seed=11)"
    )
    assert call == expected
    assert "bayesreg compare --seed 11\n" in text
    for words in (f"bayesreg {br.__version__}", f"numpy {np.__version__}", "python 3."):
        assert words in text
    dry = Page(report.render(replace(lasso, sampled=None, no_draws="nobody draws"))).text
    assert "br.compare(problem, ['lbfgs'])" in dry
    assert f"numpy {np.__version__}" in dry
    assert "nobody draws" in dry


def test_every_rule_of_sparsity_is_on_the_page(lasso: Comparison) -> None:
    """As `bayesreg.sparsity` answers with the same epsilon and level; refusals with reasons."""
    text = Page(report.render(lasso)).text
    summary = br.sparsity.summarise(lasso.problem, lasso.draws, epsilon=0.05, level=0.95, seed=0)
    for kept in summary.selections:
        assert f"{kept.method}{kept.size} of 3{', '.join(kept.support) or 'none'}" in text
    near = lasso.posterior.near_zero
    assert summary["P(|β| ≥ ε)"].size == int((near < 0.5).sum())
    for name in summary.refusals:
        assert f"Not {name}: " in text


def test_doubtful_draws_are_said_to_be_so(hostile: Comparison) -> None:
    """In words and in colour, each measure beside what it should be."""
    sampled = hostile.sampled
    assert sampled is not None
    bad = replace(
        sampled.diagnosis, ok=False, verdict="not good: raise draws", rhat_max=1.2, bfmi_min=0.1
    )
    page = Page(report.render(replace(hostile, sampled=replace(sampled, diagnosis=bad))))
    assert "Not good: raise draws." in page.text
    assert [p for p in page.all("p") if p.get("class") == "bad"]
    assert "1.200below 1.01" in page.text
    assert "0.1000above 0.3" in page.text


def test_flat_priors_are_no_penalty() -> None:
    """In the words of the problem."""
    assert "There is no penalty, as the prior is flat" in report.render(_drawn(2, prior=br.Flat()))


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("plain, with ümläuts and 日本", "plain, with ümläuts and 日本"),
        ("\u202egpj.exe", "⟨U+202E⟩gpj.exe"),
        ("\u2066a\u2069", "⟨U+2066⟩a⟨U+2069⟩"),
        ("\x00\x1b[31m\x7f", "⟨U+0000⟩⟨U+001B⟩[31m⟨U+007F⟩"),
        ("half \ud800", "half ⟨U+D800⟩"),
        ("a\u2028b\ufeff", "a⟨U+2028⟩b⟨U+FEFF⟩"),
        ("joined \u200d emoji", "joined \u200d emoji"),
    ],
)
def test_what_hides_is_written_out(text: str, seen: str) -> None:
    """Control characters, marks of direction, halves of pairs; not what scripts need."""
    assert visible(text) == seen
    assert as_name(text) == seen


def test_long_texts_keep_both_ends() -> None:
    """Names that share their beginning can still be told apart."""
    long = "start" + "x" * 10_000 + "end"
    assert as_name(long).startswith("start")
    assert as_name(long).endswith("end")
    assert len(as_name(long)) < 130
    assert len(brief(long)) < 610
    assert as_name("a\tb\nc") == "a⟨U+0009⟩b⟨U+000A⟩c"
