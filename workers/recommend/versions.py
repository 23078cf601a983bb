"""Versions: which model version ranks each of the claimed shoppers while an experiment runs, and the fallback."""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, cast

from sqlalchemy import Engine

from model.recommend.events import Interaction, Ranked, RankRequest
from model.recommend.serving.serve import Ranker
from storage.events.histories import History
from storage.experiment import experiments
from storage.experiment.experiments import Experiment
from storage.registry import health
from workers.experiment import assignment
from workers.settings import Settings

log = logging.getLogger(__name__)


class Rankers(Protocol):
    """The models that this process has loaded: the live one, and those of an experiment."""

    @property
    def version(self) -> str:
        """The live version."""

    @property
    def ranker(self) -> Ranker:
        """The live model."""

    def ranker_of(self, version: str) -> Ranker | None:
        """The model of this version, None if it is not loaded."""

    def want(self, versions: Sequence[str]) -> None:
        """Load these in addition to the live one, and keep no others."""

    def follow(self) -> bool:
        """Bring all of them up to date. False: there is no model."""


@dataclass(frozen=True)
class Part:
    """The claimed shoppers that one version is to rank."""

    version: str
    ranker: Ranker
    keys: list[str]


@dataclass(frozen=True)
class Batch:
    """The answers of a version for these shoppers, one by one, and the seconds that it took."""

    version: str
    keys: list[str]
    ranked: list[Ranked]
    seconds: float


def follow(engine: Engine, rankers: Rankers) -> bool:
    """Bring the models up to date, with those of the running experiment. False: there is no model.

    When a version has just been loaded, the shoppers whom the live version ranked in its place are marked due.
    """
    with engine.connect() as connection:
        experiment = experiments.running(connection)
    named = [] if experiment is None else experiment.versions
    rankers.want(named)
    missing = [version for version in named if rankers.ranker_of(version) is None]
    if not rankers.follow():
        return False
    for version in missing:
        if experiment is not None and rankers.ranker_of(version) is not None:
            with engine.begin() as connection:
                experiments.mark_unranked(connection, experiment, version)
    return True


def partition(rankers: Rankers, experiment: Experiment | None, shoppers: Sequence[str]) -> list[Part]:
    """Return which version ranks which shoppers; shoppers of a version that is not loaded go to the live one."""
    keys: dict[str, list[str]] = defaultdict(list)
    loaded: dict[str, Ranker] = {rankers.version: rankers.ranker}
    for shopper in shoppers:
        version = assignment.version_of(shopper, experiment, rankers.version)
        if version not in loaded and (ranker := rankers.ranker_of(version)) is not None:
            loaded[version] = ranker
        keys[version if version in loaded else rankers.version].append(shopper)
    return [Part(version, loaded[version], keys[version]) for version in sorted(keys)]


def rank(
    engine: Engine,
    rankers: Rankers,
    parts: Sequence[Part],
    read: Mapping[str, History],
    settings: Settings,
    *,
    explain: int = 0,
) -> list[Batch]:
    """Return the answers of every part, the first `explain` items with reasons. Raises the live version's errors.

    An error of another version is counted, and its shoppers are ranked by the live one: an experiment never leaves a
    shopper without a shelf.
    """
    batches = []
    for part in parts:
        try:
            batches.append(_timed(engine, part, read, settings, explain))
        except Exception:
            if part.version == rankers.version:
                raise
            log.exception("version %s could not rank %d shoppers", part.version, len(part.keys))
            serving = Part(rankers.version, rankers.ranker, part.keys)
            batches.append(_timed(engine, serving, read, settings, explain))
    return batches


def _timed(engine: Engine, part: Part, read: Mapping[str, History], settings: Settings, explain: int) -> Batch:
    """Rank one part; a failure is counted in its own transaction, since that of the results is rolled back."""
    depth = min(settings.ranking_depth, part.ranker.config.candidates)
    requests = [request(read[key], part.ranker.config.history) for key in part.keys]
    start = time.perf_counter()
    try:
        ranked = part.ranker.rank(requests, k=depth, explain=explain)
    except Exception:
        with engine.begin() as connection:
            health.record(connection, part.version, seconds=time.perf_counter() - start, failed=True)
        raise
    return Batch(part.version, part.keys, ranked, time.perf_counter() - start)


def request(history: History, length: int) -> RankRequest:
    """Return a history as a request to rank: its last `length` events, and the items to hide."""
    # A touch has the fields of an interaction, and converting each would cost as much as reading it.
    return RankRequest(cast("list[Interaction]", history.touches[-length:]), history.hidden)
