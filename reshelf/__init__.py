"""What a shop's backend imports: messages, task names, and the producer that sends them. No JAX, no SQL.

from reshelf import Producer

with Producer("redis://localhost:6379/0") as producer:
    producer.event(event_id="e-1", kind="click", user_id="ann", item_id="i-1", at="2026-03-01T12:00:00Z")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reshelf.producer import Producer

__all__ = ["Producer"]


def __getattr__(name: str) -> Any:
    # Imported on first use: a program that only reads messages needs no Celery.
    if name == "Producer":
        from reshelf.producer import Producer

        return Producer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
