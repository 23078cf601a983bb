"""Times as the world writes them, in UTC.

ISO 8601 in all its forms, with an offset or without one (then it is UTC); `20230501`, also with hours, minutes and
seconds; seconds, milliseconds, microseconds and nanoseconds since 1970; the day numbers of spreadsheets (45047.5);
year, month and day in this order between dashes, slashes, points or 年月日; names of months in English; 12 hours with
am and pm. What a number means is told by its size: of the times that are plausible, no two are the same number.

In `05/06/2026` the day or the month comes first, and the values of a column decide that where one of them can only be
read one way. Between points the day comes first. Where nothing decides, such a time is left out by name.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, timedelta, timezone
from typing import NamedTuple

import polars as pl

from reshelf import clock

UTC_TIME = pl.Datetime("us", "UTC")

# Of ASCII digits alone: to polars, \d is a digit of any script, which cannot be cast.
_NUMBER = r"^[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$"
_SHEET_START = datetime(1899, 12, 30, tzinfo=UTC)
_SHEET_DAYS = (36_000, 73_000)
"""The years 1998 to 2099, in days of a spreadsheet."""
_DAY = 86_400
_LONGEST = 60

_MONTHS = {
    name: number
    for number, names in enumerate(
        ("jan january", "feb february", "mar march", "apr april", "may", "jun june", "jul july", "aug august",
         "sep sept september", "oct october", "nov november", "dec december"), 1,
    )
    for name in names.split()
}  # fmt: skip
_CLOCK = (
    r"(?:[ ,t]*(?:at )?(?P<early>[ap]\.?m\.?)? ?(?P<hour>\d{1,2})(?: ?[:.h] ?(?P<minute>\d{2})"
    r"(?: ?[:.] ?(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?)? ?(?P<half>[ap]\.?m\.?)?)?"
    r" ?(?P<zone>z|(?:utc|gmt)?(?:[+-]\d{1,2}(?::?\d{2})?)?)(?: ?\[[a-z_/+-]+\]| ?\([a-z /+-]+\))?"
)
_YEAR_FIRST = re.compile(rf"(?P<year>\d{{4}}) ?[-/.] ?(?P<month>\d{{1,2}}) ?[-/.] ?(?P<day>\d{{1,2}})\.?{_CLOCK}")
_YEAR_LAST = re.compile(rf"(?P<a>\d{{1,2}}) ?(?P<mark>[-/.]) ?(?P<b>\d{{1,2}}) ?(?P=mark) ?(?P<year>\d{{4}}){_CLOCK}")
_NAME = "|".join(sorted(_MONTHS, key=len, reverse=True))
_DAY_NAME = re.compile(
    rf"(?P<day>\d{{1,2}})(?:st|nd|rd|th)?[ .-]+(?:of )?(?P<name>{_NAME})\.?[ ,-]+(?P<year>\d{{4}}){_CLOCK}"
)
_NAME_DAY = re.compile(rf"(?P<name>{_NAME})\.? (?P<day>\d{{1,2}})(?:st|nd|rd|th)?,? (?P<year>\d{{4}}){_CLOCK}")
_UNIX = re.compile(
    rf"(?P<name>{_NAME}) (?P<day>\d{{1,2}}) (?P<hour>\d{{2}}):(?P<minute>\d{{2}}):(?P<second>\d{{2}}) "
    r"(?P<zone>(?:z|utc|gmt)?(?:[+-]\d{4})?) ?(?P<year>\d{4})"
)
_FORMS = (_YEAR_FIRST, _DAY_NAME, _NAME_DAY, _UNIX)
_WEEKDAY = re.compile(r"^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,? ")
_CJK = ((r" ?[年년] ?", "-"), (r" ?[月월] ?", "-"), (r" ?[日号號일],? ?", " "), (r" ?[時时點点시] ?", ":"),
        (r"(\d) ?[分분] ?(?=\d)", r"\1:"), (r"(\d) ?[秒초]", r"\1"), (r":(\d{1,2}) ?[分분]", r":\1"),
        (r"上午|午前|오전", " am "), (r"下午|午後|오후", " pm "), (r":(?=$| ?[ap]m)", ":00"))  # fmt: skip


class Column(NamedTuple):
    """The times of a column, null where there is none; `open` is where the day or the month may come first."""

    values: pl.Series
    open: pl.Series
    notes: tuple[str, ...] = ()


class _Open(NamedTuple):
    """A date of which the first number or the second is the day."""

    first: int
    second: int
    mark: str
    as_day_first: datetime | None
    as_month_first: datetime | None


def read(texts: pl.Series, *, is_day_first: bool | None = None) -> Column:
    """Return a column of texts as UTC times."""
    values = _at_once(texts)
    rest = texts.filter(values.is_null() & texts.is_not_null()).unique().to_list()
    if not rest:
        return Column(values, values.is_null() & False)
    cleaned = [_cleaned(text) for text in rest]
    found: dict[str, datetime | _Open | None] = dict(zip(rest, _at_once(pl.Series(cleaned)).to_list(), strict=True))
    found |= {text: parse(plain) for text, plain in zip(rest, cleaned, strict=True) if found[text] is None}
    dates = {text: one for text, one in found.items() if isinstance(one, _Open)}
    shown = {one.first > 12 for one in dates.values() if (one.first > 12) != (one.second > 12)}
    told = {text: _told(one, is_day_first, shown) if isinstance(one, _Open) else one for text, one in found.items()}
    times = texts.replace_strict(rest, pl.Series([told[text] for text in rest], dtype=UTC_TIME), default=None)
    is_open = texts.is_in([text for text, one in dates.items() if told[text] is None and _may_be_both(one)])
    return Column(
        pl.select(pl.coalesce(values, times)).to_series().rename(texts.name),
        is_open.fill_null(False),
        _notes(texts.name, dates, told) if is_day_first is None else (),
    )


def parse(text: str) -> datetime | _Open | None:
    """Return the time that a cleaned text is, both readings of a date that has two, or None."""
    if len(text) > _LONGEST:
        return None
    for form in _FORMS:
        if found := form.fullmatch(text):
            given = found.groupdict()
            month = _MONTHS[given["name"]] if given.get("name") else int(given["month"])
            return _time(given, int(given["year"]), month, int(given["day"]))
    if found := _YEAR_LAST.fullmatch(text):
        given, year, a, b = found.groupdict(), int(found["year"]), int(found["a"]), int(found["b"])
        return _Open(a, b, found["mark"], _time(given, year, b, a), _time(given, year, a, b))
    try:
        moment = datetime.fromisoformat(text.upper())  # week dates
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _at_once(texts: pl.Series) -> pl.Series:
    """Return the frequent forms, for all values at once: ISO 8601 to the minute or finer, and numbers."""
    text = pl.col("text")
    written = (
        text.str.replace(r"^(\d{4}-\d{2}-\d{2})[ T]?", "${1}T")
        .str.replace(r"T$", "T00:00")
        .str.replace(r" ?(Z|z|UTC)$", "+00:00")
        .str.replace(r"^([^T]+T\d{2}:\d{2})($|[+-])", "${1}:00${2}")
        .str.replace(r"([+-]\d{2})$", "${1}:00")
        .str.replace(r"^([^T]+T[^+-]+)$", "${1}+00:00")
    )
    iso = written.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%z", time_unit="us", strict=False).cast(UTC_TIME)
    frame = pl.DataFrame({"text": texts.cast(pl.String)})
    found = frame.select(iso).to_series()
    if (found.is_null() & texts.str.contains(_NUMBER)).any():
        found = frame.select(pl.coalesce(iso, _numeric(text))).to_series()
    return found.rename(texts.name)


def _numeric(text: pl.Expr) -> pl.Expr:
    value = pl.when(text.str.contains(_NUMBER)).then(text.cast(pl.Float64, strict=False))
    size = value.abs()
    scale = pl.when(size < 1e11).then(1e6).when(size < 1e14).then(1e3).when(size < 1e17).then(1.0).otherwise(1e-3)
    epoch = (value * scale).round().cast(pl.Int64, strict=False).cast(UTC_TIME)
    # To a thousandth of a second: a fraction of a day has no more in it.
    days = ((value * _DAY * 1e3).round() * 1e3).cast(pl.Int64, strict=False).cast(pl.Duration("us"))
    day = text.str.to_datetime("%Y%m%d", time_unit="us", strict=False)
    minute = (text + "00").str.to_datetime("%Y%m%d%H%M%S", time_unit="us", strict=False)
    second = text.str.to_datetime("%Y%m%d%H%M%S", time_unit="us", strict=False)
    length = pl.when(text.str.contains(r"^[0-9]+$")).then(text.str.len_bytes())
    calendar = pl.when(length == 8).then(day).when(length == 12).then(minute).when(length == 14).then(second)
    is_plausible = epoch.is_between(pl.lit(clock.EARLIEST), pl.lit(clock.EARLIEST + timedelta(days=36_525)))
    return (
        pl.when(is_plausible & (length.is_null() | (length != 14)))
        .then(epoch)
        .when(value.is_between(*_SHEET_DAYS))
        .then(pl.lit(_SHEET_START).cast(UTC_TIME) + days)
        .otherwise(pl.coalesce(calendar.dt.replace_time_zone("UTC"), epoch))
    )


def _cleaned(text: str) -> str:
    """Return a text in small letters, with ASCII digits, single spaces, no weekday, and signs instead of 年月日."""
    if len(text) > _LONGEST:
        return ""
    plain = unicodedata.normalize("NFKC", text) if not text.isascii() else text
    if not plain.isascii():
        plain = "".join(str(unicodedata.decimal(char)) if char.isdecimal() else char for char in plain)
        for pattern, instead in _CJK:
            plain = re.sub(pattern, instead, plain)
    return _WEEKDAY.sub("", " ".join(plain.lower().replace("−", "-").split()))


def _time(given: dict[str, str | None], year: int, month: int, day: int) -> datetime | None:
    half = (given.get("half") or given.get("early") or "")[:1]
    hour, minute, second = (int(given.get(part) or 0) for part in ("hour", "minute", "second"))
    if half and not 1 <= hour <= 12:
        return None
    hour = hour % 12 + (12 if half == "p" else 0) if half else hour
    is_midnight = hour == 24 and not minute and not second
    fraction = int((given.get("fraction") or "")[:6].ljust(6, "0"))
    try:
        local = datetime(year, month, day, 0 if is_midnight else hour, minute, second, fraction, _zone(given["zone"]))
        return (local + timedelta(days=is_midnight)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _zone(text: str | None) -> timezone:
    digits = re.sub(r"[^\d]", "", text or "")
    if not digits:
        return UTC
    hours, minutes = (int(digits), 0) if len(digits) <= 2 else (int(digits[:-2]), int(digits[-2:]))
    return timezone((-1 if "-" in str(text) else 1) * timedelta(hours=hours, minutes=minutes))


def _told(one: _Open, is_day_first: bool | None, shown: set[bool]) -> datetime | None:
    """Return the time of a date by its own numbers, what was asked, or what others of the column show."""
    if one.first > 12 or one.first == one.second:
        return one.as_day_first
    if one.second > 12:
        return one.as_month_first
    if is_day_first is None and len(shown) == 1:
        is_day_first = next(iter(shown))
    if is_day_first is None:
        return one.as_day_first if one.mark == "." and not shown else None
    return one.as_day_first if is_day_first else one.as_month_first


def _may_be_both(one: _Open) -> bool:
    return one.as_day_first is not None and one.as_month_first is not None


def _notes(name: str, dates: dict[str, _Open], told: dict[str, datetime | None]) -> tuple[str, ...]:
    both = [
        text for text, one in dates.items() if told[text] is not None and _may_be_both(one) and one.first != one.second
    ]
    if not both:
        return ()
    first = "day" if told[both[0]] == dates[both[0]].as_day_first else "month"
    why = next((text for text, one in dates.items() if (one.first > 12) != (one.second > 12)), None)
    reason = f"for {why} stands in the column" if why else "as usual between points"
    return (f"{name}: {min(both)} and the like were read with the {first} first, {reason}",)
