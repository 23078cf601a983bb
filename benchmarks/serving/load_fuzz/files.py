"""Files of items and of events with some damaged lines, and what each undamaged line says."""

from __future__ import annotations

import random
from pathlib import Path
from typing import NamedTuple

from benchmarks.serving.load_fuzz.forms import Dialect, Encoding

DAMAGED = 0.03
_ITEMS = ("item_id", "title", "text", "price", "internal_note")
_EVENTS = ("user_id", "item_id", "kind", "at", "value", "query", "internal_note")
_NASTY = ("", "NULL", "n/a", "soon", "-1", "1e400", "\x00", "{", "12,50 €", "2024-02-30", "01/02/2024", '"', "'", "\\N")


class Made(NamedTuple):
    """A file that was written: its lines below the header, how many were damaged, and the intact ones by their id."""

    path: Path
    written: int
    damaged: int
    intact: dict[str, tuple[str, ...]]
    has_breaks: bool
    """Whether fields hold line breaks: then a record is more than a line."""


def make(folder: Path, encoding: Encoding, dialect: Dialect, lines: int, rng: random.Random) -> Made:
    """Write a file of `lines` records, every second one of events; a few lines are damaged, some by bytes."""
    is_events, has_breaks = rng.random() < 0.5, rng.random() < 0.3
    # Python 3.11 puts no quotes around an LF where lines end with CR.
    breaks = [] if not has_breaks else ["\r"] if dialect.ends == ("\r",) else ["\n", "\r\n"]
    header = _EVENTS if is_events else _ITEMS
    intact: dict[str, tuple[str, ...]] = {}
    pieces = [encoding.mark, dialect.line(header, 0).encode(encoding.codec)]
    for number in range(1, lines + 1):
        fields = (_event if is_events else _item)(encoding, breaks, rng)
        if rng.random() < DAMAGED:
            pieces.append(_damaged(fields, number, encoding, dialect, rng))
        else:
            pieces.append(dialect.line(fields, number).encode(encoding.codec))
            intact[fields[0]] = tuple(fields)
    path = folder / f"{'events' if is_events else 'items'}.csv"
    path.write_bytes(b"".join(pieces))
    return Made(path, lines, lines - len(intact), intact, has_breaks)


def _item(encoding: Encoding, breaks: list[str], rng: random.Random) -> list[str]:
    return [
        _id(rng),
        _words(encoding, rng, 4),
        _text(encoding, rng, breaks),
        f"{rng.randrange(10, 99_999) / 100:.2f}",
        _words(encoding, rng, 2),
    ]


def _event(encoding: Encoding, breaks: list[str], rng: random.Random) -> list[str]:
    day, hour, minute = rng.randrange(1, 29), rng.randrange(24), rng.randrange(60)
    return [
        _id(rng),
        f"i-{rng.randrange(1000)}",
        rng.choice(("view", "click", "purchase", "search")),
        f"2024-{rng.randrange(1, 13):02}-{day:02}T{hour:02}:{minute:02}:00Z",
        f"{rng.randrange(10, 99_999) / 100:.2f}",
        _text(encoding, rng, breaks) or "x",
        _words(encoding, rng, 2),
    ]


def _id(rng: random.Random) -> str:
    """Return an id that no damage makes of another."""
    return f"{rng.getrandbits(48):012x}"


def _words(encoding: Encoding, rng: random.Random, most: int) -> str:
    return " ".join(rng.choices(encoding.words, k=rng.randrange(1, most + 1)))


def _text(encoding: Encoding, rng: random.Random, breaks: list[str]) -> str:
    """Return words between which stands what a dialect may trip over."""
    between = [", ", "; ", " | ", ' "', "' ", "\t", " / ", *breaks]
    return "".join(rng.choice(encoding.words) + rng.choice(between) for _ in range(rng.randrange(3))).strip()


def _damaged(fields: list[str], number: int, encoding: Encoding, dialect: Dialect, rng: random.Random) -> bytes:
    kind = rng.randrange(8)
    if kind == 0:
        fields[rng.randrange(len(fields))] = rng.choice(_NASTY)
    line = dialect.line(fields, number)
    body = line.rstrip("\r\n")
    end = line[len(body) :].encode(encoding.codec)
    place = rng.randrange(len(body))
    if kind == 1:
        body = (
            body[:place] + rng.choice(("\x00", "\ufffd" if encoding.codec.startswith("utf") else "\x1a")) + body[place:]
        )
    elif kind == 2:
        body = body[:place] + dialect.quote + body[place:]
    elif kind == 3:
        body = body[:place] + dialect.separator + body[place:]
    elif kind == 4:
        body = body[:place]
    raw = body.encode(encoding.codec, "replace")
    return (_broken(raw, encoding, rng) if kind > 4 and raw else raw) + end


def _broken(raw: bytes, encoding: Encoding, rng: random.Random) -> bytes:
    """Return bytes of which some are changed, lost or added; of UTF-16 two at a time, for all after one are lost."""
    unit = 2 if encoding.codec.startswith("utf-16") else 1
    place = rng.randrange(0, len(raw), unit)
    # No line ends: inside quotes they would be none, and the lines could not be counted by them.
    random_bytes = rng.randbytes(unit * rng.randrange(1, 4)).replace(b"\r", b"!").replace(b"\n", b"!")
    kind = rng.randrange(3)
    if kind == 0:
        return raw[:place] + random_bytes[:unit] + raw[place + unit :]
    return raw[:place] + raw[place + unit :] if kind == 1 else raw[:place] + random_bytes + raw[place:]
