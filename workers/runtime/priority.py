"""Who goes first where cores are few: what answers a customer, before what nobody waits for."""

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
    """Let others go before this process and what it starts from now on, by so many steps of niceness (up to 19).

    Niceness says who gets more of a core. On Linux the process asks for long turns, too. All others wish for shorter
    ones, so they interrupt it when they wake, and need not wait for the clock's next tick. The scheduler heeds that on
    Linux 6.12 and later; before, niceness alone counts.
    """
    os.nice(niceness)
    number = _SCHED_SETATTR.get(platform.machine())
    if sys.platform == "linux" and number is not None:
        niceness = os.getpriority(os.PRIO_PROCESS, 0)
        wish = _LAYOUT.pack(_LAYOUT.size, os.SCHED_OTHER, 0, niceness, 0, _LONGEST_TURN_NS, 0, 0)
        # Where it is not to be had, as in a sandbox that forbids the call, niceness has to do.
        ctypes.CDLL(None).syscall(number, 0, wish, 0)


def continue_when_orphaned() -> None:
    """Have this process continued if it is halted when its parent dies, since nobody else would do so (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGCONT), 0, 0, 0)
