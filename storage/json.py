"""Rows as the JSON text that a set-based statement takes as its one parameter."""

from __future__ import annotations

import json
from typing import Any


def ascii_text(value: Any) -> str:
    """Return `value` as ASCII JSON, which Postgres can always hold, even with a NUL or half a surrogate pair in it."""
    return json.dumps(value, ensure_ascii=True, default=str)
