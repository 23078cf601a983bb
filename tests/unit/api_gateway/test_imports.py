"""The gateway stays thin: a fresh interpreter that imports it has no model, no worker and no device library."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("jax", "flax", "optax", "orbax", "numpy", "celery", "alembic", "polars")
OTHERS = (
    "model",
    "workers.runtime",
    "workers.recommend.tasks",
    "workers.recommend.serving",
    "workers.intake.reader",
    "workers.intake.service",
    "workers.registry",
    "workers.experiment.service",
    "workers.fraud.screening",
    "demo",
)


def test_importing_and_making_the_gateway_brings_nothing_heavy() -> None:
    code = f"""
import sys
from api_gateway.app import create
from workers.settings import Settings
create(Settings(database_url="postgresql://nobody@127.0.0.1:1/none"))
print([name for name in {HEAVY + OTHERS} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
