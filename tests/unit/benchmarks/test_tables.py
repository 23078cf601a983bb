"""Tables of figures in the documents are those of the result files, and mistakes in declaring one are named."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.tables import declared, regions, table
from benchmarks.tables.table import Row, Table, TableError, Value

PAGE = regions.ROOT / "docs" / "page.md"
EMPTY = "# A page\n\n<!-- table: speed -->\n<!-- end -->\n\nMore.\n"


@pytest.fixture(name="result")
def _result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A result file of the test's own."""
    (tmp_path / "one.json").write_text(
        '{"commit": "abc", "cpu": "a processor", "cores": 2, "share": 0.1315, "none": null, "runs": [{"ms": 1.315}]}'
    )
    monkeypatch.setattr(table, "RESULTS", tmp_path)
    table.read.cache_clear()
    yield
    table.read.cache_clear()


def _double(value: Value) -> str:
    return f"{2 * value('/share'):.0%}"


def _speed(*rows: Row, file: str = "one") -> dict[str, Table]:
    cells = ("{ms|.2f}", "{/share|.1%}", "{/none|.1f}", _double)
    found = Table("speed", file, ("run", "ms", "share", "none", "double"), rows or (Row("first", "runs/0"),), cells)
    return {"speed": found}


def test_every_table_in_the_documents_is_that_of_its_result_file() -> None:
    pages = regions.pages()
    assert [page.name for page, _ in regions.stale(declared.ALL, pages)] == [], regions.FIX
    assert regions.unused(declared.ALL, pages) == set()


def test_the_readme_has_one_table_of_figures() -> None:
    assert regions.names((regions.ROOT / "README.md").read_text("utf-8")) == ["peers"]


@pytest.mark.usefixtures("result")
def test_a_region_is_filled_with_rounded_figures_and_their_source() -> None:
    filled = regions.filled(EMPTY, PAGE, _speed())
    assert "| run | ms | share | none | double |\n| --- | --- | --- | --- | --- |\n" in filled
    assert "| first | 1.32 | 13.2 % | – | 26 % |\n" in filled  # half is rounded up, as by hand
    assert "/one.json) (a processor, 2 cores, commit abc).\n<!-- end -->\n\nMore.\n" in filled
    assert regions.filled(filled, PAGE, _speed()) == filled


@pytest.mark.usefixtures("result")
def test_a_figure_that_changed_by_hand_is_stale(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(regions.filled(EMPTY, page, _speed()))
    assert list(regions.stale(_speed(), [page])) == []
    page.write_text(page.read_text().replace("1.32", "1.23"))
    assert [found for found, _ in regions.stale(_speed(), [page])] == [page]


@pytest.mark.usefixtures("result")
@pytest.mark.parametrize(
    ("text", "tables", "message"),
    [
        (EMPTY, {}, "no table 'speed' is declared"),
        (EMPTY.replace("<!-- end -->\n", ""), _speed(), "each needs a line"),
        (EMPTY, _speed(Row("second", "runs/1")), r"one.json has no 'runs/1/ms': '1' is not there"),
        (EMPTY, _speed(Row("short", cells=("1",))), "row 'short': 1 cells, 5 titles"),
        (EMPTY, _speed(file="two"), "two.json is not there"),
    ],
)
def test_what_is_wrong_is_named(text: str, tables: dict[str, Table], message: str) -> None:
    with pytest.raises(TableError, match=message):
        regions.filled(text, PAGE, tables)


@pytest.mark.usefixtures("result")
def test_a_table_that_no_page_shows_is_named(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text("Nothing.\n")
    assert regions.unused(_speed(), [tmp_path / "page.md"]) == {"speed"}
