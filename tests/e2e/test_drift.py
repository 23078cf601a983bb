"""Drift through the real workers: measured by one, exported by another, so that no restart loses it."""

from __future__ import annotations

from pathlib import Path

from reshelf import client, tasks
from tests.support import stack as stacks
from tests.support import waiting
from tests.support.stack import Stack


def _gauge(stack: Stack, name: str) -> float | None:
    """Return a metric of the worker that takes events in."""
    return stack.installation.metric(name, of="intake")


def test_an_alert_outlives_the_worker_that_measured(tmp_path: Path, database_url: str, broker_url: str) -> None:
    settings = stacks.settings_for(tmp_path, database_url, broker_url)
    with stacks.running(settings, "intake", "train", "beat") as stack:
        events = [
            {"event_id": f"e{n}", "kind": "click", "user_id": f"past-{n % 40}", "item_id": f"new-{n % 7}",
             "at": f"2026-02-03T12:{n:02}:00Z"}
            for n in range(60)
        ]  # fmt: skip
        stack.send(tasks.EVENTS, events)
        arrived = "SELECT count(*) FROM events WHERE item_id LIKE 'new-%'"
        waiting.wait_until(lambda: stack.query(arrived) == [(60,)], what="events are taken in")
        waiting.wait_until(lambda: _gauge(stack, "reshelf_drift_alert") == 0, what="the gauge is there")
        sender = client.sender(broker_url)
        sender.send_task(tasks.DRIFT, queue=tasks.TRAIN_QUEUE)
        sender.close()
        kept = "SELECT alert FROM drift_measurements"
        waiting.wait_until(lambda: bool(stack.query(kept)), what="drift is measured")
        assert stack.query(kept) == [("100% of the events are on items that it was not trained on",)]
        log = stack.installation.log("train")
        waiting.wait_until(lambda: "drift of recommend-" in log.read_text(), what="the alert is logged")
        stack.kill("train")
        waiting.wait_until(lambda: _gauge(stack, "reshelf_drift_alert") == 1, what="the gauge is set")
        assert _gauge(stack, "reshelf_drift_unknown_items_ratio") == 1
