"""A plain catalogue file: one line an item, one column a field.

Columns: `item_id` and `title`; and, as far as there are any, `text` (or `description`), `category`, `brand`, `price`,
`currency`, `stock`, `image_url`, `tags`, `attributes` and `at`. `tags` are separated by `|`. `attributes` are a JSON
object, or `name=value` separated by `|`; parts without a name become tags. `at` says when the shop set the line;
without it, a file speaks for the time at which it was last written.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from reshelf import catalogue, parsing
from reshelf.parsing import Rejection
from workers import rows
from workers.load import fields, files
from workers.load.files import LINE
from workers.load.reading import Reading, Rejected, no_events

FORMAT = "items"

_ALIASES = {"description": "text", "image": "image_url", "announced_at": "at", "timestamp": "at"}
_PLAIN = ("item_id", "title", "text", "category", "brand", "currency", "image_url")
_COLUMNS = (*_PLAIN, "price", "stock", "tags", "attributes", "at")
_REPEATED = "repeated item_id, a later line counts"


def recognises(columns: list[str]) -> bool:
    """Return whether a file with these columns is one."""
    return {"item_id", "title"} <= set(columns)


def read(frame: pl.DataFrame, path: Path, *, now: datetime | None = None) -> Reading:
    """Return the file's lines as catalogue changes; of the lines about one item, the last good one counts."""
    files.require(frame, path, "a catalogue", ["item_id"], ["title"])
    frame = frame.rename({old: new for old, new in _ALIASES.items() if old in frame and new not in frame})
    used = [name for name in _COLUMNS if name in frame.columns]
    timed = frame.with_columns(at_time=fields.time("at")) if "at" in used else frame
    written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    messages = [_message(line, used, written) for line in timed.iter_rows(named=True)]
    parsed = parsing.parse_changes(messages, now=now)
    lines = frame[LINE].to_list()
    bad = [(_reason(rejection), lines[rejection.index]) for rejection in parsed.bad]
    refused = {rejection.index for rejection in parsed.bad}
    good = [line for index, line in enumerate(lines) if index not in refused]
    last = {change.item_id: place for place, change in enumerate(parsed.good)}
    kept = set(last.values())
    repeated = [(_REPEATED, line) for place, line in enumerate(good) if place not in kept]
    changes = tuple(rows.change_row(parsed.good[place]) for place in sorted(kept))
    ignored = [name for name in frame.columns if name not in (*used, LINE)]
    notes = (f"columns not used: {', '.join(ignored)}",) if ignored else ()
    return Reading(path, FORMAT, frame.height, _counted([*bad, *repeated]), no_events(), changes, notes)


def upsert(item_id: str, at: datetime, **given: Any) -> dict[str, Any]:
    """Return an announcement as a row of the catalogue door; its id names its content, so it is taken once."""
    return rows.change_row(catalogue.Upsert(change_id=_change_id(item_id, at, given), item_id=item_id, at=at, **given))


def _message(line: dict[str, Any], used: Iterable[str], written: datetime) -> dict[str, Any]:
    """Return a line as an upsert message, for the contract to judge."""
    given: dict[str, Any] = {name: line[name] for name in used if name != "at" and line[name] is not None}
    for name in ("price", "stock"):
        if name in given:
            given[name] = _number(given[name])
    if "attributes" in given:
        attributes, tags = _attributes(given.pop("attributes"))
        given |= {"attributes": attributes} if attributes else {}
        given |= {"tags": tags} if tags and "tags" not in given else {}
    if isinstance(given.get("tags"), str):
        given["tags"] = _parts(given["tags"])
    unreadable = line.get("at") is not None and line["at_time"] is None
    at = line["at"] if unreadable else line.get("at_time") or written
    change_id = _change_id(str(line["item_id"]), at, given)
    return {"kind": "upsert", "change_id": change_id, "at": at} | given


def _change_id(item_id: str, at: object, given: dict[str, Any]) -> str:
    content = json.dumps([item_id, at, given], sort_keys=True, default=str)
    return f"load:{hashlib.blake2b(content.encode('utf-8', 'replace'), digest_size=16).hexdigest()}"


def _number(text: str) -> float | int | str:
    """Return the number, or the text itself for the contract to refuse."""
    try:
        value = float(text)
    except ValueError:
        return text
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def _attributes(text: str) -> tuple[dict[str, Any], list[str]]:
    if text.startswith("{"):
        try:
            decoded: dict[str, Any] = msgspec.json.decode(text, type=dict[str, Any])
        except msgspec.DecodeError:
            return {}, _parts(text)
        return {name: value if isinstance(value, str) else str(value) for name, value in decoded.items()}, []
    pairs = [part.partition("=") for part in _parts(text)]
    named = {name.strip(): value.strip() for name, equals, value in pairs if equals and name.strip()}
    return named, [name for name, equals, _ in pairs if not equals]


def _parts(text: str) -> list[str]:
    return list(dict.fromkeys(part.strip() for part in text.split("|") if part.strip()))


def _reason(rejection: Rejection) -> str:
    field = rejection.field.partition("[")[0]
    missing = rejection.error.startswith("Object missing required field")
    return f"no {field}" if missing else f"bad {field}"


def _counted(refused: list[tuple[str, int]]) -> tuple[Rejected, ...]:
    counts = Counter(reason for reason, _ in refused)
    return tuple(
        Rejected(reason, count, min(line for other, line in refused if other == reason))
        for reason, count in counts.most_common()
    )
