"""Cursors: the rest of a list as it was on its first page, so that pages never repeat or reorder items.

A cursor is the base64url of a MessagePack array and a checksum of it. It is stateless, and as private as the answer
that it came with: it holds item numbers of the public catalogue, and the events that moved those items. The checksum
detects damage in transit; the structure is checked as well.
"""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from itertools import accumulate, groupby
from math import isnan, nan
from struct import Struct as Layout
from zlib import crc32

import msgspec

from api_gateway.http.errors import Invalid
from api_gateway.lists import fallback
from reshelf import events
from storage.recommend import shelves
from storage.recommend.shelves import Reason

VERSION = 1

_CHECKSUM_BYTES = 6
_LONGEST = 8_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Rest(msgspec.Struct, frozen=True):
    """The rest of a list, best first, and the fields of its first page."""

    item_nos: list[int]
    scores: list[float | None]
    sources: list[str]
    reasons: list[Reason | None]
    model_version: str | None
    generated_at: datetime
    through: datetime | None
    category: str | None = None

    def after(self, count: int) -> Rest:
        """Return the rest after the first `count` items."""
        return msgspec.structs.replace(
            self,
            item_nos=self.item_nos[count:],
            scores=self.scores[count:],
            sources=self.sources[count:],
            reasons=self.reasons[count:],
        )


class _Packed(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    version: int
    of: int
    steps: list[int]
    scores: bytes
    runs: list[tuple[int, int]]
    model_version: str | None
    generated_at: int
    through: int | None
    category: str | None
    # Few events move many items: each event is stored once, by kind, and each position has its number, from 1.
    # Positions without a reason have 0, and those at the end are left out. Cursors from before there were reasons
    # end here.
    reasons: list[tuple[str, list[int]]] = []
    reason_of: bytes = b""


def pack(rest: Rest, of: str) -> str | None:
    """Return the cursor of the rest of the list named `of`, or None if nothing is left."""
    if not rest.item_nos:
        return None
    count = len(rest.item_nos)
    reasons = sorted({reason for reason in rest.reasons if reason is not None})
    numbers = {reason: number for number, reason in enumerate(reasons, start=1)}
    packed = _Packed(
        version=VERSION,
        of=crc32(of.encode()),
        # MessagePack writes small numbers shorter, and differences are often smaller than the numbers.
        steps=[now - before for before, now in zip([0, *rest.item_nos[:-1]], rest.item_nos, strict=True)],
        scores=_floats(count).pack(*[nan if score is None else score for score in rest.scores]),
        runs=[(fallback.SOURCES.index(source), len(list(run))) for source, run in groupby(rest.sources)],
        model_version=rest.model_version,
        generated_at=_microseconds(rest.generated_at),
        through=None if rest.through is None else _microseconds(rest.through),
        category=rest.category,
        reasons=[(kind, [one.item_no for one in same]) for kind, same in groupby(reasons, key=lambda one: one.kind)],
        reason_of=bytes(0 if one is None else numbers[one] for one in rest.reasons).rstrip(b"\0"),
    )
    body = msgspec.msgpack.encode(packed)
    return base64.urlsafe_b64encode(body + _checksum(body)).rstrip(b"=").decode()


def unpack(cursor: str, of: str) -> Rest:
    """Return the rest of the list named `of`. Raises `Invalid`, naming `cursor`, for anything but its cursor."""
    try:
        packed = _decode(cursor)
        if packed.of != crc32(of.encode()):
            raise ValueError("it belongs to another list")
        return _rest(packed)
    except (ValueError, OverflowError, msgspec.MsgspecError, binascii.Error) as error:
        raise Invalid(
            f"this is not a cursor of this list: {error}",
            field="cursor",
            fix="send the `next_cursor` of the page before, unchanged, to the same path; or ask for page one again",
        ) from error


def _decode(cursor: str) -> _Packed:
    if len(cursor) > _LONGEST:
        raise ValueError("it is too long")
    raw = base64.b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    body, checksum = raw[:-_CHECKSUM_BYTES], raw[-_CHECKSUM_BYTES:]
    if checksum != _checksum(body):
        raise ValueError("it was changed or cut")
    packed = msgspec.msgpack.decode(body, type=_Packed)
    if packed.version != VERSION:
        raise ValueError("it is of another version")
    return packed


def _rest(packed: _Packed) -> Rest:
    count = len(packed.steps)
    item_nos = list(accumulate(packed.steps))
    sizes = [size for _, size in packed.runs]
    if not 0 < count <= shelves.DEPTH or min(item_nos) < 1 or max(item_nos) >= 2**63 or len(set(item_nos)) < count:
        raise ValueError("its items are none")
    if len(packed.scores) != _floats(count).size or min(sizes, default=0) < 1 or sum(sizes) != count:
        raise ValueError("its parts differ in length")
    if not all(0 <= source < len(fallback.SOURCES) for source, _ in packed.runs):
        raise ValueError("it has an unknown source")
    return Rest(
        item_nos=item_nos,
        scores=[None if isnan(score) else score for score in _floats(count).unpack(packed.scores)],
        sources=[fallback.SOURCES[source] for source, size in packed.runs for _ in range(size)],
        reasons=_reasons(packed, count),
        model_version=packed.model_version,
        generated_at=_time(packed.generated_at),
        through=None if packed.through is None else _time(packed.through),
        category=packed.category,
    )


def _reasons(packed: _Packed, count: int) -> list[Reason | None]:
    held = [Reason(kind, item_no) for kind, item_nos in packed.reasons for item_no in item_nos]
    if len(packed.reason_of) > count or max(packed.reason_of, default=0) > len(held):
        raise ValueError("its reasons belong to nothing")
    if not all(reason.kind in events.KINDS and 0 < reason.item_no < 2**63 for reason in held):
        raise ValueError("it has an unknown reason")
    numbered = [None, *held]
    return [numbered[number] for number in packed.reason_of.ljust(count, b"\0")]


def _floats(count: int) -> Layout:
    return Layout(f"<{count}f")


def _checksum(body: bytes) -> bytes:
    return blake2b(body, digest_size=_CHECKSUM_BYTES, person=b"reshelf-cursor").digest()


def _microseconds(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)


def _time(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)
