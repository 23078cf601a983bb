"""The Online Retail reader: each line is kept, or counted under exactly one reason."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reshelf import parsing
from workers import settings as configuration
from workers.load import retail, service
from workers.load.errors import ColumnError
from workers.load.files import LINE
from workers.load.reading import EVENT_COLUMNS, Reading

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
DIRTY = """\
1,85123A,WHITE  HANGING HEART,6.0,2010-12-01 08:26:00,2.55,17850.0,United Kingdom
1,85123A,WHITE  HANGING HEART,6.0,2010-12-01 08:26:00,2.55,17850.0,United Kingdom
1,85123a,white hanging heart,2,2010-12-01 08:27:00,2.75,17850,United Kingdom
C2,85123A,WHITE HANGING HEART,-6,2010-12-01 09:00:00,2.55,17850.0,United Kingdom
C2,POST,POSTAGE,-1,2010-12-01 09:00:00,0,,France
3,POST,POSTAGE,1,2010-12-01 09:00:00,18.0,12583.0,France
3,M,Manual,-1,2010-12-01 09:00:00,1,,France
3,gift_0001_20,Gift Voucher,1,2010-12-01 09:00:00,20,12583,France
4,22139,damaged,-8,2010-12-01 09:01:00,0.0,,United Kingdom
5,22139,,56,2010-12-01 09:02:00,0.0,,United Kingdom
5,22139,,56,2010-12-01 09:02:00,-3,12583,United Kingdom
6,DCGSSGIRL,GIRLS PARTY BAG,1,2010-12-01 09:03:00,3.29,,United Kingdom
7,22139,TEA SET,1,yesterday,3.29,12583,Unspecified
7,22139,TEA SET,,2010-12-01 09:03:00,3.29,12583,Unspecified
7,,TEA SET,1,2010-12-01 09:03:00,3.29,12583,Unspecified
7,22139,TEA SET,1,2010-12-01 09:03:00,3.29,12583,Unspecified
"""
REASONS = {
    "unreadable": 3,
    "cancellation": 2,
    "not a product": 3,
    "quantity not positive": 1,
    "price not positive": 2,
    "no customer": 1,
}


def _read(tmp_path: Path, text: str) -> Reading:
    path = tmp_path / "retail.csv"
    path.write_text(text, "utf-8")
    return service.read(path)


@pytest.fixture
def dirty(tmp_path: Path) -> Reading:
    return _read(tmp_path, f"{HEADER}\n{DIRTY}")


def test_every_line_is_kept_or_has_one_reason(dirty: Reading) -> None:
    assert dirty.format == "retail"
    assert {reason.reason: reason.lines for reason in dirty.rejected} == REASONS
    assert dirty.read == 16
    assert dirty.kept == dirty.events.height == 4
    assert {reason.reason: reason.first_line for reason in dirty.rejected}["unreadable"] == 14


def test_kept_lines_are_purchases(dirty: Reading) -> None:
    first, second, third, last = dirty.events.rows(named=True)
    assert (first["shopper"], first["item_id"], first["kind"]) == ("17850", "85123A", "purchase")
    assert (first["session_id"], first["value"], first["quantity"]) == ("1", 15.3, 6.0)
    assert first["context"] == '{"country":"United Kingdom"}'
    assert last["context"] is None
    # The same product on one invoice three times is three lines, not one, and one moment.
    assert [row["event_id"] for row in (first, second, third)] == [f"retail:1:85123A:{n}" for n in range(3)]
    assert third["at"] == first["at"] == datetime(2010, 12, 1, 8, 26, tzinfo=UTC)


def test_products_get_their_most_frequent_title_and_latest_price(dirty: Reading) -> None:
    content = {str(change["item_id"]): change["fields"] for change in dirty.changes}
    assert content["85123A"]["title"] == "White hanging heart"
    assert content["85123A"]["price"] == 2.75
    assert content["22139"] == {
        "title": "Tea set", "price": 3.29, "currency": "GBP", "category": None, "deleted_at": None,
    }  # fmt: skip


def test_the_second_edition_names_its_columns_differently(tmp_path: Path) -> None:
    header = "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country"
    assert _read(tmp_path, f"{header}\n489434,85048,LIGHTS,12,12/1/2009 7:45,6.95,13085,United Kingdom\n").kept == 1


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(ColumnError, match="unitprice.*it has InvoiceNo, StockCode"):
        _read(tmp_path, f"{HEADER.replace(',UnitPrice', '')}\n")


_VALUES = {
    "InvoiceNo": st.sampled_from([None, "1", "2", "C3", "c4", "x" * 60]),
    "StockCode": st.sampled_from([None, "85123A", "85123a", "POST", "M", "DCGS1", "TEST001", "a\tb1"]),
    "Description": st.sampled_from([None, "WHITE HEART", "?"]),
    "Quantity": st.sampled_from([None, "1", "-1", "0", "2.5", "nan", "inf", "1e30", "two"]),
    "InvoiceDate": st.sampled_from([None, "2010-12-01 08:26:00", "2999-01-01", "1801-01-01", "12/1/2010 8:26", "-"]),
    "UnitPrice": st.sampled_from([None, "2.55", "0", "-1", "NaN", "1e12", "£2"]),
    "CustomerID": st.sampled_from([None, "17850.0", "17850", "y" * 200]),
    "Country": st.sampled_from([None, "Unspecified", "EIRE", "z" * 300]),
}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.fixed_dictionaries(_VALUES), max_size=40))
def test_whatever_comes_is_counted_and_what_is_kept_satisfies_the_contract(lines: list[dict[str, str | None]]) -> None:
    frame = pl.DataFrame(lines, schema=dict.fromkeys(_VALUES, pl.String)).with_row_index(LINE, offset=2)
    frame = frame.rename(dict(zip(_VALUES, retail.ACCEPTED, strict=True)))
    reading = retail.read(frame, Path("retail.csv"))
    assert reading.events.height + sum(reason.lines for reason in reading.rejected) == len(lines)
    assert reading.events.columns == list(EVENT_COLUMNS)
    assert reading.events["event_id"].is_unique().all()
    rows = [
        {name: value for name, value in row.items() if value is not None and name not in ("shopper", "context")}
        | {"user_id": row["shopper"]}
        for row in reading.events.rows(named=True)
    ]
    assert not parsing.parse_events(rows).bad


def test_the_real_file_adds_up() -> None:
    folder = configuration.load().data or Path(__file__).parents[5] / "shared" / "data"
    path = folder / "online_retail" / "transactions.csv.gz"
    if not path.is_file():
        pytest.skip("the Online Retail file is not there: set RESHELF_DATA to the folder with the public data sets")
    reading = service.read(path)
    assert reading.read == 370_931
    assert {reason.reason: reason.lines for reason in reading.rejected} == {
        "cancellation": 6_652,
        "not a product": 1_766,
        "quantity not positive": 1_023,
        "price not positive": 923,
        "no customer": 95_140,
    }
    assert reading.kept == reading.events.height == 265_427
    assert reading.events["event_id"].is_unique().all()
