"""Overload: a minute above the highest rate, and the drain: what was lost, memory growth, and the age of shelves."""

from __future__ import annotations

import threading
import time
from typing import Any

import psutil
from sqlalchemy import Connection, create_engine, text

from benchmarks import progress
from benchmarks.serving.freshness.run import Run
from storage import engine

_SECONDS = 60.0
_LONGEST_DRAIN = 300.0

_WRITTEN = text("SELECT count(*) FROM events WHERE event_id LIKE 'live-%'")
_OLDEST = text("""
SELECT coalesce(extract(epoch FROM now() - min(since)), 0) FROM due
WHERE kind = 'shopper' AND NOT later AND since <= now()
""")
_DUE = text("SELECT count(*) FROM due WHERE kind = 'shopper' AND NOT later")


def measured(run: Run, *, rate: int) -> dict[str, Any]:
    """Return the results of a minute at `rate` messages per second, and of the time until no shopper was due."""
    run.installation.wait_until_idle()
    progress.say(f"{rate} messages/s for {_SECONDS:.0f} s, and the drain")
    database = create_engine(engine.url_for(str(run.settings.database_url), "psycopg"), isolation_level="AUTOCOMMIT")
    oldest: list[float] = []
    end = threading.Event()

    def watch() -> None:
        with database.connect() as connection:
            while not end.wait(1.0):
                oldest.append(float(connection.execute(_OLDEST).scalar_one()))

    watching = threading.Thread(target=watch, daemon=True)
    with database.connect() as connection:
        before, memory = _written(connection), _memory()
        watching.start()
        with run.traffic(rate) as traffic:
            time.sleep(_SECONDS)
        peak, sent, start = _memory(), traffic.sent, time.monotonic()
        while time.monotonic() - start < _LONGEST_DRAIN and not _is_drained(connection, before + sent):
            time.sleep(0.5)
        drained = time.monotonic() - start
        written = _written(connection) - before
    end.set()
    watching.join(5)
    database.dispose()
    return {
        "rate": rate,
        "rate_sent": round(sent / _SECONDS, 1),
        "sent": sent,
        "written": written,
        "drain_seconds": round(drained, 1),
        "oldest_due_shopper_seconds": round(max(oldest, default=0.0), 1),
        "memory_mib": {"before": memory, "at_the_end": peak, "after_the_drain": _memory()},
    }


def _is_drained(connection: Connection, expected: int) -> bool:
    return _written(connection) >= expected and connection.execute(_DUE).scalar_one() == 0


def _written(connection: Connection) -> int:
    return int(connection.execute(_WRITTEN).scalar_one())


def _memory() -> int:
    """Return the memory that only the installation's processes hold, in MiB (unique set size)."""
    total = 0
    for process in psutil.process_iter(["cmdline", "name"]):
        line = " ".join(process.info["cmdline"] or ())
        if "workers.cli" in line or "billiard.spawn" in line or (process.info["name"] or "").startswith("redis-server"):
            try:
                total += process.memory_full_info().uss
            except psutil.NoSuchProcess:
                continue
    return total // 2**20
