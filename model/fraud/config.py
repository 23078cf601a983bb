"""The detector's configuration: a frozen config with named presets."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from model import presets
from model.errors import ConfigError
from model.fraud.features.features import FeatureConfig

IMBALANCES = ("none", "weight", "focal", "resample")
"""How rare frauds are handled: not at all, by a weight, by the focal loss, or by drawing them more often."""
MEMBERS = ("network", "trees")


@dataclass(frozen=True)
class FraudConfig:
    """Features, network, trees and training of one detector. Make one with `preset`."""

    features: FeatureConfig = field(default_factory=FeatureConfig)
    members: tuple[str, ...] = MEMBERS

    # Edges of the piecewise-linear encoding of each feature: quantiles, and two per split.
    quantiles: int = 10
    splits: int = 6
    hidden: int = 32
    copies: int = 2  # networks with different seeds, trained together; the score is their mean
    grouped: bool = True  # noisy-or: an order is fraud if its own, its customer's or its terminal's features say so
    dropout: float = 0.2
    learning_rate: float = 3e-3
    weight_decay: float = 1e-2
    batch: int = 512
    epochs: int = 6
    imbalance: str = "none"
    positive_weight: float = 8.0  # of a fraud, under "weight" and "resample"
    focal_gamma: float = 1.0

    forests: int = 2  # boosted ensembles with different seeds
    rounds: int = 150
    leaves: int = 8
    tree_rate: float = 0.05

    adversarial: int = 0  # rounds of training on orders that evade the previous round's detector
    update_epochs: int = 2  # of an incremental update
    update_rate: float = 0.3  # as a share of the learning rate

    def __post_init__(self) -> None:
        if self.imbalance not in IMBALANCES:
            raise presets.unknown("imbalance", self.imbalance, IMBALANCES)
        for member in self.members:
            if member not in MEMBERS:
                raise presets.unknown("member", member, MEMBERS)
        if not self.members:
            raise ConfigError(f"a detector needs at least one member of {', '.join(MEMBERS)}")


_PRESETS: Mapping[str, Mapping[str, Any]] = {
    "tiny": {
        "quantiles": 5,
        "splits": 2,
        "hidden": 8,
        "copies": 1,
        "epochs": 4,
        "batch": 128,
        "forests": 1,
        "rounds": 20,
    },
    "default": {},
    "network": {"members": ("network",)},
    "trees": {"members": ("trees",)},
}


def preset(name: str = "default", **overrides: Any) -> FraudConfig:
    """The preset "default", "network", "trees" or "tiny" (for tests), with single options replaced.

    Raises ConfigError for an unknown preset or option, naming the nearest known one.
    """
    return presets.named(FraudConfig, _PRESETS, name, overrides)


def to_json(config: FraudConfig) -> dict[str, Any]:
    """A JSON object that `from_json` reads back."""
    return dataclasses.asdict(config)


def from_json(options: Mapping[str, Any]) -> FraudConfig:
    """The config that `to_json` described. Missing options get their defaults."""
    given = dict(options)
    if "features" in given:
        given["features"] = FeatureConfig(**given["features"])
    if "members" in given:
        given["members"] = tuple(given["members"])
    return preset(**given)
