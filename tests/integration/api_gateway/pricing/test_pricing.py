"""Prices over HTTP: read, decided, bounded, stopped and taken back, each decision by the key that made it."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine

from storage.keys import audit
from storage.pricing import proposals
from tests.support.gateways import bearer, make_key
from workers.pricing import applying
from workers.settings import Settings


@pytest.fixture(name="proposed")
def _proposed(database: Engine, shop: Any) -> int:
    """A proposal for the first of three items, which cost 10, 11 and 12."""
    shop.stock(3)
    row = {
        "item_id": "i001", "price": 10.0, "proposed": 10.5, "currency": "EUR", "objective": "revenue",
        "expects": {"units": [1.0, 0.5, 2.0]}, "reason": "a test", "bitten": ["step"], "propensity": 0.5,
        "policy": "test", "state": "proposed",
    }  # fmt: skip
    with database.begin() as connection:
        proposals.write(connection, [row])
        [found] = proposals.recent(connection)
    return int(found.proposal_id)


def test_a_proposal_is_read_approved_applied_and_taken_back(
    database: Engine, database_url: str, serve: Any, proposed: int
) -> None:
    gateway = serve(pricing=True)
    [shown] = gateway.get("/v1/pricing/proposals?state=proposed&item_id=i001").json()["proposals"]
    assert (shown["price"], shown["proposed"], shown["bitten"]) == (10.0, 10.5, ["step"])
    approved = gateway.post(f"/v1/pricing/proposals/{proposed}/approve")
    assert (approved.status_code, approved.json()["state"]) == (202, "approved")
    assert gateway.post(f"/v1/pricing/proposals/{proposed}/approve").status_code == 409
    assert gateway.post("/v1/pricing/proposals/999999/approve").status_code == 404
    settings = Settings(database_url=database_url)
    assert applying.apply_approved(database, settings) == {"applied": 1}
    price = gateway.get("/v1/prices/i001").json()
    assert (price["price"], price["proposal"]["state"], price["change"]["price_before"]) == (10.5, "applied", 10.0)
    [change] = gateway.get("/v1/pricing/changes").json()["changes"]
    assert gateway.get(f"/v1/pricing/changes?after={change['change_no']}").json()["changes"] == []
    taken = gateway.post("/v1/pricing/rollback", json={"since": "2020-01-01T00:00:00Z"})
    assert (taken.status_code, taken.json()) == (202, {"items": ["i001"]})
    applying.apply_approved(database, settings)
    assert gateway.get("/v1/prices/i001").json()["price"] == 10.0
    assert gateway.get("/v1/prices/nothing").status_code == 404


def test_where_pricing_is_off_nothing_is_accepted_that_nobody_would_do(
    database: Engine, serve: Any, proposed: int
) -> None:
    gateway = serve()
    for path, body in ((f"proposals/{proposed}/approve", {}), ("rollback", {"since": "2020-01-01T00:00:00Z"})):
        answer = gateway.post(f"/v1/pricing/{path}", json=body)
        assert answer.status_code == 503
        assert "RESHELF_PRICING=true" in answer.json()["error"]["fix"]
    with database.connect() as connection:
        assert [row.state for row in proposals.recent(connection)] == ["proposed"]
    assert gateway.post(f"/v1/pricing/proposals/{proposed}/reject").status_code == 200


def test_rules_facts_and_the_stop_are_set_and_seen(serve: Any, proposed: int) -> None:
    gateway = serve()
    put = gateway.put("/v1/pricing/rules", json={"scope": "category", "name": "shoes", "rules": {"margin": 0.2}})
    assert put.status_code == 200
    assert put.json()["rules"][0]["rules"] == {"margin": 0.2}
    dropped = gateway.delete("/v1/pricing/rules?scope=category&name=shoes")
    assert dropped.json()["rules"] == []
    assert gateway.delete("/v1/pricing/rules?scope=shop").status_code == 404
    facts = {"items": [{"item_id": "i001", "cost": 5.5}, {"item_id": "i001", "competitor_price": 12.0}]}
    assert gateway.post("/v1/pricing/facts", json=facts).status_code == 200
    known = gateway.get("/v1/prices/i001").json()
    assert (known["cost"], known["competitor_price"]) == (5.5, 12.0), "what a later row leaves out stays"
    assert gateway.post("/v1/pricing/stop").json() == {"stopped": True}
    assert gateway.get("/v1/pricing/rules").json()["stopped"] is True
    assert gateway.post("/v1/pricing/resume").json() == {"stopped": False}


def test_freezing_a_scope_leaves_its_other_rules_and_unfreezing_gives_them_back(serve: Any) -> None:
    gateway = serve()
    lamps = {"scope": "category", "name": "lamps"}
    gateway.put("/v1/pricing/rules", json=lamps | {"rules": {"margin": 0.2}})
    [kept] = gateway.post("/v1/pricing/freeze", json=lamps).json()["rules"]
    assert kept["rules"] == {"margin": 0.2, "frozen": True}
    [kept] = gateway.post("/v1/pricing/unfreeze", json=lamps).json()["rules"]
    assert kept["rules"] == {"margin": 0.2}
    assert gateway.post("/v1/pricing/unfreeze", json=lamps).status_code == 404
    assert gateway.post("/v1/pricing/freeze", json={"scope": "item"}).json()["error"]["field"] == "name"
    gateway.post("/v1/pricing/freeze", json={"scope": "shop"})
    assert gateway.post("/v1/pricing/unfreeze", json={"scope": "shop"}).json()["rules"] == [kept], "nothing empty stays"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"scope": "shop", "rules": {"floor": 9, "ceiling": 5}}, "rules"),
        ({"scope": "shop", "rules": {"step": 2}}, "rules.step"),
        ({"scope": "shop", "rules": {"steps": 0.1}}, "rules"),
        ({"scope": "brand", "rules": {}}, "name"),
        ({"scope": "planet", "rules": {}}, "scope"),
        ({"scope": "brand", "name": "b", "rules": {"family": "f", "size": 1}}, "rules.family"),
        ({"scope": "shop", "rules": {"endings": ["abc"]}}, "rules.endings[0]"),
    ],
)
def test_rules_that_make_no_sense_are_refused_by_name(serve: Any, body: dict[str, Any], field: str) -> None:
    answer = serve().put("/v1/pricing/rules", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["field"] == field


def test_who_decided_is_the_key_and_a_key_that_reads_decides_nothing(
    database: Engine, serve: Any, proposed: int
) -> None:
    reads, decides = make_key(database, "reader", "read"), make_key(database, "buyer", "catalogue")
    gateway = serve()
    path = f"/v1/pricing/proposals/{proposed}/reject"
    assert gateway.post(path, json={"why": "no"}, headers=bearer(reads)).status_code == 403
    answer = gateway.post(path, json={"why": "no"}, headers=bearer(decides))
    assert (answer.status_code, answer.json()["decided_by"]) == (200, "buyer")
    with database.connect() as connection:
        [line] = [row for row in audit.recent(connection) if row.action == "price rejected"]
    assert (line.actor, line.subject) == ("buyer", str(proposed))


def test_a_key_that_reads_is_shown_prices_and_no_costs(database: Engine, serve: Any, proposed: int) -> None:
    held = {"read": ["read"], "catalogue": ["read", "catalogue"], "admin": ["admin"]}
    keys = {name: bearer(make_key(database, name, *scopes)) for name, scopes in held.items()}
    gateway = serve()
    gateway.post("/v1/pricing/facts", json={"items": [{"item_id": "i001", "cost": 5.5, "competitor_price": 9.0}]})
    shown = {scope: gateway.get("/v1/prices/i001", headers=key).json() for scope, key in keys.items()}
    assert shown["catalogue"] == shown["admin"]
    assert (shown["admin"]["cost"], shown["admin"]["proposal"]["proposed"]) == (5.5, 10.5)
    assert shown["read"] == shown["admin"] | {"cost": None, "competitor_price": None, "proposal": None}
    for path in ("proposals", "rules"):
        answers = [gateway.get(f"/v1/pricing/{path}", headers=key).status_code for key in keys.values()]
        assert answers == [403, 200, 200]
    assert gateway.get("/v1/pricing/changes", headers=keys["read"]).status_code == 200


def test_costs_come_through_the_catalogues_door(serve: Any, proposed: int) -> None:
    gateway = serve()
    at = {"item_id": "i001", "at": "2026-05-01T00:00:00Z", "kind": "facts"}
    rows = [at | {"change_id": "f1", "cost": 5.5, "promotion": True}, at | {"change_id": "f2", "cost": -1}]
    answer = gateway.post("/v1/catalogue", json=rows)
    assert [rejection["field"] for rejection in answer.json()["rejected"]] == ["cost"]
    known = gateway.get("/v1/prices/i001").json()
    assert (known["cost"], known["promotion"]) == (5.5, True)
