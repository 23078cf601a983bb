"""Applying: an approved proposal becomes the item's price, its line in the audit, and a message to the shop, at once.

One transaction holds the proposal and the item, looks at the stop and at every guardrail as they are now, and writes
all of it or nothing. So a worker that is killed leaves nothing half done, and two workers never change one item twice.
"""

from __future__ import annotations

import logging
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine

from model.pricing import guardrails, money
from storage.events import intake
from storage.pricing import changes, facts, proposals
from storage.pricing import rules as price_rules
from workers.pricing import limits
from workers.pricing.rules import Book
from workers.settings import Settings

log = logging.getLogger(__name__)

_WRITER = "pricing"


class _Held(Exception):
    """Somebody else changes the item now: the proposal waits for the next time, and the others go on."""


class _Overtaken(Exception):
    """A catalogue change with a later time keeps the price."""


def apply_approved(engine: Engine, settings: Settings, *, most: int = 1000) -> Counter[str]:
    """Apply the approved proposals, one transaction each; return how many came to which state."""
    done: Counter[str] = Counter()
    held: list[int] = []
    while done.total() + len(held) < most:
        with engine.begin() as connection:
            if price_rules.is_stopped(connection, hold=True):
                break
            proposal = proposals.take(connection, without=held)
            if proposal is None:
                break
            try:
                state, why = _apply(connection, settings, proposal)
            except _Held:
                held.append(proposal.proposal_id)
                continue
            proposals.decide(connection, proposal.proposal_id, state, why=why)
        done[state] += 1
        if why is not None:
            log.info("proposal %d of %s: %s", proposal.proposal_id, proposal.item_id, why)
    return done


def _apply(connection: Connection, settings: Settings, proposal: Any) -> tuple[str, str | None]:
    """Apply one proposal; return its new state, and why it is not applied."""
    item = facts.hold(connection, proposal.item_id)
    if item is None:
        if facts.price(connection, proposal.item_id) is not None:
            raise _Held
        return proposals.REFUSED, "the item is gone, or has no price"
    if not _same(item.price, proposal.price, item.currency):
        return proposals.REFUSED, f"the price is {item.price} by now, not {proposal.price}"
    # What is taken back was there before: neither the cooldown nor the largest step is to keep it away.
    is_taken_back = proposal.policy == proposals.ROLLBACK
    broken = () if is_taken_back else _broken(connection, item, proposal.proposed)
    if broken:
        return proposals.REFUSED, f"it breaks {', '.join(broken)}"
    try:
        with connection.begin_nested():
            _change(connection, settings, item, proposal)
    except _Overtaken:
        return proposals.REFUSED, "the shop has sent a price of a later time"
    return proposals.APPLIED, None


def _broken(connection: Connection, item: Any, price: float) -> tuple[str, ...]:
    book = Book(price_rules.every(connection))
    rules, sizes = book.of(item.item_id, item.category, item.brand), book.family(item.item_id)
    rails = limits.guardrails(rules, item)
    prices = facts.prices(connection, list(sizes), in_turn=rules.family) if sizes else {}
    return guardrails.violations(limits.present(item, sizes, prices), money.to_minor(price, item.currency), rails)


def _change(connection: Connection, settings: Settings, item: Any, proposal: Any) -> None:
    price = proposal.proposed
    change = {
        "change_id": f"price-proposal:{proposal.proposal_id}", "item_id": item.item_id, "at": datetime.now(UTC),
        "announces": False, "fields": {"price": price},
    }  # fmt: skip
    intake.write_changes(connection, [change], writer=_WRITER)
    if not _same(facts.price(connection, item.item_id), price, item.currency):
        raise _Overtaken
    changes.record(
        connection,
        tell=bool(settings.pricing_queue or settings.pricing_webhook),
        item_id=item.item_id,
        price_before=item.price,
        price_after=price,
        currency=item.currency,
        cause=changes.ROLLBACK if proposal.policy == proposals.ROLLBACK else changes.PROPOSAL,
        proposal_id=proposal.proposal_id,
        changed_by=proposal.decided_by,
    )


def _same(left: float | None, right: float | None, currency: str | None) -> bool:
    if left is None or right is None:
        return left is right
    return money.to_minor(left, currency) == money.to_minor(right, currency)
