"""`python -m benchmarks.freshness`: progress on stderr, one JSON object as the last line of stdout."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy import create_engine, text

from benchmarks import figures, installation, machine
from benchmarks.freshness import probes, shop
from benchmarks.freshness.probes import Found, Probes
from benchmarks.freshness.traffic import Traffic
from storage import engine
from workers.settings import Settings

_TARGET_MS = 1000.0


def main() -> None:
    """Measure and print."""
    options = _options()
    with installation.running() as settings:
        result = _measure(options, settings)
    figures.tell(result, options.out)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.freshness", description=__doc__)
    parser.add_argument("--users", type=int, default=5_000)
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--rate", type=int, default=200, help="single-event messages a second")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--steps", type=int, nargs="*", default=[300, 400, 600, 800, 1000], help="rates tried after")
    parser.add_argument("--step-seconds", type=float, default=15)
    parser.add_argument("--out", help="file to keep the result in")
    return parser.parse_args()


def _measure(options: argparse.Namespace, settings: Settings) -> dict[str, Any]:
    broker = str(settings.broker_url)
    installation.say(f"sending {options.items} items and the history of {options.users} users")
    report = shop.seed(broker, users=options.users, items=options.items, per_user=20)
    installation.wait_until_idle()
    installation.reshelf("train", "--minutes", "0.5")
    installation.wait_until_idle()
    compiled = installation.compilations(settings)
    installation.say(f"{options.rate} messages/s for {options.seconds:.0f} s")
    found, sent, seconds = _run(options, settings, options.rate, options.seconds, everything=True)
    main = _summary(found, settings)
    steps = _climb(options, settings, main)
    return {
        "benchmark": "freshness",
        **machine.describe("cpu"),
        "users": options.users,
        "items": options.items,
        "seeded": report.delivered,
        "rate": options.rate,
        "rate_sent": round(sent / seconds, 1),
        **main,
        "highest_rate": max((step["rate"] for step in steps if step["holds"]), default=0),
        "steps": steps,
        "compilations_after_warm_up": installation.compilations(settings),
        "compilations_before": compiled,
    }


def _run(
    options: argparse.Namespace, settings: Settings, rate: int, seconds: float, *, everything: bool
) -> tuple[Found, int, float]:
    """Run traffic and probes for `seconds`; return what the probes saw, messages sent, and the time it took."""
    probing = Probes(str(settings.broker_url), settings.gateway_port, items=options.items, users=options.users // 2)
    traffic = Traffic(
        str(settings.broker_url),
        rate=rate,
        users=options.users,
        items=options.items,
        first_user=options.users // 2,
    )
    start = time.monotonic()
    with traffic:
        time.sleep(1)
        probing.start(probes.event_probe, every=0.4, threads=4)
        if everything:
            probing.start(probes.new_item_probe, every=1.0)
            probing.start(probes.deletion_probe, every=2.0)
        time.sleep(seconds)
        elapsed = time.monotonic() - start
        sent = traffic.sent
        found = probing.stop()
    return found, sent, elapsed


def _climb(options: argparse.Namespace, settings: Settings, main: dict[str, Any]) -> list[dict[str, Any]]:
    """Raise the rate until p99 passes a second."""
    steps = [{"rate": options.rate, **_step(main)}]
    for rate in options.steps:
        if not steps[-1]["holds"]:
            break
        installation.wait_until_idle()
        installation.say(f"{rate} messages/s")
        found, sent, seconds = _run(options, settings, rate, options.step_seconds, everything=False)
        steps.append({"rate": rate, "rate_sent": round(sent / seconds, 1), **_step(_summary(found, settings))})
    return steps


def _step(summary: dict[str, Any]) -> dict[str, Any]:
    p99 = summary["event_to_visible_p99_ms"]
    return {"p50_ms": summary["event_to_visible_p50_ms"], "p99_ms": p99, "holds": p99 <= _TARGET_MS}


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
    """Split the way of the probed events: queue and intake, waiting and ranking, the poll that saw it."""
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


if __name__ == "__main__":
    main()
