"""Ports for processes that tests start."""

from __future__ import annotations

import socket


def free_port() -> int:
    """Return a port that is free now, with the four after it: each process with metrics has one."""
    while True:
        with socket.socket() as first:
            first.bind(("127.0.0.1", 0))
            port = int(first.getsockname()[1])
        if all(_is_free(port + step) for step in (1, 2, 3, 4)):
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
