"""Times in the forms of the world, and columns that decide whether the day or the month comes first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.load.values import times
from workers.load.values.times import Column

MOMENT = datetime(2024, 3, 9, 14, 5, 30, tzinfo=UTC)
DAY = datetime(2024, 3, 9, tzinfo=UTC)
MINUTE = datetime(2024, 3, 9, 14, 5, tzinfo=UTC)


def _column(*texts: str | None, is_day_first: bool | None = None) -> Column:
    return times.read(pl.Series("at", texts, pl.String), is_day_first=is_day_first)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-03-09", DAY), ("2024-03-09T14:05:30Z", MOMENT), ("2024-03-09 16:05:30 +0200", MOMENT),
        ("2024-03-09T14:05", MINUTE), ("2024-03-09T14", MINUTE - timedelta(minutes=5)), ("20240309", DAY),
        ("20240309140530", MOMENT), ("202403091405", MINUTE), ("20240309T140530Z", MOMENT), ("1709993130", MOMENT),
        ("1709993130000", MOMENT), ("1709993130000000", MOMENT), ("1709993130000000000", MOMENT),
        ("1.70999313E9", MOMENT), ("45360", DAY), ("45360.586805555555", MINUTE), ("2024/3/9 14:05:30", MOMENT),
        ("2024.03.09 14.05.30", MOMENT), ("2024年3月9日", DAY), ("2024年03月09日 14时05分30秒", MOMENT),
        ("2024年3月9日 下午2:05", MINUTE), ("2024년 3월 9일", DAY), ("2024. 3. 9.", DAY), ("9 March 2024", DAY),
        ("Mar 9, 2024", DAY), ("March 9th, 2024 2:05 PM", MINUTE), ("9-Mar-2024", DAY), ("09.03.2024 14:05", MINUTE),
        ("Sat, 09 Mar 2024 14:05:30 GMT", MOMENT), ("Sat Mar 09 14:05:30 UTC 2024", MOMENT),
        ("Sat Mar 09 16:05:30 +0200 2024", MOMENT), ("2024-03-09T15:05:30+01:00[Europe/Berlin]", MOMENT),
        ("2024-W10-6", DAY), ("2024-03-08T24:00:00Z", DAY), ("２０２４-０３-０９", DAY), ("٢٠٢٤-٠٣-٠٩", DAY),
        ("2024-03-09 14:05:30,000", MOMENT), ("30/03/2024", DAY + timedelta(days=21)),
        ("03/30/2024", DAY + timedelta(days=21)), ("03/03/2024", DAY - timedelta(days=6)),
    ],
)  # fmt: skip
def test_a_time_is_read_as_it_is_written(text: str, moment: datetime) -> None:
    assert _column(text).values.to_list() == [moment]


@pytest.mark.parametrize(
    "text", ["soon", "2024", "2024-03", "9/3/24", "2024-02-30", "30/30/2024", "14:05", "1e400", "9 mars"]
)
def test_what_is_no_time_is_none_or_far_away(text: str) -> None:
    value = _column(text).values[0]
    assert value is None or value.year == 1970


def test_a_column_decides_what_comes_first() -> None:
    assert _column("05/06/2024", "30/03/2024").values.to_list()[0] == datetime(2024, 6, 5, tzinfo=UTC)
    assert _column("05/06/2024", "03/30/2024").values.to_list()[0] == datetime(2024, 5, 6, tzinfo=UTC)
    assert "05/06/2024 and the like were read with the day first" in _column("05/06/2024", "30/03/2024").notes[0]


def test_a_date_that_can_be_read_in_two_ways_is_left_open() -> None:
    for others in ((), ("30/03/2024", "03/30/2024"), ("2024-01-01",)):
        found = _column("05/06/2024", *others)
        assert (found.values[0], found.open[0], any(found.open[1:])) == (None, True, False)
    assert _column("05/06/2024", is_day_first=True).values[0] == datetime(2024, 6, 5, tzinfo=UTC)
    assert _column("05/06/2024", is_day_first=False).values[0] == datetime(2024, 5, 6, tzinfo=UTC)
    assert _column("05.06.2024").values[0] == datetime(2024, 6, 5, tzinfo=UTC)


_FORMS = (
    "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M:%S", "%d.%m.%Y %H:%M:%S", "%d %B %Y %H:%M:%S",
    "%b %d, %Y %I:%M:%S %p", "%a, %d %b %Y %H:%M:%S +0000", "%Y年%m月%d日 %H时%M分%S秒", "%Y%m%d%H%M%S", "%s",
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(_FORMS), st.integers(946_771_200, 1_780_272_000))
def test_any_time_comes_back_from_any_form(form: str, second: int) -> None:
    whole = datetime.fromtimestamp(second, UTC)
    text = str(second) if form == "%s" else whole.strftime(form)
    assert _column(text).values.to_list() == [whole]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(st.sampled_from("0123456789-/.: TZ+年月日apm"), max_size=20), max_size=5))
def test_whatever_stands_there_is_a_time_or_none(texts: list[str]) -> None:
    found = _column(*texts)
    assert found.values.len() == len(texts)
    assert not (found.open & found.values.is_not_null()).any()
