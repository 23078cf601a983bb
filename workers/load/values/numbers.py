"""Numbers as the world writes them, and their currency.

Digits of any script, full-width ones, spaces (also no-break and narrow ones) and apostrophes between thousands, a
decimal point or comma, a currency before or behind. Whether a comma or a point is the decimal mark is decided for a
whole column, by those of its values that show it: `12,50` and `1.299,00` do, `1,299` does not. Where the column shows
nothing, a comma stands between thousands and a point before decimals, and the report says so; where it shows both,
values that can be read in two ways are left out. Values that show it are always read as they stand.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

import polars as pl

from workers.load.values import currencies

# Of ASCII digits alone: to polars, \d is a digit of any script, which cannot be cast.
_PLAIN = r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_PLAIN_OPEN = r"^[+-]?[1-9][0-9]{0,2}\.[0-9]{3}$"
"""Plain numbers that may also be thousands: `1.299`."""
_OTHER = {".": ",", ",": "."}
_WITH_POINT = r"\."
_BODY = re.compile(
    r"""(?P<before>[^\d.,+-]*?\.?)\s*(?P<sign>[+-]?)\s*(?P<currency>[^\d.,+\s-]*\.?)\s*
        (?P<number>(?:\d|[.,](?=\d))[\d.,'_ ]*?)(?:[eE](?P<power>[+-]?\d{1,3}))?(?:[.,]-+)?
        \s*(?P<minus>-?)\s*(?P<after>[^\d,+-]*)""",
    re.VERBOSE,
)
_GROUPS = r"\d{1,3}(?:%s\d{3})+|\d{1,2}(?:%s\d{2})*%s\d{3}"
_MARKS = str.maketrans({"−": "-", "﹣": "-", "’": "'", "‘": "'", "ʼ": "'", "`": "'", "´": "'", "٬": "'"})
_ARABIC_DECIMAL = "٫"
_LONGEST = 60


class Number(NamedTuple):
    """A value, and the decimal mark that it shows; `other` is what it is if its one mark is the other kind."""

    value: float
    shows: str | None = None
    mark: str | None = None
    other: float | None = None
    currency: str | None = None


class Column(NamedTuple):
    """The numbers of a column, null where there is none; `open` is where a number can be read in two ways."""

    values: pl.Series
    currency: pl.Series
    open: pl.Series
    notes: tuple[str, ...]


def read(texts: pl.Series, *, is_decimal_comma: bool | None = None, is_money: bool = False) -> Column:
    """Return a column of texts as numbers. A currency is taken where it is money, and else makes a text no number."""
    is_plain = texts.str.contains(_PLAIN).fill_null(False)
    others = {text: number for text in texts.filter(~is_plain).unique().drop_nulls() if (number := parse(text))}
    if not is_money:
        others = {text: number for text, number in others.items() if number.currency is None}
    is_open = texts.str.contains(_PLAIN_OPEN).fill_null(False)
    marks = {number.shows for number in others.values() if number.shows}
    if texts.filter(is_plain & ~is_open).str.contains(_WITH_POINT).any():
        marks.add(".")
    undecided = {number.mark for number in others.values() if number.mark} | ({"."} if is_open.any() else set())
    decimal = _decimal(marks, undecided, is_decimal_comma)
    either = _undecided(texts, is_open, others)
    is_unread = either & (decimal is None)
    values = _values(texts, is_plain, is_open, others, decimal)
    values = pl.select(pl.when(values.is_finite() & ~is_unread).then(values)).to_series().rename(texts.name)
    codes = {text: number.currency for text, number in others.items() if number.currency}
    currency = texts.replace_strict(list(codes), list(codes.values()), default=None, return_dtype=pl.String)
    is_assumed = not marks and is_decimal_comma is None
    return Column(values, currency, is_unread, _notes(texts, either, decimal) if is_assumed else ())


def parse(text: str) -> Number | None:
    """Return the number that a text is, None where it is none."""
    if len(text) > _LONGEST:
        return None
    body = _ascii(text)
    is_negative = body.startswith("(") and body.endswith(")")
    found = _BODY.fullmatch(body[1:-1].strip() if is_negative else body)
    if found is None:
        return None
    around = [part for part in found.group("before", "currency", "after") if part.strip()]
    currency = currencies.named(around[0]) if around else None
    if len(around) > 1 or (around and currency is None):
        return None
    is_sure = _ARABIC_DECIMAL in text or found["power"] is not None
    number = _number(
        found["number"].strip(), is_decimal=is_sure, is_group=currency not in (None, *currencies.WITH_MILLS)
    )
    if number is None:
        return None
    sign = -1 if is_negative or "-" in (found["sign"], found["minus"]) else 1
    value = float(f"{sign * number.value!r}e{found['power'] or 0}")
    return number._replace(value=value, other=None if number.other is None else sign * number.other, currency=currency)


def _number(text: str, *, is_decimal: bool, is_group: bool) -> Number | None:
    """Return the number without sign and currency; a mark before three digits is as said where something says it."""
    spaces = {char for char in text if char in " '_"}
    if not spaces:
        return _by_marks(text, is_decimal=is_decimal, is_group=is_group)
    space = spaces.pop()
    if spaces or not re.fullmatch(rf"\d{{1,3}}(?:{space}\d{{3}})+(?:[.,]\d*)?", text):
        return None
    found = _by_marks(text.replace(space, ""), is_decimal=True, is_group=False)
    shown = next((mark for mark in _OTHER if mark in text and not is_decimal), None)
    return None if found is None else found._replace(shows=shown)


def _by_marks(text: str, *, is_decimal: bool, is_group: bool) -> Number | None:
    points, commas = text.count("."), text.count(",")
    if points and commas:
        return _both(text, *((",", ".") if text.rfind(".") > text.rfind(",") else (".", ",")))
    mark = "." if points else ","
    if points + commas > 1:
        return _grouped(text, mark)
    head, _, tail = text.partition(mark)
    as_decimal = float(f"{head or '0'}.{tail or '0'}")
    if is_decimal or len(tail) != 3 or re.fullmatch(r"[1-9]\d{0,2}", head) is None:
        return Number(as_decimal, mark if tail and not is_decimal else None)
    if is_group:
        return Number(float(head + tail), _OTHER[mark])
    return Number(float(head + tail), None, mark, as_decimal)


def _both(text: str, group: str, decimal: str) -> Number | None:
    head, _, tail = text.partition(decimal)
    if decimal in tail or group in tail or not _is_grouped(head, group):
        return None
    return Number(float(f"{head.replace(group, '')}.{tail or '0'}"), decimal)


def _grouped(text: str, group: str) -> Number | None:
    return Number(float(text.replace(group, "")), _OTHER[group]) if _is_grouped(text, group) else None


def _is_grouped(text: str, group: str) -> bool:
    """Return whether digits stand in threes, or as in India in twos before the last three."""
    mark = re.escape(group)
    return re.fullmatch(_GROUPS % (mark, mark, mark), text) is not None


def _ascii(text: str) -> str:
    """Return the text with digits of any script as ASCII ones, and one kind of space, dash and apostrophe."""
    if not text.isascii():
        text = text.translate(_MARKS)
        if _ARABIC_DECIMAL in text:
            text = text.replace(",", "").replace(_ARABIC_DECIMAL, ".").replace("'", "")
        text = unicodedata.normalize("NFKC", text).translate(_MARKS)
        text = "".join(str(unicodedata.decimal(char)) if char.isdecimal() else char for char in text)
        text = "".join(char for char in text if unicodedata.category(char) != "Cf")
    return " ".join(text.split())


def _decimal(marks: set[str], undecided: set[str], is_decimal_comma: bool | None) -> str | None:
    """Return the decimal mark of a column, None where its values speak for both."""
    if is_decimal_comma is not None:
        return "," if is_decimal_comma else "."
    if len(marks) == 1:
        return next(iter(marks))
    return None if marks or len(undecided) > 1 else "."


def _values(
    texts: pl.Series, is_plain: pl.Series, is_open: pl.Series, others: dict[str, Number], decimal: str | None
) -> pl.Series:
    """Return the values; of those that can be read in two ways, as the decimal mark says."""
    frame = pl.DataFrame({"text": texts, "plain": is_plain, "thousands": is_open & (decimal == ",")})
    numbers = [
        number.other if number.other is not None and number.mark == decimal else number.value
        for number in others.values()
    ]
    text = pl.col("text")
    whole = pl.when("thousands").then(text.str.replace(".", "", literal=True)).otherwise(text)
    plain = pl.when("plain").then(whole.cast(pl.Float64, strict=False))
    rest = text.replace_strict(list(others), numbers, default=None, return_dtype=pl.Float64)
    return frame.select(pl.coalesce(plain, rest) if others else plain).to_series()


def _undecided(texts: pl.Series, is_open: pl.Series, others: dict[str, Number]) -> pl.Series:
    """Return where a number can be read in two ways."""
    either = [text for text, number in others.items() if number.mark is not None]
    return is_open | texts.is_in(either).fill_null(False)


def _notes(texts: pl.Series, undecided: pl.Series, decimal: str | None) -> tuple[str, ...]:
    shown = texts.filter(undecided)
    if decimal is None or shown.is_empty():
        return ()
    how = "a decimal point" if "." in shown[0] else "a comma between thousands"
    return (
        f"{texts.name}: {shown[0]} and the like ({shown.len():,} lines) were read with {how}, for no value of the "
        "column shows which it is; --decimal-comma says otherwise",
    )
