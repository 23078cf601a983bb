"""The configuration of supervisord, which is the parent of every program of a running reshelf."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path

from workers.supervisor import processes
from workers.supervisor.errors import UpError
from workers.supervisor.processes import Program

LOG_BYTES = "10MB"
LOG_BACKUPS = 3

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


def configuration(home: Path, socket: Path, programs: Sequence[Program]) -> str:
    """Return the configuration without secrets: children get those from the environment. Raises `UpError`."""
    sections = [
        SUPERVISOR.format(
            socket=_literal(socket),
            logs=_literal(home / "logs"),
            home=_literal(home),
            log_bytes=LOG_BYTES,
            log_backups=LOG_BACKUPS,
            # Explicit, or the supervisor warns that it runs as root.
            user="user = root" if os.geteuid() == 0 else "",
        )
    ]
    for priority, group in enumerate((processes.SERVERS, processes.APPLICATION), start=1):
        names = [program.name for program in programs if program.group == group]
        if names:
            sections.append(GROUP.format(name=group, programs=",".join(names), priority=priority * 100))
    sections += [_section(program) for program in programs]
    return "\n".join(sections)


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
