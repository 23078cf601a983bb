"""Random states under random guardrails: no proposal breaks one, and the check does see breaches."""

from __future__ import annotations

import dataclasses

import pytest

from model.pricing import policy
from model.pricing.evaluation import stress


def test_no_proposal_breaks_a_guardrail_in_random_states() -> None:
    found = stress.check(2_000, seed=5)
    assert found.proposals >= 2_000
    assert found.changes > 400
    assert found.violations == {}


def test_a_policy_that_goes_beyond_the_allowed_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    choose = policy.choose

    def doubled(*args: object, **options: object) -> list[policy.Choice]:
        return [dataclasses.replace(each, price=2 * each.price) for each in choose(*args, **options)]  # type: ignore[arg-type]

    monkeypatch.setattr(policy, "choose", doubled)
    broken = stress.check(500, seed=5).violations
    assert {"ceiling", "step", "competitor", "cooldown", "frozen", "ending", "family"} <= set(broken)
