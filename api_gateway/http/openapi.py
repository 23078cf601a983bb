"""The OpenAPI document: what the types alone do not say, such as errors, examples, and the bodies of the doors."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import version
from inspect import cleandoc
from typing import Any

import msgspec
from litestar import Router
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import (
    Components,
    Example,
    OpenAPI,
    OpenAPIMediaType,
    Operation,
    RequestBody,
    SecurityScheme,
    Tag,
)

from api_gateway.http import scoped
from api_gateway.http.batches import Taken
from api_gateway.http.errors import ErrorBody
from api_gateway.http.reference import ReferencePlugin
from reshelf import fields
from reshelf.catalogue import Change
from reshelf.events import Event
from reshelf.orders import Label, Order

DESCRIPTION = """\
Ranked shelves of a shop, and the doors to which the shop sends what happens. Every list says which source served
each of its items; it is never empty while the catalogue has an available item that the filters leave. Errors have one
shape, {"error": {"code", "message", "field"?, "fix"?}}."""

PACKED = "It may be packed: Content-Encoding is gzip, deflate or zstd."

EVENT_EXAMPLE = {
    "event_id": "e-1001",
    "kind": "click",
    "at": "2026-03-01T12:00:00Z",
    "user_id": "ann",
    "item_id": "4711",
    "surface": "home",
    "request_id": "0f8fad5b-d9cb-469f-a165-70867728950e",
    "context": {"country": "FR"},
}
CHANGE_EXAMPLE = {
    "change_id": "c-1001",
    "kind": "upsert",
    "item_id": "4711",
    "at": "2026-03-01T12:00:00Z",
    "title": "Espresso cup",
    "category": "kitchen",
    "price": 12.5,
    "currency": "EUR",
    "stock": 40,
}
ORDER_EXAMPLE = {
    "order_id": "o-1001",
    "customer_id": "ann",
    "at": "2026-03-01T12:00:00Z",
    "amount": 25.0,
    "currency": "EUR",
    "items": [{"item_id": "4711", "quantity": 2, "price": 12.5}],
    "payment_id": "card-5c1f",
    "device_id": "d-88",
    "ip": "192.0.2.7",
    "email": "ann@shop.example",
    "phone": "+33142685300",
    "address_id": "a-12",
    "shipping_country": "FR",
    "billing_country": "FR",
}
LABEL_EXAMPLE = {"label_id": "l-1001", "order_id": "o-1001", "kind": "chargeback", "at": "2026-03-20T09:00:00Z"}


def _error(description: str) -> ResponseSpec:
    return ResponseSpec(ErrorBody, generate_examples=False, description=description)


GUARD_ERRORS = {
    401: _error("No accepted API key."),
    403: _error("The key has not the scope of the route, or a page of another origin sent the request."),
    421: _error("The host is none of those that this gateway answers to (RESHELF_ALLOWED_HOSTS)."),
    429: _error("The key has used its rate or its daily quota; try again after Retry-After seconds."),
}
READ_ERRORS = GUARD_ERRORS | {
    400: _error("A parameter cannot be read; `field` names it."),
    503: _error("The database cannot be reached; try again after Retry-After seconds."),
}
FOUND_ERRORS = READ_ERRORS | {404: _error("There is nothing of this id.")}
_REFERENCE = "#/components/schemas/"
_PACKED = {
    413: _error("More than 4 MiB, packed or unpacked, or more than 1000 rows."),
    415: _error("No JSON type, or an unknown Content-Encoding; the header Accept-Encoding names those that are known."),
}
ORDER_ERRORS = (GUARD_ERRORS | _PACKED) | {
    400: _error("The body is no order; `field` names what is wrong."),
    409: _error("Another order was sent under this id; `field` names the first difference."),
    503: _error("Orders are not screened here (RESHELF_FRAUD)."),
}
REVIEW_ERRORS = (FOUND_ERRORS | _PACKED) | {409: _error("It is another reviewer's, or decided.")}
KEY_ERRORS = (FOUND_ERRORS | _PACKED) | {409: _error("A valid key has this name, or this one cannot be rotated.")}
EXPERIMENT_ERRORS = READ_ERRORS | {404: _error("There is no experiment of this name.")}
MARKET_ERRORS = READ_ERRORS | {404: _error("The market was not analysed yet.")}
PRICE_ERRORS = (FOUND_ERRORS | _PACKED) | {409: _error("The proposal is decided already.")}
ERASURE_ERRORS = READ_ERRORS | {
    409: _error("Others were erased with another secret (RESHELF_PRIVACY_SECRET)."),
    415: _error("The body, which is not needed, is of no JSON type."),
}
ACTOR_ERRORS = READ_ERRORS | {404: _error("Nobody ever flagged this shopper.")}
DOOR_ERRORS = (READ_ERRORS | _PACKED) | {
    400: _error("No row of the body is JSON, or it is no batch of rows."),
    422: ResponseSpec(Taken, generate_examples=False, description="No row of the batch could be taken."),
}


def _batch(rows_field: str, row: str, example: dict[str, Any]) -> RequestBody:
    rows = {"type": "array", "minItems": 1, "maxItems": 1000, "items": {"$ref": _REFERENCE + row}}
    wrapped = {"type": "object", "properties": {rows_field: rows}, "required": [rows_field]}
    media = OpenAPIMediaType(
        schema={"oneOf": [rows, wrapped | {"additionalProperties": False}]},  # type: ignore[arg-type]  # as raw JSON
        examples={"one": Example(summary="A batch of one", value=[example])},
    )
    return RequestBody({"application/json": media}, description=f"1 to 1000 rows, up to 4 MiB. {PACKED}", required=True)


@dataclass
class EventsOperation(Operation):
    """The body of the events door, which the door parses itself."""

    def __post_init__(self) -> None:
        self.request_body = _batch("events", "Event", EVENT_EXAMPLE)


@dataclass
class CatalogueOperation(Operation):
    """The body of the catalogue door, which the door parses itself."""

    def __post_init__(self) -> None:
        self.request_body = _batch("changes", "Change", CHANGE_EXAMPLE)


@dataclass
class LabelsOperation(Operation):
    """The body of the labels door, which the door parses itself."""

    def __post_init__(self) -> None:
        self.request_body = _batch("labels", "Label", LABEL_EXAMPLE)


def one_object(schema: dict[str, Any], example: dict[str, Any], *, required: bool = True) -> RequestBody:
    """Return the body of a route that takes one JSON object."""
    media = OpenAPIMediaType(
        schema=schema,  # type: ignore[arg-type]  # as raw JSON
        examples={"one": Example(summary="As an example", value=example)},
    )
    return RequestBody({"application/json": media}, description=f"One JSON object. {PACKED}", required=required)


def taking(kind: type[Any], example: dict[str, Any], *, required: bool = True) -> type[Operation]:
    """Return the operation of a route that takes an object of this type, and parses it itself."""

    @dataclass
    class WithBody(Operation):
        def __post_init__(self) -> None:
            self.request_body = one_object(_whole(kind), example, required=required)

    return WithBody


def _whole(kind: type[Any]) -> dict[str, Any]:
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
class OrderOperation(Operation):
    """The body of the screening, which the route parses itself."""

    def __post_init__(self) -> None:
        self.request_body = one_object({"$ref": _REFERENCE + "Order"}, ORDER_EXAMPLE)


_REVIEWER = {
    "type": ["string", "null"],
    "minLength": 1,
    "maxLength": 128,
    "pattern": fields.ID_PATTERN,
    "description": "Noted in the audit trail; who takes or decides it is the key.",
}


@dataclass
class TakingOperation(Operation):
    """The body of taking a review, which the route parses itself."""

    def __post_init__(self) -> None:
        schema = {"type": "object", "properties": {"reviewer": _REVIEWER}}
        self.request_body = one_object(schema, {"reviewer": "eva"})


@dataclass
class DecidingOperation(Operation):
    """The body of deciding a review, which the route parses itself."""

    def __post_init__(self) -> None:
        properties = {
            "reviewer": _REVIEWER,
            "decision": {"enum": ["approve", "decline"]},
            "note": {"type": ["string", "null"], "maxLength": 2000, "pattern": r"^[^\x00]*$"},
            "fraud": {
                "type": ["boolean", "null"],
                "description": "Also labels the order: true as confirmed fraud, false as cleared.",
            },
        }
        schema = {"type": "object", "properties": properties, "required": ["decision"]}
        self.request_body = one_object(schema, {"reviewer": "eva", "decision": "decline", "fraud": True})


def config() -> OpenAPIConfig:
    """Return the configuration of the document at /schema/openapi.json and of the page at /schema."""
    return OpenAPIConfig(
        title="reshelf",
        version=version("reshelf-server"),
        description=DESCRIPTION,
        use_handler_docstrings=True,
        tags=[
            Tag("Shelves", "Ranked items, best first."),
            Tag("Search", "Search results, and suggestions while a shopper types."),
            Tag("Doors", "What the shop sends. Writing is idempotent by `event_id` and `change_id`."),
            Tag("Orders", "Screening for fraud, reviews, and the audit trail."),
            Tag("Experiments", "Arms of shoppers who are shown different shelves, and what they do."),
            Tag("Keys", "API keys and the audit trail."),
            Tag("Privacy", "What is kept of a person: exported, and erased."),
            Tag("Market", "What sold, what is next, what goes together, and who buys; analysed once a day."),
            Tag("Operations", "For probes and monitoring."),
        ],
        security=[{"bearer": []}, {"header": []}],
        components=Components(
            security_schemes={
                "bearer": SecurityScheme("http", scheme="bearer", description="An API key."),
                "header": SecurityScheme("apiKey", name="X-API-Key", security_scheme_in="header"),
            },
        ),
        openapi_router=Router("/schema", route_handlers=[], opt=dict(scoped.OPEN), include_in_schema=False),
        render_plugins=[ReferencePlugin(), JsonRenderPlugin()],
    )


def add_messages(document: OpenAPI) -> None:
    """Add the schemas of the messages as msgspec generates them, which are what the doors check."""
    (_, change, *_), schemas = msgspec.json.schema_components(
        [Event, Change, Order, Label], ref_template=_REFERENCE + "{name}"
    )
    for schema in schemas.values():
        schema["description"] = cleandoc(schema.get("description", ""))
    known: dict[str, Any] = document.components.schemas
    known |= schemas | {"Change": change}


def add_scopes(document: OpenAPI, routes: Iterable[Any]) -> None:
    """Say of each operation which scope a key needs for it."""
    for route in routes:
        item = (document.paths or {}).get(getattr(route, "path_format", ""))
        for handler in route.route_handlers if item is not None else ():
            for method in handler.http_methods:
                operation = getattr(item, str(method).lower(), None)
                if operation is not None:
                    _add_scope(operation, scoped.needed(handler.opt))


def _add_scope(operation: Operation, scope: str | None) -> None:
    if scope is None:
        operation.security = []
    else:
        operation.description = f"{operation.description or ''} Needs the scope `{scope}`.".lstrip()
