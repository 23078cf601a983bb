"""The tables for SQLAlchemy, one file per capability. Migrations create them; a test compares the two."""

from storage.tables.base import metadata
from storage.tables.catalogue import item_vectors, items
from storage.tables.experiment import experiments, version_health
from storage.tables.fraud import (
    order_labels,
    order_messages,
    order_places,
    orders,
    reviews,
    rule_activations,
    rule_sets,
    screening_log,
    screenings,
)
from storage.tables.intake import change_ids, dead_letters, event_ids, events, intake_counts, shopper_traits
from storage.tables.keys import api_key_usage, api_keys, audit_log
from storage.tables.market import (
    market_baskets,
    market_cohorts,
    market_forecasts,
    market_queries,
    market_responses,
    market_sales,
    market_segments,
    market_stock_risks,
    market_trends,
    market_versions,
)
from storage.tables.marks import due, due_marks, watermarks
from storage.tables.models import drift_measurements, live_models, model_switches, model_versions
from storage.tables.pricing import (
    item_availability,
    price_changes,
    price_decisions,
    price_facts,
    price_outbox,
    price_proposals,
    price_rules,
    price_stop,
)
from storage.tables.privacy import erased_names, erasures
from storage.tables.recommend import actors, rankings, transitions
from storage.tables.search import search_answers, suggestions

__all__ = [
    "actors",
    "api_key_usage",
    "api_keys",
    "audit_log",
    "change_ids",
    "dead_letters",
    "drift_measurements",
    "due",
    "due_marks",
    "erased_names",
    "erasures",
    "event_ids",
    "events",
    "experiments",
    "intake_counts",
    "item_availability",
    "item_vectors",
    "items",
    "live_models",
    "market_baskets",
    "market_cohorts",
    "market_forecasts",
    "market_queries",
    "market_responses",
    "market_sales",
    "market_segments",
    "market_stock_risks",
    "market_trends",
    "market_versions",
    "metadata",
    "model_switches",
    "model_versions",
    "order_labels",
    "order_messages",
    "order_places",
    "orders",
    "price_changes",
    "price_decisions",
    "price_facts",
    "price_outbox",
    "price_proposals",
    "price_rules",
    "price_stop",
    "rankings",
    "reviews",
    "rule_activations",
    "rule_sets",
    "screening_log",
    "screenings",
    "search_answers",
    "shopper_traits",
    "suggestions",
    "transitions",
    "version_health",
    "watermarks",
]
