"""TLS at the gateway, with certificates that are made here, and changed while it serves."""

from __future__ import annotations

import os
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import trustme
from click.testing import CliRunner

from tests.support import gateways, ports, waiting
from workers.cli import main
from workers.supervisor import processes


def write(authority: trustme.CA, folder: Path) -> None:
    """Write a certificate for this machine that the authority issued."""
    issued = authority.issue_cert("127.0.0.1", "localhost")
    (folder / "key.pem").write_bytes(issued.private_key_pem.bytes())
    (folder / "certificate.pem").write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))


@pytest.fixture
def environ(tmp_path: Path, database_url: str) -> dict[str, str]:
    given = {name: value for name, value in os.environ.items() if not name.startswith("RESHELF_")}
    return given | {
        "RESHELF_HOME": str(tmp_path / "home"),
        "RESHELF_DATABASE_URL": database_url,
        "RESHELF_GATEWAY_PORT": str(ports.free_port()),
        "RESHELF_API_KEYS": gateways.KEY,
        "RESHELF_GATEWAY_TLS_CERTIFICATE": str(tmp_path / "certificate.pem"),
        "RESHELF_GATEWAY_TLS_KEY": str(tmp_path / "key.pem"),
    }


@pytest.fixture
def authority(tmp_path: Path) -> trustme.CA:
    made = trustme.CA()
    write(made, tmp_path)
    return made


@pytest.fixture
def url(environ: dict[str, str], authority: trustme.CA, tmp_path: Path) -> Iterator[str]:
    with (tmp_path / "gateway.log").open("wb") as log:
        process = subprocess.Popen(processes.reshelf_command("gateway"), env=environ, stdout=log, stderr=log)
    yield f"https://127.0.0.1:{environ['RESHELF_GATEWAY_PORT']}"
    process.kill()
    process.wait()


def answers(url: str, authority: trustme.CA) -> bool:
    """Return whether the gateway answers to who trusts this authority alone."""
    trusted = ssl.create_default_context()
    authority.configure_trust(trusted)
    try:
        answer = httpx.get(f"{url}/v1/popular", headers=gateways.HEADERS, verify=trusted, trust_env=False)
    except httpx.TransportError:
        return False
    return answer.status_code == 200


def test_it_speaks_tls_alone_and_takes_a_new_certificate_while_it_serves(
    url: str, authority: trustme.CA, environ: dict[str, str], tmp_path: Path
) -> None:
    waiting.wait_until(lambda: answers(url, authority), what="the gateway answers")
    assert not answers(url, trustme.CA())
    with pytest.raises(httpx.TransportError):
        httpx.get(url.replace("https://", "http://"), trust_env=False)
    assert CliRunner().invoke(main, ["health", "gateway"], env=environ).exit_code == 0

    (tmp_path / "certificate.pem").write_text("half a certificate")
    waiting.wait_until(lambda: "cannot be read" in (tmp_path / "gateway.log").read_text(), what="it is looked at")
    assert answers(url, authority)

    other = trustme.CA()
    write(other, tmp_path)
    waiting.wait_until(lambda: answers(url, other), what="the new certificate is served")
    assert not answers(url, authority)
