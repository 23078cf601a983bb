"""A gateway as it is really run: a process of its own, under uvicorn."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support import gateways

_SERVE = """
import sys, uvicorn
from api_gateway.http import protocol
protocol.FIRST_SECONDS = float(sys.argv[2])
options = {"port": int(sys.argv[1]), "loop": "uvloop", "http": "api_gateway.http.protocol:Protocol"}
uvicorn.run("api_gateway.app:from_environment", factory=True, log_level="warning", **options)
"""


@contextmanager
def running(
    database_url: str, broker_url: str, home: Path, *, first_seconds: float = 15.0
) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """Yield the port and the process of a gateway that takes the tests' key; a request has `first_seconds` to begin."""
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port = int(chosen.getsockname()[1])
    environ = {name: value for name, value in os.environ.items() if not name.startswith("RESHELF_")}
    environ |= {"RESHELF_DATABASE_URL": database_url, "RESHELF_BROKER_URL": broker_url, "RESHELF_HOME": str(home)}
    environ |= {"RESHELF_API_KEYS": gateways.KEY}
    process = subprocess.Popen([sys.executable, "-c", _SERVE, str(port), str(first_seconds)], env=environ)
    try:
        yield port, process
    finally:
        process.kill()
        process.wait()
