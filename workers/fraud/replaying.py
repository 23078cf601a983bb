"""Replay a decision from the stored rules, model, facts and features: the result has to be the same."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import Engine

from model.fraud import serve
from storage.fraud import rule_sets, screenings
from workers.fraud.rules import rules
from workers.fraud.training import publish
from workers.settings import Settings


class NotRecorded(LookupError):
    """There is no decision of the order, or something that it is based on was deleted; the message says what."""


class Replayed(NamedTuple):
    """A decision as it was recorded, and as it was replayed; `differences` names the fields that differ."""

    order_id: str
    recorded: dict[str, Any]
    replayed: dict[str, Any]

    @property
    def differences(self) -> list[str]:
        """The fields that differ; a probability has to be the same bit for bit."""
        return [name for name, value in self.recorded.items() if self.replayed[name] != value]


def replay(engine: Engine, settings: Settings, order_id: str) -> Replayed:
    """Decide about an order again. Raises `NotRecorded`, and `ArtifactError` if its model's folder was deleted."""
    with engine.connect() as connection:
        row = screenings.whole(connection, order_id)
        if row is None:
            raise NotRecorded(f"no decision is recorded for order {order_id!r}")
        content = rule_sets.named(connection, row.rules_version)
    if content is None:
        raise NotRecorded(f"the rules {row.rules_version} by which order {order_id!r} was judged are gone")
    facts, probability = dict(row.facts), None
    otherwise = rules.decision(facts.pop("otherwise", rules.APPROVE))
    if row.model_version is not None:
        screener, values_1xF = publish.loaded(settings.home, row.model_version), np.array([row.features])
        if screener.is_trained:
            probability = facts["probability"] = float(serve.probabilities(screener, values_1xF)[0])
        else:
            facts["novelty"] = float(serve.strangeness(screener, values_1xF)[0])
    verdict = rules.decide(rules.from_json(content), facts, otherwise=otherwise)
    recorded = {"decision": row.decision, "probability": row.probability, "fired": _by_rules(row.reasons)}
    said = [{"source": reason.source, "name": reason.name} for reason in verdict.reasons]
    return Replayed(
        order_id, recorded, {"decision": verdict.decision, "probability": probability, "fired": _by_rules(said)}
    )


def _by_rules(reasons: list[dict[str, Any]]) -> list[str]:
    return [reason["name"] for reason in reasons if reason["source"] == "rule"]
