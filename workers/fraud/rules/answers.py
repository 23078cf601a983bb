"""The answer about an order, by the task and by the gateway. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import msgspec

from storage.fraud.orders import UNREAD
from storage.fraud.screenings import Screening
from workers.fraud.rules import rules
from workers.fraud.rules.rules import Decision, Reason

_Note = msgspec.Meta


class Answer(msgspec.Struct, frozen=True):
    """The decision about an order."""

    order_id: str
    decision: Decision
    by: Annotated[str, _Note(description="What decided: `model` (with the rules), `novelty`, or only `rules`.")]
    why: Annotated[str | None, _Note(description="Why the model was not used; null if it was.")]
    probability: Annotated[float | None, _Note(description="Calibrated probability of fraud; null without a model.")]
    reasons: list[Reason]
    rules_version: str
    model_version: str | None
    decided_at: Annotated[datetime | None, _Note(description="UTC; null where the decision could not be recorded.")]
    unread: Annotated[dict[str, str], _Note(description="Fields that could not be read, and why.")] = {}


def announced(decided: Screening, at: datetime) -> str:
    """Return a decision that was just recorded as JSON, to be announced."""
    return msgspec.json.encode(from_screening(decided, at)).decode()


def from_json(said: str) -> Answer | None:
    """Return the announced answer, None if the announcement had none."""
    return msgspec.json.decode(said, type=Answer) if said else None


def from_screening(decided: Screening, at: datetime | None) -> Answer:
    """Return a decision as an answer; `at` is when it was recorded, None if it could not be recorded."""
    return Answer(
        decided.order_id,
        rules.decision(decided.decision),
        decided.by,
        decided.why,
        decided.probability,
        list(decided.reasons),
        decided.rules_version,
        decided.model_version,
        at,
    )


def from_row(row: Any) -> Answer:
    """Return a row of `storage.fraud.screenings.read` as an answer."""
    return Answer(
        row.order_id,
        row.decision,
        row.by,
        row.why,
        row.probability,
        msgspec.convert(row.reasons, list[Reason]),
        row.rules_version,
        row.model_version,
        row.decided_at,
    )


def with_unread(answer: Answer, message: Mapping[str, Any]) -> Answer:
    """Return the answer with what could not be read of the order, by its message."""
    unread = message.get(UNREAD)
    return msgspec.structs.replace(answer, unread=dict(unread)) if unread else answer


def conflict(order_id: str, field: str) -> str:
    """Return the error for an order that is sent again with other content."""
    return f"order {order_id!r} was sent before with another `{field}`: an order that changed needs an id of its own"
