"""TLS of the gateway: certificate and key from files, which are read again when they change."""

from __future__ import annotations

import logging
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from workers.settings import Settings

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0


def options(settings: Settings) -> dict[str, Any]:
    """Return uvicorn's options for the certificate, none without one."""
    if settings.gateway_tls_certificate is None:
        return {}
    files = {"ssl_certfile": settings.gateway_tls_certificate, "ssl_keyfile": settings.gateway_tls_key}
    return {**files, "ssl_context_factory": context}


def context(config: Any, make: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    """Return the context of a uvicorn server; connections that come after a change of its files get the new one."""
    newest = [make()]

    def choose(connection: Any, _name: str | None, _context: ssl.SSLContext) -> None:
        connection.context = newest[0]

    first = newest[0]
    first.sni_callback = choose  # called for each connection, also for one that names no server
    files = (Path(config.ssl_certfile), Path(config.ssl_keyfile))
    threading.Thread(target=_follow, args=(files, make, newest), name="certificate", daemon=True).start()
    return first


def _follow(files: tuple[Path, ...], make: Callable[[], ssl.SSLContext], newest: list[ssl.SSLContext]) -> None:
    loaded = _written(files)
    while True:
        time.sleep(LOOK_SECONDS)
        if (now := _written(files)) == loaded:
            continue
        try:
            newest[0] = make()
            loaded = now
            log.info("the certificate was read again")
        except (ssl.SSLError, OSError) as error:
            # One of the files may not be written yet.
            log.warning("the new certificate cannot be read, and the one before is used: %s", error)


def _written(files: tuple[Path, ...]) -> tuple[int, ...]:
    """Return when the files were last written; nothing while one is missing."""
    try:
        return tuple(file.stat().st_mtime_ns for file in files)
    except OSError:
        return ()
