"""Answering: turn claimed queries into stored answers, and announce them to waiting requests, in one transaction."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection
from sqlalchemy import Engine as Database

from model.search.engine import MATCHED, Found
from model.search.index import invalidation
from model.search.index.filters import Filters
from model.search.ranking import explain
from model.search.ranking.explain import Why
from model.search.ranking.features import Affinity
from storage import announcements, due
from storage.due import Claim
from storage.events.histories import History
from storage.search import answers
from storage.search.answers import DEPTH, Answer
from storage.search.queries import Question
from workers.runtime import metrics
from workers.search import tastes
from workers.search.serving import Serving
from workers.search.tastes import Vectors

MOST_AT_ONCE = 8
"""Queries of one batch: a query that comes while it runs waits for all of them."""
EXPLAINED = 20
"""Hits that are explained, if an explanation is asked for."""


def answer(database: Database, serving: Serving, vectors: Vectors, claims: Sequence[Claim]) -> None:
    """Answer the claimed queries with the current state of `serving`."""
    keys = [claim.key for claim in claims]
    with database.begin() as connection:
        with metrics.REFRESH_SECONDS.labels(due.QUERY, "read").time():
            asked = answers.asked(connection, keys)
            known = _histories(connection, vectors, asked)
        with metrics.REFRESH_SECONDS.labels(due.QUERY, "search").time():
            found = [
                _answer(serving, key, question, _affinity(connection, serving, vectors, known, question), known)
                for key, question in asked.items()
            ]
        with metrics.REFRESH_SECONDS.labels(due.QUERY, "write").time():
            answers.write(connection, found)
            due.clear(connection, due.QUERY, claims)
            announcements.announce(connection, due.QUERY, keys)


def _histories(connection: Connection, vectors: Vectors, asked: Mapping[str, Question]) -> dict[str, History]:
    """Return the histories of the shoppers who ask, and have `vectors` follow the live recommender for them."""
    shoppers = sorted({question.shopper for question in asked.values() if question.shopper is not None})
    if not shoppers:
        return {}
    vectors.follow(connection)
    return tastes.read(connection, shoppers)


def _affinity(
    connection: Connection,
    serving: Serving,
    vectors: Vectors,
    known: Mapping[str, History],
    question: Question,
) -> Affinity | None:
    history = None if question.shopper is None else known.get(question.shopper)
    if history is None:
        return None
    return tastes.affinity(partial(vectors.read, connection), history, serving.engine.collection)


def _answer(
    serving: Serving, key: str, question: Question, affinity: Affinity | None, known: Mapping[str, History]
) -> Answer:
    found = serving.engine.find(
        question.query,
        k=DEPTH,
        wanted=filters_of(question),
        sort=question.sort,
        affinity=affinity,
        now=time.time(),
    )
    history = known.get(question.shopper or "")
    return Answer(
        key=key,
        item_nos=[serving.number(slot) for slot in found.slots_K.tolist()],
        scores=[None if math.isnan(score) else score for score in found.scores_K.tolist()],
        total=found.total if found.source == MATCHED else 0,
        facets=found.facets,
        meant=found.query.meant,
        source=found.source,
        why=_reasons(serving, found) if question.explain else None,
        model_version=serving.version,
        terms=sorted(invalidation.query_terms(found.query, serving.engine.lexicon)),
        horizon=serving.horizon,
        through=None if history is None else history.through,
        personal=affinity is not None,
    )


def filters_of(question: Question) -> Filters:
    """Return the query's filters as the engine takes them."""
    return Filters(
        question.categories, question.brands, question.price_from, question.price_to, available=question.in_stock
    )


def _reasons(serving: Serving, found: Found) -> list[Any]:
    shelf = serving.engine.shelf()
    return [_as_json(explain.hit(found.asked, slot, shelf)) for slot in found.slots_K[:EXPLAINED].tolist()]


def _as_json(why: Why) -> dict[str, Any]:
    return {
        "held": [
            {"typed": held.typed, "terms": list(held.terms), "as": held.why, "share": round(held.share, 4)}
            for held in why.held
        ],
        "lacking": list(why.lacking),
        "signals": {name: round(value, 4) for name, value in why.signals.items() if value},
    }
