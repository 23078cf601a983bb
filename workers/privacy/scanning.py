"""The scanner: look for a person's id everywhere, in the database, in Redis and in the files of the home folder.

It knows nothing of what is stored where, so that it also finds what the erasure forgot. The files of PostgreSQL and
Redis themselves are left out: what was deleted stays in them for a while (docs/explanation/privacy.md).
"""

from __future__ import annotations

import base64
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from storage.fraud import orders
from storage.privacy import scanning
from workers.privacy import mentions

_SERVERS = ("postgres", "redis")
_CHUNK_BYTES = 2**20
_OVERLAP_BYTES = 4_096
_LEAST_PACKED = 6
"""Fewer characters of base64 are found everywhere by chance."""
_WORD = "[0-9A-Za-z_-]"


@dataclass(frozen=True)
class Needle:
    """What is looked for: the texts of which a hit has at least one, and the pattern of a hit."""

    texts: list[str]
    pattern: re.Pattern[bytes]

    def is_in(self, value: str | bytes) -> bool:
        """Return whether a value has a hit."""
        return self.pattern.search(value.encode("utf-8", "replace") if isinstance(value, str) else value) is not None


def needle(user_id: str) -> Needle:
    """Return what to look for: the id as a whole word, escaped, in base64 (bodies of messages), and as a digest."""
    words, pieces = [], []
    for form in mentions.forms(user_id):
        words += [form, json.dumps(form)[1:-1], str(orders.digest(form))]
        pieces += list(_packed(form.encode()))
    words, pieces = list(dict.fromkeys(words)), list(dict.fromkeys(pieces))
    exact = "|".join(re.escape(word) for word in words)
    patterns = [f"(?<!{_WORD})(?:{exact})(?!{_WORD})", *map(re.escape, pieces)]
    return Needle([*words, *pieces], re.compile("|".join(patterns).encode()))


def scan(user_id: str, *, engine: Engine | None = None, redis: Any = None, home: Path | None = None) -> dict[str, int]:
    """Return the places of the id, with the number of rows, values or chunks that have it."""
    wanted, found = needle(user_id), Counter[str]()
    if engine is not None:
        with engine.connect() as connection:
            found.update(scanning.scan(connection, wanted.texts, wanted.is_in))
    if redis is not None:
        found.update(_in_redis(redis, wanted))
    if home is not None:
        found.update(_in_files(home, wanted))
    return dict(found)


def _packed(word: bytes) -> Iterator[str]:
    """Yield what base64 makes of a word, wherever it begins, without what depends on its neighbours."""
    for before in range(3):
        first, last = (0, 2, 3)[before], (len(word) + before) // 3 * 4
        piece = base64.b64encode(b"\0" * before + word)[first:last].decode()
        if len(piece) >= _LEAST_PACKED:
            yield piece


def _in_redis(redis: Any, wanted: Needle) -> Counter[str]:
    found: Counter[str] = Counter()
    for key in redis.scan_iter(count=1_000):
        count = int(wanted.is_in(key)) + sum(map(wanted.is_in, _values(redis, key)))
        if count:
            found[f"redis:{key.decode(errors='replace')}"] = count
    return found


def _values(redis: Any, key: bytes) -> Iterator[bytes]:
    """Yield all values of a key, whatever its type."""
    kind = redis.type(key).decode()
    if kind == "string":
        yield redis.get(key) or b""
    elif kind == "list":
        yield from redis.lrange(key, 0, -1)
    elif kind == "set":
        yield from redis.sscan_iter(key)
    elif kind == "zset":
        yield from (member for member, _ in redis.zscan_iter(key))
    elif kind == "hash":
        for field, value in redis.hscan_iter(key):
            yield from (field, value)
    elif kind == "stream":
        yield from (part for _, entry in redis.xrange(key) for pair in entry.items() for part in pair)


def _in_files(home: Path, wanted: Needle) -> Counter[str]:
    found: Counter[str] = Counter()
    for path in sorted(home.rglob("*")):
        inner = path.relative_to(home)
        if inner.parts[0] in _SERVERS or path.is_symlink() or not path.is_file():
            continue
        count = int(wanted.is_in(inner.as_posix())) + sum(map(wanted.is_in, _chunks(path)))
        if count:
            found[inner.as_posix()] = count
    return found


def _chunks(path: Path) -> Iterator[bytes]:
    kept = b""
    with path.open("rb") as file:
        while more := file.read(_CHUNK_BYTES):
            yield kept + more
            kept = more[-_OVERLAP_BYTES:]


def places(found: dict[str, int]) -> list[dict[str, Any]]:
    """Return what was found as JSON objects."""
    return [{"place": place, "count": count} for place, count in sorted(found.items())]
