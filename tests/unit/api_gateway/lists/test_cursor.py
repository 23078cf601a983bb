"""Cursors come back as they were packed, stay short, and nothing else is taken for one."""

from __future__ import annotations

import base64
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from api_gateway.http.errors import Invalid
from api_gateway.lists import cursor, fallback
from api_gateway.lists.cursor import Rest
from storage.recommend.shelves import Reason

AT = datetime(2026, 3, 1, 12, 0, 0, 123457, tzinfo=UTC)
REASONS = [Reason("view", 7), Reason("purchase", 2**40), Reason("view", 300_000), Reason("click", 7), Reason("view", 9)]
PARTS: dict[str, Any] = {
    "version": cursor.VERSION,
    "of": cursor.crc32(b"list"),
    "steps": [1, 1, 1],
    "scores": b"\0" * 12,
    "runs": [(0, 3)],
    "model_version": None,
    "generated_at": 0,
    "through": None,
    "category": None,
}
"""The parts of a cursor of before there were reasons."""


def rest(count: int, **changes: Any) -> Rest:
    chosen = random.Random(count)
    made = Rest(
        item_nos=chosen.sample(range(1, 1_000_000), count),
        scores=[None if place % 7 == 0 else 1.0 / 2 ** (place % 20) for place in range(count)],
        sources=sorted(chosen.choices(fallback.SOURCES, k=count)),
        reasons=[None if place % 3 == 1 else REASONS[place % len(REASONS)] for place in range(count)],
        model_version="m-2026-03-01",
        generated_at=AT,
        through=AT - timedelta(days=3),
        category="shoes",
    )
    return msgspec.structs.replace(made, **changes)


def sealed(parts: dict[str, Any]) -> str:
    body = msgspec.msgpack.encode(list(parts.values()))
    return base64.urlsafe_b64encode(body + cursor._checksum(body)).decode()


@pytest.mark.parametrize("count", [1, 2, 100, 200])
def test_a_cursor_holds_the_rest_of_the_list(count: int) -> None:
    packed = cursor.pack(rest(count), "list")
    assert packed is not None
    assert cursor.unpack(packed, "list") == rest(count)


def test_what_is_not_known_stays_unknown() -> None:
    unknown = rest(3, model_version=None, through=None, category=None)
    assert cursor.unpack(cursor.pack(unknown, "") or "", "") == unknown


def test_the_longest_list_of_a_large_catalogue_fits_a_url() -> None:
    packed = cursor.pack(rest(200, item_nos=[2**40 - 7919 * n for n in range(200)]), "list")
    assert packed is not None
    assert len(packed) < 2_500
    assert packed.isascii()
    assert not set(packed) & set("+/= &?#")


def test_reasons_stay_with_their_items_and_cost_little() -> None:
    whole = rest(200, reasons=[REASONS[place % 5] if place < 20 else None for place in range(200)])
    packed = cursor.pack(whole, "list") or ""
    assert len(packed) - len(cursor.pack(rest(200, reasons=[None] * 200), "list") or "") < 100
    later = cursor.unpack(cursor.pack(cursor.unpack(packed, "list").after(18), "list") or "", "list")
    assert later.reasons == [REASONS[3], REASONS[4], *[None] * 180]
    every = [Reason("purchase", 2**40 + place) for place in range(200)]
    assert cursor.unpack(cursor.pack(rest(200, reasons=every), "list") or "", "list").reasons == every


def test_a_cursor_of_before_there_were_reasons_is_read() -> None:
    read = cursor.unpack(sealed(PARTS), "list")
    assert (read.item_nos, read.reasons) == ([1, 2, 3], [None] * 3)


def test_an_empty_rest_has_no_cursor() -> None:
    assert cursor.pack(rest(0), "list") is None


def test_a_cursor_of_another_list_is_refused() -> None:
    packed = cursor.pack(rest(5), "home\0ann") or ""
    with pytest.raises(Invalid, match="another list"):
        cursor.unpack(packed, "home\0bob")


def test_every_changed_or_cut_cursor_is_refused() -> None:
    packed = cursor.pack(rest(30), "list") or ""
    raw = base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4))
    for place in range(len(raw)):
        changed = bytearray(raw)
        changed[place] ^= 0x10
        with pytest.raises(Invalid):
            cursor.unpack(base64.urlsafe_b64encode(changed).decode(), "list")
    for length in range(len(packed)):
        with pytest.raises(Invalid):
            cursor.unpack(packed[:length], "list")


@pytest.mark.parametrize(
    "forged",
    [
        {"steps": []},
        {"steps": [1, 0, 0]},
        {"steps": [5, -9, 1]},
        {"steps": [2**63, 1, 1]},
        {"steps": [1, "2", 3]},
        {"steps": list(range(1, 500))},
        {"scores": b"\0" * 11},
        {"runs": [(0, 2)]},
        {"runs": [(99, 3)]},
        {"runs": [(0, -1), (0, 4)]},
        {"runs": []},
        {"version": 2},
        {"generated_at": 2**62},
        {"through": "then"},
        {"model_version": 7},
        {"reasons": [("view", [1])], "reason_of": b"\0\2"},
        {"reasons": [("view", [1])], "reason_of": b"\1\1\1\1"},
        {"reasons": [("stare", [1])], "reason_of": b"\1"},
        {"reasons": [("view", [0])], "reason_of": b"\1"},
        {"reasons": [("view", [2**63])], "reason_of": b"\1"},
        {"reasons": [("view", ["1"])], "reason_of": b"\1"},
        {"reasons": [], "reason_of": b"", "more": 1},
    ],
)
def test_a_forged_cursor_with_a_right_checksum_is_refused(forged: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as caught:
        cursor.unpack(sealed(PARTS | forged), "list")
    assert caught.value.detail.field == "cursor"
