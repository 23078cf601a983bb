"""What a shop's backend installs is light, and puts one name into its environment."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[3]
OURS = ("workers", "model", "storage", "api_gateway", "demo")
HEAVY = ("jax", "numpy", "sqlalchemy", "psycopg", "asyncpg", "litestar", "polars")


def test_the_producer_brings_nothing_else_of_ours_and_nothing_heavy() -> None:
    code = f"""
import sys
from reshelf import Producer
from reshelf import catalogue, client, events, fields, orders, parsing, tasks
print([name for name in {OURS + HEAVY} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_messages_can_be_read_without_celery() -> None:
    code = "import sys; from reshelf import events, catalogue, orders, tasks; print('celery' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "False"


def test_its_distribution_needs_what_it_imports() -> None:
    project = tomllib.loads((ROOT / "reshelf" / "pyproject.toml").read_text())
    assert project["tool"]["setuptools"]["packages"] == ["reshelf"]
    needed = {one.split(">=")[0].split("[")[0] for one in project["project"]["dependencies"]}
    assert needed == {"celery", "kombu", "redis", "msgspec"}
    server = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert f"reshelf=={project['project']['version']}" in server["dependencies"]
