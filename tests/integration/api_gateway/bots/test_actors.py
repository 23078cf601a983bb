"""Actors at the gateway: listed with their reasons, flagged and cleared."""

from __future__ import annotations

from typing import Any

import jsonschema
from sqlalchemy import text

from storage.bots import actors
from storage.bots.actors import Suspicion
from tests.support import gateways, waiting


def names(gateway: Any, query: str = "") -> list[str]:
    return [one["shopper"] for one in gateway.get(f"/v1/actors{query}").json()["actors"]]


def due_keys(shop: Any) -> list[tuple[str, str]]:
    with shop.database.connect() as connection:
        rows = connection.execute(text("SELECT kind, key FROM due WHERE kind <> 'shopper' ORDER BY kind, key"))
        return [(kind, key) for kind, key in rows if kind != "item"]


def test_flagged_and_cleared_by_hand(shop: Any, gateway: Any, bell: Any) -> None:
    shop.event("purchase", "i1", user_id="mob/1")
    with shop.database.begin() as connection:
        connection.execute(text("DELETE FROM due"))
    gateway.headers.update(gateways.bearer(gateways.make_key(shop.database, "eva", "admin")))
    waiting.wait_until(lambda: gateway.get("/v1/actors").status_code == 200, what="the key is taken")
    flagged = gateway.post("/v1/actors/mob%2F1/flag?why=bought%20its%20own%20things")
    assert flagged.status_code == 200
    found = flagged.json()
    assert (found["shopper"], found["flagged"], found["events"]) == ("mob/1", True, 1)
    assert (found["reasons"], found["flagged_by"]) == (["by hand"], "http:eva")
    assert (found["detail"], found["cleared_at"]) == ("bought its own things", None)
    assert due_keys(shop) == [("actor", "mob/1"), ("basket", "i1")]
    again = gateway.post("/v1/actors/mob%2F1/flag")
    assert again.json() == found
    cleared = gateway.post("/v1/actors/mob%2F1/clear").json()
    assert (cleared["flagged"], cleared["cleared_by"]) == (False, "http:eva")
    assert cleared["spared_until"] > cleared["cleared_at"]
    assert gateway.post("/v1/actors/mob%2F1/clear").json() == cleared
    gateway.__exit__(None, None, None)  # the bell is rung beside the requests
    assert {kind for kinds in bell.rung for kind in kinds} == {"actor", "basket"}


def test_the_list_has_who_changed_last_first(shop: Any, gateway: Any) -> None:
    assert gateway.get("/v1/actors").json() == {"flagged": 0, "alert": None, "actors": []}
    for name in ("one", "two", "three"):
        with shop.database.begin() as connection:
            actors.flag(connection, [Suspicion(name, ["velocity"], "fast")], by=actors.DETECTOR)
            actors.write_alert(connection, "look here")
    assert names(gateway) == ["three", "two", "one"]
    assert names(gateway, "?limit=1") == ["three"]
    gateway.post("/v1/actors/one/clear")
    assert names(gateway) == ["three", "two"]
    assert names(gateway, "?flagged=false") == ["one"]
    listed = gateway.get("/v1/actors").json()
    assert (listed["flagged"], listed["alert"]) == (2, "look here")


def test_errors_name_the_field_and_the_fix(gateway: Any) -> None:
    found = gateway.post("/v1/actors/nobody/clear")
    assert found.status_code == 404
    assert found.json()["error"] == {
        "code": "not_found",
        "message": "nobody ever flagged 'nobody'",
        "field": "shopper",
        "fix": "GET /v1/actors lists who is flagged",
    }
    for path, field in (("/v1/actors/x/flag?why=%00", "why"), ("/v1/actors/a%0Ab/flag", "shopper")):
        refused = gateway.post(path)
        assert (refused.status_code, refused.json()["error"]["field"]) == (400, field)
    assert gateway.get("/v1/actors?limit=0").json()["error"]["field"] == "limit"
    assert names(gateway) == []


def test_a_key_is_asked_for_where_keys_are_set(serve: Any) -> None:
    gateway = serve(api_keys="secret")
    for call in (gateway.get("/v1/actors"), gateway.post("/v1/actors/a/flag"), gateway.post("/v1/actors/a/clear")):
        assert call.status_code == 401
    answer = gateway.get("/v1/actors", headers={"X-API-Key": "secret"})
    assert answer.json()["actors"] == []


def test_the_document_says_what_is_answered(shop: Any, gateway: Any) -> None:
    document = gateway.get("/schema/openapi.json").json()
    answers = {
        ("/v1/actors/{shopper}/flag", "post"): gateway.post("/v1/actors/mob/flag").json(),
        ("/v1/actors", "get"): gateway.get("/v1/actors").json(),
        ("/v1/actors/{shopper}/clear", "post"): gateway.post("/v1/actors/mob/clear").json(),
    }
    for (path, method), value in answers.items():
        said = document["paths"][path][method]["responses"]["200"]["content"]["application/json"]["schema"]
        jsonschema.Draft202012Validator(said | {"components": document["components"]}).validate(value)
    assert "404" in document["paths"]["/v1/actors/{shopper}/clear"]["post"]["responses"]
