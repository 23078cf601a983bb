"""Every benchmark is listed with what it measures, and every command that names one names one that is there."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from benchmarks import __main__ as listing

ROOT = Path(__file__).parents[3]
TOLD = [ROOT / "Makefile", *sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
_COMMAND = re.compile(r"python -m (benchmarks[\w.]*\w)")


def test_every_benchmark_says_what_it_measures() -> None:
    listed = listing.listed()
    assert set(listed) >= {"benchmarks.serving.cost", "benchmarks.serving.freshness", "benchmarks.recommend.accuracy"}
    assert [module for module, line in listed.items() if not line] == []
    assert max(map(len, listed.values())) <= 120


@pytest.mark.parametrize("page", TOLD, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_commands_run_modules_that_are_there(page: Path) -> None:
    named = set(_COMMAND.findall(page.read_text("utf-8")))
    assert [module for module in sorted(named) if importlib.util.find_spec(module) is None] == []
