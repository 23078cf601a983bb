"""Proposing: what each item sold at which price, week by week, becomes a model of demand, and that one a price.

Nothing of a customer is read: units by item and week, prices, costs, stock. All customers get the same prices.
"""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
from sqlalchemy import Engine

from model.pricing import guardrails, learning, money, policy
from model.pricing.guardrails import Allowed, Present
from model.pricing.policy import Choice, Question
from storage.market import demand
from storage.pricing import availability, decisions, facts, proposals
from storage.pricing import rules as price_rules
from workers.pricing import limits, panels
from workers.pricing.rules import Book, Rules
from workers.registry.errors import NotEnoughData
from workers.settings import Settings

LEAST_WEEKS = 8
POLICY = "thompson-hierarchical-1"

_AUTOMATIC = "automatic"
_DRAWS = 256
_DAYS_A_WEEK = 7.0


def propose(engine: Engine, settings: Settings, *, seed: int | None = None) -> int:
    """Look at all prices anew and write proposals; return how many. Raises `NotEnoughData`."""
    with engine.connect() as connection:
        span = demand.span(connection)
        if span is None or len(span.weeks) < LEAST_WEEKS:
            raise NotEnoughData(f"prices are learnt from {LEAST_WEEKS} whole weeks of purchases and more")
        items, history = panels.read(connection, span)
        book = Book(price_rules.every(connection))
        sizes = [book.family(row.item_id) for row in items]
        prices = facts.prices(connection, sorted({item for family in sizes for item in family}))
    if not items:
        raise NotEnoughData("no item with a price was bought")
    categories = {name: number for number, name in enumerate(sorted({row.category or "" for row in items}))}
    category_N = np.array([categories[row.category or ""] for row in items])
    learned = learning.learn(history, category_N, period_days=_DAYS_A_WEEK)
    draws = learning.draws(learned, _DRAWS, seed=0 if seed is None else seed)
    rules = [book.of(row.item_id, row.category, row.brand) for row in items]
    today = datetime.now(UTC).date()
    present = [limits.present(row, family, prices) for row, family in zip(items, sizes, strict=True)]
    asked = [
        _question(row, each, rule, float(reference), today)
        for row, each, rule, reference in zip(items, present, rules, learned.reference_N, strict=True)
    ]
    chosen = policy.choose(asked, draws, seed=_seed(seed))
    rows = [
        _row(row, rule, question, choice)
        for row, rule, question, choice in zip(items, rules, asked, chosen, strict=True)
        if choice.price != question.present.price
    ]
    decided = [
        _decision(row, rule, question, choice)
        for row, rule, question, choice in zip(items, rules, asked, chosen, strict=True)
    ]
    with engine.begin() as connection:
        proposals.write(connection, rows)
        decisions.write(connection, decided)
        decisions.forget(connection, span.since)
        availability.forget(connection, span.since)
    return len(rows)


def _question(row: Any, present: Present, rules: Rules, reference: float, today: date) -> Question:
    allowed: Allowed = guardrails.allowed(present, limits.guardrails(rules, row))
    objective = rules.objective or policy.REVENUE
    days_left = 0 if rules.clear_by is None else (rules.clear_by - today).days
    # What an objective needs and nobody knows leaves revenue, and so does the end of a clearance.
    if (objective == policy.MARGIN and row.cost is None) or (
        objective == policy.CLEAR and (not row.stock or days_left <= 0)
    ):
        objective = policy.REVENUE
    return Question(
        present,
        allowed,
        money.to_minor(reference, row.currency),
        objective,
        stock=row.stock,
        periods=max(math.ceil(days_left / _DAYS_A_WEEK), 1),
    )


def _row(item: Any, rules: Rules, question: Question, choice: Choice) -> dict[str, Any]:
    currency = item.currency
    bitten = guardrails.bitten(choice.wish, question.allowed)
    unit = 1 if question.objective == policy.UNITS else money.minor_units(currency)
    expects = {
        "units": list(choice.units),
        question.objective: [value / unit for value in choice.value],
        f"{question.objective}_before": [value / unit for value in choice.before],
        "chance_of_better": choice.chance,
        "elasticity": list(choice.elasticity),
        "period": "week",
    }
    return {
        "item_id": item.item_id,
        "price": item.price,
        "proposed": money.from_minor(choice.price, currency),
        "currency": currency,
        "objective": question.objective,
        "expects": expects,
        "reason": _reason(question, choice),
        "bitten": [] if bitten is None else [bitten],
        "propensity": choice.propensity,
        "policy": POLICY,
        "state": proposals.APPROVED if rules.approval == _AUTOMATIC else proposals.PROPOSED,
    }


def _decision(item: Any, rules: Rules, question: Question, choice: Choice) -> dict[str, Any]:
    """Return what is logged of every look at an item, whether its price is to change or not."""
    return {
        "item_id": item.item_id,
        "price": item.price,
        "chosen": _money(item, question, choice.price),
        "currency": item.currency,
        "cost": item.cost,
        "propensity": choice.propensity,
        "prices": [_money(item, question, option.price) for option in choice.options],
        "shares": [option.share for option in choice.options],
        "units": [option.units for option in choice.options],
        "policy": POLICY,
        "blocked": list(question.allowed.blocked),
        "automatic": rules.approval == _AUTOMATIC,
    }


def _money(item: Any, question: Question, price: int) -> float:
    """Return a price as money; the present one as it is, which may have more digits than its currency."""
    present: float = item.price
    return present if price == question.present.price else money.from_minor(price, item.currency)


def _reason(question: Question, choice: Choice) -> str:
    gain = choice.value[0] / choice.before[0] - 1.0 if choice.before[0] > 0 else 0.0
    low, high = choice.elasticity[1], choice.elasticity[2]
    move = "higher" if choice.price > question.present.price else "lower"
    return (
        f"a {move} price is expected to bring {gain:+.1%} {question.objective} a week, and is better with a chance "
        f"of {choice.chance:.0%}: 1 % more costs {low:.1f} to {high:.1f} % of the units"
    )


def _seed(given: int | None) -> int:
    return int(datetime.now(UTC).timestamp()) if given is None else given
