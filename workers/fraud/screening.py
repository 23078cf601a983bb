"""Screening: the facts, features, probabilities and decisions of claimed orders, in one batch.

One batch at a time, whichever worker runs it: so screened orders have one sequence (`place`), and each is judged by
exactly the orders before it. The same can be computed again, bit for bit, from what is stored. Approve, review or
decline is decided in `workers.fraud.rules.rules`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sqlalchemy import Connection, Engine

from model.fraud import serve
from model.fraud.features import order_features
from storage import announcements, due
from storage.due import Claim
from storage.fraud import entity_history, orders, screenings, velocities
from storage.fraud.screenings import Screening
from workers.fraud import columns
from workers.fraud.rules import answers, facts, rules
from workers.fraud.rules.facts import Fact
from workers.fraud.rules.rules import APPROVE, DECISIONS, Reason, Verdict
from workers.fraud.serving import Serving
from workers.runtime import metrics

NO_MODEL = "no model is trained yet"
NO_LABELS = "no model is trained on labels yet: strangeness stands in for a probability"


def screen(engine: Engine, serving: Serving, claims: Sequence[Claim]) -> None:
    """Decide about the claimed orders that are undecided, and add all of them to the history."""
    serving.follow()
    keys = [claim.key for claim in claims]
    with metrics.REFRESH_SECONDS.labels(due.ORDER, "all").time(), engine.begin() as connection:
        orders.lock(connection)
        rows = entity_history.asking(connection, keys)
        said = _screen(connection, serving, rows) if rows else {}
        due.clear(connection, due.ORDER, claims)
        announcements.announce(connection, due.ORDER, keys, said)


def _screen(connection: Connection, serving: Serving, rows: Sequence[Any]) -> dict[str, str]:
    """Decide and write; return what to announce of each order that was undecided."""
    with metrics.REFRESH_SECONDS.labels(due.ORDER, "read").time():
        places = [row.next_place for row in rows]
        own = columns.asking(rows, places)
        read = entity_history.read(connection, rows, horizon=serving.config.longest, most=serving.config.most)
        counted = velocities.read(connection, rows, rules.velocities(serving.rules))
    with metrics.REFRESH_SECONDS.labels(due.ORDER, "judge").time():
        values_NxF, odd_N = features_of(serving, own, columns.pasts_of(read, own))
        known = [{**facts.from_order(row.message), **more} for row, more in zip(rows, counted, strict=True)]
        decided = judge(serving, [row.order_id for row in rows], known, values_NxF)
    with metrics.REFRESH_SECONDS.labels(due.ORDER, "write").time():
        settled = zip(places, odd_N.tolist(), strict=True)
        entity_history.settle(connection, dict(zip([row.order_id for row in rows], settled, strict=True)))
        written = screenings.write(connection, decided)
        _note_late(connection, [one for one in decided if one.order_id not in written])
    return {key: answers.announced(one, written[key]) for one in decided if (key := one.order_id) in written}


def features_of(
    serving: Serving, own: order_features.ShopOrders, past_of: dict[str, order_features.ShopOrders]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the features of the orders, and how odd each amount is for its customer."""
    odd_N = order_features.oddness_of_each(own, past_of["customer"], serving.config)
    own = own._replace(odd_N=odd_N)
    terminal = columns.with_oddness(past_of["terminal"], own)
    return order_features.compute_each(own, past_of | {"terminal": terminal}, serving.config).values_NxF, odd_N


def judge(
    serving: Serving, order_ids: Sequence[str], known: Sequence[dict[str, Fact]], values_NxF: np.ndarray
) -> list[Screening]:
    """Return the decisions about orders with these known facts and features."""
    screener, by, why = serving.screener, screenings.MODEL, None
    probabilities: list[float | None] = [None] * len(order_ids)
    if screener is None:
        by, why = screenings.RULES, NO_MODEL
    elif screener.is_trained:
        probabilities = [float(value) for value in serve.probabilities(screener, values_NxF)]
        known = [one | {"probability": p} for one, p in zip(known, probabilities, strict=True) if p is not None]
    else:
        by, why = screenings.NOVELTY, NO_LABELS
        strange_N = serve.strangeness(screener, values_NxF).tolist()
        known = [one | {"novelty": strange} for one, strange in zip(known, strange_N, strict=True)]
    found = []
    for row, (order_id, own) in enumerate(zip(order_ids, known, strict=True)):
        verdict = rules.decide(serving.rules, own)
        found.append(
            Screening(
                order_id,
                verdict.decision,
                by,
                [*verdict.reasons, *_features(serving, verdict, values_NxF[row])],
                own,
                serving.rules_version,
                why,
                probabilities[row],
                serving.version,
                values_NxF[row].tolist(),
            )
        )
    return found


def _features(serving: Serving, verdict: Verdict, values_F: np.ndarray) -> list[Reason]:
    """Return the features that raised the probability most, if the model is why an order is not approved."""
    by_model = any(reason.name == "probability" for reason in verdict.reasons)
    if serving.screener is None or verdict.decision == APPROVE or not by_model:
        return []
    return [
        Reason("model", moved.name, f"{moved.name} is {moved.value:.4g}, typical is {moved.typical:.4g}", moved.value)
        for moved in serve.reasons(serving.screener, values_F)
    ]


def _note_late(connection: Connection, late: Sequence[Screening]) -> None:
    """Log what would have been decided about orders decided before; open a review if the model is stricter."""
    stood = screenings.read(connection, [one.order_id for one in late]) if late else {}
    screenings.note(connection, "judged late", {one.order_id: one.as_row() for one in late})
    passed = {
        one.order_id: f"it was decided by rules in time; the model came late and says {one.decision}"
        for one in late
        if DECISIONS.index(one.decision) > DECISIONS.index(stood[one.order_id].decision)
    }
    screenings.open_reviews(connection, passed)
