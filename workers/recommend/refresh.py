"""Refreshing: claim what is due, rank it in one batch, write the results and clear the marks in one transaction.

What a version ranks that is not live, because the live one is being loaded, stays due for the live one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, Engine

from model.recommend import config as configs
from model.recommend.events import Ranked
from storage import actors, due, experiments, health, histories, item_vectors, models, rankings, transitions
from storage import items as catalogue
from storage.due import Claim
from storage.histories import History
from storage.models import Live
from storage.rankings import Ranking
from workers.recommend import counting, versions
from workers.recommend.rows import to_item
from workers.recommend.serving import Serving
from workers.recommend.versions import Batch
from workers.runtime import metrics
from workers.settings import Settings

_NEIGHBOURS = 10
_SIMILAR_DEPTH = 50


def shoppers(engine: Engine, serving: Serving, settings: Settings, claims: Sequence[Claim]) -> None:
    """Rank `home` for the claimed shoppers from their history in event time, and count what their new events follow.

    Where an experiment runs, each is ranked by the version of their arm; the one that serves counts for all.
    """
    keys = [claim.key for claim in claims]
    with metrics.REFRESH_SECONDS.labels(due.SHOPPER, "read").time(), engine.connect() as connection:
        parts = versions.partition(serving, experiments.running(connection), keys)
        length = max(part.ranker.config.history for part in parts)
        read = histories.read(connection, keys, length=length, policy=settings.repeat_policy)
    with metrics.REFRESH_SECONDS.labels(due.SHOPPER, "rank").time():
        batches = versions.rank(engine, serving, parts, read, settings)
    shelves = _homes(claims, batches, read, serving.version)
    with metrics.REFRESH_SECONDS.labels(due.SHOPPER, "write").time(), engine.begin() as connection:
        live = models.hold(connection, serving.version)
        if live is None:
            _write_meanwhile(connection, shelves)
            due.postpone(connection, due.SHOPPER, claims)
        else:
            _count(connection, serving, live, claims, read)
            rankings.write(connection, shelves)
            due.clear(connection, due.SHOPPER, claims)
        for batch in batches:
            health.record(connection, batch.version, seconds=batch.seconds)


def items(engine: Engine, serving: Serving, settings: Settings, claims: Sequence[Claim]) -> None:
    """Write vector and `similar` shelf of the claimed items, and of the neighbours of a newly announced one.

    Shoppers who met an item before the catalogue announced it become due: their history just gained it. A full batch
    is a bulk load, in which each neighbour has a turn of its own.
    """
    mark = max(claim.mark for claim in claims)
    with engine.connect() as connection:
        found = [to_item(row) for row in catalogue.read(connection, [claim.key for claim in claims])]
    keys = [item.item_id for item in found]
    vectors = dict(zip(keys, serving.ranker.upsert(found).tolist(), strict=True))
    ranked = _rank_similar(serving, keys)
    with engine.begin() as connection:
        finish = due.postpone if models.hold(connection, serving.version) is None else due.clear
        announced = set(keys) - item_vectors.known(connection, keys)
        if len(claims) < settings.refresh_batch:
            ranked |= _rank_similar(serving, sorted(_neighbours(ranked, announced) - set(keys)))
        item_vectors.write(connection, serving.version, vectors)
        rankings.write(connection, [_similar(key, result, serving.version, mark) for key, result in ranked.items()])
        due.mark(connection, due.SHOPPER, histories.shoppers_of(connection, sorted(announced)))
        finish(connection, due.ITEM, claims)


def _write_meanwhile(connection: Connection, shelves: Sequence[Ranking]) -> None:
    """Write what a version ranked that serves no more, or is being replaced just now; the live one does it again.

    It counts nothing, and leaves the shelves of the live version alone: they tell up to where that has counted.
    """
    live = models.live(connection)
    standing = rankings.standing(connection, [shelf.owner for shelf in shelves], rankings.HOME)
    overtaken = {owner for owner, stands in standing.items() if live and stands.counted_by == live.version}
    rankings.write(connection, [shelf for shelf in shelves if shelf.owner not in overtaken])


def _count(
    connection: Connection, serving: Serving, live: Live, claims: Sequence[Claim], read: Mapping[str, History]
) -> None:
    """Count the events that the standing shelves do not reflect, in the transaction that writes those that do.

    Those of flagged actors count for nobody; `workers.actors.recounting` makes good what changes when one is flagged.
    """
    standing = rankings.standing(connection, [claim.key for claim in claims], rankings.HOME)
    gains = configs.gains(serving.ranker.config)
    flagged = actors.flagged_of(connection, list(standing))
    pairs: dict[tuple[str, str], float] = defaultdict(float)
    for claim in claims:
        if claim.key in flagged:
            continue
        through = counting.counted_through(standing[claim.key], live, claim.mark)
        for pair, count in counting.new_pairs(read[claim.key].touches, through, gains).items():
            pairs[pair] += count
    transitions.add(connection, pairs)


def _rank_similar(serving: Serving, item_ids: Sequence[str]) -> dict[str, Ranked]:
    return dict(zip(item_ids, serving.ranker.similar(item_ids, k=_depth(serving, _SIMILAR_DEPTH)), strict=True))


def _depth(serving: Serving, wanted: int) -> int:
    return min(wanted, serving.ranker.config.candidates)


def _homes(claims: Sequence[Claim], batches: Sequence[Batch], read: Mapping[str, History], live: str) -> list[Ranking]:
    ranked = {key: (batch.version, one) for batch in batches for key, one in zip(batch.keys, batch.ranked, strict=True)}
    return [_home(claim, *ranked[claim.key], read[claim.key], live) for claim in claims]


def _home(claim: Claim, version: str, ranked: Ranked, history: History, live: str) -> Ranking:
    return Ranking(
        claim.key,
        rankings.HOME,
        ranked.item_ids,
        ranked.scores,
        version,
        history.through,
        claim.mark,
        [None if event is None else event.item_id for event in ranked.because] or None,
        [None if event is None else event.kind for event in ranked.because] or None,
        live,
    )


def _similar(item_id: str, ranked: Ranked, version: str, mark: int) -> Ranking:
    return Ranking(item_id, rankings.SIMILAR, ranked.item_ids, ranked.scores, version, None, mark)


def _neighbours(ranked: dict[str, Ranked], announced: set[str]) -> set[str]:
    return {neighbour for key in announced for neighbour in ranked[key].item_ids[:_NEIGHBOURS]}
