"""`reshelf health NAME`: whether one program of this machine or container is healthy, for health checks."""

from __future__ import annotations

import socket
import time

import click

from workers import exposure, heartbeat
from workers import settings as configuration
from workers.commands.operate import worker
from workers.settings import Settings
from workers.supervisor import probe

_PING_SECONDS = 2.0

PROGRAMS = ("gateway", "flower", "beat", *(f"worker-{name}" for name in worker.KINDS))


@click.command()
@click.argument("program", type=click.Choice(PROGRAMS))
@click.option("--timeout", default=5.0, show_default=True, help="Seconds to wait for an answer.")
def health(program: str, timeout: float) -> None:
    """Exit 0 if the program is healthy, 1 with a reason if it is not."""
    settings = configuration.load()
    if program == "gateway":
        problem = probe.problem(f"{exposure.gateway_url(settings)}/v1/ready", timeout=timeout)
    elif program == "flower":
        problem = probe.problem(f"{exposure.flower_url(settings)}/healthcheck", timeout=timeout)
    elif program == "beat":
        problem = _beat(settings)
    else:
        problem = _worker(settings, program.removeprefix("worker-"), timeout)
    if problem is not None:
        raise click.ClickException(f"{program} is not healthy: {problem}")


def _beat(settings: Settings) -> str | None:
    silent = heartbeat.age(heartbeat.file(settings.home, "beat"))
    if silent is None:
        return "it has not begun"
    return None if silent < heartbeat.HUNG_SECONDS else f"it has not run for {silent:.0f} s"


def _worker(settings: Settings, name: str, timeout: float) -> str | None:
    if hung := heartbeat.hung_children(settings.home, f"worker-{name}"):
        return f"child {hung[0]} has not run for {heartbeat.HUNG_SECONDS:.0f} s"
    from workers.app import app

    hostname = f"{name}@{socket.gethostname()}"
    until = time.monotonic() + timeout
    # A ping is lost if the worker is starting and does not listen yet: send several short ones, not a long one.
    while (left := until - time.monotonic()) > 0:
        if app.control.inspect(destination=[hostname], timeout=min(left, _PING_SECONDS)).ping():
            return None
    return f"{hostname} does not answer a ping"
