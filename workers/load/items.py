"""Read a plain catalogue file: one line per item, one column per field.

Columns: `item_id`; and, as far as there are any, `title`, `text`, `category`, `brand`, `price`, `currency`, `stock` (or
`availability`), `image_url`, `tags`, `attributes`, `cost`, `competitor_price`, `promotion` (yes or no) and `at`, under
these names or those of a product feed. An item without a title is called by its id. `tags` are separated by `|`, or a
JSON list. `attributes` are a JSON object, or `name=value` separated by `|`; parts without a name become tags. `at` says
when the shop set the line; without it, a file speaks for the time at which it was last written.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from reshelf import catalogue, clock, parsing
from reshelf.parsing import Rejection
from workers import rows
from workers.load import attributes, columns, fields, options, reading
from workers.load.columns import Accepted
from workers.load.files import LINE, Source
from workers.load.options import Options
from workers.load.reading import Reading, Tally, no_events
from workers.load.tabular.records import Bad
from workers.load.values import currencies, nulls, numbers, times

FORMAT = "items"
ACCEPTED: Accepted = {
    "item_id": ("item_id", "product_id", "id", "sku"),
    "title": ("title", "product_title", "name", "product_name"),
    "text": ("text", "description", "body"),
    "category": ("category", "product_type", "google_product_category"),
    "brand": ("brand", "vendor", "manufacturer"),
    "price": ("price",),
    "currency": ("currency", "currency_code"),
    "cost": ("cost", "cost_of_goods_sold", "cost_price"),
    "competitor_price": ("competitor_price",),
    "promotion": ("promotion", "on_promotion"),
    "stock": ("stock", "inventory", "stock_quantity"),
    "availability": ("availability",),
    "image_url": ("image_url", "image", "image_link"),
    "tags": ("tags",),
    "attributes": ("attributes",),
    "at": ("at", "announced_at", "updated_at", "timestamp"),
}

_OPTIONAL_TEXTS = (
    "item_id",
    "text",
    "category",
    "brand",
    "currency",
    "availability",
    "image_url",
    "tags",
    "attributes",
    "promotion",
)
_DESCRIBED = ("title", "category", "brand", "price")
_MONEY = ("price", "cost", "competitor_price")
_NUMBERS = (*_MONEY, "stock", "at")
_SOLD_OUT = ("out of stock", "sold out", "discontinued", "unavailable", "no", "false", "0")
_YES, _NO = ("true", "yes", "y", "1"), ("false", "no", "n", "0")
_REPEATED = "repeated item_id, a later line counts"
_DISAGREE = "price and currency name two currencies"


def recognises(header: Sequence[str]) -> bool:
    """Return whether a file with these columns is one."""
    known = columns.known(header, ACCEPTED)
    return "item_id" in known and bool(known - {"item_id", "at"})


def accepted(source: Source) -> Accepted:
    """Return the columns to read. Raises `ColumnError` where one is missing."""
    source.require("a catalogue", ACCEPTED, ["item_id"])
    return ACCEPTED


def read(frame: pl.DataFrame, path: Path, *, now: datetime | None = None, said: Options = options.NONE) -> Reading:
    """Return the file's lines as catalogue changes; of the lines about one item, the last good one counts."""
    used = [name for name in ACCEPTED if name in frame.columns]
    cleared = nulls.cleared(frame, _OPTIONAL_TEXTS, _NUMBERS)
    typed, notes = _typed(_titled(cleared), said)
    sound, odd = reading.judge(typed, _rules(now), frame)
    written = _last_written(path, now)
    messages = [_message(line, {*used, "title"}, written) for line in sound.iter_rows(named=True)]
    parsed = parsing.parse_changes(messages, now=now)
    refused = {rejection.index: _reason(rejection) for rejection in parsed.bad}
    good = [index for index in range(sound.height) if index not in refused]
    last = {change.item_id: place for place, change in enumerate(parsed.good)}
    kept = set(last.values())
    refused |= {index: _REPEATED for place, index in enumerate(good) if place not in kept}
    changes = tuple(rows.change_row(parsed.good[place]) for place in sorted(kept))
    rejected = (*odd, *_tallied(sound, refused, used).rejected())
    return Reading(path, FORMAT, frame.height, rejected, no_events(), changes, (*_missing(cleared), *notes))


def upsert(item_id: str, at: datetime, **given: Any) -> dict[str, Any]:
    """Return an upsert as a row of the catalogue door; its id is a hash of its content, so it is written only once."""
    return rows.change_row(catalogue.Upsert(change_id=_change_id(item_id, at, given), item_id=item_id, at=at, **given))


def _titled(lines: pl.DataFrame) -> pl.DataFrame:
    """Return the lines with the id as the title of those that have none."""
    title = pl.col("title") if "title" in lines else pl.lit(None, pl.String)
    return lines.with_columns(title=pl.coalesce(pl.when(title.str.strip_chars() != "").then(title), "item_id"))


def _missing(lines: pl.DataFrame) -> tuple[str, ...]:
    """Return what to say of the items that lack a title, a category, a brand or a price."""
    absent = {
        name: int((lines[name].is_null() | (lines[name].str.strip_chars() == "")).sum())
        for name in _DESCRIBED
        if name in lines
    }
    absent.setdefault("title", lines.height)
    said = [f"{name} {count:,}" for name, count in absent.items() if count]
    named = "; an item without a title is called by its id" if absent["title"] else ""
    return (f"without a value: {', '.join(said)}{named}",) if said else ()


def _typed(frame: pl.DataFrame, said: Options) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Return the lines with `*_value` beside what they say of prices, stock and times; and what was assumed."""
    absent = [pl.lit(None, pl.String).alias(name) for name in (*_NUMBERS, "currency") if name not in frame]
    lines = frame.with_columns(absent)
    price, cost, rival = (
        numbers.read(lines[name], is_decimal_comma=said.is_decimal_comma, is_money=True) for name in _MONEY
    )
    stock = numbers.read(lines["stock"], is_decimal_comma=said.is_decimal_comma)
    at = times.read(lines["at"], is_day_first=said.is_day_first)
    own = lines["currency"].str.to_uppercase()
    beside, assumed = currencies.settled(
        pl.select(pl.when(own.is_null() | ~price.currency.str.contains("^[A-Z]{3}$")).then(price.currency)).to_series(),
        has_cents=bool((price.values % 1 > 0).any()),
        asked=said.currency,
    )
    lines = lines.with_columns(
        price_value=price.values, cost_value=cost.values, competitor_price_value=rival.values,
        stock_value=stock.values, at_value=at.values, currency=pl.coalesce(own, beside),
        is_open_number=price.open | cost.open | rival.open | stock.open, is_open_time=at.open,
    )  # fmt: skip
    lines = lines.with_columns(
        disagree=_other(price.currency, own) | _other(cost.currency, lines["currency"])
        | _other(rival.currency, lines["currency"])
    )  # fmt: skip
    notes = (*price.notes, *cost.notes, *rival.notes, *stock.notes, *at.notes)
    return lines, (*notes, *(assumed if own.null_count() else ()))


def _other(beside: pl.Series, currency: pl.Series) -> pl.Series:
    """Return where a code stands beside an amount, and the line's currency is another."""
    return (currency.is_not_null() & beside.str.contains("^[A-Z]{3}$") & (currency != beside)).fill_null(value=False)


def _rules(now: datetime | None) -> dict[str, pl.Expr]:
    return {
        options.AMBIGUOUS_NUMBER: pl.col("is_open_number"),
        options.AMBIGUOUS_TIME: pl.col("is_open_time"),
        "time out of range": fields.out_of_range("at_value", now),
        _DISAGREE: pl.col("disagree"),
    }


def _last_written(path: Path, now: datetime | None) -> datetime:
    """Return when a file was written, and a plausible time for one that an archive has dated."""
    earliest, latest = clock.bounds(now)
    return min(max(datetime.fromtimestamp(path.stat().st_mtime, UTC), earliest), latest)


def _message(line: dict[str, Any], used: Iterable[str], written: datetime) -> dict[str, Any]:
    """Return a line as an upsert message, to be validated as one."""
    given: dict[str, Any] = {name: line[name] for name in used if name != "at" and line[name] is not None}
    if line["currency"] is not None:
        given["currency"] = line["currency"]
    for name in (*_MONEY, "stock"):
        if name in given and line[f"{name}_value"] is not None:
            given[name] = _number(line[f"{name}_value"])
    availability = given.pop("availability", None)
    if availability is not None and "stock" not in given and availability.lower().replace("_", " ") in _SOLD_OUT:
        given["stock"] = 0
    if (word := given.get("promotion", "").lower()) in (*_YES, *_NO):
        given["promotion"] = word in _YES
    _split(given)
    at = line["at_value"] or line["at"] or written
    change_id = _change_id(str(line["item_id"]), at, given)
    return {"kind": "upsert", "change_id": change_id, "at": at} | given


def _split(given: dict[str, Any]) -> None:
    """Put attributes and tags in place of their texts; what cannot be read stays a text, for the contract to refuse."""
    try:
        if "tags" in given:
            given["tags"] = attributes.tags(given["tags"])
        if "attributes" in given:
            named, beside = attributes.parse(given["attributes"])
            del given["attributes"]
            given |= {"attributes": named} if named else {}
            given |= {"tags": beside} if beside and "tags" not in given else {}
    except ValueError:
        return


def _change_id(item_id: str, at: object, given: dict[str, Any]) -> str:
    content = json.dumps([item_id, at, given], sort_keys=True, default=str)
    return f"load:{hashlib.blake2b(content.encode('utf-8', 'replace'), digest_size=16).hexdigest()}"


def _number(value: float) -> float | int:
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def _reason(rejection: Rejection) -> str:
    field = rejection.field.partition("[")[0]
    missing = rejection.error.startswith("Object missing required field")
    return f"no {field}" if missing else f"bad {field}"


def _tallied(lines: pl.DataFrame, refused: dict[int, str], used: Sequence[str]) -> Tally:
    tally = Tally()
    for index in sorted(refused):
        row = lines.row(index, named=True)
        tally.add([Bad(row[LINE], refused[index], reading.example({name: row[name] for name in used}))])
    return tally
