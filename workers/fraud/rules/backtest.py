"""Backtest: what a rule set would have decided about past orders, compared with the decisions and the labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Row

from storage.fraud import screenings, velocities
from workers.canonical import orders as keys
from workers.fraud.rules import facts, rules
from workers.fraud.rules.rules import RuleSet

_AT_ONCE = 1_000
UNDECIDED = "not screened"


@dataclass
class RuleBacktest:
    """How often a rule fired: in all, on orders known to be fraud, and on orders known to be genuine.

    `rested` counts the orders for which a fact was missing.
    """

    decision: str
    fired: int = 0
    frauds: int = 0
    genuine: int = 0
    rested: int = 0


@dataclass
class Backtest:
    """The result. `moves` counts orders by (the decision, what the rules would have decided)."""

    orders: int = 0
    frauds: int = 0
    decisions: Counter[str] = field(default_factory=Counter)
    frauds_by_decision: Counter[str] = field(default_factory=Counter)
    moves: Counter[tuple[str, str]] = field(default_factory=Counter)
    rules: dict[str, RuleBacktest] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        moved = [{"from": old, "to": new, "orders": count} for (old, new), count in self.moves.items()]
        return {
            "orders": self.orders,
            "frauds": self.frauds,
            "decisions": dict(self.decisions),
            "frauds_by_decision": dict(self.frauds_by_decision),
            "moves": moved,
            "rules": {name: vars(one) for name, one in self.rules.items()},
        }


def run(
    engine: Engine, rule_set: RuleSet, since: datetime, progress: Callable[[int], object] = lambda _: None
) -> Backtest:
    """Judge all orders since `since` again, with velocities as of their time, and their recorded probabilities."""
    found = Backtest(rules={rule.name: RuleBacktest(rule.decision) for rule in rule_set.rules})
    wanted, after = rules.velocities(rule_set), (-1, -1)
    with engine.connect() as connection:
        while rows := screenings.past(connection, int(since.timestamp()), after=after, most=_AT_ONCE):
            counted = velocities.read(connection, rows, wanted)
            for row, own in zip(rows, counted, strict=True):
                _judge(found, rule_set, row, own)
            after = (rows[-1].at, rows[-1].tie)
            progress(len(rows))
    return found


def _judge(found: Backtest, rule_set: RuleSet, row: Row[Any], counted: Mapping[str, float]) -> None:
    known: dict[str, facts.Fact] = {**facts.from_order(keys.unified(row.message)), **counted}
    if row.probability is not None:
        known["probability"] = row.probability
    verdict = rules.decide(rule_set, known)
    is_fraud = row.label in ("chargeback", "confirmed_fraud")
    found.orders += 1
    found.frauds += is_fraud
    found.decisions[verdict.decision] += 1
    found.frauds_by_decision[verdict.decision] += is_fraud
    before = row.decision or UNDECIDED
    if before != verdict.decision:
        found.moves[before, verdict.decision] += 1
    for name in verdict.fired:
        one = found.rules[name]
        one.fired += 1
        one.frauds += is_fraud
        one.genuine += row.label == "cleared"
    for name in verdict.rested:
        found.rules[name].rested += 1
