"""Train RecTools' SASRec on one events file and print, as one JSON object, how good it gets in how much time.

It runs in an environment of its own and imports nothing of this project. Make one with Python 3.11 and throw it away
afterwards: `python -m venv peer`, then in it `pip install torch==2.13.0` (the CPU build) and, second, so that it keeps
that torch, `pip install "rectools[torch]==0.19.0"`; pip then chose pytorch-lightning 2.5.2, numpy 1.26.4, pandas 2.3.3
and scipy 1.17.1. Run it with `peer/bin/python benchmarks/recommend/peers/rectools_sasrec.py --events events.csv.gz`.

The protocol is strict leave-one-out: each user's last event is the test target and the one before it the validation
target; neither is trained on. A test history holds everything but the last event, a validation history what was
trained on. RecTools' own `recommend` ranks every item it knows and leaves out the history. It knows the items among
each user's latest `--length` + 1 training events, so a target beyond those counts as a miss.

Training seconds are those of the epochs alone: building the model and evaluating are counted apart. The best epoch is
the one with the highest validation NDCG, so the test figures beside it were not chosen by looking at them. Every
setting without an option here is RecTools' default, but for the one attention head.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import time
import warnings
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from pytorch_lightning import Callback, LightningModule, Trainer, seed_everything
from rectools import Columns
from rectools.dataset import Dataset
from rectools.models import SASRecModel

_K = 10
_PACKAGES = ("rectools", "torch", "pytorch-lightning", "numpy", "pandas")


class Split(NamedTuple):
    """RecTools data sets to train on and to recommend from, and the one item each user took next (user → item)."""

    train: Dataset
    history: Dataset
    validation_target: pd.Series
    test_target: pd.Series


class Evaluation(NamedTuple):
    """Quality over all users of a split, and the wall seconds of the one `recommend` call behind it."""

    hit_rate: float
    ndcg: float
    seconds: float


class EpochClock(Callback):
    """Keeps the wall seconds of every training epoch, and ends training once they add up to the limit."""

    def __init__(self, limit_seconds: float | None) -> None:
        self.limit_seconds = limit_seconds
        self.seconds: list[float] = []
        self._start = 0.0

    @property
    def exhausted(self) -> bool:
        """Whether the limit is reached."""
        return self.limit_seconds is not None and sum(self.seconds) >= self.limit_seconds

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start the watch."""
        self._start = time.perf_counter()

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Stop the watch, and the training if its time is up."""
        self.seconds.append(time.perf_counter() - self._start)
        trainer.should_stop = self.exhausted


class Peer:
    """RecTools' SASRec with what was measured of it so far."""

    def __init__(self, options: argparse.Namespace, split: Split) -> None:
        self.model = _model(options)
        self.split = split
        self.fit_seconds = 0.0
        self.test: dict[int, Evaluation] = {}
        self.validation: dict[int, Evaluation] = {}

    @property
    def clock(self) -> EpochClock:
        """The watch of the trainer that RecTools runs, which is a copy of the one it was given."""
        return next(callback for callback in self.model.fit_trainer.callbacks if isinstance(callback, EpochClock))

    @property
    def known_items(self) -> np.ndarray:
        """The ids of the items that the trained model can recommend."""
        return self.model.data_preparator.get_known_item_ids()

    def train(self, epochs: int) -> None:
        """Train for `epochs` more, or fewer when the time is up."""
        start = time.perf_counter()
        self.model.fit_partial(self.split.train, min_epochs=1, max_epochs=epochs)
        self.fit_seconds += time.perf_counter() - start

    def evaluate(self) -> None:
        """Add the quality after the epochs trained so far."""
        epoch = len(self.clock.seconds)
        self.validation[epoch] = evaluate(self.model, self.split.train, self.split.validation_target)
        self.test[epoch] = evaluate(self.model, self.split.history, self.split.test_target)


def main() -> None:
    """Train in steps, evaluate after each, print the result; the file, if any, is rewritten after every step."""
    check_quality()
    options = _options()
    _quieten()
    seed_everything(options.seed)
    events = read_events(options.events)
    peer = Peer(options, split_events(events))
    done = 0
    while done < options.epochs:
        peer.train(min(options.every, options.epochs - done))
        peer.evaluate()
        done = len(peer.clock.seconds)
        result = _result(options, peer, events)
        _say(f"epoch, training seconds, test HR@{_K}, test NDCG@{_K}: {result['curve'][-1]}")
        if options.json:
            Path(options.json).write_text(json.dumps(result, indent=2) + "\n")
        if peer.clock.exhausted:
            break
    sys.stdout.write(json.dumps(result) + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="rectools_sasrec", description=__doc__.partition("\n")[0])
    parser.add_argument("--events", required=True, help="CSV file with the columns user_id, item_id, position")
    parser.add_argument("--epochs", type=_positive, default=200, help="200 is the limit of RecTools' own benchmark")
    parser.add_argument("--every", type=_positive, default=5, help="epochs between evaluations")
    parser.add_argument("--seconds", type=float, help="end with the epoch in which training has taken this long")
    parser.add_argument("--loss", choices=("sampled_softmax", "softmax", "BCE", "gBCE"), default="sampled_softmax")
    parser.add_argument("--negatives", type=int, default=256, help="unused by the full softmax")
    parser.add_argument("--dim", type=int, default=64)
    parser.add_argument("--blocks", type=int, default=1)
    parser.add_argument("--length", type=int, default=50)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", help="file to keep the result in")
    return parser.parse_args()


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a positive whole number")
    return number


def _model(options: argparse.Namespace) -> SASRecModel:
    return SASRecModel(
        session_max_len=options.length,
        n_factors=options.dim,
        n_blocks=options.blocks,
        n_heads=1,
        loss=options.loss,
        n_negatives=options.negatives,
        batch_size=options.batch_size,
        get_trainer_func=new_trainer,
        get_trainer_func_kwargs={"limit_seconds": options.seconds},
    )


def new_trainer(limit_seconds: float | None) -> Trainer:
    """Return RecTools' default trainer with a watch; `fit_partial` sets its epochs."""
    return Trainer(
        max_epochs=1,
        enable_progress_bar=False,
        enable_model_summary=False,
        logger=False,
        enable_checkpointing=False,
        devices=1,
        callbacks=[EpochClock(limit_seconds)],
    )


def read_events(path: str) -> pd.DataFrame:
    """Return user_id, item_id and how many events of that user come later, oldest first within each user."""
    events = pd.read_csv(path, usecols=["user_id", "item_id", "position"])
    events = events.sort_values(["user_id", "position"], kind="stable", ignore_index=True)
    events["later"] = events.groupby("user_id").cumcount(ascending=False)
    return events


def split_events(events: pd.DataFrame) -> Split:
    """Hold out each user's last two events."""
    return Split(
        train=_dataset(events[events["later"] >= 2]),
        history=_dataset(events[events["later"] >= 1]),
        validation_target=_target(events, later=1),
        test_target=_target(events, later=0),
    )


def _dataset(events: pd.DataFrame) -> Dataset:
    interactions = pd.DataFrame(
        {
            Columns.User: events["user_id"],
            Columns.Item: events["item_id"],
            Columns.Weight: 1.0,
            # RecTools wants times. It only sorts by them, so the place in the file does.
            Columns.Datetime: pd.to_datetime(events.index, unit="s"),
        }
    )
    return Dataset.construct(interactions)


def _target(events: pd.DataFrame, *, later: int) -> pd.Series:
    return events[events["later"] == later].set_index("user_id")["item_id"]


def evaluate(model: SASRecModel, history: Dataset, target: pd.Series) -> Evaluation:
    """Recommend to every user with a target; items of the history are left out."""
    start = time.perf_counter()
    shown = model.recommend(
        users=target.index.to_numpy(),
        dataset=history,
        k=_K,
        filter_viewed=True,
        on_unsupported_targets="warn",
    )
    seconds = time.perf_counter() - start
    return Evaluation(*quality(shown, target), seconds)


def quality(shown: pd.DataFrame, target: pd.Series) -> tuple[float, float]:
    """Return hit rate and NDCG of ranked lists against one target a user; a user with no list is a miss.

    With one relevant item the ideal gain is 1, so a user's NDCG is 1 / log2(rank + 1), with ranks from 1.
    """
    wanted = target[target.index.isin(shown[Columns.User])].reindex(shown[Columns.User])
    ranks = shown.loc[shown[Columns.Item].to_numpy() == wanted.to_numpy(), Columns.Rank].to_numpy()
    return float(len(ranks) / len(target)), float(np.sum(1 / np.log2(ranks + 1)) / len(target))


def check_quality() -> None:
    """Raise unless `quality` gets a case right that was worked out by hand.

    Four users: one finds the target first (gain 1), one third (gain 1/2), one not, one is shown nothing; the third is
    shown, first, what another wanted.
    """
    target = pd.Series({"a": 1, "b": 2, "c": 3, "d": 4})
    rows = [("b", 5, 1), ("b", 6, 2), ("b", 2, 3), ("a", 1, 1), ("a", 2, 2), ("c", 4, 1), ("c", 1, 2)]
    found = quality(pd.DataFrame(rows, columns=[Columns.User, Columns.Item, Columns.Rank]), target)
    if not np.allclose(found, (2 / 4, 1.5 / 4)):
        raise ArithmeticError(f"hit rate and NDCG of the hand-made case are {found}, not (0.5, 0.375)")


def _result(options: argparse.Namespace, peer: Peer, events: pd.DataFrame) -> dict[str, Any]:
    seconds = peer.clock.seconds
    best = max(peer.validation, key=lambda epoch: peer.validation[epoch].ndcg)
    evaluations = [*peer.validation.values(), *peer.test.values()]
    return {
        "benchmark": "recommend-peer",
        "peer": "RecTools SASRec",
        "peer_version": metadata.version("rectools"),
        **_machine(),
        "settings": {name: value for name, value in vars(options).items() if name not in ("events", "json")},
        "data": {"file": "/".join(Path(options.events).parts[-2:]), **_sizes(events, peer.known_items)},
        "epochs": len(seconds),
        "seconds_per_epoch": round(statistics.median(seconds), 2),
        "epoch_seconds": [round(second, 2) for second in seconds],
        "train_seconds": round(sum(seconds), 1),
        "setup_seconds": round(peer.fit_seconds - sum(seconds), 1),
        "evaluation_seconds": round(sum(evaluation.seconds for evaluation in evaluations), 1),
        "recommend_users_per_second": round(len(peer.split.test_target) / _median_seconds(peer.test), 1),
        "best": {
            "epoch": best,
            "train_seconds": round(sum(seconds[:best]), 1),
            "hr@10": round(peer.test[best].hit_rate, 5),
            "ndcg@10": round(peer.test[best].ndcg, 5),
        },
        "curve_columns": ["epoch", "train_seconds", f"hr@{_K}", f"ndcg@{_K}"],
        "curve": _curve(peer.test, seconds),
        "validation_curve": _curve(peer.validation, seconds),
    }


def _curve(evaluations: dict[int, Evaluation], seconds: list[float]) -> list[tuple[int, float, float, float]]:
    return [
        (epoch, round(sum(seconds[:epoch]), 1), round(at.hit_rate, 5), round(at.ndcg, 5))
        for epoch, at in evaluations.items()
    ]


def _median_seconds(evaluations: dict[int, Evaluation]) -> float:
    return statistics.median(evaluation.seconds for evaluation in evaluations.values())


def _sizes(events: pd.DataFrame, known_items: np.ndarray) -> dict[str, int]:
    trained = events[events["later"] >= 2]
    tested = events[events["later"] == 0]
    repeated = events.duplicated(["user_id", "item_id"])
    return {
        "users": int(events["user_id"].nunique()),
        "items": int(events["item_id"].nunique()),
        "events": len(events),
        "train_events": len(trained),
        "train_items": int(trained["item_id"].nunique()),
        "known_items": len(known_items),
        "test_targets_unknown": int((~tested["item_id"].isin(known_items)).sum()),
        "test_targets_in_own_history": int(repeated[tested.index].sum()),
    }


def _machine() -> dict[str, Any]:
    return {
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "versions": {package: metadata.version(package) for package in _PACKAGES},
    }


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


def _quieten() -> None:
    # Lightning advises loader worker processes, which would take cores from the training.
    warnings.filterwarnings("ignore", module="pytorch_lightning")
    # What pandas says of RecTools' own code at every call.
    warnings.filterwarnings("ignore", category=FutureWarning)
    warnings.filterwarnings("ignore", category=pd.errors.SettingWithCopyWarning)


def _say(message: str) -> None:
    sys.stderr.write(message + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
