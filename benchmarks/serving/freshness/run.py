"""One run: traffic and probes for some time, what the probes saw, and how busy the machine was."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from typing import Any

import psutil
from sqlalchemy import create_engine, text

from benchmarks import figures, progress
from benchmarks.serving.freshness import probes
from benchmarks.serving.freshness.probes import Found, Probes
from benchmarks.serving.freshness.traffic import Traffic
from storage import engine
from workers.settings import Settings
from workers.supervisor.installation import Installation


class Run:
    """Runs on one installation, each with its own probed users."""

    def __init__(self, options: argparse.Namespace, installation: Installation) -> None:
        self.options = options
        self.installation = installation
        self.settings = installation.settings

    def traffic(self, rate: int, *, size: int = 1) -> Traffic:
        """Return traffic of `rate` events per second, which leaves the first half of the users to the probes."""
        options = self.options
        return Traffic(
            str(self.settings.broker_url),
            rate=rate,
            users=options.users,
            items=options.items,
            first_user=options.users // 2,
            size=size,
        )

    def at(self, rate: int, seconds: float, *, size: int = 1, everything: bool = False) -> dict[str, Any]:
        """Return what the probes saw at `rate` events per second."""
        progress.say(f"{rate} events/s in messages of {size} for {seconds:.0f} s")
        options = self.options
        probing = Probes(
            str(self.settings.broker_url), self.settings.gateway_port, items=options.items, users=options.users // 2
        )
        with self.traffic(rate, size=size) as traffic:
            time.sleep(1)
            start, sent = time.monotonic(), traffic.sent
            idle_before = psutil.cpu_times()
            probing.start(probes.event_probe, every=0.4, threads=4)
            if everything:
                probing.start(probes.new_item_probe, every=1.0)
                probing.start(probes.deletion_probe, every=2.0)
            time.sleep(seconds)
            rate_sent = (traffic.sent - sent) / (time.monotonic() - start)
            busy = _busy(idle_before, psutil.cpu_times())
            found = probing.stop()
        seen = {"rate_sent": round(rate_sent, 1), "busy_percent": busy, **_summary(found, self.settings)}
        progress.say(json.dumps(seen))
        return seen


def _busy(before: Any, after: Any) -> float:
    """Return how busy all cores together were between two readings, in percent."""
    spent = {name: getattr(after, name) - getattr(before, name) for name in before._fields if "guest" not in name}
    rests = spent["idle"] + spent.get("iowait", 0.0)
    return round(100 * (1 - rests / sum(spent.values())), 1)


def _summary(found: Found, settings: Settings) -> dict[str, Any]:
    visible = [event["visible"] for event in found.events]
    return {
        "event_to_visible_p50_ms": _percentile(visible, 50),
        "event_to_visible_p99_ms": _percentile(visible, 99),
        "events_probed": len(visible),
        "new_item_p50_ms": _percentile(found.new_similar + found.new_recommended, 50),
        "new_item_p99_ms": _percentile(found.new_similar + found.new_recommended, 99),
        "new_items_probed": len(found.new_similar),
        "deletions": found.deletions,
        "deleted_but_shown": found.deleted_but_shown,
        "stages_p50_ms": _stages(found, settings),
    }


def _stages(found: Found, settings: Settings) -> dict[str, float | None]:
    """Split the time of the probed events: queue and intake, waiting and ranking, the poll that saw it."""
    received = _received(settings)
    seen = [event for event in found.events if event["visible"] is not None and event["user"] in received]
    arrived = [received[int(event["user"])] - event["at"] for event in seen]
    ranked = [event["ranked"] - came for event, came in zip(seen, arrived, strict=True)]
    shown = [event["visible"] - event["ranked"] for event in seen]
    return {
        "enqueue_to_intake": _percentile(arrived, 50),
        "intake_to_ranked": _percentile(ranked, 50),
        "ranked_to_seen": _percentile(shown, 50),
    }


def _received(settings: Settings) -> dict[int, float]:
    query = "SELECT shopper, extract(epoch FROM max(received_at)) AS at FROM events"
    database = create_engine(engine.url_for(str(settings.database_url), "psycopg"))
    with database.connect() as connection:
        rows = connection.execute(text(f"{query} WHERE event_id LIKE 'probe-%' GROUP BY shopper")).all()
    database.dispose()
    return {int(row.shopper.removeprefix("user-")): float(row.at) for row in rows}


def _percentile(values: Sequence[float | None], percent: float) -> float | None:
    """Return the percentile in ms; what was never seen counts as infinitely late, and shows as ten s."""
    return figures.percentile([10.0 if value is None else value for value in values], percent)
