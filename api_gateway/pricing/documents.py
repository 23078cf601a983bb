"""The bodies of the routes of pricing in the OpenAPI document, which the routes parse themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
from litestar.openapi.spec import Operation

from api_gateway.http import openapi
from api_gateway.pricing.schemas import Facts, PutRules, Rejection, Window
from workers.pricing.rules import Rules

_REFERENCE = "#/components/schemas/"


def plain(rules: Rules) -> dict[str, Any]:
    """Return what the rules say, as it is stored."""
    return {name: value for name, value in msgspec.to_builtins(rules).items() if value is not None}


def _schema(kind: type[Any]) -> dict[str, Any]:
    """Return the schema of a type in one piece: what it refers to stands in it."""
    _, schemas = msgspec.json.schema_components([kind], ref_template=_REFERENCE + "{name}")

    def inlined(value: Any) -> Any:
        if isinstance(value, dict):
            name = str(value.get("$ref", "")).removeprefix(_REFERENCE)
            return inlined(schemas[name]) if "$ref" in value else {key: inlined(one) for key, one in value.items()}
        return [inlined(one) for one in value] if isinstance(value, list) else value

    found: dict[str, Any] = inlined(schemas[kind.__name__])
    return found


@dataclass
class PuttingOperation(Operation):
    """The body of setting rules."""

    def __post_init__(self) -> None:
        rules = {"margin": 0.2, "step": 0.1, "endings": [".99"], "approval": "manual"}
        self.request_body = openapi.one_object(_schema(PutRules), {"scope": "shop", "rules": rules})


@dataclass
class FactsOperation(Operation):
    """The body of costs and competitors' prices."""

    def __post_init__(self) -> None:
        example = {"items": [{"item_id": "4711", "cost": 5.2, "competitor_price": 9.5}]}
        self.request_body = openapi.one_object(_schema(Facts), example)


@dataclass
class RejectingOperation(Operation):
    """The body of rejecting, which may be left out."""

    def __post_init__(self) -> None:
        self.request_body = openapi.one_object(_schema(Rejection), {"why": "on sale next week"}, required=False)


@dataclass
class RollingBackOperation(Operation):
    """The body of taking changes back."""

    def __post_init__(self) -> None:
        self.request_body = openapi.one_object(_schema(Window), {"since": "2026-03-01T00:00:00Z"})
