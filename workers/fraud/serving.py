"""Serving: the live detector and the active rules, updated between two batches."""

from __future__ import annotations

import logging
import math
import time
from typing import NamedTuple

from sqlalchemy import Connection, Engine

from model import artifact, compilations
from model.errors import ArtifactError
from model.fraud import serve
from model.fraud.features.features import FeatureConfig
from model.fraud.serve import Screener
from storage.fraud import rule_sets
from storage.registry import models
from workers import settings as environment
from workers.fraud import configuration
from workers.fraud.rules import rules
from workers.fraud.rules.rules import RuleSet
from workers.registry.loading import Loader
from workers.runtime import garbage_collection, metrics
from workers.settings import Settings

log = logging.getLogger(__name__)

_FOLLOW_SECONDS = 0.5


class Loaded(NamedTuple):
    """A version that is loaded, compiled and ready to be used."""

    version: str
    screener: Screener


class Serving:
    """What one process screens with: `follow` brings it up to date before a batch. For one thread at a time.

    A new live version is loaded in the background, so that no order waits for it.
    """

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._engine = engine
        self._settings = settings
        self._loader: Loader[Loaded] = Loader(self._load, ready=lambda: None)
        self._followed = -math.inf
        self._warm_compilations = 0
        self.version: str | None = None
        self.screener: Screener | None = None
        self.rules: RuleSet = rules.DEFAULT
        self.rules_version = ""

    @property
    def config(self) -> FeatureConfig:
        """The configuration of the features: that of the model, or of the first training to come."""
        return (
            configuration.features_of(self._settings) if self.screener is None else self.screener.scorer.config.features
        )

    def follow(self) -> None:
        """Switch to the live version and the active rules, at most twice a second.

        If something cannot be loaded, the previous one stays in use.
        """
        if time.monotonic() - self._followed < _FOLLOW_SECONDS:
            return
        with self._engine.begin() as connection:
            self._follow_rules(connection)
            live = models.live(connection, models.FRAUD)
        if live is not None and live.version != self.version:
            self._swap(live.version)
        if not self._loader.busy:  # compilations for a new version are expected
            metrics.COMPILATIONS.set(compilations.counter().count - self._warm_compilations)
        self._followed = time.monotonic()

    def _follow_rules(self, connection: Connection) -> None:
        active = rule_sets.active(connection)
        version = rules.DEFAULT.version if active is None else active.version
        if version == self.rules_version:
            return
        self.rules = rules.DEFAULT if active is None else rules.from_json(active.content)
        if active is None:  # the rules that decide have to be stored, so that a decision can be replayed
            rule_sets.keep(connection, version, rules.to_json(self.rules))
        self.rules_version = version

    def _swap(self, live: str) -> None:
        """Judge by the live version from now on, if it is loaded; wait for it if there is no other."""
        loaded = self._loader.load_now(live) if self.screener is None else self._loader.take()
        if loaded is None or loaded.version != live:
            self._loader.ask(live)
            return
        log.info("model %s takes over from %s", live, self.version)
        self.screener, self.version = loaded.screener, live
        garbage_collection.freeze()
        self._warm_compilations = compilations.counter().count

    def _load(self, version: str) -> Loaded:
        try:
            saved = artifact.load(environment.model_folder(self._settings.home, version))
            screener = serve.placed(serve.from_artifact(saved))
        except ModuleNotFoundError as error:
            raise ArtifactError(f"it needs a package that is not installed: {error}") from error
        serve.warm(screener)
        return Loaded(version, screener)
