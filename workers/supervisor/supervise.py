"""Run everything under one supervisor, in the foreground, and leave nothing running at the end.

`reshelf up` is the parent of `supervisord`, which is the parent of every program. Each one asks the kernel for a signal
when its parent dies, so that even `kill -9` of any of them ends the rest. See docs/howto/run-on-one-machine.md.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Sequence
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
from workers.settings import Settings
from workers.supervisor import control, probe, processes, run_file
from workers.supervisor.processes import Program

LOG_BYTES = "10MB"
LOG_BACKUPS = 3
STOP_SECONDS = 100
"""More than the two groups can take together if every program has to be killed."""

SUPERVISOR = """\
[unix_http_server]
file = {socket}
chmod = 0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

[supervisord]
nodaemon = true
silent = true
logfile = {logs}/supervisord.log
logfile_maxbytes = {log_bytes}
logfile_backups = {log_backups}
pidfile = {home}/supervisord.pid
childlogdir = {logs}
umask = 077
{user}
"""

GROUP = """\
[group:{name}]
programs = {programs}
priority = {priority}
"""

# A program that fails is started again for ever, after one more second each time. The stop signal goes only to the
# program: its pool has to outlive it for the running tasks to finish. SIGKILL goes to the whole group.
PROGRAM = """\
[program:{name}]
command = {command}
autostart = {autostart}
autorestart = true
startsecs = {start_seconds}
startretries = 100000
stopsignal = {stop_signal}
stopwaitsecs = {stop_seconds}
stopasgroup = false
killasgroup = true
redirect_stderr = true
stdout_logfile = logs/{name}.log
stdout_logfile_maxbytes = {log_bytes}
stdout_logfile_backups = {log_backups}
"""


class UpError(RuntimeError):
    """`reshelf up` could not start everything; the message says what, and where the log is."""


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
            supervisor.wait()
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


def configuration_text(plan: Plan) -> str:
    """Return the supervisor's configuration, without secrets: children get those from the environment."""
    sections = [
        SUPERVISOR.format(
            socket=_literal(plan.socket),
            logs=_literal(plan.logs),
            home=_literal(plan.settings.home),
            log_bytes=LOG_BYTES,
            log_backups=LOG_BACKUPS,
            # Explicit, or the supervisor warns that it runs as root.
            user="user = root" if os.geteuid() == 0 else "",
        )
    ]
    for priority, group in enumerate((processes.SERVERS, processes.APPLICATION), start=1):
        names = [program.name for program in plan.programs if program.group == group]
        if names:
            sections.append(GROUP.format(name=group, programs=",".join(names), priority=priority * 100))
    sections += [_section(program) for program in plan.programs]
    return "\n".join(sections)


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
        problem = probe.problem(f"{gateway_url(settings)}/v1/ready")
        missing += [f"gateway: {problem}"] if problem else []
    return missing


def gateway_url(settings: Settings) -> str:
    """Return the gateway's URL from this machine."""
    return f"http://{exposure.local(settings.gateway_host)}:{settings.gateway_port}"


def flower_url(settings: Settings) -> str:
    """Return Flower's URL from this machine."""
    return f"http://{exposure.local(settings.flower_host)}:{settings.flower_port}"


def tail(log: Path, lines: int = 20) -> str:
    """Return the last lines of a log, empty if there is none."""
    if not log.exists():
        return ""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


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
        processes.reshelf_command("migrate"),
        env=_environment(plan.settings),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise UpError(f"the database could not be migrated:\n{done.stdout}{done.stderr}")


def _start_supervisor(plan: Plan, lock: int) -> subprocess.Popen[bytes]:
    plan.logs.mkdir(parents=True, exist_ok=True)
    file = plan.settings.home / "supervisord.conf"
    server.write_private(file, configuration_text(plan).encode())
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


def _section(program: Program) -> str:
    return PROGRAM.format(
        name=program.name,
        command=_command_line(program.command),
        autostart="true" if program.group == processes.SERVERS else "false",
        start_seconds=program.start_seconds,
        stop_signal=program.stop_signal.name.removeprefix("SIG"),
        stop_seconds=program.stop_seconds,
        log_bytes=LOG_BYTES,
        log_backups=LOG_BACKUPS,
    )


def _command_line(command: Sequence[str]) -> str:
    return _literal(shlex.join(command))


def _literal(value: str | Path) -> str:
    """Return the text escaped for the supervisor's configuration, where % starts an expansion.

    Raises `UpError` for what it would take as a comment even in quotes.
    """
    if " ;" in str(value) or " #" in str(value):
        raise UpError(f"the supervisor cannot use the path {value}: it must not contain ' ;' or ' #'")
    return str(value).replace("%", "%%")
