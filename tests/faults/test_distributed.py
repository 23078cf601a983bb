"""Two processes that train one model: as one would, none outlives the other, and all go on from what was kept."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import pytest

from model.checkpoints import Checkpoints
from tests.support import ports, training

EPOCHS = 15
TIMEOUT = 6

Pair = list[subprocess.Popen[str]]

# Several processes in turn start, and compile, on whatever cores there are.
pytestmark = pytest.mark.timeout(400)


@contextmanager
def _pair(folder: Path, *, items: tuple[int, int] = (40, 40)) -> Iterator[Pair]:
    """Run both on one checkpoint; the one that leads comes first. None is left when the block ends."""
    shared = {
        "RESHELF_COORDINATOR": f"127.0.0.1:{ports.free_port()}",
        "RESHELF_PROCESSES": "2",
        "RESHELF_PROCESS_TIMEOUT": str(TIMEOUT),
    }
    options = ["--options", json.dumps({"epochs": EPOCHS}), "--checkpoint", str(folder / "state")]
    with ExitStack() as running:
        pair: Pair = []
        for n, count in enumerate(items):
            mine = {"RESHELF_PROCESS": str(n), **shared}
            process = training.start(
                folder / "out.npz", *options, "--items", str(count), log=folder / f"{n}.log", **mine
            )
            pair.append(running.enter_context(process))
            running.callback(process.kill)
        yield pair


def _finished(pair: Pair) -> list[str]:
    """Wait until both have ended well; return the epochs that the one that leads reported, and it alone."""
    printed = [process.communicate()[0].splitlines() for process in pair]
    assert [process.returncode for process in pair] == [0, 0]
    leading, other = ([line for line in lines if line.startswith("epoch")] for lines in printed)  # Gloo prints, too
    assert not other
    return leading


@pytest.fixture(name="unbroken", scope="module")
def _unbroken(tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    """The losses of two processes that nothing happened to."""
    folder = tmp_path_factory.mktemp("unbroken")
    with _pair(folder) as pair:
        assert len(_finished(pair)) == EPOCHS
    return training.read(folder / "out.npz")[0]


def test_two_processes_learn_what_one_learns(unbroken: np.ndarray) -> None:
    one = training.trained({"epochs": EPOCHS})
    np.testing.assert_allclose(unbroken, training.losses(one), rtol=1e-4)


@pytest.mark.parametrize("victim", [0, 1])
def test_a_killed_process_ends_the_other_and_a_restart_goes_on(
    tmp_path: Path, unbroken: np.ndarray, victim: int
) -> None:
    with _pair(tmp_path) as pair:
        _after_epoch(pair, 3)
        pair[victim].kill()
        assert pair[1 - victim].wait(timeout=10 * TIMEOUT) != 0
    _says_why(tmp_path / f"{1 - victim}.log")
    assert not (tmp_path / "out.npz").exists()
    done = len(Checkpoints(tmp_path / "state").load()[1]["history"])  # type: ignore[index]  # it is there
    assert 3 <= done < EPOCHS
    with _pair(tmp_path) as pair:
        assert _finished(pair)[0] == f"epoch {done + 1}"
    np.testing.assert_array_equal(training.read(tmp_path / "out.npz")[0], unbroken)


def test_a_process_that_hangs_ends_the_other(tmp_path: Path) -> None:
    with _pair(tmp_path) as pair:
        _after_epoch(pair, 1)
        pair[1].send_signal(signal.SIGSTOP)
        assert pair[0].wait(timeout=10 * TIMEOUT) != 0
    _says_why(tmp_path / "0.log")


def test_processes_with_other_data_do_not_train_together(tmp_path: Path) -> None:
    with _pair(tmp_path, items=(40, 44)) as pair:
        assert all(process.wait(timeout=10 * TIMEOUT) != 0 for process in pair)
    assert "process 1 has other data, another config or another seed" in (tmp_path / "1.log").read_text()


def _after_epoch(pair: Pair, epoch: int) -> None:
    output = pair[0].stdout
    assert output is not None
    assert f"epoch {epoch}\n" in iter(output.readline, "")


def _says_why(log: Path) -> None:
    """By our own line where a connection broke first, by JAX's where heartbeats did."""
    said = log.read_text()
    assert "start all of them again" in said or "another task died" in said, said[-2000:]
