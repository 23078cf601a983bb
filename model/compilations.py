"""Counts XLA compilations in this process, so that a worker can prove that it compiles nothing while serving."""

from __future__ import annotations

import functools

import jax.monitoring

_BACKEND_COMPILE = "/jax/core/compile/backend_compile_duration"


class Counter:
    """Backend compilations since this counter was made; a hit in the persistent cache counts too."""

    def __init__(self) -> None:
        self.count = 0
        jax.monitoring.register_event_duration_secs_listener(self._heard)

    def _heard(self, event: str, duration_secs: float, **_: object) -> None:
        if event == _BACKEND_COMPILE:
            self.count += 1


@functools.cache
def counter() -> Counter:
    """The process's only counter; it starts counting at the first call."""
    return Counter()
