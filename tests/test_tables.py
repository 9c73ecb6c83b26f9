"""Files of data: each dialect gives the same numbers; what could mean two things is refused."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING
from unittest import mock

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet as pq
from pyarrow.feather import write_feather

import bayesreg as br
from bayesreg._csv import Csv
from bayesreg.cli import main
from bayesreg.errors import BayesregWarning, InputError
from bayesreg.tables import read_data, read_table

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

RNG = np.random.default_rng(2)
FRAME = pd.DataFrame(
    {
        "dose": RNG.normal(size=20).round(3),
        "größe": RNG.integers(150, 200, 20),
        "flag": RNG.random(20) < 0.5,
        "effect": RNG.normal(size=20),
    }
)


def _written(frame: pd.DataFrame, path: Path, encoding: str = "utf-8", **how: object) -> Path:
    text: str = frame.to_csv(index=False, **how)  # type: ignore[call-overload]
    path.write_bytes(text.encode(encoding))
    return path


WRITERS: dict[str, Callable[[Path], Path]] = {
    "commas": lambda folder: _written(FRAME, folder / "d.csv"),
    "semicolons": lambda folder: _written(FRAME, folder / "d.csv", sep=";"),
    "tabs": lambda folder: _written(FRAME, folder / "d.tsv", sep="\t"),
    "decimal commas": lambda folder: _written(FRAME, folder / "d.csv", sep=";", decimal=","),
    "decimal commas and tabs": lambda f: _written(FRAME, f / "d.txt", sep="\t", decimal=","),
    "quoted decimal commas": lambda f: _written(FRAME, f / "d.csv", decimal=","),
    "byte-order mark": lambda f: _written(FRAME, f / "d.csv", "utf-8-sig"),
    "UTF-16": lambda f: _written(FRAME, f / "d.csv", "utf-16", sep=";", decimal=","),
    "Windows lines": lambda f: _written(FRAME, f / "d.csv", lineterminator="\r\n"),
    "everything quoted": lambda f: _written(FRAME, f / "d.csv", quoting=1),
}


@pytest.mark.parametrize("kind", WRITERS)
def test_every_dialect_gives_the_same_numbers(kind: str, tmp_path: Path) -> None:
    """Names and digits, whatever separates columns and decimals."""
    data = read_data(WRITERS[kind](tmp_path), "effect")
    assert data.names == ("dose", "größe", "flag")
    assert np.array_equal(data.X, FRAME[["dose", "größe", "flag"]].astype(float))
    assert np.array_equal(data.y, FRAME["effect"])
    if "comma" in kind and "decimal" in kind:
        assert data.summary.endswith("decimal commas")


@pytest.mark.parametrize("ending", [".parquet", ".feather"])
def test_parquet_and_feather_give_the_same_numbers(ending: str, tmp_path: Path) -> None:
    """By the name of the file; text columns stay text for formulas."""
    path = tmp_path / f"d{ending}"
    frame = FRAME.assign(group=pd.Categorical(["a", "b"] * 10))
    (frame.to_parquet if ending == ".parquet" else frame.to_feather)(path)
    table = read_table(path)
    assert list(table.frame["group"]) == ["a", "b"] * 10
    with pytest.raises(InputError, match=r"column 'group' holds text \('a'\)"):
        read_data(path, "effect")
    FRAME.to_parquet(tmp_path / "e.parquet")
    assert np.array_equal(read_data(tmp_path / "e.parquet", "effect").y, FRAME["effect"])


@settings(
    max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(
    st.lists(
        st.tuples(*[st.floats(-1e6, 1e6, allow_subnormal=False).map(lambda v: round(v, 4))] * 3),
        min_size=2,
        max_size=6,
    ),
    st.sampled_from([(",", "."), (";", "."), (";", ","), ("\t", ","), ("\t", ".")]),
)
def test_no_dialect_changes_a_number(
    tmp_path: Path, rows: list[tuple[float, ...]], dialect: tuple[str, str]
) -> None:
    """It is read as it was written, or refused because it could be read in two ways."""
    frame = pd.DataFrame(rows, columns=["a", "b", "c"])
    path = _written(frame, tmp_path / "h.csv", sep=dialect[0], decimal=dialect[1])
    try:
        found = read_table(path).frame.astype(float)
    except InputError as error:
        assert "thousands" in str(error)  # noqa: PT017  (either of two answers is right)
        return
    assert np.array_equal(found, frame)


BAD: dict[str, tuple[bytes, str]] = {
    "thousands or decimals": (
        b"a;y\n1,234;1\n2,345;2\n",
        "column 'a' holds '1,234', whose comma may be a decimal mark or separate thousands",
    ),
    "points and commas": (
        b"a;y\n1,5;1.5\n2,5;2\n",
        r"column 'y' holds numbers stored as text|text",
    ),
    "text among numbers": (
        b"a,y\n1,1\ntwo,2\n3,3\n",
        r"^data: column 'a' holds text \('two' in line 3\) among numbers \('1'\); mend it, or",
    ),
    "a dot among the numbers of a target": (
        b"a,y\n1,1\n2,2\n3,.\n",
        r"'y' holds text \('.' in line 4\) among .* if that stands for .*, leave such cells empty$",
    ),
    "python's numbers": (b"a,y\n1_000,1\n2_000,2\n", "column 'a' holds numbers stored as text"),
    "nul bytes": (b"a\0,\0y\n", "holds NUL bytes: no text, or UTF-16 without its mark"),
    "latin-1": ("größe,y\n1,2\n2,3\n".encode("latin-1"), "cannot be read .*save it as comma"),
    "latin-1 later": (b"a,y\n" + b"1,2\n" * 400_000 + b"\xfc,1\n", "cannot be read"),
    "half of UTF-16": (b"\xff\xfea\0,\0y\0\n\0" + b"1", "cannot be read"),
    "a spreadsheet": (b"PK\x03\x04\x14\0effect", "is a spreadsheet or an archive, not text"),
    "compressed": (b"\x1f\x8b\x08\0effect", "is a spreadsheet or an archive, not text"),
    "blank": (b"\n\n  \n", "is empty"),
    "only a mark": (b"\xef\xbb\xbf", "is empty"),
    "only a UTF-16 mark": (b"\xff\xfe", "is empty"),
    "open quote": (b'a,y\n"1,2\n3,4\n', r"a quote that opens below line 1 of .* is not closed"),
    "open quote below": (b'a,y\n1,"2\n"\n3,"4\n', r"a quote that opens below line 2 of .*; close"),
    "open quote in a long file": (
        b'a,y\n1,2\n"' + b"3,4\n" * 50_000,
        r"a quote that opens below line 2 of .* is not closed; close it$",
    ),
    "same names": (b"a;a;y\n1;2;3\n2;3;4\n", "names 'a' more than once"),
    "close name": (b"a,effekt\n1,2\n2,3\n", "target: 'effect' is not known; did you mean 'effekt'"),
    "no target": (b"a,b\n1,2\n2,3\n", "target: 'effect' is not known. Valid: a, b"),
    "short rows": (
        b"a,b,effect\n1,2,3\n1,2\n",
        "column 'effect' has missing values .1 of 2, first",
    ),
    "long rows": (
        b"a,effect\n1,2\n\n1,2,3\n",
        "line 4 of .* has 3 fields, and the header has 2; mend that line: fields with commas in",
    ),
    "long first row": (
        b"a;effect\n1;2;3;4\n1;2\n",
        "line 2 of .* has 4 fields, and the header has 2; mend .* with semicolons in them stand in",
    ),
    "row names without a header": (
        b"a,effect\nr1,2,3\nr2,3,4\n",
        "header of .* has 2 fields, and every row below has 3; if .* row names, give that column",
    ),
    "no header": (
        b"5.1,3.5\n4.9,3.0\n4.7,3.2\n",
        r"^data: the header of .* holds numbers only \(5.1, 3.5\), as rows of data do; write a",
    ),
    "no header, and the same number twice": (
        b"1;1;-2,5;7\n3;2;1;2\n2;1;0;1\n",
        r"holds numbers only \(1, 1, -2,5, …\), as rows of data do",
    ),
    "no header, and a missing value": (b"5.1,,2\n4,3,1\n4,2,2\n", r"numbers only \(5.1, , 2\), as"),
    "keys of 64 bits": (
        b"a,y\n1152921504606846976,1\n1152921504606846977,2\n1152921504606846978,4\n",
        r"'a' holds whole numbers that floats cannot tell apart \(1152921504606846977 in line 3\)",
    ),
    "a line for spreadsheets": (
        b"sep=;\na;y\n1;1\n2;2\n4;1\n",
        "line 1 of .* spreadsheet .*delete",
    ),
    "a comment": (
        b"# trial 3\na,y\n1,1\n2,2\n",
        "has 1 field, and every row below has 2; delete what",
    ),
    "no value": (b"a,b,y\n1,,1\n2,,2\n4,,3\n", "^data: column 'b' is empty, drop it$"),
    "no value of the target": (
        b"a,y\n1,\n2,\n",
        "^data: column 'y' is empty, name another target$",
    ),
    "no row is whole": (b"a,y\n1,\n,2\n,3\n", r"or impute them \(also 'y'\)$"),
    "many columns": (
        ",".join(f"c{k}" for k in range(999)).encode() + (b"\n1" + b",1" * 998) * 2,
        r"'effect' is not known. Valid: c0, .*, c59, … \(999 in all\)$",
    ),
    "trailing commas": (b"a,effect,\n1,2,\n2,3,\n", "column 3 has no name"),
    "keys of 64 bits, and one missing": (
        b"a,y\n9007199254740993,1\n,2\n5,3\n",
        r"missing .* 'a' holds whole numbers .* tell apart \(9007199254740993 in line 2\)",
    ),
    "a key of 64 bits without a sign, and one missing": (
        b"a,y\n12345678901234567891,1\n,2\n5,3\n",
        r"missing values \(1 of 3, .* tell apart \(12345678901234567891 in line 2\)",
    ),
    "a key of 64 bits without a sign, and a negative one": (
        b"a,y\n-5,1\n12345678901234567891,2\n5,3\n",
        r"^data: column 'a' holds whole .* tell apart \(12345678901234567891 in line 3\)",
    ),
    "longer keys": (
        b"a,y\n123456789012345678901,1\n7,2\n5,3\n",
        r"^data: column 'a' holds whole .* tell apart \(123456789012345678901 in line 2\)",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_files_are_refused_in_words(case: str, tmp_path: Path) -> None:
    """One line, with the column where it is one."""
    content, message = BAD[case]
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        read_data(path, "y" if b"y" in content else "effect")
    assert "\n" not in str(caught.value)


def test_columns_are_counted_as_they_stand_in_the_file(tmp_path: Path) -> None:
    """That of row names, which is left out, is the first of them."""
    path = tmp_path / "d.csv"
    path.write_text(",,y\na,1,2\nb,2,3\nc,4,5\n")
    with (
        pytest.warns(BayesregWarning, match=r"^data: column 1 of d.csv has no name"),
        pytest.raises(InputError, match=r"^data: column 2 has no name in the header"),
    ):
        read_data(path, "y")


WIDE = [f"transcript_{k:05}" for k in range(8_000)]


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_wide_files_are_read(mark: str, tmp_path: Path) -> None:
    """Their lines are longer than a field of the csv module, whose limit stays what it was."""
    path = tmp_path / "d.csv"
    rows = [[f"{row * (k + 1)}" for k in range(len(WIDE) + 1)] for row in range(1, 4)]
    path.write_text("\n".join(mark.join(row) for row in [[*WIDE, "y"], *rows]))
    before = csv.field_size_limit()
    data = read_data(path, "y") if mark == "," else None
    table = read_table(path)
    assert csv.field_size_limit() == before
    assert table.frame.shape == (3, 8_001)
    assert table.frame.iloc[2, 8_000] == 24_003
    assert table.place(2) == "line 4"
    assert data is None or data.names[-1] == "transcript_07999"


def test_a_header_longer_than_a_million_characters_is_read_whole(tmp_path: Path) -> None:
    """No name is cut off."""
    path = tmp_path / "d.csv"
    names = [f"{k}_{'n' * 5000}" for k in range(300)]
    path.write_text("\n".join([",".join(names), *["1," * 299 + "2"] * 3]))
    assert list(read_table(path).frame) == names


def test_long_cells_are_read(tmp_path: Path) -> None:
    """Text of any length, of which a message shows the beginning."""
    path = tmp_path / "d.csv"
    path.write_text(f"a,note,y\n1,{'x' * 200_000},2\n2,u,3\n3,v,5\n")
    assert len(read_table(path).frame["note"][0]) == 200_000
    with pytest.raises(InputError, match=r"column 'note' holds text \('x{100}…'\)"):
        read_data(path, "y")


def test_cells_longer_than_any_text_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As is the rest of a long file after a quote."""
    monkeypatch.setattr("bayesreg._csv._LONGEST", 100)
    path = tmp_path / "d.csv"
    path.write_text(f"a,y\n1,2\n{'x' * 200},2\n")
    with pytest.raises(InputError, match=r"field larger than .*; see whether all its quotes are"):
        read_table(path)


@pytest.mark.parametrize("ending", ["parquet", "feather"])
def test_keys_with_missing_ones_among_them_are_not_rounded(ending: str, tmp_path: Path) -> None:
    """They become floats where pandas reads files that it did not write."""
    path = tmp_path / f"d.{ending}"
    columns = {
        "a": [2**60 + 1, None, 5, 7],
        "b": [1e300, None, 2.5, 4.0],
        "y": [1.0, 2.0, 3.0, 5.0],
    }
    (pq.write_table if ending == "parquet" else write_feather)(pa.table(columns), path)
    with pytest.raises(InputError, match=rf"cannot tell apart \({2**60 + 1} in row 0 of the data"):
        read_data(path, "y", drop_missing=True)
    assert read_table(path).frame["b"].dtype == np.float64


def test_large_whole_numbers_that_floats_hold_are_read_beside_missing_ones(tmp_path: Path) -> None:
    """And measurements as large, whole ones among them."""
    path = tmp_path / "d.csv"
    path.write_text(f"a,b,y\n{2**60},9007199254740993,1\n,1.5,2\n{-(2**70)},2e30,3\n4,,5\n7,8,9\n")
    with pytest.raises(InputError) as caught:
        read_data(path, "y")
    assert str(caught.value) == (
        "data: column 'a' has missing values (1 of 5, first in line 3), drop those rows or impute "
        "them (also 'b'); 3 of 5 rows are complete: --drop-missing keeps those"
    )
    data = read_data(path, "y", drop_missing=True)
    assert data.X.tolist() == [[2.0**60, 2.0**53], [-(2.0**70), 2e30], [7.0, 8.0]]


def test_lines_are_counted_once_for_all_columns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of many columns has a value missing: the file is not gone through for each."""
    path = tmp_path / "d.csv"
    path.write_text("\n".join([",".join([*WIDE[:50], "y"]), *[f"{',' * 50}{k}" for k in range(4)]]))
    path.write_text(path.read_text() + "\n" + "1," * 50 + "9")
    counted = mock.Mock(side_effect=[[*range(2, 7)]])
    monkeypatch.setattr(Csv, "lines", counted)
    with pytest.raises(InputError, match=r"first in line 2\), drop those"):
        read_data(path, "y")
    counted.assert_called_once()


@pytest.mark.parametrize("first", [0, 1])
def test_a_header_that_numbers_the_columns_is_one_and_that_is_said(
    first: int, tmp_path: Path
) -> None:
    """As pandas and R write columns without names; it might be a row of data."""
    path = tmp_path / "d.csv"
    path.write_text(f"{first},{first + 1}\n4,2\n3,5\n")
    with pytest.warns(BayesregWarning, match=r"numbers only .* read as names; if it is a row of"):
        assert read_data(path, str(first)).y.tolist() == [4.0, 3.0]


@pytest.mark.parametrize("cell", [".", "-", "?", " Missing ", "n.a.", "\\N"])
def test_usual_ways_to_write_that_a_value_is_missing_are_asked_about(
    cell: str, tmp_path: Path
) -> None:
    """Beside numbers; in a formula, too."""
    path = tmp_path / "d.csv"
    path.write_text(f"a,y\n1,2\n{cell},5\n4,5\n")
    asked = (
        r"in (line|row) \d\) among numbers .* if that stands for a missing value, leave such cells"
    )
    with pytest.raises(InputError, match=asked):
        read_data(path, "y")
    with pytest.raises(InputError, match=asked):
        br.from_formula(
            "y ~ a", read_table(path).frame, likelihood=br.Gaussian(1.0), prior=br.Normal(1.0)
        )


MANY = "\n".join(
    ["patient,visit,arm,the site,dose,one,sbp"]
    + [f"p{k},v{k},{'ab'[k % 2]},{'x y'[k % 3]},{k},1,{k * k % 7}" for k in range(28)]
)


def test_columns_with_one_fault_are_named_together_with_a_formula_that_reads_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The formula that is offered is taken as it stands."""
    path = tmp_path / "d.csv"
    path.write_text(MANY)
    code, _, err = run(["map", "--data", str(path), "--target", "sbp"], capsys)
    offered = "sbp ~ . - patient - visit - one"
    assert (code, err.count("\n")) == (2, 1)
    assert err == (
        "bayesreg: data: columns 'patient', 'visit', 'arm', 'the site' hold text, drop them, or "
        f'encode them: --formula "{offered}" (without those that have a level in almost every '
        "row); column 'one' is constant, drop it\n"
    )
    code, out, err = run(["map", "--data", str(path), "--formula", offered, "--json"], capsys)
    assert code == 0, err
    assert list(json.loads(out)["coef"])[:2] == ["arm[T.b]", "the site[T.x]"]


def test_the_formula_that_is_offered_quotes_names_that_python_keeps_for_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the quotes of a shell, which runs what stands in backticks within double ones."""
    path = tmp_path / "d.csv"
    path.write_text("class,arm,dose,y\n1,a,1,2\n1,b,3,4\n1,b,4,9\n", encoding="utf-8")
    code, _, err = run(["map", "--data", str(path), "--target", "y"], capsys)
    assert (code, err.count("\n")) == (2, 1)
    assert "encode it: --formula 'y ~ . - `class`'" in err
    code, _, err = run(["map", "--data", str(path), "--formula", "y ~ . - `class`"], capsys)
    assert code == 0, err


def test_a_name_too_long_for_a_file_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    """And is not repeated whole."""
    code, _, err = run(["map", "--data", "x" * 5000, "--target", "y"], capsys)
    assert (code, err.count("\n")) == (2, 1)
    assert "is no name for a file (File name too long); name one" in err
    assert len(err) < 300


def test_a_fault_of_many_columns_is_one_sentence(tmp_path: Path) -> None:
    """Missing values, text among numbers; and many columns of text are not all listed."""
    path = tmp_path / "d.csv"
    names = [f"c{k}" for k in range(12)]
    path.write_text(
        "\n".join([",".join([*names, "y"]), "," * 12 + "1", "1," * 12 + "2", "x," * 12])
    )
    with pytest.raises(InputError, match=r"also 'c1', .* 'c8', … \(11 in all\)\)") as caught:
        read_data(path, "y")
    assert len(str(caught.value)) < 600
    path.write_text("\n".join([",".join([*names, "`y $x`"]), "a," * 12 + "1", "b," * 12 + "2"]))
    with pytest.raises(InputError, match=r"'c7', … \(12 in all\) hold text, .*: --formula '`"):
        read_data(path, "`y $x`")


def test_blanks_around_names_of_columns_are_none_of_them(tmp_path: Path) -> None:
    """As many write commas."""
    path = tmp_path / "d.csv"
    path.write_text("dose, effect\n1, 2\n2, 5\n")
    data = read_data(path, "effect")
    assert data.names == ("dose",)
    assert np.array_equal(data.y, [2.0, 5.0])


def test_files_that_are_no_parquet_are_refused(tmp_path: Path) -> None:
    """Damaged, misnamed, absent, without rows, with two columns of one name."""
    path = tmp_path / "d.parquet"
    path.write_bytes(b"a,y\n1,2\n")
    with pytest.raises(InputError, match="cannot be read as Parquet"):
        read_data(path, "y")
    FRAME.to_parquet(path)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(InputError, match="cannot be read as Parquet"):
        read_data(path, "y")
    with pytest.raises(InputError, match="there is no file"):
        read_data(tmp_path / "none.parquet", "y")
    FRAME.iloc[:0].to_parquet(path)
    with pytest.raises(InputError, match="has a header but no rows"):
        read_data(path, "effect")
    dates = FRAME.assign(when=pd.to_datetime("2020-01-01"))
    dates.to_parquet(path)
    with pytest.raises(InputError, match="column 'when' holds dates or durations"):
        read_data(path, "effect")
    FRAME.assign(digits="1.5").to_parquet(path)
    stored = (
        r"'digits' holds numbers stored as text \('1.5'\), convert it, or write C\(digits\) in a"
    )
    with pytest.raises(InputError, match=stored):
        read_data(path, "effect")


def test_without_pyarrow_a_parquet_file_is_refused_with_advice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the one format that needs a package of its own."""
    path = tmp_path / "d.parquet"
    FRAME.to_parquet(path)

    def missing(path: Path) -> None:
        del path
        msg = "Unable to find a usable engine"
        raise ImportError(msg)

    monkeypatch.setitem(__import__("bayesreg.tables").tables._OTHERS, ".parquet", missing)
    with pytest.raises(InputError, match="needs pyarrow; install it"):
        read_data(path, "effect")


# --------------------------------------------------------------------------- the command line


SOME_HOLES = "dose,age,y\n1,20,2\n,30,3\n2,,1\n3,abc,5\n4,41,2\n5,22,4\n"


@pytest.mark.parametrize("how", [["--target", "y"], ["--formula", "y ~ dose + age"]])
def test_a_wrong_cell_is_named_by_its_line_and_beside_missing_ones(
    how: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The line of the file, whichever rows are left out; and all faults of a column at once."""
    path = tmp_path / "d.csv"
    path.write_text(SOME_HOLES, encoding="utf-8")
    wrong = "column 'age' holds text ('abc' in line 5) among numbers ('20'); mend it"
    arguments = ["map", "--data", str(path), *how]
    code, _, err = run(arguments, capsys)
    assert (code, err.count(wrong), err.count("\n")) == (2, 1, 1)
    assert "missing values" in err
    assert "4 of 6 rows are complete" in err
    code, _, err = run([*arguments, "--drop-missing"], capsys)
    assert code == 2
    assert err.startswith(f"bayesreg: data: {wrong}")
    path.write_text(SOME_HOLES.replace("abc", "33"), encoding="utf-8")
    code, _, err = run(arguments, capsys)
    assert code == 2
    assert "holds text" not in err
    assert run([*arguments, "--drop-missing"], capsys)[0] == 0


def test_a_wrong_cell_of_a_table_is_named_by_its_row(tmp_path: Path) -> None:
    """Parquet files have no lines: rows count from 0, as in Python, and left out ones count."""
    path = tmp_path / "d.parquet"
    frame = pd.DataFrame({"a": ["1", None, "?", "4"], "y": [1.0, 2.0, 3.0, 4.0]})
    frame.to_parquet(path)
    wrong = r"column 'a' holds text \('\?' in row 2 of the data\) among numbers"
    with pytest.raises(InputError, match=rf"first in row 1 of the data\).*{wrong}"):
        read_data(path, "y")
    with pytest.raises(InputError, match=f"^data: {wrong}"):
        read_data(path, "y", drop_missing=True)


def run(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """Run the command line in this process; return exit code, stdout, stderr."""
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    captured = capsys.readouterr()
    return int(stop.value.code or 0), captured.out, captured.err


def _trial(folder: Path) -> Path:
    rng = np.random.default_rng(7)
    group = np.repeat(["a", "b", "c"], 12)
    dose = rng.uniform(1, 9, 36)
    frame = pd.DataFrame(
        {
            "dose (mg)": dose,
            "group": rng.permutation(group),
            "effect": np.log(dose) + rng.normal(0, 0.2, 36),
            "cured": np.where(rng.random(36) < 0.5, "yes", "no"),
        }
    )
    return _written(frame, folder / "trial.csv", sep=";", decimal=",")


def test_a_formula_on_the_command_line_is_that_of_python(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same mode, from a file with semicolons and decimal commas."""
    path = _trial(tmp_path)
    formula = "effect ~ log(`dose (mg)`) + C(group)"
    arguments = ["map", "--data", str(path), "--formula", formula]
    arguments += ["--scale", "0.3", "--sigma", "0.2"]
    code, out, err = run([*arguments, "--json"], capsys)
    assert code == 0, err
    problem = br.from_formula(
        formula,
        read_table(path).frame,
        likelihood=br.Gaussian(0.2),
        prior=br.Laplace(0.3),
        standardize=True,
    )
    record = json.loads(out)
    assert list(record["coef"]) == ["log(dose (mg))", "C(group)[T.b]", "C(group)[T.c]"]
    assert list(record["coef"].values()) == pytest.approx(br.find_map(problem).coef, rel=1e-9)
    code, out, err = run(arguments, capsys)
    assert f"formula {formula}" in out
    assert "columns separated by semicolons, decimal commas" in out


def test_target_beside_a_right_side_and_bundled_data(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """--target and the right side make the formula; bundled data have columns too."""
    path = str(_trial(tmp_path))
    code, out, err = run(
        ["map", "--data", path, "--target", "effect", "--formula", "group", "--json"], capsys
    )
    assert code == 0, err
    assert list(json.loads(out)["coef"]) == ["group[T.b]", "group[T.c]"]
    code, out, err = run(["map", "--formula", "bmi + C(sex)", "--json"], capsys)
    assert code == 0, err
    assert list(json.loads(out)["coef"]) == ["bmi", "C(sex)[T.2]"]
    code, out, err = run(["map", "--data", path, "--formula", "I(cured == 'yes') ~ group"], capsys)
    assert code == 0, err
    assert "model logistic_lasso" in out


WRONG = {
    "two targets": (
        ["--target", "effect", "--formula", "effect ~ group"],
        "target: the formula has a target of its own",
    ),
    "no target": (["--formula", "group"], "formula: 'group' names no target"),
    "the target on the right": (
        ["--formula", "effect ~ group + effect"],
        "formula: the target 'effect' stands on the right side too",
    ),
    "counts": (
        ["--model", "poisson_lasso", "--formula", "effect ~ group"],
        "but model 'poisson_lasso' needs counts (0, 1, 2, …)",
    ),
    "code": (
        ["--formula", "effect ~ __import__('os').system('true')"],
        "formula: '__import__' in",
    ),
    "unknown": (["--formula", "effect ~ grupp"], "'grupp' is not known; did you mean 'group'"),
    "text": (["--target", "effect"], "columns 'group', 'cured' hold text, drop them, or"),
    "text target": (["--target", "cured"], "column 'cured' holds text ('"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_options_are_one_line_and_exit_2(
    case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing runs, nothing else is printed."""
    options, message = WRONG[case]
    code, _, err = run(["map", "--data", str(_trial(tmp_path)), *options], capsys)
    assert (code, err.count("\n")) == (2, 1), err
    assert message in err


OWN_MODEL = '''"""A ridge of one's own."""
import pymc as pm

def build(X, y, *, scale=1.0, sigma=1.0, intercept=True, names=None):
    with pm.Model(coords={"feature": list(names)}) as model:
        beta = pm.Normal("beta", 0, scale, dims="feature")
        level = pm.Flat("intercept") if intercept else 0.0
        pm.Normal("y", level + X @ beta, sigma, observed=y)
    return model
'''


def _rates(folder: Path) -> Path:
    """Write counts of unequal exposures, with decimal commas."""
    rng = np.random.default_rng(9)
    years, dose = rng.uniform(0.5, 9, 40), rng.normal(size=40)
    cases = rng.poisson(years * np.exp(0.4 * dose - 0.2))
    frame = pd.DataFrame({"cases": cases, "years": years, "dose": dose})
    return _written(frame, folder / "rates.csv", sep=";", decimal=",")


@pytest.mark.parametrize(
    ("formula", "model", "likelihood"),
    [
        ("cases ~ dose + offset(log(years))", "poisson_lasso", br.Poisson()),
        ("cases ~ 0 + dose + years", "lasso", br.Gaussian(2.0)),
        ("cases ~ 0 + dose + offset(years)", "ridge", br.Gaussian(2.0)),
        ("I(cases > 3) ~ dose + offset(years)", "logistic_lasso", br.Bernoulli()),
        ("cases ~ 1", "lasso", br.Gaussian(2.0)),
    ],
)
def test_offsets_and_intercepts_of_formulas_are_those_of_python(
    formula: str,
    model: str,
    likelihood: br.Likelihood,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Rates of counts among them; the command says what is added to the gallery's model."""
    path = _rates(tmp_path)
    arguments = ["map", "--data", str(path), "--formula", formula, "--model", model]
    arguments += [
        "--scale",
        "0.4",
        *(["--sigma", "2"] if isinstance(likelihood, br.Gaussian) else []),
    ]
    code, out, err = run([*arguments, "--json"], capsys)
    assert code == 0, err
    problem = br.from_formula(
        formula,
        read_table(path).frame,
        likelihood=likelihood,
        prior=br.Normal(0.4) if model == "ridge" else br.Laplace(0.4),
        standardize=True,
    )
    fit, record = br.find_map(problem), json.loads(out)
    assert fit.certificate.optimal
    assert list(record["coef"].values()) == pytest.approx(fit.coef, rel=1e-8)
    assert record["intercept"] == pytest.approx(fit.intercept, rel=1e-8)
    code, out, _ = run(arguments, capsys)
    assert ("the formula's offset in the predictor" in out) == ("offset" in formula)
    assert ("the model without an intercept" in out) == ("~ 0" in formula)


def test_a_model_file_is_code_and_the_command_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In its help, and before it runs one; the model is read as the gallery's are."""
    file, path = tmp_path / "own.py", str(_rates(tmp_path))
    file.write_text(OWN_MODEL)
    arguments = ["map", "--data", path, "--target", "cases", "--scale", "0.4", "--sigma", "2"]
    code, out, err = run([*arguments, "--model", str(file)], capsys)
    assert code == 0, err
    assert out.startswith(f"running {file}: a model file is code")
    both = [
        json.loads(run([*arguments, "--model", model, "--json"], capsys)[1])["coef"]
        for model in (str(file), "ridge")
    ]
    assert list(both[0].values()) == pytest.approx(list(both[1].values()), rel=1e-9)
    for command in ("compare", "map", "path", "sample", "select", "units"):
        text = " ".join(run([command, "--help"], capsys)[1].split())
        assert "or a .py file: code that is run" in text
        assert "build(X, y, *, scale, sigma, intercept, names)" in text


BAD_MODELS = {
    "no such file": (None, "model: there is no file"),
    "an import that fails": ("import nothing_of_this_name", "fails as it is run (ModuleNotFound"),
    "no Python": ("def build(:", "fails as it is run (SyntaxError"),
    "an exit": ("raise SystemExit", "fails as it is run (SystemExit"),
    "no build": ("build = dict", "defines no function build(X, y, *, ...)"),
    "no names": (OWN_MODEL.replace(", names=None", ""), "takes no keyword 'names'"),
    "no model": ("def build(X, y, *, intercept, names): return 3", "model: "),
    "another predictor": (
        OWN_MODEL.replace("X @ beta", "2 * X @ beta"),
        "has another predictor or target than it was given",
    ),
    "an intercept of two numbers": (
        OWN_MODEL.replace('pm.Flat("intercept")', 'pm.Normal("a") + pm.Normal("b")'),
        "than it was given: 4 coefficients for 2 columns",
    ),
    "fewer rows": (
        OWN_MODEL.replace("X @ beta", "X[:5] @ beta").replace("observed=y", "observed=y[:5]"),
        "than it was given: 5 rows of 40",
    ),
    "no intercept": (OWN_MODEL.replace('pm.Flat("intercept") if intercept else ', ""), ": no int"),
    "another target": (OWN_MODEL.replace("observed=y", "observed=2 * y"), "observed is not y"),
    "an offset": (OWN_MODEL.replace("level +", "level + abs(y) +"), "than it was given: an offset"),
    "noise of two sizes": (
        OWN_MODEL.replace("sigma, observed", 'pm.math.exp(pm.Normal("g") * X[:, 0]), observed'),
        "is no regression that br.read_model reads (variable 'g': ",
    ),
    "a build that fails": (
        OWN_MODEL.replace("with pm", "1 / 0\n    with pm"),
        "build of {file} fails (ZeroDivisionError: division by zero); mend it",
    ),
}


@pytest.mark.parametrize("case", BAD_MODELS)
def test_model_files_that_are_none_are_one_line_and_exit_2(
    case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What reads as another model than it is would give the coefficients of neither."""
    text, message = BAD_MODELS[case]
    file = tmp_path / "own.py"
    if text is not None:
        file.write_text(text)
    arguments = ["map", "--data", str(_rates(tmp_path)), "--target", "cases", "--model", str(file)]
    code, _, err = run(arguments, capsys)
    assert (code, err.count("\n")) == (2, 1), err
    assert message.replace("{file}", str(file)) in err
    if "than it was given" in err or "no regression" in err:
        assert err.endswith("br.find_map(model) in Python takes any PyMC model\n")


OPEN_MODELS = {
    "lasso": ("count", ["sigma = ", "scale = "]),
    "logistic_lasso": ("cured", ["scale = 1 (per sd of a column)"]),
}


@pytest.mark.parametrize("wrapped", OPEN_MODELS)
def test_a_build_that_takes_any_keyword_is_handed_the_scales(
    wrapped: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Those that a model of such a target has, so that it may hand them on to the gallery."""
    target, said = OPEN_MODELS[wrapped]
    file, path = tmp_path / "own.py", tmp_path / "d.csv"
    file.write_text(
        "from bayesreg import gallery\n"
        "def build(X, y, **kw):\n"
        f"    return gallery.load({wrapped!r}).build(X, y, **kw)\n"
    )
    rng = np.random.default_rng(3)
    count = rng.normal(size=30)
    frame = pd.DataFrame({"a": rng.normal(size=30), "count": count, "cured": (count > 0) * 1})
    frame[["a", target]].to_csv(path, index=False)
    arguments = ["map", "--data", str(path), "--target", target]
    code, out, err = run([*arguments, "--model", str(file)], capsys)
    assert code == 0, err
    for words in said:
        assert words in out
    assert ("sigma" in out.partition("\n\n")[0]) == (wrapped == "lasso")
    both = [
        json.loads(run([*arguments, "--model", model, "--json"], capsys)[1])["objective"]
        for model in (str(file), wrapped)
    ]
    assert both[0] == pytest.approx(both[1], rel=1e-9)


def test_numbers_that_the_model_does_not_use_are_not_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An own prior of sigma takes the place of the rule of thumb; a number given is still said."""
    file = tmp_path / "own.py"
    file.write_text(OWN_MODEL.replace("sigma, observed", 'pm.HalfNormal("s", 5), observed'))
    arguments = ["units", "--data", str(_rates(tmp_path)), "--target", "cases"]
    code, out, err = run([*arguments, "--model", str(file)], capsys)
    assert code == 0, err
    assert "sigma = " not in out.partition("\n\n")[0]
    assert "sigma unknown, with prior HalfNormal(scale=5) (set by the model)" in out
    assert "scale = " in out
    _, out, _ = run([*arguments, "--model", str(file), "--sigma", "2"], capsys)
    assert "sigma = 2 (as given)" in out


@pytest.mark.parametrize("command", ["compare", "map", "path", "sample", "select", "units"])
def test_every_command_takes_files_and_formulas(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Under the same names; --csv is the older one."""
    code, out, _ = run([command, "--help"], capsys)
    assert code == 0
    for option in ("--data", "--csv", "--target", "--formula"):
        assert option in out, option


def test_lists_and_records_of_a_file_are_refused_by_column(tmp_path: Path) -> None:
    """Beside everything else that is wrong, and as a target too."""
    path = tmp_path / "d.parquet"
    cells = {"record": [{"u": 1}] * 3, "list": [[1.0], [2.0], [3.0]], "y": [1.0, 2.0, 4.0]}
    pd.DataFrame(cells).to_parquet(path)
    message = r"data: column 'record' holds lists or records, .* a column \(also 'list'\)$"
    with pytest.raises(InputError, match=message):
        read_data(path, "y")
    with pytest.raises(InputError, match="column 'list' holds lists or records"):
        read_data(path, "list")
