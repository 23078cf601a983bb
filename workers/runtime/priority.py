"""Process priorities: on few cores, requests go before background work."""

from __future__ import annotations

import ctypes
import os
import platform
import signal
import struct
import sys

# sched_setattr(2) has no wrapper in most C libraries.
_SCHED_SETATTR = {"x86_64": 314, "aarch64": 274}
_LAYOUT = struct.Struct("=IIQiIQQQ")
_LONGEST_TURN_NS = 100_000_000
_PR_SET_PDEATHSIG = 1


def stand_back(niceness: int) -> None:
    """Lower the priority of this process, and of those that it starts from now on, by `niceness` steps (up to 19).

    Niceness decides who gets more of a core. On Linux the process also asks for long time slices. The others ask for
    shorter ones, so they interrupt it when they wake, and need not wait for the clock's next tick. The scheduler
    supports that on Linux 6.12 and later; before, only niceness counts.
    """
    os.nice(niceness)
    number = _SCHED_SETATTR.get(platform.machine())
    if sys.platform == "linux" and number is not None:
        niceness = os.getpriority(os.PRIO_PROCESS, 0)
        wish = _LAYOUT.pack(_LAYOUT.size, os.SCHED_OTHER, 0, niceness, 0, _LONGEST_TURN_NS, 0, 0)
        # If the call is not available, as in a sandbox, niceness has to be enough.
        ctypes.CDLL(None).syscall(number, 0, wish, 0)


def continue_when_orphaned() -> None:
    """Have the kernel continue this process if it is halted when its parent dies (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGCONT), 0, 0, 0)
