"""`reshelf down`: stop what `reshelf up` started, wherever it was started."""

from __future__ import annotations

import contextlib
import signal
import time

import click
import psutil
from rich.console import Console

from workers import settings as configuration
from workers.settings import Settings
from workers.supervisor import control, run_file


@click.command()
@click.option("--timeout", default=100.0, show_default=True, help="Seconds until what still runs is killed.")
def down(timeout: float) -> None:
    """Stop everything that runs in RESHELF_HOME, in order: running tasks finish, then the servers stop."""
    settings = configuration.load()
    console = Console(stderr=True, highlight=False)
    socket = control.socket_path(settings.home)
    if run_file.is_held(settings.home):
        with console.status("stopping"):
            _signal(settings, signal.SIGTERM)
            ended = _wait(settings, timeout)
        if not ended:
            _signal(settings, signal.SIGKILL)
        console.print("stopped" if ended else f"killed what had not stopped after {timeout:.0f} s")
    elif not control.family(socket):
        console.print(f"nothing runs in {settings.home}")
    # Only after a crash: processes that are still there have lost their supervisor.
    if left := control.sweep(socket, patience=10):
        console.print(f"ended {left} processes that an earlier run had left behind")
    run_file.forget(settings)


def _signal(settings: Settings, number: signal.Signals) -> None:
    """Send the signal to `reshelf up`, or to the supervisor that outlived it."""
    run = run_file.read(settings)
    for process in (run_file.process(settings.home), _supervisor(run) if run else None):
        if process is None:
            continue
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(number)
            if number != signal.SIGKILL:
                return


def _supervisor(run: run_file.Run) -> psutil.Process | None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(run.supervisor_pid)
        if "supervisor.supervisord" in process.cmdline():
            return process
    return None


def _wait(settings: Settings, timeout: float) -> bool:
    deadline = time.monotonic() + timeout
    # The lock is released a moment before the process that held it ends.
    while run_file.is_held(settings.home) or run_file.process(settings.home) is not None:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True
