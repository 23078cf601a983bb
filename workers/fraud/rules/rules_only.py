"""Rules only: the decision about an order that the model did not judge in time. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from storage.fraud import screenings
from storage.fraud.screenings import Screening
from workers.fraud.rules import facts, rules
from workers.fraud.rules.facts import Fact
from workers.fraud.rules.rules import Decision, RuleSet


def decide(
    rule_set: RuleSet,
    order_id: str,
    message: Mapping[str, Any],
    counted: Mapping[str, float],
    *,
    why: str,
    otherwise: Decision,
) -> Screening:
    """Return the decision by the order's own facts and its velocities, `counted`.

    Rules that need anything else rest. `why` says why the model was not used; `otherwise` is the decision about an
    order to which no rule applies.
    """
    known: dict[str, Fact] = {**facts.from_order(message), **counted}
    verdict = rules.decide(rule_set, known, otherwise=otherwise)
    kept: dict[str, Any] = known | {"otherwise": otherwise}
    return Screening(order_id, verdict.decision, screenings.RULES, verdict.reasons, kept, rule_set.version, why=why)
