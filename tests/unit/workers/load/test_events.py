"""Plain files of events: what is kept, what is left out and why, and ids that a second load makes again."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reshelf import parsing
from workers.load import events, service
from workers.load.errors import ColumnError, FileError
from workers.load.files import LINE
from workers.load.reading import Reading

DIRTY = """\
user_id,session_id,item_id,kind,at,value,quantity,query,event_id,colour
ann,,1,view,2024-05-01T10:00:00Z,,,,e1,red
,s1,1,click,2024-05-01 12:00:00+02:00,,,,,
ann,,2,purchase,1714557600,9.5,2,,,
ann,,2,purchase,1714557600,9.5,2,,,
ann,,,search,2024-05-01,,,lamp,,
,,1,view,2024-05-01,,,,,
ann,,1,stare,2024-05-01,,,,,
ann,,,view,2024-05-01,,,,,
ann,,,search,2024-05-01,,,,,
ann,,1,view,,,,,,
ann,,1,view,soon,,,,,
ann,,1,view,1890-01-01,,,,,
ann,,1,view,2024-05-01,many,,,,
ann,,1,view,2024-05-01,,-1,,,
"""


def _read(tmp_path: Path, text: str, kind: str = "purchase") -> Reading:
    path = tmp_path / "events.csv"
    path.write_text(text, "utf-8")
    return service.read(path, kind=kind)


def test_every_line_is_kept_or_has_one_reason(tmp_path: Path) -> None:
    reading = _read(tmp_path, DIRTY)
    assert {reason.reason: reason.lines for reason in reading.rejected} == {
        "no user_id": 1, "unknown kind": 1, "no item_id": 1, "no query": 1, "no time": 1, "unreadable time": 1,
        "time out of range": 1, "bad value": 1, "bad quantity": 1,
    }  # fmt: skip
    assert (reading.format, reading.read, reading.kept) == ("events", 14, 5)
    assert reading.notes == ("columns not used: colour",)
    assert reading.events["shopper"].to_list() == ["ann", "session:s1", "ann", "ann", "ann"]
    assert set(reading.events["at"][:4].to_list()) == {datetime(2024, 5, 1, 10, tzinfo=UTC)}


def test_equal_lines_are_two_events_and_a_second_reading_gives_the_same_ids(tmp_path: Path) -> None:
    ids = _read(tmp_path, DIRTY).events["event_id"]
    assert ids[0] == "e1"
    assert ids.is_unique().all()
    assert ids.to_list() == _read(tmp_path, DIRTY).events["event_id"].to_list()


@pytest.mark.parametrize(
    "text",
    ["2024-05-01T10:00:00Z", "2024-05-01 10:00", "2024-05-01T10:00:00.000001", "2024-05-01T12:00:00.5+02",
     "2024-05-01T06:00:00-0400", "1714557600", "1714557600.25", "1714557600000", "1714557600000000"],
)  # fmt: skip
def test_times_are_read_as_utc(tmp_path: Path, text: str) -> None:
    at = _read(tmp_path, f"user_id,item_id,timestamp\nann,1,{text}\n").events["at"][0]
    assert abs(at.timestamp() - 1714557600) < 1


def test_positions_become_times(tmp_path: Path) -> None:
    reading = _read(tmp_path, "user_id,item_id,position\n007,1,0\n007,2,30\n", kind="rating")
    assert reading.events["at"].to_list() == [datetime(2020, 1, 1, tzinfo=UTC), datetime(2020, 1, 2, 6, tzinfo=UTC)]
    assert reading.events["shopper"].to_list() == ["007", "007"]
    assert reading.events["kind"].to_list() == ["rating", "rating"]


def test_traits_become_context(tmp_path: Path) -> None:
    reading = _read(tmp_path, 'user_id,item_id,at,context.country\nann,1,2024-05-01,"a ""b"""\nann,1,2024-05-02,\n')
    assert reading.events["context"].to_list() == ['{"country":"a \\"b\\""}', None]


def test_parquet_and_gzip_hold_the_same(tmp_path: Path) -> None:
    moment = datetime(2024, 5, 1, 10, tzinfo=UTC)
    pl.DataFrame({"user_id": [1.0], "item_id": [7], "at": [moment]}).write_parquet(tmp_path / "events.parquet")
    (tmp_path / "events.csv.gz").write_bytes(gzip.compress(b"user_id,item_id,at\n1,7,2024-05-01 10:00\n"))
    one, other = service.read(tmp_path / "events.parquet"), service.read(tmp_path / "events.csv.gz")
    assert one.events.equals(other.events)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("user,thing,at", "it?.*has the columns user, thing, at; expected are `user_id` and `item_id`"),
        ("user_id,item_id,value", "needs a column `at` or `timestamp` or `position`; it has user_id, item_id, value"),
    ],
)
def test_a_missing_column_is_named(tmp_path: Path, header: str, message: str) -> None:
    with pytest.raises(ColumnError, match=message):
        _read(tmp_path, f"{header}\na,b,c\n")


def test_files_that_cannot_be_read_say_why(tmp_path: Path) -> None:
    (tmp_path / "events.xlsx").write_bytes(b"x")
    (tmp_path / "events.parquet").write_bytes(b"x")
    (tmp_path / "empty.csv").write_bytes(b"")
    for name, reason in (("no.csv", "not a file"), ("events.xlsx", "neither"), ("events.parquet", "cannot be read")):
        with pytest.raises(FileError, match=reason):
            service.read(tmp_path / name)
    with pytest.raises(FileError, match="is empty"):
        service.read(tmp_path / "empty.csv")


_TEXT = st.one_of(st.none(), st.text(max_size=6), st.sampled_from(["1", "-1", "1e400", "nan", "x" * 300, "a\x00b"]))
_ROW = {
    name: _TEXT for name in ("user_id", "session_id", "item_id", "value", "quantity", "query", "event_id", "surface")
} | {
    "kind": st.sampled_from([None, "view", "purchase", "search", "stare"]),
    "at": st.sampled_from(["2024-05-01", "2024-02-30", "1714557600", "9" * 30, None, "2024-05-01T25:00"]),
}


@settings(max_examples=100, deadline=None)
@given(st.lists(st.fixed_dictionaries(_ROW), max_size=20))
def test_whatever_comes_is_counted_and_what_is_kept_satisfies_the_contract(lines: list[dict[str, str | None]]) -> None:
    frame = pl.DataFrame(lines, schema=dict.fromkeys(_ROW, pl.String)).with_row_index(LINE, offset=2)
    frame = frame.with_columns(pl.when(pl.col(pl.String) != "").then(pl.col(pl.String)).name.keep())
    reading = events.read(frame, Path("events.csv"))
    assert reading.events.height + sum(reason.lines for reason in reading.rejected) == len(lines)
    rows = [
        {name: value for name, value in row.items() if value is not None and name not in ("shopper", "context")}
        | {"user_id": row["shopper"]}
        for row in reading.events.rows(named=True)
    ]
    assert [bad for bad in parsing.parse_events(rows).bad if not bad.error.startswith("Expected `str` of length")] == []
