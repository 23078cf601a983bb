"""Keys while a gateway serves: made, rotated, limited and revoked, and what the audit trail says of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from litestar.testing import TestClient
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from tests.support import gateways, waiting
from tests.support.gateways import bearer

Client = TestClient[Any]
SECONDS_TO_REVOKE = 2.0


def status(gateway: Client, key: str, path: str = "/v1/popular") -> int:
    return int(gateway.get(path, headers=bearer(key)).status_code)


def made(gateway: Client, **wanted: Any) -> dict[str, Any]:
    answer = gateway.post("/v1/keys", json={"name": "reader", "scopes": ["read"]} | wanted)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def wait_until_taken(gateway: Client, key: str) -> None:
    waiting.wait_until(lambda: status(gateway, key) != 401, what="the key is taken")


def test_a_key_is_made_while_serving_and_its_text_is_stored_nowhere(gateway: Client, database: Engine) -> None:
    answer = made(gateway, owner="web team", expires_at="2099-01-01T00:00:00Z", rate=5, daily=100)
    secret, key = answer["secret"], answer["key"]
    assert secret.startswith(f"reshelf_{key['key_id']}_")
    assert (key["name"], key["owner"], key["scopes"], key["rate"], key["daily"]) == (
        "reader", "web team", ["read"], 5.0, 100,
    )  # fmt: skip
    wait_until_taken(gateway, secret)
    assert (status(gateway, secret), status(gateway, secret, "/v1/keys")) == (200, 403)
    assert secret not in gateway.get("/v1/keys").text
    random_part = secret.rpartition("_")[2]
    with database.connect() as connection:
        for table in ("api_keys", "audit_log"):
            rows = connection.execute(text(f"SELECT CAST(t AS text) FROM {table} AS t")).scalars().all()
            assert rows
            assert not any(random_part in row or random_part.encode().hex() in row for row in rows)


def test_two_keys_are_never_alike(gateway: Client) -> None:
    texts = {made(gateway, name=f"key {number}")["secret"] for number in range(20)}
    assert len(texts) == 20
    assert all(len(one.partition("_")[2].partition("_")[2]) == 43 for one in texts)


def test_a_revoked_key_is_refused_within_a_second_or_so(gateway: Client) -> None:
    answer = made(gateway)
    wait_until_taken(gateway, answer["secret"])
    revoked = gateway.post(f"/v1/keys/{answer['key']['key_id']}/revoke")
    asked_at = time.monotonic()
    assert [key["revoked_at"] is not None for key in revoked.json()["keys"]] == [True]
    while status(gateway, answer["secret"]) == 200:
        assert time.monotonic() - asked_at < SECONDS_TO_REVOKE
        time.sleep(0.02)
    assert status(gateway, answer["secret"]) == 401
    again = gateway.post("/v1/keys/reader/revoke")
    assert again.json() == revoked.json()
    assert gateway.post("/v1/keys/nobody/revoke").status_code == 404


def test_a_rotated_key_has_two_texts_for_a_while(gateway: Client) -> None:
    first = made(gateway, expires_at="2099-01-01T00:00:00Z")
    second = gateway.post("/v1/keys/reader/rotate", json={"overlap_hours": 1}).json()
    wait_until_taken(gateway, second["secret"])
    assert [status(gateway, one["secret"]) for one in (first, second)] == [200, 200]
    assert second["key"]["name"] == "reader"
    third = gateway.post("/v1/keys/reader/rotate")
    assert (third.status_code, "two keys" in third.json()["error"]["message"]) == (409, True)
    gateway.post(f"/v1/keys/{first['key']['key_id']}/revoke")
    waiting.wait_until(lambda: status(gateway, first["secret"]) == 401, what="the old one is refused")
    assert status(gateway, second["secret"]) == 200
    assert gateway.post(f"/v1/keys/{first['key']['key_id']}/rotate").status_code == 409


def test_a_rotation_without_an_overlap_ends_the_old_text(gateway: Client) -> None:
    first = made(gateway)
    wait_until_taken(gateway, first["secret"])
    gateway.post("/v1/keys/reader/rotate", json={"overlap_hours": 0})
    waiting.wait_until(lambda: status(gateway, first["secret"]) == 401, what="the old one is refused")


def test_a_key_expires_by_itself(gateway: Client, database: Engine) -> None:
    secret = made(gateway)["secret"]
    with database.begin() as connection:
        connection.execute(text("UPDATE api_keys SET expires_at = clock_timestamp() + interval '2 s'"))
    wait_until_taken(gateway, secret)
    waiting.wait_until(lambda: status(gateway, secret) == 401, what="it expires")


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"name": "a\n"}, "name"),
        ({"name": "setting:1"}, "name"),
        ({"name": "0123abcd"}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["everything"]}, "scopes[0]"),
        ({"owner": "a\0b"}, "owner"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"rate": 0}, "rate"),
        ({"daily": 0}, "daily"),
        ({"colour": "red"}, "body"),
    ],
)
def test_what_is_no_key_is_refused_with_the_field(gateway: Client, wanted: dict[str, Any], field: str) -> None:
    answer = gateway.post("/v1/keys", json={"name": "reader", "scopes": ["read"]} | wanted)
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, field)


def test_a_name_belongs_to_one_key_at_a_time(gateway: Client) -> None:
    made(gateway)
    assert gateway.post("/v1/keys", json={"name": "reader", "scopes": ["admin"]}).status_code == 409
    gateway.post("/v1/keys/reader/revoke")
    made(gateway)


def test_a_rate_is_held_and_says_when_to_come_again(gateway: Client) -> None:
    secret = made(gateway, rate=2)["secret"]
    wait_until_taken(gateway, secret)
    answers = [gateway.get("/v1/popular", headers=bearer(secret)) for _ in range(50)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert refused[0].headers["retry-after"] == "1"
    assert refused[0].json()["error"]["code"] == "too_many"
    waiting.wait_until(lambda: status(gateway, secret) == 200, what="the rate allows more")


def test_a_daily_quota_is_shared_by_gateways(serve: Callable[..., Client], database: Engine) -> None:
    secret = gateways.make_key(database, "reader", "read", daily=5)
    first, second = serve(), serve()
    assert [status(first, secret) for _ in range(4)] == [200] * 4
    waiting.wait_until(lambda: _used(database) == 4, what="the requests are counted")
    time.sleep(1)  # the other gateway reads the count
    assert [status(second, secret) for _ in range(3)] == [200, 429, 429]
    answer = second.get("/v1/popular", headers=bearer(secret))
    assert 0 < int(answer.headers["retry-after"]) <= 86_400


def test_last_use_is_written(serve: Callable[..., Client], database: Engine) -> None:
    used, unused = (gateways.make_key(database, name, "read") for name in ("used", "unused"))
    gateway = serve()
    assert status(gateway, used) == 200
    gateway.__exit__(None, None, None)  # at the latest when it stops
    with database.connect() as connection:
        rows = connection.execute(text("SELECT name, last_used_at IS NOT NULL FROM api_keys ORDER BY name"))
        assert [tuple(row) for row in rows] == [("unused", False), ("used", True)]
    assert unused != used


def test_changes_of_keys_are_audited_by_the_key_that_made_them(gateway: Client, database: Engine) -> None:
    admin = bearer(gateways.make_key(database, "eva", "admin"))
    waiting.wait_until(lambda: gateway.get("/v1/keys", headers=admin).status_code == 200, what="the key is taken")
    gateway.post("/v1/keys", json={"name": "reader", "scopes": ["read"], "owner": "somebody else"}, headers=admin)
    gateway.post("/v1/keys/reader/rotate", headers=admin)
    gateway.post("/v1/keys/reader/revoke", headers=admin)
    lines = gateway.get("/v1/audit").json()["lines"]
    assert [(line["action"], line["subject"], line["actor"], line["via"]) for line in lines] == [
        ("key revoked", "reader", "eva", "http"),
        ("key revoked", "reader", "eva", "http"),
        ("key rotated", "reader", "eva", "http"),
        ("key made", "reader", "eva", "http"),
        ("key made", "eva", "test", "command"),
    ]
    older = gateway.get(f"/v1/audit?limit=1&before={lines[2]['id']}").json()["lines"]
    assert older == lines[3:4]


@pytest.mark.parametrize("change", ["UPDATE audit_log SET actor = 'x'", "DELETE FROM audit_log", "TRUNCATE audit_log"])
def test_the_audit_trail_can_only_be_added_to(database: Engine, change: str) -> None:
    gateways.make_key(database, "eva", "admin")
    with pytest.raises(DBAPIError, match="can only be added to"), database.begin() as connection:
        connection.execute(text(change))


def test_keys_that_were_not_read_yet_are_not_called_wrong(serve: Callable[..., Client]) -> None:
    gateway = serve(database_url="postgresql://nobody@127.0.0.1:1/none", api_keys="known")
    assert status(gateway, "reshelf_0_unknown") == 503
    assert gateway.get("/v1/popular").status_code == 401
    assert status(gateway, "known", "/metrics") == 200


def _used(database: Engine) -> int:
    with database.connect() as connection:
        found = connection.execute(text("SELECT coalesce(sum(requests), 0) FROM api_key_usage")).scalar_one()
        return int(found)
