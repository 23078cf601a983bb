"""Checkpoints: what was kept comes back, what is damaged or half written never does, and the disk does not fill up."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from model.checkpoints import Checkpoints

ROOT = Path(__file__).parents[3]

# Keeps one state after the other, all of whose numbers are the number of the state, until it is killed.
PROGRAM = """
import sys
import numpy as np
from model.checkpoints import Checkpoints
kept = Checkpoints(sys.argv[1])
for n in range(1, 10_000):
    kept.save({f"state/{leaf}": np.full((200, 50), n) for leaf in range(20)}, {"n": n})
    print(n, flush=True)
"""

# Orbax reads all arrays at once; when one cannot be read, the answers about the others find nobody.
UNREADABLE = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def _arrays(n: int) -> dict[str, np.ndarray]:
    return {"best/items.ids": np.full((64, 8), n, np.float32), "state/0": np.int32(n), "state/1": np.arange(n + 3)}


def _kept(folder: Path, states: int) -> Checkpoints:
    kept = Checkpoints(folder)
    for n in range(1, states + 1):
        kept.save(_arrays(n), {"n": n})
    return kept


def _number(kept: Checkpoints) -> int | None:
    """The number of the state that comes back, all of which is of that state."""
    state = kept.load()
    if state is None:
        return None
    arrays, facts = state
    n = facts["n"]
    assert arrays.keys() == _arrays(n).keys()
    for name, value in _arrays(n).items():
        np.testing.assert_array_equal(arrays[name], value)
        assert arrays[name].dtype == value.dtype
    return int(n)


def test_the_last_state_comes_back_with_its_shapes_and_facts(tmp_path: Path) -> None:
    kept = Checkpoints(tmp_path / "deep" / "train")
    assert not kept.exist()
    assert kept.load() is None
    facts = {"history": [["train", 1, 6, 0.1 + 0.2, None]], "epoch_seconds": [1e-9]}
    kept.save(_arrays(1), facts)
    assert kept.exist()
    arrays, found = kept.load() or ({}, {})
    assert found == facts
    assert {name: (value.dtype, value.shape) for name, value in arrays.items()} == {
        name: (value.dtype, value.shape) for name, value in _arrays(1).items()
    }
    assert _number(_kept(tmp_path / "other", 3)) == 3


def test_two_states_are_kept_and_nothing_else(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    _kept(tmp_path / "train", 5)
    assert sorted(path.name for path in (tmp_path / "train").iterdir()) == ["4", "5"]
    assert set(threading.enumerate()) == before


@UNREADABLE
@pytest.mark.parametrize("how", ["changed", "cut", "lost"])
def test_whatever_is_damaged_the_state_before_it_comes_back(
    tmp_path: Path, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    good = tmp_path / "good"
    _kept(good, 2)
    names = [path.relative_to(good) for path in (good / "2").rglob("*") if path.is_file()]
    found = {}
    for n, name in enumerate(names):
        folder = tmp_path / str(n)
        shutil.copytree(good, folder)
        _damage(folder / name, how)
        found[name.name] = _number(Checkpoints(folder))
        assert found[name.name] in (1, 2), name
        assert (folder / "2").exists() == (found[name.name] == 2)
    assert found["_METADATA"] == 1
    assert "training goes on from the one before it" in caplog.text


def _damage(path: Path, how: str) -> None:
    good = path.read_bytes()
    if how == "lost":
        path.unlink()
    else:
        path.write_bytes(good[: len(good) // 2] if how == "cut" else bytes(byte ^ 0x55 for byte in good))


@UNREADABLE
def test_where_all_are_damaged_training_starts_anew(tmp_path: Path) -> None:
    kept = _kept(tmp_path / "train", 2)
    for path in (tmp_path / "train").rglob("_METADATA"):
        path.write_text("{")
    assert kept.load() is None
    kept.save(_arrays(1), {"n": 1})
    assert _number(kept) == 1


@pytest.mark.parametrize("states", [1, 4])
def test_a_process_killed_while_it_writes_leaves_whole_states_alone(tmp_path: Path, states: int) -> None:
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "train")]
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"}
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert f"{states}\n" in iter(process.stdout.readline, "")
        _wait_until_one_is_half_written(tmp_path / "train")
        process.kill()
    kept = Checkpoints(tmp_path / "train")
    arrays, facts = kept.load() or ({}, {"n": 0})
    assert facts["n"] >= states
    assert {float(value) for array in arrays.values() for value in np.unique(array)} == {facts["n"]}
    kept.save(_arrays(7), {"n": 7})
    assert _number(kept) == 7
    assert all(path.name.isdecimal() for path in (tmp_path / "train").iterdir())


def _wait_until_one_is_half_written(folder: Path) -> None:
    while not any("tmp" in path.name for path in folder.iterdir()):
        time.sleep(0.001)
