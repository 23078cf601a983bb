"""The detector's configuration, from the settings."""

from __future__ import annotations

from model.fraud import config as configs
from model.fraud.config import FraudConfig
from model.fraud.detector import trees
from model.fraud.features.features import FeatureConfig
from model.fraud.features.orders import DAY
from workers.settings import Settings

MOST = 400
"""Most past orders of one customer, payment, device … that are read, the newest: this bounds the cost of a busy IP."""


def features_of(settings: Settings) -> FeatureConfig:
    """Return the configuration of the features."""
    return FeatureConfig(mature=settings.fraud_label_days * DAY, most=MOST)


def from_settings(settings: Settings) -> FraudConfig:
    """Return the configured preset; without LightGBM it is the network alone."""
    made = configs.preset(settings.fraud_preset, features=features_of(settings))
    members = tuple(member for member in made.members if member != "trees" or trees.are_there())
    return configs.from_json(configs.to_json(made) | {"members": members})
