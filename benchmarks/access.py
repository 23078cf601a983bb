"""The API key of the benchmarks, which is set for every gateway that they start, also for one of another revision."""

from __future__ import annotations

import os

KEY = "benchmark"
HEADERS = {"Authorization": f"Bearer {KEY}"}
LINE = f"Authorization: Bearer {KEY}\r\n"
"""The header as it is sent."""


def environ() -> dict[str, str]:
    """Return this process's environment with the key."""
    return {**os.environ, "RESHELF_API_KEYS": KEY}
