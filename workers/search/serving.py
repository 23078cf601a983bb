"""Serving: the catalogue in memory, searched by the live version, or only by words if there is none."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32
from sqlalchemy import Engine as Database

from model import artifact
from model.search import config as configs
from model.search import weights
from model.search.engine import Engine, Parts
from model.search.learning.encoder import Encoder
from model.search.ranking.ranker import TreeRanker
from model.text.synonyms import Synonyms
from storage.registry import models
from storage.search import answers
from workers import settings
from workers.registry.loading import Loader
from workers.search.following import Follower

log = logging.getLogger(__name__)


class Loaded(NamedTuple):
    """A version, ready to be used: its parts, and its encoder's vectors of the first slots of the catalogue."""

    version: str
    parts: Parts
    vectors_NxD: Float32[np.ndarray, "N D"] | None


class Serving:
    """What one process searches with. `follow` brings it up to date before a batch.

    A new live version is loaded in the background; `ready` is called when it is loaded.
    """

    def __init__(
        self,
        database: Database,
        home: Path,
        *,
        synonyms: Synonyms,
        ready: Callable[[], object] = lambda: None,
    ) -> None:
        self._database = database
        self._home = home
        self._synonyms = synonyms
        self._loader: Loader[Loaded] = Loader(self._load, ready)
        self._follower = Follower(Engine(Parts(configs.preset(), synonyms)))
        self.version: str | None = None

    @property
    def engine(self) -> Engine:
        """The search engine."""
        return self._follower.engine

    @property
    def horizon(self) -> int:
        """The horizon up to which it has read the catalogue."""
        return self._follower.horizon

    def number(self, slot: int) -> int:
        """Return the number in the tables of the item in a slot."""
        return self._follower.number(slot)

    def follow(self) -> bool:
        """Apply what changed, make the answers stale that it concerns, and swap to the live version if it is loaded.

        The first call reads the whole catalogue, and returns True.
        """
        # The reads are independent: a transaction around them would cost two more round trips.
        with self._database.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            live = models.live(connection, models.SEARCH)
            changes = self._follower.read(connection)
        first = not self.horizon
        touched = self._follower.take(changes)
        if first:
            log.info("%d items can be searched", len(self.engine.collection))
        swapped = self._swap(None if live is None else live.version, wait=first)
        if first or swapped:
            with self._database.begin() as connection:
                answers.drop_unanswered(connection)
                answers.outdate_all(connection, self.version)
        elif touched.newest:
            with self._database.begin() as connection:
                answers.outdate(connection, touched.terms, touched.newest)
        return first

    def _swap(self, live: str | None, *, wait: bool) -> bool:
        """Search with the live version from now on, if it is loaded; with `wait`, wait for it."""
        if live is None or live == self.version:
            return False
        loaded = self._loader.load_now(live) if wait else self._loader.take()
        if loaded is None or loaded.version != live:
            self._loader.ask(live)
            return False
        log.info("search version %s takes over from %s", live, self.version or "words alone")
        self._follower.engine = self.engine.over(loaded.parts, loaded.vectors_NxD)
        self.version = live
        return True

    def _load(self, version: str) -> Loaded:
        """Return the version with the vectors of the current items. Raises `ArtifactError`."""
        parts, kept = weights.unpack(artifact.load(settings.model_folder(self._home, version)), self._synonyms)
        if isinstance(parts.ranker, TreeRanker):
            parts.ranker.warm(parts.config)
        # The list of items only grows, even while this thread reads it.
        items = self.engine.collection.items[:]
        if kept is None or not isinstance(parts.encoder, Encoder):
            return Loaded(version, parts, None)
        return Loaded(version, parts, kept.encode(items, parts.encoder))
