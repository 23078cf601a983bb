"""Reasons: why the first items of a shelf are on it, found out once the shopper pauses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine

from model.recommend.serve import Ranker
from storage import due, histories, homes
from storage.due import Claim
from storage.histories import History
from storage.homes import Unexplained
from workers.recommend import versions
from workers.recommend.refresh import reasons_of
from workers.recommend.serving import Serving
from workers.runtime import metrics
from workers.settings import Settings

PAUSE_SECONDS = 2.0
"""A shelf that stands for so long is explained: one that is younger may be overtaken by the next click."""


@dataclass(frozen=True)
class _Asked:
    """A shelf to be explained, the history that it reflects, and the model that ranked it."""

    owner: str
    shelf: Unexplained
    history: History
    ranker: Ranker


def explain(engine: Engine, serving: Serving, settings: Settings, claims: Sequence[Claim]) -> None:
    """Write the reasons of the claimed shoppers' shelves, those of shelves that stand for a while.

    A shelf that is overtaken already, by an event or by another version, is left: it is to be written anew.
    """
    keys = [claim.key for claim in claims]
    with metrics.REFRESH_SECONDS.labels(due.REASON, "read").time(), engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        shelves = homes.to_explain(connection, keys, first=settings.explained, rest=PAUSE_SECONDS)
        length = serving.ranker.config.history
        read = histories.read(connection, keys, length=length, policy=settings.repeat_policy)
    asked = [one for key in keys if (one := _asked(key, shelves, read[key], serving)) is not None]
    with metrics.REFRESH_SECONDS.labels(due.REASON, "rank").time():
        reasons = [_explained(one, serving) for one in asked]
    early = [claim for claim in claims if claim.key in shelves and shelves[claim.key].is_fresh]
    with metrics.REFRESH_SECONDS.labels(due.REASON, "write").time(), engine.begin() as connection:
        homes.explain(connection, reasons)
        due.delay(connection, due.REASON, early)
        due.clear(connection, due.REASON, [claim for claim in claims if claim not in early])


def _asked(owner: str, shelves: Mapping[str, Unexplained], history: History, serving: Serving) -> _Asked | None:
    shelf = shelves.get(owner)
    if shelf is None or shelf.is_fresh or shelf.is_explained or shelf.through != history.through:
        return None
    ranker = serving.ranker_of(shelf.model_version)
    return None if ranker is None else _Asked(owner, shelf, history, ranker)


def _explained(asked: _Asked, serving: Serving) -> homes.Reasons:
    request = versions.request(asked.history, asked.ranker.config.history)
    names = serving.live.names(asked.shelf.item_nos)
    before = asked.ranker.encodings
    [because] = asked.ranker.explain([request], [names])
    metrics.REASON_ENCODINGS.inc(asked.ranker.encodings - before)
    return reasons_of(asked.owner, asked.shelf.mark, asked.shelf.generated_at, because, serving)
