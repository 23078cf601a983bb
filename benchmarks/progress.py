"""What a benchmark tells while it runs, on stderr: stdout is for the result."""

from __future__ import annotations

import sys


def say(line: str) -> None:
    """Tell whoever watches."""
    sys.stderr.write(f"{line}\n")
