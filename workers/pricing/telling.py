"""Telling the shop's backend which prices changed: a Celery task by name, or a webhook; at least once, in order."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Engine

from reshelf import client
from storage.pricing import changes
from workers.settings import Settings

log = logging.getLogger(__name__)

TASK = "reshelf.pricing.changed"
"""The task of the shop's backend that is sent to the queue that it names."""

_SECONDS = 5.0


def tell(engine: Engine, settings: Settings) -> int:
    """Send what the shop has not been told; return how many changes. What fails is sent again the next time.

    Without a queue or a webhook nothing is sent, and what waits goes on waiting.

    A row has `change_no`, by which a receiver knows one that it has had.
    """
    if not (settings.pricing_queue or settings.pricing_webhook):
        return 0
    with engine.begin() as connection:
        rows = changes.untold(connection)
        if not rows:
            return 0
        numbers = [row.change_no for row in rows]
        try:
            _send(settings, [_message(row) for row in rows])
        except Exception as error:  # noqa: BLE001  # whatever a broker or a webhook raises: it is tried again
            log.warning("the shop is not told of %d changed prices: %s", len(rows), error)
            changes.told(connection, numbers, error=f"{type(error).__name__}: {error}"[:500])
            return 0
        changes.told(connection, numbers)
    return len(numbers)


def _send(settings: Settings, messages: Sequence[dict[str, Any]]) -> None:
    if settings.pricing_queue:
        sender = client.sender(str(settings.broker_url))
        try:
            sender.send_task(TASK, args=[list(messages)], queue=settings.pricing_queue)
        finally:
            sender.close()
    if settings.pricing_webhook:
        import httpx

        answer = httpx.post(
            settings.pricing_webhook,
            content=msgspec.json.encode({"changes": messages}),
            headers={"Content-Type": "application/json"},
            timeout=_SECONDS,
        )
        answer.raise_for_status()


def _message(row: Any) -> dict[str, Any]:
    return {
        "change_no": row.change_no, "item_id": row.item_id, "price": row.price_after, "price_before": row.price_before,
        "currency": row.currency, "cause": row.cause, "at": row.at.isoformat(),
    }  # fmt: skip
