"""What an evaluation ran on, for the head of its report."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from importlib import metadata


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Return the versions of Python and of these packages."""
    return {"python": platform.python_version()} | {name: metadata.version(name) for name in packages}


def device() -> str:
    """Return the kind of JAX's devices, and how many there are."""
    import jax

    return f"{jax.devices()[0].device_kind} ({jax.device_count()})"
