"""`python -m tests.support.training OUT`: the training loop on a small shop, in a process of its own or in a group.

The group is that of the RESHELF_ settings. The process that leads prints a line for each epoch, and keeps losses and
parameters in OUT (.npz). With `--checkpoint FOLDER` a training that was killed goes on.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from model.checkpoints import Checkpoints
from model.recommend import config as configs
from model.recommend import network, split
from model.recommend.training import coordination, loop, train
from model.recommend.training.loop import Phase, Progress, Run
from tests.support import checkerboard
from workers import settings as configuration
from workers.runtime import distributed

ROOT = Path(__file__).parents[2]


def main() -> None:
    """Train and keep the result."""
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("--options", default="{}", help="options of the tiny preset, as JSON")
    parser.add_argument("--items", type=int, default=40)
    parser.add_argument("--checkpoint", type=Path)
    given = parser.parse_args()
    with distributed.joined(configuration.load()):
        run = trained(json.loads(given.options), items=given.items, checkpoint=given.checkpoint)
        if coordination.leads():
            np.savez(given.out, losses=losses(run), **run.params)


def trained(options: dict[str, Any], *, items: int = 40, checkpoint: Path | None = None) -> Run:
    """Return a finished training on all devices of this process and its group; prints its epochs."""
    config = configs.preset("tiny", **options)
    parts = split.leave_last_out(checkerboard.events(items), config)
    features = train.features_of(checkerboard.items(items), np.arange(items), config)
    mask_E = split.training_mask(parts)
    phase = Phase(
        "train", config, config.epochs, parts.events, parts.start_U, parts.train_end_U, mask_E, features, seed=0
    )
    kept = checkpoint and Checkpoints(checkpoint)
    return loop.run(phase, network.initial(config, items, seed=0), report=_say, checkpoint=kept)


def losses(run: Run) -> np.ndarray:
    """Return the loss of each epoch."""
    return np.array([report.loss for report in run.history])


def start(out: Path, *more: str, devices: int = 1, log: Path | None = None, **environ: str) -> subprocess.Popen[str]:
    """Start such a process with so many devices; stdout is a pipe, stderr goes to `log`."""
    environ = devices_of_its_own(devices) | environ
    with open(log or os.devnull, "ab") as errors:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.support.training", str(out), *more],
            cwd=ROOT,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )


def devices_of_its_own(count: int) -> dict[str, str]:
    """Return the environment of a process that sees so many devices."""
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count={count}"
    return {**os.environ, "PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu", "XLA_FLAGS": flags}


def read(out: Path) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return the losses and the parameters that a process kept."""
    with np.load(out) as saved:
        params = {name: saved[name] for name in saved.files}
    return params.pop("losses"), params


def _say(progress: Progress) -> None:
    sys.stdout.write(f"epoch {progress.epoch}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
