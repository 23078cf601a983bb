"""Serving: the live detector and the active rules, followed between two batches."""

from __future__ import annotations

import logging
import math
import time

from sqlalchemy import Connection, Engine

from model import artifact, compilations
from model.errors import ModelError
from model.fraud import serve
from model.fraud.features import FeatureConfig
from model.fraud.serve import Screener
from storage import models, rule_sets
from workers import settings as environment
from workers.fraud import configuration, rules
from workers.fraud.rules import RuleSet
from workers.runtime import memory, metrics
from workers.settings import Settings

log = logging.getLogger(__name__)

RETRY_SECONDS = 30.0
"""How long a version that cannot be loaded is left alone; what served before judges on."""
_FOLLOW_SECONDS = 0.5


class Serving:
    """What one process screens with: `follow` brings it up to date before a batch. For one thread at a time."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._engine = engine
        self._settings = settings
        self._failed: dict[str, float] = {}
        self._followed = -math.inf
        self._warm_compilations = 0
        self.version: str | None = None
        self.screener: Screener | None = None
        self.rules: RuleSet = rules.DEFAULT
        self.rules_version = ""

    @property
    def config(self) -> FeatureConfig:
        """How features are made: as the model learnt them, or as the first training will."""
        return (
            configuration.features_of(self._settings) if self.screener is None else self.screener.scorer.config.features
        )

    def follow(self) -> None:
        """Take over the version and the rules that are live, twice a second at most.

        Whatever cannot be loaded, what was there goes on.
        """
        if time.monotonic() - self._followed < _FOLLOW_SECONDS:
            return
        with self._engine.begin() as connection:
            self._follow_rules(connection)
            live = models.live(connection, models.FRAUD)
        if live is not None and live.version != self.version and not self._rests(live.version):
            self._load(live.version)
        metrics.COMPILATIONS.set(compilations.counter().count - self._warm_compilations)
        self._followed = time.monotonic()

    def _follow_rules(self, connection: Connection) -> None:
        active = rule_sets.active(connection)
        version = rules.DEFAULT.version if active is None else active.version
        if version == self.rules_version:
            return
        self.rules = rules.DEFAULT if active is None else rules.of_json(active.content)
        if active is None:  # what decides has to be there when a decision is replayed
            rule_sets.keep(connection, version, rules.to_json(self.rules))
        self.rules_version = version

    def _load(self, version: str) -> None:
        try:
            saved = artifact.load(environment.model_folder(self._settings.home, version))
            screener = serve.placed(serve.from_artifact(saved))
            serve.warm(screener)
        except (ModelError, ModuleNotFoundError) as error:
            log.error("model %s cannot screen: %s. Trying again in %.0f s", version, error, RETRY_SECONDS)
            self._failed[version] = time.monotonic()
            return
        log.info("model %s takes over from %s", version, self.version)
        self.screener, self.version = screener, version
        memory.settle()
        self._warm_compilations = compilations.counter().count

    def _rests(self, version: str) -> bool:
        return version in self._failed and time.monotonic() - self._failed[version] < RETRY_SECONDS
