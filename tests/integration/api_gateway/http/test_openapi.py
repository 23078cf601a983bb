"""The OpenAPI document is valid, complete, and true."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from storage.market import results

PATHS = {
    "/v1/users/{user_id}/recommendations": "get",
    "/v1/users/{user_id}": "delete",
    "/v1/users/{user_id}/export": "get",
    "/v1/erasures/{receipt_id}": "get",
    "/v1/recommendations": "get",
    "/v1/items/{item_id}/similar": "get",
    "/v1/items/{item_id}/bought-together": "get",
    "/v1/popular": "get",
    "/v1/search": "get",
    "/v1/suggest": "get",
    "/v1/new": "get",
    "/v1/events": "post",
    "/v1/catalogue": "post",
    "/v1/orders/screen": "post",
    "/v1/orders/{order_id}/screening": "get",
    "/v1/orders/labels": "post",
    "/v1/reviews": "get",
    "/v1/reviews/{order_id}/take": "post",
    "/v1/reviews/{order_id}/decide": "post",
    "/v1/experiments": "get",
    "/v1/experiments/{name}": "get",
    "/v1/market": "get",
    **{f"/v1/market/{name}": "get" for name in results.ANALYSES},
    "/v1/prices/{item_id}": "get",
    "/v1/pricing/proposals": "get",
    "/v1/pricing/proposals/{proposal_id}/approve": "post",
    "/v1/pricing/proposals/{proposal_id}/reject": "post",
    "/v1/pricing/changes": "get",
    "/v1/pricing/rules": "get",
    "/v1/pricing/facts": "post",
    "/v1/pricing/freeze": "post",
    "/v1/pricing/unfreeze": "post",
    "/v1/pricing/stop": "post",
    "/v1/pricing/resume": "post",
    "/v1/pricing/rollback": "post",
    "/v1/actors": "get",
    "/v1/actors/{shopper}/flag": "post",
    "/v1/actors/{shopper}/clear": "post",
    "/v1/keys": "get",
    "/v1/keys/{key_id}/rotate": "post",
    "/v1/keys/{key_id}/revoke": "post",
    "/v1/audit": "get",
    "/v1/health": "get",
    "/v1/ready": "get",
    "/metrics": "get",
}


@pytest.fixture
def document(gateway: Any) -> dict[str, Any]:
    answer = gateway.get("/schema/openapi.json")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def nodes(node: Any) -> Iterator[dict[str, Any]]:
    """Yield every object in a document."""
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from nodes(child)


def check(value: Any, schema: dict[str, Any], document: dict[str, Any]) -> None:
    """Raise where the value does not have the schema."""
    whole = schema | {"components": document["components"]}
    jsonschema.Draft202012Validator(whole).validate(value)


def test_every_path_is_there_with_its_parameters(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    assert {path: next(iter(item)) for path, item in document["paths"].items()} == PATHS
    operations = [next(iter(item.values())) for item in document["paths"].values()]
    assert len({one["operationId"] for one in operations}) == len(PATHS)
    assert all(one["summary"] and one["description"] and one["tags"] for one in operations)
    user = document["paths"]["/v1/users/{user_id}/recommendations"]["get"]["parameters"]
    assert {one["name"] for one in user} == {
        *("user_id", "session_id", "limit", "cursor", "category", "exclude"),
        *("trait", "segment", "country", "referrer"),
    }
    assert all(one["description"] for one in user)
    assert [one["name"] for one in user if one.get("required")] == ["user_id"]
    limit = next(one["schema"] for one in user if one["name"] == "limit")
    assert (limit["minimum"], limit["maximum"], limit["default"]) == (1, 100, 20)


def test_schemas_are_schemas_and_references_lead_somewhere(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for schema in schemas.values():
        jsonschema.Draft202012Validator.check_schema(schema)
    references = {node["$ref"] for node in nodes(document) if isinstance(node.get("$ref"), str)}
    assert {"#/components/schemas/Event", "#/components/schemas/Upsert"} <= references
    assert {reference.rpartition("/")[2] for reference in references} <= set(schemas)


def test_answers_are_what_the_document_says(document: dict[str, Any], gateway: Any, shop: Any) -> None:
    shop.stock(3)
    shop.rank("home", "ann", ["i001", "i002"], because=[("i003", "view")])

    def said(path: str, method: str, status: int) -> dict[str, Any]:
        content = document["paths"][path][method]["responses"][str(status)]["content"]
        schema: dict[str, Any] = next(iter(content.values()))["schema"]
        return schema

    check(gateway.get("/v1/new?limit=2").json(), said("/v1/new", "get", 200), document)
    for answer in ("/v1/search?q=item", "/v1/search?q=item&explain=true&in_stock=false", "/v1/suggest?q=it"):
        path = answer.partition("?")[0]
        check(gateway.get(answer).json(), said(path, "get", 200), document)
    user = "/v1/users/{user_id}/recommendations"
    check(gateway.get(user.format(user_id="ann")).json(), said(user, "get", 200), document)
    check(gateway.get("/v1/new?limit=0").json(), said("/v1/new", "get", 400), document)
    check(gateway.get("/v1/ready").json(), said("/v1/ready", "get", 200), document)
    check(gateway.post("/v1/events", json=[1]).json(), said("/v1/events", "post", 422), document)
    check(gateway.post("/v1/events", content=b"").json(), said("/v1/events", "post", 400), document)


@pytest.mark.parametrize("path", ["/v1/events", "/v1/catalogue"])
def test_the_examples_of_the_doors_are_valid_and_taken(document: dict[str, Any], gateway: Any, path: str) -> None:
    media = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]
    for example in media["examples"].values():
        check(example["value"], media["schema"], document)
        answer = gateway.post(path, json=example["value"])
        assert (answer.status_code, answer.json()["written"]) == (202, 1)
    with pytest.raises(jsonschema.ValidationError):
        check([{"kind": "stare"}], media["schema"], document)


def test_the_page_names_every_path_and_loads_nothing_from_elsewhere(gateway: Any) -> None:
    answer = gateway.get("/schema")
    assert answer.headers["content-type"].startswith("text/html")
    assert all(path in answer.text for path in PATHS)
    assert "http://" not in answer.text
    assert "https://" not in answer.text
    assert "<script" not in answer.text
