"""The progress of a benchmark, on stderr: stdout is for the result."""

from __future__ import annotations

import sys


def say(line: str) -> None:
    """Print a line of progress."""
    sys.stderr.write(f"{line}\n")
