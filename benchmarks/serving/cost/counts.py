"""What the servers and the workers count themselves: bytes of log and tables, pushes, shelves, encodings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families
from psycopg import Connection
from redis import Redis

_BYTES = "SELECT pg_current_wal_lsn() - '0/0'::pg_lsn, pg_total_relation_size(to_regclass('rankings'))"


@dataclass(frozen=True)
class Counts:
    """Readings since the start: bytes of write-ahead log, pushes to Redis lists, shoppers ranked, encodings.

    `rankings_bytes` is the current size of the table with its indexes. None: this revision does not count it.
    """

    wal_bytes: int
    rankings_bytes: int | None
    pushes: int
    shoppers: int
    encodings: int | None


def read(database: Connection[Any], redis: Redis, ports: Iterable[int]) -> Counts:
    """Return the current counts, summed over the processes that serve metrics on one of `ports`."""
    row = database.execute(_BYTES).fetchone()
    assert row is not None
    samples = list(_samples(ports))
    encodings = [value for name, _, value in samples if name == "reshelf_encodings_total"]
    return Counts(
        wal_bytes=int(row[0]),
        rankings_bytes=None if row[1] is None else int(row[1]),
        pushes=_pushes(redis),
        shoppers=int(
            sum(
                value
                for name, labels, value in samples
                if name == "reshelf_refreshed_total" and labels.get("kind") == "shopper"
            )
        ),
        encodings=int(sum(encodings)) if encodings else None,
    )


def _pushes(redis: Redis) -> int:
    """Return how many elements were pushed to lists; each sent message is one."""
    stats: dict[str, Any] = redis.info("commandstats")
    return sum(int(stats.get(f"cmdstat_{command}", {}).get("calls", 0)) for command in ("lpush", "rpush"))


def _samples(ports: Iterable[int]) -> Iterator[tuple[str, dict[str, str], float]]:
    with httpx.Client(timeout=5, trust_env=False) as client:
        for port in ports:
            try:
                told = client.get(f"http://127.0.0.1:{port}/metrics").raise_for_status().text
            except httpx.HTTPError:
                continue  # not every port is some worker's
            for family in text_string_to_metric_families(told):
                for sample in family.samples:
                    yield sample.name, sample.labels, sample.value
