"""Processes that train one model together: each runs the same command, and JAX joins their devices.

If a process fails, it reports the error and ends; the others notice that a connection breaks, or that its heartbeats
have been missing for `RESHELF_PROCESS_TIMEOUT`, and end too.
"""

from __future__ import annotations

import os
import re
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple, NoReturn

import click

from workers.settings import Settings, SettingsError

_ADDRESS = re.compile(r".+:\d{1,5}")

# How long a finished process waits for the one that still tests and publishes. It never waits for a dead one.
_PATIENCE = 24 * 3600


class Group(NamedTuple):
    """The group, and which of its processes this one is (0 leads). The coordinator is the leader's `HOST:PORT`."""

    coordinator: str
    processes: int
    process: int
    timeout: int


def from_settings(settings: Settings) -> Group | None:
    """Return the group of the settings, None for a single process. Raises `SettingsError`."""
    if settings.coordinator is None:
        if settings.processes != 1 or settings.process != 0:
            raise SettingsError("RESHELF_PROCESSES and RESHELF_PROCESS need RESHELF_COORDINATOR, process 0's HOST:PORT")
        return None
    if not _ADDRESS.fullmatch(settings.coordinator):
        raise SettingsError(f"RESHELF_COORDINATOR={settings.coordinator!r}: give process 0's address as HOST:PORT")
    if settings.processes < 2:
        raise SettingsError(
            f"RESHELF_PROCESSES={settings.processes}: a group has at least 2; without one, unset RESHELF_COORDINATOR"
        )
    if not 0 <= settings.process < settings.processes:
        raise SettingsError(
            f"RESHELF_PROCESS={settings.process}: number the processes from 0 to RESHELF_PROCESSES - 1, "
            f"which is {settings.processes - 1}"
        )
    if settings.process_timeout < 1:
        raise SettingsError(f"RESHELF_PROCESS_TIMEOUT={settings.process_timeout}: give a second at least")
    return Group(settings.coordinator, settings.processes, settings.process, settings.process_timeout)


@contextmanager
def joined(settings: Settings) -> Iterator[None]:
    """Join this process to its group while the block runs; without a group, change nothing.

    JAX must not have been used before. In a group, an error of the block is printed, and the process ends.
    """
    group = from_settings(settings)
    if group is None:
        yield
        return
    import jax

    # For machines without accelerators; accelerators have their own communication.
    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    try:
        jax.distributed.initialize(
            group.coordinator,
            group.processes,
            group.process,
            heartbeat_timeout_seconds=group.timeout,
            shutdown_timeout_seconds=_PATIENCE,
        )
        yield
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is reported before the process ends
        _end(group, error)
    jax.distributed.shutdown()


def _end(group: Group, error: BaseException) -> NoReturn:
    if isinstance(error, click.ClickException):
        error.show()
    else:
        traceback.print_exception(error)
    click.echo(
        f"Error: process {group.process} of {group.processes} ends, and so will the others. Once the cause is put "
        "right, start all of them again: `reshelf train` goes on after its last finished epoch.",
        err=True,
    )
    sys.stdout.flush()
    sys.stderr.flush()
    # A normal exit would wait for processes that are gone, or that wait for this one.
    os._exit(1)
