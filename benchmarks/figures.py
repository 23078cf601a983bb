"""Figures that several benchmarks report in the same way."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np


def percentile(seconds: Sequence[float], percent: float, *, digits: int = 1) -> float | None:
    """Return the nearest-rank percentile in ms; None without values."""
    if not seconds:
        return None
    return round(1000 * float(np.percentile(seconds, percent, method="inverted_cdf")), digits)


def tell(result: dict[str, Any], out: str | None) -> None:
    """Print the result as the last line of stdout, and save it in the file `out` if one is given."""
    if out:
        Path(out).write_text(json.dumps(result, indent=2) + "\n")
    sys.stdout.write(json.dumps(result) + "\n")
