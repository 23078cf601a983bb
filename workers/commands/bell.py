"""The doorbell for commands: ring once and close."""

from __future__ import annotations

from workers import capabilities
from workers.settings import Settings


def ring(settings: Settings, *kinds: str) -> None:
    """Wake the workers for what is due; without a broker the reconciler finds it."""
    if settings.broker_url is None:
        return
    from workers.doorbell import Doorbell

    doorbell = Doorbell(settings.broker_url, capabilities.RINGS)
    doorbell.ring(*kinds)
    doorbell.close()
