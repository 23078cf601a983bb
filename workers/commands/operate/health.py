"""`reshelf health NAME`: whether one program of this machine or container is healthy, for health checks."""

from __future__ import annotations

import socket
import time

import click

from workers import exposure
from workers import settings as configuration
from workers.commands.operate import beat, worker
from workers.settings import Settings
from workers.supervisor import probe

SCHEDULE_SECONDS = 600
"""Beat writes its schedule file every three minutes; if it is older than this, beat hangs."""

_PING_SECONDS = 2.0

PROGRAMS = ("gateway", "flower", "beat", *(f"worker-{name}" for name in worker.KINDS))


@click.command()
@click.argument("program", type=click.Choice(PROGRAMS))
@click.option("--timeout", default=5.0, show_default=True, help="Seconds to wait for an answer.")
def health(program: str, timeout: float) -> None:
    """Exit 0 if the program is healthy, 1 with a reason if it is not."""
    settings = configuration.load()
    if program == "gateway":
        problem = _http(settings.gateway_host, settings.gateway_port, "/v1/ready", timeout)
    elif program == "flower":
        problem = _http(settings.flower_host, settings.flower_port, "/healthcheck", timeout)
    elif program == "beat":
        problem = _beat(settings)
    else:
        problem = _worker(program.removeprefix("worker-"), timeout)
    if problem is not None:
        raise click.ClickException(f"{program} is not healthy: {problem}")


def _http(host: str, port: int, path: str, timeout: float) -> str | None:
    return probe.problem(f"http://{exposure.local(host)}:{port}{path}", timeout=timeout)


def _beat(settings: Settings) -> str | None:
    schedule = beat.schedule_file(settings)
    # The database modules append their own suffixes.
    written = [file.stat().st_mtime for file in schedule.parent.glob(schedule.name + "*")]
    if not written:
        return f"there is no {schedule}"
    age = time.time() - max(written)
    return None if age < SCHEDULE_SECONDS else f"{schedule} was last written {age:.0f} s ago"


def _worker(name: str, timeout: float) -> str | None:
    from workers.app import app

    hostname = f"{name}@{socket.gethostname()}"
    until = time.monotonic() + timeout
    # A ping is lost if the worker is starting and does not listen yet: send several short ones, not a long one.
    while (left := until - time.monotonic()) > 0:
        if app.control.inspect(destination=[hostname], timeout=min(left, _PING_SECONDS)).ping():
            return None
    return f"{hostname} does not answer a ping"
