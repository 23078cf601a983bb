"""What is refused before the database is asked: the gateway here has none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from litestar.testing import TestClient

from api_gateway.intake import doors
from tests.support import gateways
from workers.settings import Settings


@pytest.fixture(scope="module")
def offline() -> Iterator[TestClient[Any]]:
    settings = Settings(database_url="postgresql://nobody@127.0.0.1:1/none")
    with gateways.client(settings) as client:
        yield client


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/v1/new?limit=0", "limit"),
        ("/v1/new?limit=101", "limit"),
        ("/v1/new?limit=many", "limit"),
        ("/v1/recommendations", "session_id"),
        ("/v1/recommendations?session_id=%00", "session_id"),
        ("/v1/users/a%00b/recommendations", "user_id"),
        (f"/v1/users/{'a' * 129}/recommendations", "user_id"),
        ("/v1/items/%0A/similar", "item_id"),
        ("/v1/new?category=%00", "category"),
        ("/v1/new?exclude=a%00", "exclude"),
        ("/v1/users/a/recommendations?trait=country", "trait"),
        ("/v1/users/a/recommendations?trait=country:", "trait"),
        ("/v1/users/a/recommendations?country=%01", "country"),
        ("/v1/users/a/recommendations?" + "&".join(["trait=a:b"] * 17), "trait"),
    ],
)
def test_a_bad_parameter_is_named(offline: Any, path: str, field: str) -> None:
    answer = offline.get(path)
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, field)


def test_a_body_that_is_too_large_is_not_read(offline: Any) -> None:
    answer = offline.post("/v1/events", content=b" " * (doors.MOST_BYTES + 1))
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")


@pytest.mark.parametrize(
    "body",
    [b'[{"a": 1},', b"", b"{}", b"[]", b'"text"', b'{"rows": []}', b"\xff\xfe", b"[" * 100_000, b'{"events": {}}'],
)
def test_a_body_that_is_no_batch_is_refused_with_the_fix(offline: Any, body: bytes) -> None:
    answer = offline.post("/v1/events", content=body)
    error = answer.json()["error"]
    assert (answer.status_code, error["field"]) == (400, "body")
    assert "1 to 1000" in error["fix"]


def test_malformed_json_says_where(offline: Any) -> None:
    error = offline.post("/v1/events", content=b'[{"event_id": oops}]').json()["error"]
    assert "byte 14" in error["message"]
