"""How a file is cut: whatever the csv module writes comes back, and a line that does not fit costs itself alone."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.support import written_files
from tests.support.written_files import Form
from workers.load import files
from workers.load.files import Table
from workers.load.tabular import records
from workers.load.tabular.dialect import Dialect
from workers.load.tabular.records import Piece, Shape

ACCEPTED = {name: (name,) for name in written_files.HEADER}
BACKSLASHES = "\\\\"


def _table(folder: Path, text: str, encoding: str = "utf-8") -> Table:
    path = folder / "items.csv"
    path.write_bytes(text.encode(encoding))
    return files.opened(path).read(ACCEPTED)


def _back(table: Table) -> dict[str, list[str | None]]:
    return {row[1]: list(row[1:]) for row in table.frame.iter_rows()}


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(written_files.DOUBLED), written_files.rows("é手"))
def test_what_the_csv_module_writes_comes_back(
    tmp_path_factory: pytest.TempPathFactory, form: Form, lines: list[list[str]]
) -> None:
    # Files with tabs often have no quotes at all: if one has them only around line ends, nothing tells it from those.
    is_open = form.delimiter == "\t" and form.quoting == csv.QUOTE_MINIMAL
    assume(not (is_open and any(end in field for line in lines for field in line for end in "\r\n")))
    table = _table(tmp_path_factory.getbasetemp(), form.write([written_files.HEADER, *lines]))
    assert _back(table) == {line[0]: [field or None for field in line] for line in lines}
    assert (table.read, table.rejected) == (len(lines), ())


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([*written_files.ESCAPED, *written_files.SINGLE]), written_files.rows())
def test_other_quotes_and_escapes_come_back_or_are_counted(
    tmp_path_factory: pytest.TempPathFactory, form: Form, lines: list[list[str]]
) -> None:
    table = _table(tmp_path_factory.getbasetemp(), form.write([written_files.HEADER, *lines]))
    found = _back(table)
    for line in lines:
        if line[0] in found:
            # Where backslashes alone are escaped, nothing tells it from a file that holds two of them.
            read = [field and field.replace(BACKSLASHES, "\\") for field in found[line[0]]]
            assert [field or None for field in line] in (found[line[0]], read)
    assert set(found) <= {line[0] for line in lines}
    assert len(found) == len(lines) or table.rejected


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from('ab,"\n\r;'), max_size=60), st.booleans())
def test_all_ways_of_cutting_give_the_same_rows(text: str, is_strict: bool) -> None:
    """The quick ones are taken where they may be; `careful` reads one record after the other."""
    dialect, shape = Dialect(is_strict=is_strict), Shape(3, 3, (0, 1, 2))
    quick = list(records.pieces(io.StringIO(text, newline=""), dialect, shape, line=2))
    stream = io.StringIO(text, newline="")
    lines = records._Lines(stream, 2)
    slow = []
    while block := lines.block():
        slow.append(records.careful(lines, block, dialect, shape))
    assert _all(quick) == _all(slow)


def _all(pieces: list[Piece]) -> tuple[list[tuple[object, ...]], list[tuple[int, str]]]:
    rows = [row for piece in pieces for row in piece.frame.iter_rows()]
    return rows, [bad[:2] for piece in pieces for bad in piece.bad]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_separator_and_line_ends_are_found(tmp_path: Path, separator: str, end: str) -> None:
    text = end.join(separator.join(fields) for fields in (written_files.HEADER, ("1", "Mug, blue", "5;0", "A|B")))
    if separator in "Mug, blue5;0A|B":
        text = text.replace(
            separator + "Mug, blue" + separator + "5;0" + separator + "A|B", separator.join(["", "M", "5", "A"])
        )
    table = _table(tmp_path, text)
    assert (table.read, table.rejected, _back(table)["1"][0]) == (1, (), "1")


def test_line_ends_may_be_mixed(tmp_path: Path) -> None:
    table = _table(tmp_path, "item_id,title\n1,a\r\n2,b\r3,c\n\n4,d")
    assert [tuple(row) for row in table.frame.iter_rows()] == [
        (2, "1", "a"),
        (3, "2", "b"),
        (4, "3", "c"),
        (6, "4", "d"),
    ]


def test_a_line_that_does_not_fit_is_counted_with_its_place(tmp_path: Path) -> None:
    text = (
        "item_id,title,text\n"
        "1,Mug,blue\n"
        "2,Cup, small, white\n"
        "3,Bowl\n"
        '4,"Jug 6" high,x\n'
        '5,24" Screen,x\n'
        '6,"Plate, flat",x\n'
        '7,"a\nb",x\n'
        "8,,,,,\n"
        '9,"never closed,x\n'
        "10,Pan,x\n"
    )
    table = _table(tmp_path, text)
    assert {one.reason: one.places for one in table.rejected} == {
        "too many fields": (3,), "too few fields": (4,), "stray quote": (5, 11),
    }  # fmt: skip
    assert table.frame["item_id"].to_list() == ["1", "5", "6", "7", "8", "10"]
    assert table.frame["line"].to_list() == [2, 6, 7, 8, 10, 12]
    assert table.frame["title"].to_list()[1:4] == ['24" Screen', "Plate, flat", "a\nb"]
    assert table.rejected[0].example == '4,"Jug 6" high,x'


def test_a_quote_that_opens_a_title_and_one_that_ends_another_are_no_field_of_two_lines(tmp_path: Path) -> None:
    table = _table(tmp_path, 'item_id,title,text\n1,"Screen wide,x\n2,Bowl,x\n3,Screen 24",x\n4,TV 32",x\n')
    assert [(one.reason, one.places) for one in table.rejected] == [("stray quote", (2,))]
    assert table.frame["title"].to_list() == ["Bowl", 'Screen 24"', 'TV 32"']


def test_tabs_need_no_quotes(tmp_path: Path) -> None:
    table = _table(tmp_path, 'item_id\ttitle\n1\t"Best" mug\n2\t24" screen\n')
    assert table.frame["title"].to_list() == ['"Best" mug', '24" screen']


def test_spaces_before_quotes_are_no_part_of_a_field(tmp_path: Path) -> None:
    table = _table(tmp_path, 'item_id, title, text\n1, "Mug, blue", "x"\n2, "Cup", y\n')
    assert table.frame["title"].to_list() == ["Mug, blue", "Cup"]


def test_the_hint_of_excel_is_no_header(tmp_path: Path) -> None:
    table = _table(tmp_path, "sep=;\r\nitem_id;title\r\n1;a,b\r\n")
    assert list(table.frame.iter_rows()) == [(3, "1", "a,b")]


def test_a_million_open_quotes_do_not_take_for_ever(tmp_path: Path) -> None:
    table = _table(tmp_path, "item_id,title\n" + '1,"open\n' * 3_000 + "2,shut\n")
    assert table.read == 3_001
    assert table.frame["item_id"].to_list() == ["2"]
