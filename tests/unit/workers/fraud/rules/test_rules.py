"""Rules: which decision wins, what rests, and what a wrong file is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from workers.fraud.rules import facts, rules, rules_only
from workers.fraud.rules.rules import RulesError

MESSAGE = {
    "customer_id": "c-1", "device_id": "d-1", "at": "2026-03-01T23:30:00+02:00", "amount": 50.0, "currency": "EUR",
    "shipping_country": "FR", "billing_country": "DE", "items": [{"item_id": "i-1", "quantity": 3}, {"item_id": "i-2"}],
}  # fmt: skip


def rule(decision: str, name: str = "", **when: dict[str, Any]) -> dict[str, Any]:
    return {"name": name or decision, "decision": decision, "reason": f"{decision} it", "when": when}


ALWAYS: dict[str, Any] = {"amount": {"above": 0}}
NEVER: dict[str, Any] = {"amount": {"below": 0}}


@pytest.mark.parametrize(
    ("made", "probability", "decision", "named"),
    [
        ([], 0.1, "approve", []),
        ([], 0.3, "review", ["probability"]),
        ([], 0.8, "decline", ["probability"]),
        ([rule("review", **ALWAYS)], 0.1, "review", ["review"]),
        ([rule("review", **ALWAYS)], 0.9, "decline", ["probability"]),
        ([rule("approve", **ALWAYS)], 0.9, "approve", ["approve"]),
        ([rule("approve", **ALWAYS), rule("review", **ALWAYS)], 0.5, "approve", ["approve"]),
        ([rule("approve", **ALWAYS), rule("decline", **ALWAYS)], 0.1, "decline", ["decline"]),
        ([rule("decline", **NEVER)], 0.1, "approve", []),
        ([rule("decline", **ALWAYS, device={"equals": "d-2"})], 0.1, "approve", []),
        ([rule("decline", **ALWAYS, device={"equals": "d-1"})], 0.1, "decline", ["decline"]),
        ([rule("review", device_orders_1h={"above": 1})], None, "approve", []),
        ([rule("review", probability={"at_least": 0.2})], 0.2, "review", ["review"]),
    ],
)
def test_the_strictest_word_of_the_highest_voice_wins(
    made: list[dict[str, Any]], probability: float | None, decision: str, named: list[str]
) -> None:
    known = facts.from_order(MESSAGE) | ({} if probability is None else {"probability": probability})
    verdict = rules.decide(rules.from_json({"rules": made}), known)
    assert (verdict.decision, [reason.name for reason in verdict.reasons]) == (decision, named)


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ({"amount": {"at_least": 50, "at_most": 50}}, True),
        ({"amount": {"above": 50}}, False),
        ({"items": {"equals": 2}}, True),
        ({"pieces": {"equals": 4}}, True),
        ({"hour": {"equals": 21}}, True),
        ({"weekday": {"equals": 7}}, True),
        ({"countries_differ": {"equals": True}}, True),
        ({"device": {"in": "@blocked"}}, True),
        ({"device": {"not_in": "@blocked"}}, False),
        ({"device": {"in": ["d-2"]}}, False),
        ({"payment": {"equals": "p-1"}}, False),
    ],
)
def test_conditions_hold_facts_against_values(condition: dict[str, Any], holds: bool) -> None:
    made = rules.from_json({"lists": {"blocked": ["d-1"]}, "rules": [rule("decline", **condition)]})
    assert bool(rules.decide(made, facts.from_order(MESSAGE)).fired) == holds


def test_alone_rules_on_what_is_not_known_rest_and_the_rest_is_as_it_is_set() -> None:
    made = rules.from_json({
        "rules": [
            rule("review", "modelled", probability={"above": 0.1}),
            rule("decline", "busy", device_orders_1h={"above": 4}),
        ]
    })  # fmt: skip
    quiet = rules_only.decide(made, "o-1", MESSAGE, {"device_orders_1h": 4.0}, why="late", otherwise="review")
    assert (quiet.decision, quiet.by, quiet.why, quiet.facts["otherwise"]) == ("review", "rules", "late", "review")
    busy = rules_only.decide(made, "o-1", MESSAGE, {"device_orders_1h": 5.0}, why="late", otherwise="approve")
    assert (busy.decision, busy.facts["device_orders_1h"]) == ("decline", 5.0)
    assert rules.decide(made, {"amount": 1.0}).rested == ["modelled", "busy"]
    assert rules.velocities(made) == {"device_orders_1h"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"rules": [rule("decline", amout=ALWAYS["amount"])]}, "no fact 'amout'; did you mean 'amount'?"),
        ({"rules": [rule("decline", amount={"over": 1})]}, "no comparison 'over'"),
        ({"rules": [rule("decline", amount={"in": ["1"]})]}, "amount is a number"),
        ({"rules": [rule("decline", amount={"above": "1"})]}, "'1' is not a number"),
        ({"rules": [rule("decline", amount={})]}, "amount has no condition"),
        ({"rules": [rule("decline", device={"in": "@bad"})], "lists": {"banned": []}}, "did you mean '@banned'?"),
        ({"rules": [rule("decline", **ALWAYS), rule("decline", **ALWAYS)]}, "two rules are called 'decline'"),
        ({"rules": [rule("refuse", **ALWAYS)]}, "rules[0].decision"),
        ({"rules": [rule("decline")]}, "rules[0].when"),
        ({"thresholds": {"review": 0.9, "decline": 0.5}}, "review (0.9) is above decline (0.5)"),
        ({"treshold": {}}, "treshold"),
    ],
)
def test_wrong_rules_are_refused_with_what_was_meant(content: dict[str, Any], said: str) -> None:
    with pytest.raises(RulesError) as refused:
        rules.from_json(content)
    assert said in str(refused.value)


def test_a_file_is_read_and_the_same_content_has_the_same_name(tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_text('[[rules]]\nname = "a"\ndecision = "review"\nreason = "r"\nwhen = { amount = { above = 5 } }\n')
    found = rules.read(path)
    assert rules.from_json(rules.to_json(found)) == found
    assert found.version == rules.from_json(rules.to_json(found)).version != rules.DEFAULT.version
    path.write_text("[[rules]\n")
    with pytest.raises(RulesError, match="is no TOML"):
        rules.read(path)
    with pytest.raises(RulesError, match="cannot be read"):
        rules.read(tmp_path / "none.toml")
