"""The door for orders that come as a message: they are written and screened, and the sender gets the decisions."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Engine

from reshelf import fields, parsing
from reshelf.parsing import Rejection
from storage import dead_letters
from storage.dead_letters import DeadLetter
from storage.fraud import entity_history, orders, rule_sets, screenings, velocities
from workers import rows
from workers.canonical import orders as keys
from workers.fraud.rules import answers, rules, rules_only
from workers.fraud.rules.answers import Answer
from workers.fraud.rules.rules import RuleSet
from workers.privacy import dropping
from workers.privacy import parts as privacy_parts
from workers.settings import Settings

SOURCE = "orders"
_PATIENCE_SECONDS = 5.0
"""How long a batch waits for orders that another process has claimed; then the rules alone decide."""


class Screened(msgspec.Struct, frozen=True):
    """The decisions about a batch, and the rows that were rejected."""

    screenings: list[Answer]
    rejected: list[Rejection]


def screen(engine: Engine, settings: Settings, batch: Any, drain: Callable[[], int]) -> Screened:
    """Return the decisions about the orders of a batch. An order that was decided before keeps its decision.

    A row that is no order, or differs from the order stored under its id, is rejected and becomes a dead letter. An
    order of somebody who was erased is decided by what it says of itself, and nothing is kept of it.
    """
    batch = batch if isinstance(batch, list) else [batch]
    parsed = parsing.parse_orders(batch)
    given = {one.order_id: rows.order_row(one, parsed.unread.get(n)) for n, one in enumerate(parsed.good)}
    erased = privacy_parts.erased(engine, settings)
    with engine.begin() as connection:
        erased.follow(connection)
        unkept = {key: given.pop(key) for key in list(given) if dropping.is_of(erased, given[key])}
        orders.write(connection, [orders.as_row(row) for row in given.values()])
        conflicts = _conflicts(batch, orders.messages(connection, given), given)
        rejected = [*parsed.bad, *conflicts]
        letters = [DeadLetter(SOURCE, r.error, key=r.id, field=r.field, payload=r.row) for r in rejected]
        dead_letters.add(connection, dropping.letters(erased, letters))
    wanted = sorted(given.keys() - {conflict.id for conflict in conflicts})
    _wait(engine, wanted, drain)
    with engine.begin() as connection:
        missing = sorted(set(wanted) - screenings.read(connection, wanted).keys())
        _decide_by_rules(connection, settings, missing)
        found = screenings.read(connection, wanted)
        rule_set = _active(connection)
    decided = [answers.with_unread(answers.from_row(found[key]), given[key]["message"]) for key in wanted]
    decided += [_unkept(settings, rule_set, row) for row in unkept.values()]
    return Screened(decided, rejected)


def _conflicts(
    batch: Sequence[Any], stored: Mapping[str, dict[str, Any]], given: Mapping[str, dict[str, Any]]
) -> list[Rejection]:
    found = []
    for index, row in enumerate(batch):
        key = fields.identity(str(row.get("order_id"))) if isinstance(row, dict) else ""
        if key not in given:
            continue
        if (field := orders.difference(keys.unified(stored[key]), given[key]["message"])) is not None:
            found.append(Rejection(index=index, id=key, field=field, error=answers.conflict(key, field), row=row))
    return found


def _wait(engine: Engine, wanted: Sequence[str], drain: Callable[[], int]) -> None:
    until = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < until:
        drain()
        with engine.connect() as connection:
            if len(screenings.read(connection, wanted)) == len(wanted):
                return
        time.sleep(0.05)


def _active(connection: Any) -> RuleSet:
    active = rule_sets.active(connection)
    return rules.DEFAULT if active is None else rules.from_json(active.content)


def _unkept(settings: Settings, rule_set: RuleSet, row: Mapping[str, Any]) -> Answer:
    """Return the decision about an order of which nothing is kept."""
    otherwise = rules.decision(settings.screen_fallback)
    decided = rules_only.decide(
        rule_set, row["order_id"], row["message"], {}, why=dropping.WHY_UNKEPT, otherwise=otherwise
    )
    return answers.with_unread(answers.from_screening(decided, None), row["message"])


def _decide_by_rules(connection: Any, settings: Settings, order_ids: Sequence[str]) -> None:
    if not order_ids:
        return
    rule_set = _active(connection)
    rule_sets.keep(connection, rule_set.version, rules.to_json(rule_set))
    due_rows = entity_history.asking(connection, order_ids)
    counted = velocities.read(connection, due_rows, rules.velocities(rule_set))
    otherwise = rules.decision(settings.screen_fallback)
    why = f"the model did not answer within {_PATIENCE_SECONDS:.0f} s"
    decided = [
        rules_only.decide(rule_set, row.order_id, row.message, own, why=why, otherwise=otherwise)
        for row, own in zip(due_rows, counted, strict=True)
    ]
    screenings.write(connection, decided)
