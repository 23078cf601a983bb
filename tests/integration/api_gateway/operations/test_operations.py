"""Health, readiness, metrics and keys, and what a caller sees while the database is away."""

from __future__ import annotations

import time
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine, text

from api_gateway.operations import readiness
from storage.registry import models

NOBODY = "postgresql://reshelf:secret@127.0.0.1:1/reshelf"
READS = ["/v1/users/a/recommendations", "/v1/recommendations?session_id=s", "/v1/popular", "/v1/new"]
READS += ["/v1/items/a/similar", "/v1/items/a/bought-together"]
EVENT = {"event_id": "e", "kind": "view", "at": "2026-03-01T00:00:00Z", "user_id": "a", "item_id": "i"}


def metrics(gateway: Any) -> dict[tuple[str, ...], float]:
    """Return the gateway's samples by name and label values."""
    families = text_string_to_metric_families(gateway.get("/metrics").text)
    return {
        (sample.name, *(sample.labels[label] for label in sorted(sample.labels))): sample.value
        for family in families
        for sample in family.samples
    }


def test_ready_says_what_it_checked(serve: Any, broker_url: str) -> None:
    answer = serve(broker_url=broker_url).get("/v1/ready")
    assert answer.status_code == 200
    assert answer.json()["ready"] is True
    assert {name: check["ok"] for name, check in answer.json()["checks"].items()} == {
        "database": True,
        "schema": True,
        "broker": True,
        "ranking": True,
    }


def test_it_is_not_ready_where_shoppers_wait_and_no_shelf_is_written(
    serve: Any, database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "STANDSTILL_SECONDS", 0.5)
    gateway = serve()
    with database.begin() as connection:
        connection.execute(
            text("INSERT INTO due (kind, key, since) VALUES ('shopper', 'u:a', now() - interval '1 minute')")
        )
    time.sleep(0.6)
    assert gateway.get("/v1/ready").json()["ready"] is True, "without a model nobody can rank"
    with database.begin() as connection:
        models.register(connection, "recommend-20260301T120000-abcdef", config={}, metrics={})
        models.switch(connection, "recommend-20260301T120000-abcdef")
    assert gateway.get("/v1/ready").status_code == 200
    time.sleep(0.6)
    answer = gateway.get("/v1/ready")
    assert answer.status_code == 503
    assert "no shelf was written" in answer.json()["checks"]["ranking"]["detail"]
    with database.begin() as connection:
        connection.execute(text("DELETE FROM due"))
    assert gateway.get("/v1/ready").status_code == 200
    with database.begin() as connection:
        connection.execute(text("TRUNCATE live_models, model_switches"))


def test_ready_without_its_broker_says_so(serve: Any) -> None:
    answer = serve(broker_url="redis://127.0.0.1:1/0").get("/v1/ready")
    assert (answer.status_code, answer.json()["ready"]) == (200, True)
    assert answer.json()["checks"]["broker"]["ok"] is False


def test_without_a_database_it_starts_lives_and_says_so(serve: Any) -> None:
    gateway = serve(database_url=NOBODY)
    assert gateway.get("/v1/health").status_code == 200
    ready = gateway.get("/v1/ready")
    assert (ready.status_code, ready.json()["ready"]) == (503, False)
    assert ready.json()["checks"]["database"]["ok"] is False
    answers = [gateway.get(path) for path in READS] + [gateway.post("/v1/events", json=[EVENT])]
    for answer in answers:
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable")
        assert int(answer.headers["retry-after"]) > 0
        assert "secret" not in answer.text


def test_a_database_that_was_never_migrated_is_named_as_such(serve: Any, embedded: Any) -> None:
    gateway = serve(database_url=embedded.database.rpartition("/")[0] + "/postgres")
    ready = gateway.get("/v1/ready")
    assert ready.status_code == 503
    assert "reshelf migrate" in ready.json()["checks"]["schema"]["detail"]
    for answer in (gateway.get("/v1/new"), gateway.post("/v1/events", json=[EVENT])):
        assert (answer.status_code, answer.json()["error"]["fix"]) == (503, "run `reshelf migrate`")


@pytest.mark.parametrize(
    ("change", "status"),
    [("UPDATE alembic_version SET version_num = 'from the future'", 200), ("DELETE FROM alembic_version", 503)],
)
def test_an_older_schema_is_not_ready_and_a_newer_one_is(
    gateway: Any, database: Engine, change: str, status: int
) -> None:
    assert gateway.get("/v1/ready").status_code == 200
    with database.begin() as connection:
        current = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
        connection.execute(text(change))
    try:
        assert gateway.get("/v1/ready").status_code == status
    finally:
        with database.begin() as connection:
            connection.execute(text("DELETE FROM alembic_version"))
            connection.execute(text("INSERT INTO alembic_version VALUES (:version)"), {"version": current})


def test_connections_that_were_cut_cost_no_request(gateway: Any, shop: Any, database: Engine) -> None:
    shop.stock(1)
    for number in range(10):
        assert gateway.get("/v1/new").status_code == 200
        assert gateway.post("/v1/events", json=[EVENT | {"event_id": f"e{number}"}]).status_code == 202
        with database.begin() as connection:
            connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND application_name = 'reshelf-gateway'"
                )
            )


def test_metrics_count_requests_sources_and_rows(gateway: Any, shop: Any) -> None:
    shop.stock(2)
    shop.rank("home", "ann", ["i001"])
    for path in ("/v1/users/ann/recommendations", "/v1/users/bob/recommendations", "/v1/new?limit=0", "/nowhere"):
        gateway.get(path)
    gateway.post("/v1/events", json=[EVENT, EVENT, {"kind": "none"}])
    samples = metrics(gateway)
    user = "/v1/users/{user_id}/recommendations"
    assert samples["reshelf_gateway_requests_total", "GET", user, "200"] == 2
    assert samples["reshelf_gateway_requests_total", "GET", "/v1/new", "400"] == 1
    assert samples["reshelf_gateway_requests_total", "GET", "unmatched", "404"] == 1
    assert samples["reshelf_gateway_requests_total", "POST", "/v1/events", "202"] == 1
    assert samples["reshelf_gateway_request_seconds_count", user] == 2
    assert 0 < samples["reshelf_gateway_request_seconds_sum", user] < 10
    assert samples["reshelf_gateway_served_total", "personal", "home"] == 1
    assert samples["reshelf_gateway_served_total", "newest", "home"] == 1
    assert samples["reshelf_gateway_rows_total", "events", "written"] == 1
    assert samples["reshelf_gateway_rows_total", "events", "duplicates"] == 1
    assert samples["reshelf_gateway_rows_total", "events", "rejected"] == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_with_keys_every_read_and_door_asks_for_one(serve: Any, host: str) -> None:
    gateway = serve(api_keys="first, second", gateway_host=host)
    for path in READS:
        answer = gateway.get(path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "unauthorized")
        assert answer.headers["www-authenticate"] == "Bearer"
    for path in ("/v1/events", "/v1/catalogue"):
        assert gateway.post(path, json=[EVENT]).status_code == 401
    for headers in (
        {"Authorization": "Bearer first"},
        {"authorization": "bearer second"},
        {"X-API-Key": "second"},
    ):
        assert gateway.get("/v1/new", headers=headers).status_code == 200
    for headers in (
        {"Authorization": "Bearer third"},
        {"Authorization": "Bearer "},
        {"X-API-Key": ""},
        {"X-API-Key": "first, second"},
        {"Authorization": "Basic first"},
    ):
        assert gateway.get("/v1/new", headers=headers).status_code == 401
    assert gateway.post("/v1/events", json=[EVENT], headers={"X-API-Key": "first"}).status_code == 202


def test_probes_are_open_and_metrics_are_not(serve: Any) -> None:
    near = serve(api_keys="key", gateway_host="127.0.0.1")
    far = serve(api_keys="key", gateway_host="0.0.0.0")
    for gateway in (near, far):
        assert gateway.get("/v1/health").status_code == 200
        assert gateway.get("/v1/ready").status_code == 200
        assert gateway.get("/metrics").status_code == 401
    assert far.get("/metrics", headers={"Authorization": "Bearer key"}).status_code == 200


def test_unknown_paths_and_methods_have_the_one_error_shape(gateway: Any) -> None:
    for answer, status in ((gateway.get("/v2/none"), 404), (gateway.delete("/v1/new"), 405)):
        assert answer.status_code == status
        assert set(answer.json()) == {"error"}
        assert {"code", "message"} <= set(answer.json()["error"])


def test_a_bug_is_a_500_without_its_stack(
    gateway: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("a secret place in the code")

    monkeypatch.setattr("api_gateway.recommend.schemas.first_page", broken)
    answer = gateway.get("/v1/new")
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "internal")
    assert "secret" not in answer.text
    assert "ZeroDivisionError" in caplog.text


def test_answers_are_not_to_be_cached(gateway: Any) -> None:
    assert gateway.get("/v1/new").headers["cache-control"] == "no-store"
