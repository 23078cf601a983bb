"""Refreshing: claim what is due, rank it in one batch, write the results and delete the marks in one transaction.

What is ranked by a version that is not live, because the live one is being loaded, stays due for the live one.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np
from sqlalchemy import Connection, Engine

from model.recommend import config as configs
from model.recommend.events import Interaction, Ranked
from storage import due
from storage.catalogue import items as catalogue
from storage.due import Claim
from storage.engine import pipelined
from storage.events import histories
from storage.events.histories import History
from storage.experiment import experiments
from storage.recommend import homes, item_vectors, rankings, transitions
from storage.recommend.homes import Home, Reasons
from storage.recommend.rankings import Ranking
from storage.registry import models
from storage.registry.models import Live
from workers.privacy import parts as privacy_parts
from workers.recommend import counting, versions
from workers.recommend.serving import Serving
from workers.recommend.versions import Part
from workers.runtime import metrics
from workers.settings import Settings

_NEIGHBOURS = 10
# The neighbours of up to this many new items are ranked at once: a shop may wait to see a new item, but not a hundred.
_FEW_NEW = 4
_SIMILAR_DEPTH = 50

# Stands for an item without a number: a version that was just loaded may know an item that the live one has not read
# yet.
_UNKNOWN = -1

# A ranker is for one thread at a time. If two threads refresh shoppers, one ranks while the other uses the database.
_one_at_a_time = threading.Lock()


def shoppers(
    engine: Engine, serving: Serving, settings: Settings, claims: Sequence[Claim], *, explain: bool = False
) -> None:
    """Rank `home` for the claimed shoppers from their history in event time, and count their new transitions.

    If an experiment runs, each shopper is ranked by the version of their arm; the live version counts for all. With
    `explain`, the shelves get reasons; without, they are marked to be explained when the shopper pauses.
    """
    keys = [claim.key for claim in claims]
    with metrics.REFRESH_SECONDS.labels(due.SHOPPER, "read").time(), engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        parts = versions.partition(serving, experiments.running(connection), keys)
        length = max(part.ranker.config.history for part in parts)
        read = histories.read(connection, keys, length=length, policy=settings.repeat_policy)
    with _one_at_a_time, metrics.REFRESH_SECONDS.labels(due.SHOPPER, "rank").time():
        before = _encodings(parts)
        batches = versions.rank(engine, serving, parts, read, settings, explain=settings.explained if explain else 0)
        metrics.ENCODINGS.inc(_encodings(parts) - before)
        for batch in batches:
            serving.ranked(batch.version, batch.seconds)
    ranked = {key: (batch.version, one) for batch in batches for key, one in zip(batch.keys, batch.ranked, strict=True)}
    shelves = [_home(claim, *ranked[claim.key], read[claim.key], serving) for claim in claims]
    reasons = [_reasons(claim, ranked[claim.key][1], serving) for claim in claims] if explain else []
    with metrics.REFRESH_SECONDS.labels(due.SHOPPER, "write").time(), engine.begin() as connection:
        kept = claims
        if gone := privacy_parts.erased(engine, settings).among(connection, keys):
            kept, shelves, reasons = _without(gone, claims, shelves, reasons)
        live = models.hold(connection, serving.version)
        if live is None:
            _write_meanwhile(connection, shelves, serving.version)
            due.postpone(connection, due.SHOPPER, claims)
        else:
            pairs = _new_pairs(connection, serving, live, kept, read)
            with pipelined(connection):
                transitions.add(connection, pairs)
                homes.write(connection, shelves, counted_by=serving.version)
                homes.explain(connection, reasons)
                if settings.explained and not explain:
                    due.mark_reasons(connection, [claim.key for claim in kept])
                due.clear(connection, due.SHOPPER, claims)


def items(engine: Engine, serving: Serving, settings: Settings, claims: Sequence[Claim]) -> bool:
    """Write the vectors and `similar` shelves of the claimed items; return whether other items became due `later`.

    Shelves of the neighbours of a new item may now contain it: they are written at once for a few new items, and become
    due `later` for more. In a full batch, which is a bulk load, each neighbour has its own turn. Shoppers who met an
    item before it was in the catalogue become due: their history now includes it.
    """
    mark = max(claim.mark for claim in claims)
    with engine.connect() as connection:
        found = catalogue.read(connection, [claim.key for claim in claims])
    keys = [row.item_id for row in found]
    vectors = dict(zip(keys, serving.live.upsert(found).tolist(), strict=True))
    ranked = _rank_similar(serving, keys)
    neighbours: list[str] = []
    with engine.begin() as connection:
        serves = models.hold(connection, serving.version) is not None
        finish = due.clear if serves else due.postpone
        announced = set(keys) - item_vectors.known(connection, keys)
        if len(claims) < settings.refresh_batch:
            neighbours = sorted(_neighbours(ranked, announced) - set(keys))
        if serves and len(announced) <= _FEW_NEW:  # another version ranks them again, with their own marks
            ranked |= _rank_similar(serving, neighbours)
            neighbours = []
        item_vectors.write(connection, serving.version, vectors)
        rankings.write(connection, [_similar(key, result, serving.version, mark) for key, result in ranked.items()])
        due.mark_later(connection, due.ITEM, neighbours)
        due.mark(connection, due.SHOPPER, histories.shoppers_of(connection, sorted(announced)))
        finish(connection, due.ITEM, claims)
    return bool(neighbours)


def _without(
    gone: set[str], claims: Sequence[Claim], shelves: Sequence[Home], reasons: Sequence[Reasons]
) -> tuple[list[Claim], list[Home], list[Reasons]]:
    """Return what is left without the shoppers who were erased while their shelves were ranked."""
    return (
        [claim for claim in claims if claim.key not in gone],
        [shelf for shelf in shelves if shelf.owner not in gone],
        [reason for reason in reasons if reason.owner not in gone],
    )


def _write_meanwhile(connection: Connection, shelves: Sequence[Home], ranked_by: str) -> None:
    """Write the shelves of a version that is not live, or is being replaced; the live version writes them again.

    It counts nothing, and does not replace shelves of the live version: they hold the time up to which that has
    counted.
    """
    live = models.live(connection)
    standing = homes.standing(connection, [shelf.owner for shelf in shelves])
    overtaken = {owner for owner, stands in standing.items() if live and stands.counted_by == live.version}
    homes.write(connection, [shelf for shelf in shelves if shelf.owner not in overtaken], counted_by=ranked_by)


def _new_pairs(
    connection: Connection, serving: Serving, live: Live, claims: Sequence[Claim], read: Mapping[str, History]
) -> Mapping[tuple[str, str], float]:
    """Return the counts of the events that the existing shelves do not reflect; add them in the same transaction.

    Events of flagged bots do not count; `workers.bots.recounting` corrects the counts when one is flagged.
    """
    standing = homes.standing(connection, [claim.key for claim in claims])
    gains = configs.gains(serving.ranker.config)
    pairs: dict[tuple[str, str], float] = defaultdict(float)
    for claim in claims:
        if standing[claim.key].flagged:
            continue
        through = counting.counted_through(standing[claim.key], live, claim.mark)
        for pair, count in counting.new_pairs(read[claim.key].touches, through, gains).items():
            pairs[pair] += count
    return pairs


def _encodings(parts: Sequence[Part]) -> int:
    return sum(part.ranker.encodings for part in parts)


def _rank_similar(serving: Serving, item_ids: Sequence[str]) -> dict[str, Ranked]:
    return dict(zip(item_ids, serving.ranker.similar(item_ids, k=_depth(serving, _SIMILAR_DEPTH)), strict=True))


def _depth(serving: Serving, wanted: int) -> int:
    return min(wanted, serving.ranker.config.candidates)


def _home(claim: Claim, version: str, ranked: Ranked, history: History, serving: Serving) -> Home:
    item_nos = [serving.live.numbers.get(item_id, _UNKNOWN) for item_id in ranked.item_ids]
    item_nos_N, scores_N = np.array(item_nos, np.int32), np.array(ranked.scores, np.float32)
    known_N = item_nos_N != _UNKNOWN
    return Home(claim.key, item_nos_N[known_N], scores_N[known_N], version, history.through, claim.mark)


def _reasons(claim: Claim, ranked: Ranked, serving: Serving) -> Reasons:
    # Position by position like the shelf, which leaves out items without a number.
    explained = zip(ranked.item_ids, ranked.because, strict=False)
    because = [reason for item_id, reason in explained if item_id in serving.live.numbers]
    return reasons_of(claim.key, claim.mark, None, because, serving)


def reasons_of(
    owner: str, mark: int, generated_at: datetime | None, because: Sequence[Interaction | None], serving: Serving
) -> Reasons:
    """Return what moved the first items of a shelf, in the form in which it is written."""
    numbers = serving.live.numbers
    named = [None if event is None or event.item_id not in numbers else event for event in because]
    return Reasons(
        owner,
        mark,
        generated_at,
        [None if event is None else numbers[event.item_id] for event in named],
        [None if event is None else event.kind for event in named],
    )


def _similar(item_id: str, ranked: Ranked, version: str, mark: int) -> Ranking:
    return Ranking(item_id, rankings.SIMILAR, ranked.item_ids, ranked.scores, version, None, mark)


def _neighbours(ranked: dict[str, Ranked], announced: set[str]) -> set[str]:
    return {neighbour for key in announced for neighbour in ranked[key].item_ids[:_NEIGHBOURS]}
