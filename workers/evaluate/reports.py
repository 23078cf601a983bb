"""What every evaluation writes: predictions that others can score, and what a report was measured on."""

from __future__ import annotations

import csv
import gzip
import io
import platform
from collections.abc import Iterable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any


def write_predictions(
    path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]], *, errors: str = "strict"
) -> None:
    """Write the rows as CSV, gzipped if the name ends in .gz: the same rows always give the same bytes.

    `errors` says what becomes of a character that UTF-8 does not have, as in `str.encode`.
    """
    text = io.StringIO(newline="")
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(header)
    lines.writerows(rows)
    content = text.getvalue().encode("utf-8", errors)
    path.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Return the versions of Python and of these packages."""
    return {"python": platform.python_version()} | {name: metadata.version(name) for name in packages}


def device() -> str:
    """Return the kind of JAX's devices, and how many there are."""
    import jax

    return f"{jax.devices()[0].device_kind} ({jax.device_count()})"
