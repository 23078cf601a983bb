"""What a process ranks with, for tests that say themselves what is ranked; the catalogue is that of the database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import Engine

from model.recommend import config as configs
from model.recommend.events import Ranked, RankRequest
from model.recommend.serving.serve import Ranker
from tests.support import shelves


class Fixed:
    """Ranks the same items for everyone, explained by the last event of the history, by none, and by the first."""

    encodings = 0

    def __init__(self, *item_ids: str, history: int = 10) -> None:
        self.config = configs.preset("tiny", history=history)
        self.item_ids = list(item_ids)

    def rank(self, requests: Sequence[RankRequest], *, k: int, explain: int = 0) -> list[Ranked]:
        """Return the items with scores that descend to 1."""
        self.encodings += len(requests)
        scores = [float(len(self.item_ids) - place) for place in range(len(self.item_ids))][:k]
        because = self.explain(requests, [self.item_ids[:explain]] * len(requests)) if explain else [[]] * len(requests)
        return [Ranked(self.item_ids[:k], scores, reasons) for reasons in because]

    def explain(self, requests: Sequence[RankRequest], item_ids: Sequence[Sequence[str]]) -> list[list[Any]]:
        """Return the reasons of these items."""
        self.encodings += len(requests)
        found = []
        for request, asked in zip(requests, item_ids, strict=True):
            events = [request.history[-1], None, request.history[0]] if request.history else [None, None, None]
            found.append(events[: len(asked)])
        return found


class Serving:
    """Stands for `workers.recommend.serving.Serving` with one version loaded, and remembers what it was told."""

    def __init__(self, database: Engine, version: str, ranker: Fixed) -> None:
        self._database = database
        self.version = version
        self.ranker = cast(Ranker, ranker)
        self.told: list[str] = []

    @property
    def live(self) -> Serving:
        """The catalogue of the version that serves."""
        return self

    @property
    def numbers(self) -> dict[str, int]:
        """The number of each item."""
        with self._database.connect() as connection:
            return shelves.numbers(connection)

    def names(self, item_nos: Sequence[int]) -> list[str]:
        """Return the ids of the items of these numbers; an empty one for an item that is not known."""
        known = {number: item_id for item_id, number in self.numbers.items()}
        return [known.get(number, "") for number in item_nos]

    def ranker_of(self, version: str) -> Ranker | None:
        """Return the ranker, None for a version that is not loaded."""
        return self.ranker if version == self.version else None

    def ranked(self, version: str, seconds: float) -> None:
        """Remember that this version ranked a batch."""
        assert seconds > 0
        self.told.append(version)
