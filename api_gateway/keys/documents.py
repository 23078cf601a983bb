"""The bodies of the routes of keys in the OpenAPI document, which the routes parse themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
from litestar.openapi.spec import Operation

from api_gateway.http import openapi
from api_gateway.keys.schemas import Rotating
from workers.keys.wanted import Wanted


def _schema(kind: type[Any]) -> dict[str, Any]:
    """Return the schema of a type, in one piece."""
    _, schemas = msgspec.json.schema_components([kind])
    found: dict[str, Any] = schemas[kind.__name__]
    return found


@dataclass
class MakingOperation(Operation):
    """The body of making a key."""

    def __post_init__(self) -> None:
        example = {"name": "storefront", "scopes": ["events"], "owner": "web team", "rate": 50}
        self.request_body = openapi.one_object(_schema(Wanted), example)


@dataclass
class RotatingOperation(Operation):
    """The body of rotating a key, which may be left out."""

    def __post_init__(self) -> None:
        self.request_body = openapi.one_object(_schema(Rotating), {"overlap_hours": 24}, required=False)
