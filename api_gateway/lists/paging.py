"""Which part of a list is asked for."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec


class Paging(msgspec.Struct, frozen=True):
    """Which part of a list is asked for."""

    limit: int
    cursor: str | None
    category: str | None
    exclude: Sequence[str]
