"""Load a version in the background, on its own thread, so that no shelf waits for compilation."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from model.errors import ModelError

log = logging.getLogger(__name__)

RETRY_SECONDS = 30.0
"""How long to wait before loading a version again that could not be loaded."""
_NICER = 5

T = TypeVar("T")


class Loader(Generic[T]):
    """Loads one version at a time with `load`; `ready` is called, on the loader's thread, when it is loaded."""

    def __init__(self, load: Callable[[str], T], ready: Callable[[], object]) -> None:
        self._load = load
        self._ready = ready
        self._thread: threading.Thread | None = None
        self._ended = False
        self._loaded: T | None = None
        self._failed: dict[str, float] = {}

    @property
    def busy(self) -> bool:
        """Whether a version is being loaded, or waits to be taken."""
        return self._thread is not None

    def ask(self, version: str) -> None:
        """Start loading this version, unless another is being loaded, or it failed a moment ago."""
        if self.busy or self._rests(version):
            return
        log.info("loading model %s", version)
        self._ended = False
        self._thread = threading.Thread(target=self._run, args=(version,), name=f"load-{version}", daemon=True)
        self._thread.start()

    def take(self) -> T | None:
        """Return the loaded version, once; None if there is none."""
        if self._thread is None or not self._ended:
            return None
        self._thread = None
        loaded, self._loaded = self._loaded, None
        return loaded

    def load_now(self, version: str) -> T | None:
        """Load this version and wait for it; None if its folder is missing or damaged."""
        if self._rests(version):
            return None
        try:
            return self._load(version)
        except ModelError as error:
            self._note(version, error)
            return None

    def _run(self, version: str) -> None:
        _stand_back()
        loaded = None
        try:
            loaded = self._load(version)
        except ModelError as error:
            self._note(version, error)
        except Exception:  # noqa: BLE001  whatever is wrong with the new version, the old one stays in use
            log.exception("model %s was not loaded", version)
            self._failed[version] = time.monotonic()
        self._loaded, self._ended = loaded, True
        if loaded is not None:
            self._ready()

    def _note(self, version: str, error: ModelError) -> None:
        log.error("model %s cannot serve: %s. Trying again every %.0f s", version, error, RETRY_SECONDS)
        self._failed[version] = time.monotonic()

    def _rests(self, version: str) -> bool:
        return version in self._failed and time.monotonic() - self._failed[version] < RETRY_SECONDS


def _stand_back() -> None:
    """Give the ranking thread priority over this one. Only Linux has priorities of threads."""
    if sys.platform == "linux":
        os.nice(_NICER)  # only of the calling thread
