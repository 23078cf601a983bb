"""Serving: the live model on the device, the versions of an experiment next to it, and swaps between two batches."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, Row

from model.recommend.serving.serve import Ranker
from storage.registry import health, models
from workers.recommend import following
from workers.recommend.following import Follower
from workers.registry.loading import Loader
from workers.runtime import garbage_collection, metrics

log = logging.getLogger(__name__)

CAPABILITY = "recommend"

MOST_BESIDE = 2
"""Versions that are kept on the device in addition to the live one."""


class Serving:
    """What one process ranks with. `follow` brings it up to date before a batch.

    A new live version is loaded in the background, while the old one ranks; `ready` is called when it is loaded, so
    that somebody calls `follow`, which swaps.
    """

    def __init__(self, engine: Engine, home: Path, ready: Callable[[], object] = lambda: None) -> None:
        self._engine = engine
        self._loader: Loader[Follower] = Loader(partial(following.load, engine, home), ready)
        self._loaded: dict[str, Follower] = {}
        self._wanted: tuple[str, ...] = ()
        self._switched_at: datetime | None = None
        self._warm_compilations = 0
        self._counted: dict[str, tuple[int, float]] = {}
        self.version = ""
        self.is_current = False
        """Whether `version` is the live one: False while that is being loaded, or cannot be loaded."""

    @property
    def ranker(self) -> Ranker:
        """The model that ranks. Raises RuntimeError while there is none."""
        return self.live.ranker

    @property
    def live(self) -> Follower:
        """The model that ranks, with its catalogue. Raises RuntimeError while there is none."""
        if self.version not in self._loaded:
            raise RuntimeError("no model is live: run `reshelf train`")
        return self._loaded[self.version]

    def ranker_of(self, version: str) -> Ranker | None:
        """Return the model of this version, None if it is not on the device: see `want`."""
        follower = self._loaded.get(version)
        return None if follower is None else follower.ranker

    def want(self, versions: Sequence[str]) -> None:
        """Keep the first `MOST_BESIDE` of these versions on the device in addition to the live one, and no others.

        They follow the catalogue. Only the live version has counts from after its training.
        """
        beside = tuple(version for version in dict.fromkeys(versions) if version != self.version)
        kept = beside[:MOST_BESIDE]
        if kept != beside and kept != self._wanted:
            log.warning("%d versions are wanted beside the live one; only %s are kept", len(beside), ", ".join(kept))
        self._wanted = kept

    def follow(self) -> bool:
        """Swap to the live version if it is loaded; apply the changes and counts since the last time.

        False: no model.
        """
        self._tell_health()
        with self._engine.connect() as connection:
            live = models.live(connection, CAPABILITY)
        if live is None:
            return False
        self._take_loaded(live.version)
        if not self._loaded and not self._start(live):
            return False
        self.is_current = live.version in self._loaded
        if self.is_current:
            self._swap(live)
        needed = (live.version, *self._wanted)
        for version in set(self._loaded) - {self.version, *needed}:
            del self._loaded[version]
        for version in needed:
            if version not in self._loaded:
                self._loader.ask(version)
        self._take_changes()
        if not self._loader.busy:  # compilations for a new version are expected
            metrics.COMPILATIONS.set(self.ranker.compilations - self._warm_compilations)
        return True

    def ranked(self, version: str, seconds: float) -> None:
        """Note that this version ranked a batch; the next `follow` writes it to the database."""
        batches, spent = self._counted.get(version, (0, 0.0))
        self._counted[version] = (batches + 1, spent + seconds)

    def _tell_health(self) -> None:
        if self._counted:
            with self._engine.begin() as connection:
                for version, (batches, seconds) in sorted(self._counted.items()):
                    health.record(connection, version, batches=batches, seconds=seconds)
            self._counted = {}

    def _take_loaded(self, live: str) -> None:
        loaded = self._loader.take()
        if loaded is not None and loaded.version in (live, *self._wanted):
            self._add(loaded)

    def _start(self, live: Row[Any]) -> bool:
        """Load the live version, blocking since there is nothing to rank with; if it fails, the one before."""
        with self._engine.connect() as connection:
            before = models.served_before(connection, live.version)
        for version in (live.version, before):
            loaded = None if version is None else self._loader.load_now(version)
            if loaded is not None:
                self._add(loaded)
                self.version = loaded.version
                garbage_collection.freeze()
                return True
        return False

    def _add(self, loaded: Follower) -> None:
        self._loaded[loaded.version] = loaded
        self._warm_compilations = loaded.ranker.compilations
        log.info("model %s is warm: %d items", loaded.version, len(loaded.ranker))

    def _swap(self, live: Row[Any]) -> None:
        """Rank with the live version from now on. Each time it is switched to, counting begins from zero."""
        if live.version != self.version:
            log.info("model %s takes over from %s", live.version, self.version)
            self._loaded[self.version].forget_counts()
            self.version = live.version
        if live.switched_at != self._switched_at:
            self._loaded[live.version].forget_counts()
            self._switched_at = live.switched_at

    def _take_changes(self) -> None:
        followers = list(self._loaded.values())
        with self._engine.connect() as connection:
            changes = [
                follower.read(connection, counts=self.is_current and follower.version == self.version)
                for follower in followers
            ]
        for follower, change in zip(followers, changes, strict=True):
            capacity = follower.ranker.capacity
            follower.take(change)
            if follower.ranker.capacity != capacity:  # the matrix grew and was compiled again
                self._warm_compilations = follower.ranker.compilations
