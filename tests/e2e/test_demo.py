"""The whole demo, small and short: everything starts, learns, serves, and is gone at the end."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

SMALL = ("--seconds", "8", "--customers", "60", "--items", "200")


def _command(home: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "workers.cli", "demo", "--home", str(home), *arguments]


def _environment(tmp_path: Path) -> dict[str, str]:
    # A shop's own servers, as they may be configured where somebody tries the demo: it must never touch them.
    nowhere = {"RESHELF_DATABASE_URL": "postgresql://127.0.0.1:1/shop", "RESHELF_BROKER_URL": "redis://127.0.0.1:1/0"}
    return os.environ | nowhere | {"RESHELF_HOME": str(tmp_path / "shop")}


def _left(home: Path) -> list[str]:
    """Return the processes whose environment or command line names the home folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if str(home) in " ".join([*process.cmdline(), *process.environ().values()]):
                found.append(f"{process.pid} {process.name()}")
        except (psutil.Error, OSError):
            continue
    return found


@pytest.mark.timeout(480)
def test_a_short_demo_works_and_leaves_nothing_running(tmp_path: Path) -> None:
    home = tmp_path / "demo"
    with subprocess.Popen(
        _command(home, *SMALL, "--svg", str(tmp_path / "demo.svg")),
        env=_environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as demo:
        try:
            output, errors = demo.communicate(timeout=400)
        except subprocess.TimeoutExpired:
            demo.send_signal(signal.SIGINT)  # one that is killed leaves its shop running
            raise
    assert demo.returncode == 0, output + errors
    assert re.search(r"event → visible on the shelf, as messages +│ +p50 \d+ ms", output)
    assert re.search(r"│ home +│ +\d", output)
    assert "everything worked" in output
    report = home / "report.html"
    assert f"report     {report}" in output
    assert "Market report" in report.read_text("utf-8")
    assert output.count("home before") == 3
    assert "Traceback" not in errors
    picture = (tmp_path / "demo.svg").read_text()
    assert "reshelf&#160;demo" in picture
    assert "http" not in picture.replace("http://www.w3.org/2000/svg", ""), "the picture loads nothing from elsewhere"
    assert _left(home) == []


@pytest.mark.timeout(120)
def test_ctrl_c_while_it_starts_leaves_nothing_running(tmp_path: Path) -> None:
    home = tmp_path / "demo"
    with subprocess.Popen(
        _command(home, *SMALL), env=_environment(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as demo:
        deadline = time.monotonic() + 20
        while not (home / "run.json").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        demo.send_signal(signal.SIGINT)
        output, _ = demo.communicate(timeout=90)
    assert demo.returncode not in (0, None), output
    assert _left(home) == []


def test_a_folder_with_something_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").touch()
    done = subprocess.run(_command(tmp_path), capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert "is not empty" in done.stderr
