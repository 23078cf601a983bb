"""Reasons: why the first items of a shelf were recommended, computed once the shopper pauses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine

from model.recommend.serving.serve import Ranker
from storage import due
from storage.due import Claim
from storage.events import histories
from storage.events.histories import History
from storage.recommend import homes
from storage.recommend.homes import Unexplained
from workers.recommend import versions
from workers.recommend.refresh import reasons_of
from workers.recommend.serving import Serving
from workers.runtime import metrics
from workers.settings import Settings

PAUSE_SECONDS = 5.0
"""A shelf is explained after this many seconds: a younger one may be replaced by the next click."""


@dataclass(frozen=True)
class _Asked:
    """A shelf to be explained, the history that it reflects, and the model that ranked it."""

    owner: str
    shelf: Unexplained
    history: History
    ranker: Ranker


def explain(engine: Engine, serving: Serving, settings: Settings, claims: Sequence[Claim]) -> None:
    """Write the reasons of the claimed shoppers' shelves, if they have stood for a while.

    A shelf that has been replaced is skipped: the new one is marked. A shelf of a version that is not loaded here yet
    waits for it.
    """
    keys = [claim.key for claim in claims]
    with metrics.REFRESH_SECONDS.labels(due.REASON, "read").time(), engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        shelves = homes.to_explain(connection, keys, first=settings.explained, rest=PAUSE_SECONDS)
        length = serving.ranker.config.history
        read = histories.read(connection, keys, length=length, policy=settings.repeat_policy)
    asked = [one for key in keys if (one := _asked(key, shelves, read[key], serving)) is not None]
    with metrics.REFRESH_SECONDS.labels(due.REASON, "rank").time():
        reasons = _explained(asked, serving)
    early = [claim for claim in claims if claim.key in shelves and _is_early(shelves[claim.key], serving)]
    with metrics.REFRESH_SECONDS.labels(due.REASON, "write").time(), engine.begin() as connection:
        homes.explain(connection, reasons)
        due.lock(connection, due.REASON, claims)
        due.delay(connection, due.REASON, early)
        due.clear(connection, due.REASON, [claim for claim in claims if claim not in early])


def _asked(owner: str, shelves: Mapping[str, Unexplained], history: History, serving: Serving) -> _Asked | None:
    shelf = shelves.get(owner)
    if shelf is None or shelf.is_fresh or shelf.is_explained or shelf.through != history.through:
        return None
    ranker = serving.ranker_of(shelf.model_version)
    return None if ranker is None else _Asked(owner, shelf, history, ranker)


def _is_early(shelf: Unexplained, serving: Serving) -> bool:
    if shelf.is_explained:
        return False
    return shelf.is_fresh or serving.ranker_of(shelf.model_version) is None


def _explained(asked: Sequence[_Asked], serving: Serving) -> list[homes.Reasons]:
    by_ranker: dict[int, list[_Asked]] = defaultdict(list)
    for one in asked:
        by_ranker[id(one.ranker)].append(one)
    reasons = []
    for together in by_ranker.values():
        ranker = together[0].ranker
        requests = [versions.request(one.history, ranker.config.history) for one in together]
        before = ranker.encodings
        because = ranker.explain(requests, [serving.live.names(one.shelf.item_nos) for one in together])
        metrics.REASON_ENCODINGS.inc(ranker.encodings - before)
        reasons += [
            reasons_of(one.owner, one.shelf.mark, one.shelf.generated_at, why, serving)
            for one, why in zip(together, because, strict=True)
        ]
    return reasons
