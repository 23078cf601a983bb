"""Settings with which the gateway refuses to be made, each naming its variable."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from api_gateway.app import create
from workers.exposure import is_loopback
from workers.settings import Settings, SettingsError

SOMEWHERE = "postgresql://nobody@127.0.0.1:1/none"


@pytest.mark.parametrize(
    ("settings", "variable"),
    [
        ({"open_on_loopback": True, "gateway_host": "0.0.0.0"}, "RESHELF_OPEN_ON_LOOPBACK"),
        ({"open_on_loopback": True, "gateway_host": "::"}, "RESHELF_OPEN_ON_LOOPBACK"),
        ({"open_on_loopback": True, "gateway_host": "shop.example"}, "RESHELF_OPEN_ON_LOOPBACK"),
        ({"gateway_tls_certificate": Path(__file__)}, "RESHELF_GATEWAY_TLS_KEY"),
        ({"gateway_tls_key": Path(__file__)}, "RESHELF_GATEWAY_TLS_CERTIFICATE"),
        ({"gateway_tls_certificate": Path("none.pem"), "gateway_tls_key": Path(__file__)}, "none.pem"),
        ({"database_url": None}, "RESHELF_DATABASE_URL"),
        ({"repeat_policy": "hide"}, "RESHELF_REPEAT_POLICY"),
    ],
)
def test_unsafe_or_incomplete_settings_are_refused(settings: dict[str, Any], variable: str) -> None:
    with pytest.raises(SettingsError, match=variable):
        create(Settings(**({"database_url": SOMEWHERE} | settings)))


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("", False)],
)
def test_what_counts_as_loopback(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected
