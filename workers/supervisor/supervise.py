"""Run everything under one supervisor, in the foreground, and leave nothing running at the end.

`reshelf up` is the parent of `supervisord`, which is the parent of every program. Each one asks the kernel for a signal
when its parent dies, so that even `kill -9` of any of them ends the rest. See docs/howto/run-on-one-machine.md.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import FrameType

import msgspec

from storage.embedded import launch, postgres, redis, server
from storage.embedded.server import Server
from workers import exposure
from workers import settings as configuration
from workers.keys import local
from workers.settings import Settings
from workers.supervisor import control, probe, processes, run_file, supervisord
from workers.supervisor.errors import UpError
from workers.supervisor.processes import Program
from workers.supervisor.watch import Watcher

STOP_SECONDS = 100
"""More than the two groups can take together if every program has to be killed."""


@dataclass(frozen=True)
class Plan:
    """What will run: the complete settings, the embedded servers, the programs in order."""

    settings: Settings
    servers: list[Server]
    programs: list[Program]
    socket: Path

    @property
    def logs(self) -> Path:
        """Folder with one log per program."""
        return self.settings.home / "logs"


def run(
    settings: Settings,
    only: Collection[str],
    *,
    tell: Callable[[str], None],
    ready: Callable[[Settings, list[str]], None],
    timeout: float,
) -> None:
    """Run the programs named in `only` (empty: all) until a signal.

    `tell` gets lines for the terminal; `ready` gets the chosen settings and what is still missing once everything is up
    or `timeout` seconds have passed. Raises `run_file.AlreadyRunning`, `UpError`, `server.EmbeddedError` and
    `SettingsError`; nothing is left running then either.
    """
    home = settings.home
    with run_file.hold(home) as lock:
        _stop_on_signals()
        if control.sweep(control.socket_path(home), patience=10):
            tell("ended what an earlier run had left behind")
        supervisor: subprocess.Popen[bytes] | None = None
        try:
            chosen = plan(settings, only, tell)
            supervisor = _start_supervisor(chosen, lock)
            _bring_up(chosen, supervisor, tell)
            alive = partial(_is_alive, supervisor)
            ready(chosen.settings, wait_ready(chosen.settings, chosen.socket, timeout=timeout, alive=alive))
            _watcher(chosen, tell).watch(supervisor)
            raise UpError(f"the supervisor ended by itself; see {chosen.logs}/supervisord.log")
        except KeyboardInterrupt:
            tell("stopping")
        finally:
            _take_down(supervisor, control.socket_path(home))
            run_file.forget(settings)


def plan(settings: Settings, only: Collection[str], tell: Callable[[str], None]) -> Plan:
    """Prepare the embedded servers, choose free ports, and return everything that is to run."""
    exposure.check_gateway(settings)
    exposure.check_flower(settings)
    servers = []
    if settings.database_url is None:
        servers.append(postgres.prepare(settings.home))
    if settings.broker_url is None:
        servers.append(redis.prepare(settings.home))
    urls = {one.name: one.url for one in servers}
    chosen = msgspec.structs.replace(
        settings,
        data=settings.data and settings.data.absolute(),
        database_url=settings.database_url or urls["postgres"],
        broker_url=settings.broker_url or urls["redis"],
        gateway_port=_step_around("gateway", settings.gateway_host, settings.gateway_port, tell),
        flower_port=_step_around("flower", settings.flower_host, settings.flower_port, tell),
    )
    programs = [processes.embedded(one) for one in servers] + processes.application(chosen)
    kept = [program for program in programs if not only or program.name in only]
    kept_servers = [one for one in servers if not only or one.name in only]
    return Plan(chosen, kept_servers, kept, control.socket_path(settings.home))


def wait_ready(
    settings: Settings, socket: Path, *, timeout: float, alive: Callable[[], bool] = lambda: True
) -> list[str]:
    """Return when everything is up and the gateway is ready, or return after `timeout` seconds what is not."""
    deadline = time.monotonic() + timeout
    while True:
        missing = not_ready(settings, socket)
        if not missing or time.monotonic() > deadline or not alive():
            return missing
        time.sleep(0.25)


def not_ready(settings: Settings, socket: Path) -> list[str]:
    """Return what is not up yet, one line each; empty if everything is."""
    try:
        found = control.processes(socket)
    except control.Unreachable as error:
        return [str(error)]
    missing = [f"{process.name}: {process.state.lower()}" for process in found if process.state != "RUNNING"]
    if not missing and any(process.name == "gateway" for process in found):
        problem = probe.problem(f"{exposure.gateway_url(settings)}/v1/ready")
        missing += [f"gateway: {problem}"] if problem else []
    return missing


def tail(log: Path, lines: int = 20) -> str:
    """Return the last lines of a log, empty if there is none."""
    if not log.exists():
        return ""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def _watcher(plan: Plan, tell: Callable[[str], None]) -> Watcher:
    servers = [one.name for one in plan.servers]
    url = exposure.flower_url(plan.settings)
    return Watcher(plan.settings.home, plan.socket, servers=servers, flower_url=url, tell=tell)


def _bring_up(plan: Plan, supervisor: subprocess.Popen[bytes], tell: Callable[[str], None]) -> None:
    _wait_for_servers(plan, supervisor)
    run = run_file.Run(
        pid=os.getpid(),
        supervisor_pid=supervisor.pid,
        socket=str(plan.socket),
        programs=[program.name for program in plan.programs],
        started_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    run_file.write(plan.settings, run)
    if all(program.group != processes.APPLICATION for program in plan.programs):
        return
    tell("bringing the database to the newest schema")
    _migrate(plan)
    control.start(plan.socket, processes.APPLICATION)


def _wait_for_servers(plan: Plan, supervisor: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + server.START_TIMEOUT
    waiting: list[Callable[[], bool]] = [*(one.answers for one in plan.servers), plan.socket.exists]
    while waiting := [answers for answers in waiting if not answers()]:
        if supervisor.poll() is not None:
            raise UpError(f"the supervisor did not start:\n{tail(plan.logs / 'supervisord.log')}")
        if time.monotonic() > deadline:
            ends = "\n".join(tail(plan.logs / f"{one.name}.log") for one in plan.servers if not one.answers())
            raise UpError(f"the embedded servers did not answer within {server.START_TIMEOUT:.0f} s:\n{ends}")
        time.sleep(0.05)


def _migrate(plan: Plan) -> None:
    # In its own process, so that SQLAlchemy and Alembic do not stay in the memory of this one.
    done = subprocess.run(
        processes.reshelf_command("migrate", *(["--local-key"] if local.is_needed(plan.settings) else [])),
        env=_environment(plan.settings),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise UpError(f"the database could not be migrated:\n{done.stdout}{done.stderr}")


def _start_supervisor(plan: Plan, lock: int) -> subprocess.Popen[bytes]:
    plan.logs.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = plan.settings.home / "supervisord.conf"
    server.write_private(file, supervisord.configuration(plan.settings.home, plan.socket, plan.programs).encode())
    command = launch.command([sys.executable, "-P", "-m", "supervisor.supervisord", "-c", file])
    # In its own session: Ctrl-C reaches only this process, which then stops everything in order.
    return subprocess.Popen(
        command,
        # The supervisor expands log paths twice, so they are relative: a % in the home's path does no harm.
        cwd=plan.settings.home,
        env=_environment(plan.settings),
        stdin=subprocess.DEVNULL,
        pass_fds=(lock,),
        start_new_session=True,
        # The supervisor opens the logs itself: its own setting is only for programs.
        umask=0o077,
    )


def _take_down(supervisor: subprocess.Popen[bytes] | None, socket: Path) -> None:
    """Stop everything in order; at once after a second signal."""
    patience = 10.0
    if supervisor is not None:
        try:
            supervisor.terminate()
            supervisor.wait(STOP_SECONDS)
        except (KeyboardInterrupt, subprocess.TimeoutExpired):
            supervisor.kill()
            supervisor.wait()
            patience = 1.0
    control.sweep(socket, patience=patience)
    socket.unlink(missing_ok=True)


def _is_alive(supervisor: subprocess.Popen[bytes]) -> bool:
    return supervisor.poll() is None


def _stop_on_signals() -> None:
    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)


def _environment(settings: Settings) -> dict[str, str]:
    return os.environ | configuration.to_environ(settings)


def _step_around(name: str, host: str, port: int, tell: Callable[[str], None]) -> int:
    for candidate in range(port, min(port + 100, 65536)):
        if server.is_free(candidate, host):
            if candidate != port:
                tell(f"port {port} is taken: {name} listens on {candidate}")
            return candidate
    raise UpError(f"no free port for {name} from {port} on: set RESHELF_{name.upper()}_PORT")
