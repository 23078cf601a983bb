"""What demo, benchmarks and tests run reshelf with: what it chose is known, and what failed says why."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from storage.embedded import server
from workers.supervisor.installation import Installation, InstallationError


def _installation(home: Path, **environ: str) -> Installation:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("RESHELF_")}
    return Installation(home, clean | environ)


def test_settings_are_those_that_it_chose_and_not_those_that_were_wished_for(tmp_path: Path) -> None:
    port = server.free_port()
    installation = _installation(tmp_path / "home", RESHELF_GATEWAY_PORT=str(port))
    assert installation.settings.gateway_port == port
    with server.socket.create_server(("127.0.0.1", port)):
        try:
            assert installation.bring_up(["redis"]) == []
            assert installation.settings.gateway_port == port + 1
            assert installation.broker_url.startswith("redis://")
        finally:
            installation.stop()
    assert not (tmp_path / "home" / "run.json").exists()


def test_one_that_cannot_start_says_why_and_one_that_did_not_start_can_be_stopped(tmp_path: Path) -> None:
    installation = _installation(tmp_path / "home", RESHELF_FLOWER_HOST="0.0.0.0")
    installation.stop()
    with pytest.raises(InstallationError, match="RESHELF_FLOWER_BASIC_AUTH"):
        installation.start()


def test_a_command_that_fails_says_what_it_said(tmp_path: Path) -> None:
    installation = _installation(tmp_path / "home", RESHELF_GATEWAY_PORTS="1")
    with pytest.raises(InstallationError, match=r"`reshelf status` ended with 2:\n.*RESHELF_GATEWAY_PORT"):
        installation.reshelf("status")
    assert installation.reshelf("status", check=False) == ""
    assert installation.run("status", RESHELF_GATEWAY_PORTS="").returncode == 3
