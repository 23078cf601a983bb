"""The gateway's doorbell: it is rung in the background, so that no request waits for the broker or fails with it."""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

log = logging.getLogger(__name__)

_LAST_RING_SECONDS = 3.0
_SPACING_SECONDS = 0.02
"""Pause between two rings: a worker that was just woken is awake, and each ring takes a thread and a call to Redis."""


class Bell(Protocol):
    """What is rung: `workers.doorbell.Doorbell`, or a test's own."""

    def ring(self, *kinds: str) -> object:
        """Ring for due kinds; may block."""


class BackgroundDoorbell:
    """Rings one bell from one thread at a time. Kinds that come while it rings are rung for together afterwards."""

    def __init__(self, bell: Bell | None) -> None:
        self._bell = bell
        self._wanted: set[str] = set()
        self._ringing: asyncio.Task[None] | None = None

    def ring(self, *kinds: str) -> None:
        """Ring soon; return at once."""
        if self._bell is None or not kinds:
            return
        self._wanted.update(kinds)
        if self._ringing is None or self._ringing.done():
            self._ringing = asyncio.create_task(self._run(self._bell))

    async def close(self) -> None:
        """Wait a short time for the last ring; the reconciler rings for the rest."""
        if self._ringing is not None:
            await asyncio.wait([self._ringing], timeout=_LAST_RING_SECONDS)

    async def _run(self, bell: Bell) -> None:
        while self._wanted:
            kinds = sorted(self._wanted)
            self._wanted.clear()
            try:
                await asyncio.to_thread(bell.ring, *kinds)
            except Exception:  # noqa: BLE001  # the rows are committed: an error must not stop the next ring
                log.exception("the doorbell for %s was not rung", ", ".join(kinds))
            await asyncio.sleep(_SPACING_SECONDS)
