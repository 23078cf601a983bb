"""How many bytes of bodies may be read at a time: a decoded batch takes twenty times the memory of its bytes.

Small bodies pass at once. Large ones wait for their turn, first come, first served, and are refused (503 with
Retry-After) when too many wait already, or it takes too long: the sender tries again.
"""

from __future__ import annotations

from typing import Any

from api_gateway.http import bodies
from api_gateway.http.turns import Turns

SMALL_BYTES = 64 * 1024
TOTAL_BYTES = 2 * bodies.MOST_BYTES
MOST_WAITING = 64

# JSON packs to about a tenth.
_PACKED = 20
_WITH_BODY = ("POST", "PUT", "PATCH")


def weight(scope: Any) -> int:
    """Return the bytes that a request's body may have when it is unpacked; 0 for a small one."""
    if scope["method"] not in _WITH_BODY:
        return 0
    headers = dict(scope["headers"])
    length = headers.get(b"content-length", b"")
    size = int(length) if length.isdigit() else bodies.MOST_BYTES
    if b"content-encoding" in headers:
        size *= _PACKED
    return 0 if size <= SMALL_BYTES else min(size, bodies.MOST_BYTES)


def turns() -> Turns:
    """Return the bytes that may be read at a time, by those who wait for them."""
    return Turns(
        TOTAL_BYTES,
        most_waiting=MOST_WAITING,
        crowded="too many large bodies wait to be read",
        slow="large bodies take too long to be read",
    )
