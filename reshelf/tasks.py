"""Task and queue names: the stable interface of the workers.

Names are constants, so that renaming a function never breaks queued work.
"""

from __future__ import annotations

EVENTS = "reshelf.intake.events"
"""Takes one list of behaviour events (JSON objects)."""
CATALOGUE = "reshelf.intake.catalogue"
"""Takes one list of catalogue changes (JSON objects)."""
SCREEN = "reshelf.fraud.screen"
"""Takes one list of orders (JSON objects); returns their screenings."""
LABELS = "reshelf.intake.labels"
"""Takes one list of labels of orders (JSON objects)."""

# Doorbells: wake-ups that carry no data.
SCREEN_DUE = "reshelf.fraud.screen_due"
REFRESH_SHOPPERS = "reshelf.recommend.refresh_shoppers"
REFRESH_ITEMS = "reshelf.recommend.refresh_items"
REFRESH_LATER = "reshelf.recommend.refresh_later"
EXPLAIN = "reshelf.recommend.explain"
REFRESH_BASKETS = "reshelf.shelves.refresh_baskets"
REFRESH_POPULAR = "reshelf.shelves.refresh_popular"
REFRESH_ACTORS = "reshelf.actors.refresh"
WATCH_ACTORS = "reshelf.actors.watch"
REFRESH_SUGGESTIONS = "reshelf.shelves.refresh_suggestions"
ANSWER = "reshelf.search.answer"
FOLLOW = "reshelf.search.follow"
TEND = "reshelf.search.tend"
TRAIN = "reshelf.learn.train"
TRAIN_SEARCH = "reshelf.learn.train_search"
UPDATE_SEARCH = "reshelf.learn.update_search"
FINETUNE = "reshelf.learn.finetune"
DRIFT = "reshelf.learn.drift"
TRAIN_FRAUD = "reshelf.learn.train_fraud"
UPDATE_FRAUD = "reshelf.learn.update_fraud"
FRAUD_DRIFT = "reshelf.learn.fraud_drift"
REFRESH_MARKET = "reshelf.market.refresh"
PROPOSE_PRICES = "reshelf.pricing.propose"
WATCH_PRICES = "reshelf.pricing.watch"
APPLY_PRICES = "reshelf.pricing.apply"
ERASE = "reshelf.privacy.erase"
RECONCILE = "reshelf.runtime.reconcile"
MAINTAIN = "reshelf.runtime.maintain"
WATCH_CANARY = "reshelf.experiment.watch_canary"

INTAKE_QUEUE = "intake"
"""Only data messages, which are read in batches."""
RUNTIME_QUEUE = "runtime"
UPKEEP_QUEUE = "upkeep"
REFRESH_QUEUE = "refresh"
BACKGROUND_QUEUE = "background"
SEARCH_QUEUE = "search"
TRAIN_QUEUE = "train"
FRAUD_QUEUE = "fraud"

ROUTES = {"reshelf.intake.*": {"queue": INTAKE_QUEUE}, SCREEN: {"queue": FRAUD_QUEUE}}
"""The queues of the messages that a shop sends; `workers.capabilities` has the queues of all tasks."""
