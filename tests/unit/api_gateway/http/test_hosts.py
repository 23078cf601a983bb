"""Which hosts and origins are let in, as a table."""

from __future__ import annotations

import pytest

from api_gateway.http import hosts
from api_gateway.http.hosts import Hosts
from workers.settings import Settings


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        (b"localhost", True),
        (b"LOCALHOST:8080", True),
        (b"127.0.0.1:8080", True),
        (b"[::1]:8080", True),
        (b"192.0.2.7", True),
        (b"192.0.2.8", False),
        (b"gateway", True),
        (b"", False),
        (b":8080", False),
        (b"evil.example", False),
        (b"localhost.evil.example", False),
        (b"localhost@evil.example", False),
        (b"[::1", False),
        (b"[::1]evil.example", False),
        (b"\xff\xfe", False),
    ],
)
def test_hosts(host: bytes, expected: bool) -> None:
    allowed = Hosts(Settings(gateway_host="192.0.2.7", allowed_hosts=" Gateway , "))
    assert allowed.allows(host) is expected
    assert allowed.allows(host) is expected


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        (b"http://127.0.0.1:8080", True),
        (b"https://127.0.0.1:8080", True),
        (b"http://127.0.0.1:3000", False),
        (b"http://127.0.0.1:8080.evil.example", False),
        (b"null", False),
        (b"", False),
    ],
)
def test_the_own_origin(origin: bytes, expected: bool) -> None:
    assert hosts.is_same(origin, b"127.0.0.1:8080") is expected
