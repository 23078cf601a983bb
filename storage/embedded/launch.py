"""Replace this process by another program that cannot outlive its parent.

    python -m storage.embedded.launch [OPTIONS] -- PROGRAM ARGUMENTS

The process id stays the same, so the parent holds the program itself. Before it runs the program, the launcher can

- take a lock that the program then holds until it ends (two Redis servers on one folder would destroy the data),
- switch to an ordinary user (PostgreSQL refuses to run as root), and
- ask the kernel to send the program a signal when its parent dies, for whatever reason (Linux only).
"""

from __future__ import annotations

import argparse
import ctypes
import fcntl
import os
import signal
import stat
import sys
import time
from collections.abc import Sequence
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_KEEPCAPS = 8
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAP_DAC_OVERRIDE = 1
CAP_DAC_READ_SEARCH = 2
CAPABILITY_VERSION_3 = 0x20080522
LOCK_PATIENCE = 10.0


class LaunchError(RuntimeError):
    """The program cannot be run; the message says why and what to do."""


def command(
    program: Sequence[str | Path],
    *,
    stop_signal: signal.Signals = signal.SIGTERM,
    lock: Path | None = None,
    user: tuple[int, int] | None = None,
    reach: Path | None = None,
) -> list[str]:
    """Return the command line that runs `program` through the launcher.

    `user` is the (uid, gid) to switch to; `reach` is a folder that this user must be able to reach.
    """
    line = [sys.executable, "-P", "-m", __name__, "--stop-signal", stop_signal.name]
    if lock is not None:
        line += ["--lock", str(lock)]
    if user is not None:
        line += ["--uid", str(user[0]), "--gid", str(user[1])]
    if reach is not None:
        line += ["--reach", str(reach)]
    return [*line, "--", *map(str, program)]


def reachable(path: Path, uid: int) -> bool:
    """Return whether the user `uid` may enter every folder above `path`."""
    return not _closed_parents(path, uid)


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse the command line, prepare the process and replace it by the program."""
    options = _parser().parse_args(arguments)
    parent = os.getppid()
    try:
        if options.lock is not None:
            _hold(options.lock)
        if options.uid is not None and options.uid != os.geteuid():
            _become(options.uid, options.gid, reach=[options.reach, Path(options.program[0])])
        # Last, because the kernel clears this setting when the user changes.
        _die_with_parent(signal.Signals[options.stop_signal], parent)
        os.execvp(options.program[0], options.program)
    except (LaunchError, OSError) as error:
        sys.exit(f"{options.program[0]}: {error}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="launch", description=__doc__)
    parser.add_argument("--stop-signal", default="SIGTERM", help="sent when the parent dies")
    parser.add_argument("--lock", type=Path, help="file to hold locked")
    parser.add_argument("--uid", type=int)
    parser.add_argument("--gid", type=int)
    parser.add_argument("--reach", type=Path, help="folder that the user must be able to get to")
    parser.add_argument("program", nargs="+")
    return parser


def _hold(path: Path) -> None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    os.set_inheritable(descriptor, True)
    deadline = time.monotonic() + LOCK_PATIENCE
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise LaunchError(f"already running: another process holds {path}") from None
            time.sleep(0.05)


def _become(uid: int, gid: int, *, reach: Sequence[Path | None]) -> None:
    closed = [folder for path in reach if path is not None for folder in _closed_parents(path, uid)]
    capability = _usable_capability() if closed else None
    if closed and capability is None:
        raise LaunchError(
            f"PostgreSQL does not run as root, and user {uid} may not enter {closed[0]}. Set RESHELF_HOME "
            f"to a folder that every user may enter, run as an ordinary user, or `chmod o+x {closed[0]}`."
        )
    if capability is not None:
        _prctl(PR_SET_KEEPCAPS, 1)
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    if capability is not None:
        _keep(capability)


def _closed_parents(path: Path, uid: int) -> list[Path]:
    closed = []
    for folder in reversed(path.absolute().parents):
        status = folder.stat()
        needed = stat.S_IXUSR if status.st_uid == uid else stat.S_IXOTH
        if not status.st_mode & needed:
            closed.append(folder)
    return closed


def _usable_capability() -> int | None:
    """Return the capability that lets a user into a closed folder such as /root without opening it to everybody."""
    try:
        status = Path("/proc/self/status").read_text()
    except FileNotFoundError:
        return None
    permitted = next(int(line.split()[1], 16) for line in status.splitlines() if line.startswith("CapPrm:"))
    # Containers usually grant only the second one.
    return next((bit for bit in (CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE) if permitted >> bit & 1), None)


def _keep(capability: int) -> None:
    bit = 1 << capability
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    sets = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)
    if _libc().capset(header, sets) != 0:
        raise OSError(ctypes.get_errno(), "capset failed")
    _prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability)


def _die_with_parent(stop_signal: signal.Signals, parent: int) -> None:
    if sys.platform != "linux":
        return
    _prctl(PR_SET_PDEATHSIG, int(stop_signal))
    if os.getppid() != parent:
        raise LaunchError("the process that started it is gone")


def _prctl(option: int, value: int, more: int = 0) -> None:
    if _libc().prctl(option, ctypes.c_ulong(value), ctypes.c_ulong(more), ctypes.c_ulong(0), ctypes.c_ulong(0)) != 0:
        raise OSError(ctypes.get_errno(), f"prctl {option} failed")


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


if __name__ == "__main__":
    main()
