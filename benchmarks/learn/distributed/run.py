"""One training in this process, or with others of its group: the time of its epochs, and their losses."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import jax
import numpy as np

from model.catalogue import Item
from model.recommend import config as configs
from model.recommend import network, split
from model.recommend.config import RecommendConfig
from model.recommend.events import Interactions
from model.recommend.training import coordination, loop, train
from model.recommend.training.loop import Phase, Run
from workers import settings as configuration
from workers.evaluate import recommend_files
from workers.runtime import distributed

_LENGTH = 20
_DAY = 86_400.0


def main() -> None:
    """Train, and save the measurements in a file."""
    parser = argparse.ArgumentParser(prog="benchmarks.learn.distributed.run", description=__doc__)
    parser.add_argument("--events", type=Path)
    parser.add_argument("--users", type=int)
    parser.add_argument("--catalogue", type=int)
    parser.add_argument("--preset", required=True)
    parser.add_argument("--epochs", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    config = configs.preset(options.preset, epochs=options.epochs)
    with distributed.joined(configuration.load()):
        if options.events:
            known = recommend_files.read(options.events, None, kind="purchase").known
            interactions, items = known.interactions, known.items
        else:
            interactions, items = made_up(options.users, options.catalogue)
        run = trained(interactions, items, config)
        if coordination.leads():
            data = {"users": len(np.unique(interactions.users_E)), "items": len(items)}
            data["events"] = len(interactions.users_E)
            options.out.write_text(json.dumps({"data": data, "config": configs.to_json(config), **measured(run)}))


def made_up(users: int, items: int) -> tuple[Interactions, list[Item]]:
    """Simulated shoppers who each walk through the catalogue with their own stride, one event a day."""
    random = np.random.default_rng(0)
    starts_U, strides_U = random.integers(0, items, users), random.integers(1, 8, users)
    items_UxL = (starts_U[:, None] + strides_U[:, None] * np.arange(_LENGTH)) % items
    interactions = Interactions(
        users_E=np.repeat(np.arange(users), _LENGTH).astype(np.int32),
        items_E=items_UxL.reshape(-1).astype(np.int32),
        kinds_E=np.full(users * _LENGTH, configs.KINDS.index("purchase"), np.int32),
        at_E=1.7e9 + _DAY * np.tile(np.arange(_LENGTH), users),
    )
    return interactions, [Item(f"i{n}", f"thing {n} of {n % 97}", category=f"c{n % 13}") for n in range(items)]


def trained(interactions: Interactions, items: list[Item], config: RecommendConfig) -> Run:
    """The training loop over all but each user's last two baskets, without validation."""
    parts = split.leave_last_out(interactions, config)
    known_T = np.unique(parts.events.items_E)
    features = train.features_of(items, known_T, config)
    mask_E = split.training_mask(parts)
    phase = Phase(
        "train", config, config.epochs, parts.events, parts.start_U, parts.train_end_U, mask_E, features, seed=0
    )
    return loop.run(phase, network.initial(config, len(known_T), seed=0))


def measured(run: Run) -> dict[str, Any]:
    """Speed without the first epoch, which compiles, and the loss of every epoch."""
    return {
        "device": jax.devices()[0].device_kind,
        "devices": jax.device_count(),
        "examples": run.examples,
        "seconds_per_epoch": round(run.seconds_per_epoch, 3),
        "examples_per_second": round(run.examples / run.seconds_per_epoch),
        "losses": [report.loss for report in run.history],
    }


if __name__ == "__main__":
    main()
