"""The demo's own installation, which never uses a real shop's servers, whatever the environment says."""

from __future__ import annotations

import os
from pathlib import Path

from workers import settings as configuration
from workers.supervisor.installation import Installation

OWN = (
    "HOME", "DATABASE_URL", "BROKER_URL", "API_KEYS", "OPEN_ON_LOOPBACK", "ALLOWED_HOSTS", "ALLOWED_ORIGINS",
    "FLOWER_BASIC_AUTH", "GATEWAY_HOST", "FLOWER_HOST",
)  # fmt: skip
"""Settings that the demo does not take from the environment."""

_OWN_VARIABLES = {configuration.PREFIX + name for name in OWN}


def in_folder(home: Path) -> Installation:
    """Return an installation in this folder that has not been started."""
    kept = {name: value for name, value in os.environ.items() if name not in _OWN_VARIABLES}
    # The home folder is deleted at the end; what JAX compiled is kept for the next demo.
    compiled = {"JAX_COMPILATION_CACHE_DIR": str(Path.home() / ".cache" / "reshelf" / "jax")}
    return Installation(home, compiled | kept)
