"""Kill -9 in the middle of an analysis of the market: readers keep the version before, and the next run goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from storage.market import results, versions
from tests.support import market as shop
from workers.market import refreshing

# It dies in place of a function of the run, in the middle of its transaction or between two.
_RUN = """
import importlib, os, signal, sys
from storage import engine as engines
from workers.market import refreshing
module = importlib.import_module(sys.argv[2])
setattr(module, sys.argv[3], lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
refreshing.refresh(engines.connect(sys.argv[1]))
"""


@pytest.mark.parametrize(
    ("module", "function"), [("workers.market.analysis", "results"), ("storage.market.versions", "finish")]
)
def test_a_killed_run_leaves_the_version_before_and_the_next_one_goes_on(
    database: Engine, database_url: str, tmp_path: Path, module: str, function: str
) -> None:
    shop.load(database, tmp_path)
    before = refreshing.refresh(database)
    killed = subprocess.run(
        [sys.executable, "-c", _RUN, database_url, module, function],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        timeout=300,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    with database.connect() as connection:
        newest = versions.newest(connection)
        assert newest is not None
        assert newest.version == before
        assert results.counts(connection, before + 1) == dict.fromkeys(results.ANALYSES, 0)
    after = refreshing.refresh(database)
    with database.connect() as connection:
        states = connection.execute(text("SELECT version, state FROM market_versions ORDER BY version")).all()
        assert results.counts(connection, after) == results.counts(connection, before)
    assert [tuple(state) for state in states] == [
        (before, versions.FINISHED),
        (before + 1, versions.FAILED),
        (after, versions.FINISHED),
    ]
