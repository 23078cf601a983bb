"""Trainings here are many and short: what they compile need not be fast."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="module", autouse=True)
def _quick_compilation(quick_compilation: None) -> None:
    """Every test of this folder."""
