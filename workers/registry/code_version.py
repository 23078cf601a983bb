"""Which code made a model."""

from __future__ import annotations

import functools
import subprocess
from importlib import metadata
from pathlib import Path

_ROOT = Path(__file__).parents[2]


@functools.cache
def version() -> str:
    """Return the package's version, with the commit if it runs from a git checkout: `0.1.0 (1a2b3c4)`."""
    package = metadata.version("reshelf-server")
    commit = _commit()
    return f"{package} ({commit})" if commit else package


def _commit() -> str | None:
    if not (_ROOT / ".git").exists():
        return None
    command = ["git", "describe", "--always", "--dirty", "--exclude=*"]
    try:
        done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None
