"""`reshelf gateway`: the HTTP server that reads rankings."""

from __future__ import annotations

import os
import resource
import tempfile

import click

from workers import exposure
from workers import settings as configuration
from workers.commands.operate import tls

FACTORY = "api_gateway.app:from_environment"
GRACE_SECONDS = 10
MOST_FILES = 4096


def _connections() -> int:
    """Return how many connections to keep: each is a file, and a few files are for the database and the rest."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
    return files - 256


@click.command()
def gateway() -> None:
    """Serve rankings over HTTP until it is told to stop; running requests finish."""
    import uvicorn

    settings = configuration.load()
    exposure.check_gateway(settings)
    exposure.check_secrets(settings)
    if settings.open_on_loopback:
        click.echo("WARNING: RESHELF_OPEN_ON_LOOPBACK: every program of this machine may read and write", err=True)
    if settings.gateway_workers > 1:
        # Several processes answer; the one that is asked for metrics has to know those of all.
        os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", tempfile.mkdtemp(prefix="reshelf-gateway-metrics-"))
    uvicorn.run(
        FACTORY,
        factory=True,
        host=settings.gateway_host,
        port=settings.gateway_port,
        workers=settings.gateway_workers,
        loop="uvloop",
        http="api_gateway.http.protocol:Protocol",
        access_log=False,
        limit_concurrency=_connections(),
        timeout_graceful_shutdown=GRACE_SECONDS,
        **tls.options(settings),
    )
