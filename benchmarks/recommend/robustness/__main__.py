"""`python -m benchmarks.recommend.robustness`: progress on stderr, one JSON object as the last line of stdout.

Models are trained with and without the adversarial term, on clean events and with fake users added, and evaluated on
the same test cases of real users (leave-one-out, strict: training knows all but their last two baskets). How similar
the rankings of two clean models with different seeds are shows the effect of chance.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np

from benchmarks import machine
from benchmarks.recommend.robustness import attack, compression, models
from benchmarks.recommend.robustness.attack import Attack
from benchmarks.recommend.robustness.models import Model
from model.recommend import config as configs
from model.recommend.config import RecommendConfig
from model.recommend.items import ItemFeatures
from model.recommend.protocols import protocol
from model.recommend.split import Split
from model.recommend.training import train
from workers.evaluate import recommend, recommend_files


@dataclass(frozen=True)
class Study:
    """What all models of one measurement share."""

    options: argparse.Namespace
    parts: Split
    attack: Attack
    features: ItemFeatures


def main() -> None:
    """Measure and print."""
    options = _options()
    config = recommend.config_of(options.preset, options.set)
    study = _study(options, config)
    plain, first = _judged(study, configs.replace(config, adversarial=0.0))
    runs = [first]
    for radius in options.radii or [config.adversarial_radius]:
        runs.append(_judged(study, configs.replace(config, adversarial=1.0, adversarial_radius=radius))[1])
    result = {
        "benchmark": "robustness",
        **machine.describe(jax.devices()[0].device_kind),
        "protocol": protocol.LEAVE_ONE_OUT,
        "data": _sizes(study),
        "seed": options.seed,
        "minutes": options.minutes,
        "config": configs.to_json(config),
        "attack": _described(study),
        "adversarial": runs,
        "compression": compression.measured(plain.scorer, study.parts),
    }
    if options.out:
        Path(options.out).write_text(json.dumps(result, indent=2) + "\n")
    sys.stdout.write(json.dumps(result) + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.recommend.robustness", description=__doc__)
    parser.add_argument("--events", type=Path, required=True, help="CSV, Parquet: user_id, item_id, and at or position")
    parser.add_argument(
        "--items", type=Path, required=True, help="the catalogue: item_id, title, and what else there is"
    )
    parser.add_argument("--kind", default="purchase", help="kind of events without one")
    parser.add_argument("--preset", default="small", help="model preset")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="another value for one option")
    parser.add_argument("--radii", type=float, nargs="*", help="radii of the adversarial term; by default the config's")
    parser.add_argument("--seed", type=int, default=0, help="of the models and of the attack")
    parser.add_argument("--minutes", type=float, help="train each model for about so long")
    parser.add_argument("--fake-share", type=float, default=0.01, help="fake users for each real one")
    parser.add_argument("--out", help="file to keep the result in")
    return parser.parse_args()


def _study(options: argparse.Namespace, config: RecommendConfig) -> Study:
    known = recommend_files.read(options.events, options.items, kind=options.kind).known
    usable = train.usable(known.interactions, known.items, config)
    parts = protocol.parts_of(protocol.LEAVE_ONE_OUT, usable, config, cut=None, seed=options.seed)
    features = train.features_of(known.items, np.unique(parts.events.items_E), config)
    made = attack.push(parts, config, share=options.fake_share, seed=options.seed)
    return Study(options, parts, made, features)


def _judged(study: Study, config: RecommendConfig) -> tuple[Model, dict[str, Any]]:
    """The clean model of this config, compared with one of another seed and one under attack."""
    seed = study.options.seed
    clean = _trained(study, study.parts, config, seed)
    other = _trained(study, study.parts, config, seed + 1)
    pushed = _trained(study, attack.attacked(study.parts, study.attack.fake), config, seed)
    result = {
        "adversarial": config.adversarial,
        "radius": config.adversarial_radius if config.adversarial else None,
        "clean": _figures(study, clean),
        "clean_other_seed": _figures(study, other),
        "attacked": _figures(study, pushed),
        "overlap@10": {
            "clean_and_attacked": models.overlap(clean.ranked_SxK, pushed.ranked_SxK),
            "two_clean_of_different_seeds": models.overlap(clean.ranked_SxK, other.ranked_SxK),
            "clean_and_attacked_of_different_seeds": models.overlap(other.ranked_SxK, pushed.ranked_SxK),
        },
    }
    _say(json.dumps(result))
    return clean, result


def _trained(study: Study, parts: Split, config: RecommendConfig, seed: int) -> Model:
    made = models.trained(parts, study.features, config, seed=seed, minutes=study.options.minutes)
    _say(f"adversarial {config.adversarial}, seed {seed}, {len(parts.start_U)} users: {made.seconds:.0f} s")
    return made


def _figures(study: Study, model: Model) -> dict[str, Any]:
    return {
        **models.figures(model.ranked_SxK, study.parts, model.scorer),
        "exposure": models.exposure(model.ranked_SxK, study.attack.targets_T),
        "epochs": model.epochs,
        "seconds": round(model.seconds, 1),
    }


def _sizes(study: Study) -> dict[str, Any]:
    events = study.parts.events
    return {
        "events_file": study.options.events.name,
        "users": len(study.parts.start_U),
        "items": len(study.features.rows_N),
        "events": len(events.users_E),
        "training_events": int((study.parts.train_end_U - study.parts.start_U).sum()),
        "test_cases": len(study.parts.test.truth),
    }


def _described(study: Study) -> dict[str, Any]:
    made = study.attack
    return {
        "what": attack.DESCRIPTION,
        "fake_share": study.options.fake_share,
        "fake_users": made.users,
        "fake_events": len(made.fake.users_E),
        "targets": made.targets_T.tolist(),
        "training_events_of_targets": made.counts_T.tolist(),
        "fake_events_of_each_target": made.users,
    }


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    main()
