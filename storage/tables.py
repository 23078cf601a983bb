"""The tables, as SQLAlchemy sees them. Migrations create them; `tests/integration/storage` compares the two."""

from __future__ import annotations

from pgvector.sqlalchemy import VECTOR
from sqlalchemy import (
    ARRAY,
    REAL,
    BigInteger,
    Boolean,
    Column,
    Computed,
    DateTime,
    Double,
    Identity,
    Integer,
    MetaData,
    Sequence,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR

metadata = MetaData()

_AVAILABLE = "title IS NOT NULL AND deleted_at IS NULL AND coalesce(stock, 1) > 0"
_WORDS = "item_words(title, brand, category, text)"
_BASKET = "CASE WHEN kind = 'purchase' THEN coalesce(session_id, shopper) END"


def _time(name: str, **options: object) -> Column[object]:
    return Column(name, DateTime(timezone=True), **options)  # type: ignore[arg-type]  # options are Column's own


# Every event_id taken so far. A unique index cannot span the partitions of `events` without their key.
event_ids = Table(
    "event_ids",
    metadata,
    Column("event_id", Text, primary_key=True),
    _time("at", nullable=False),
)

# What shoppers did, partitioned by month of `at`. `rank` is the place, from 1, in the list that showed the item.
events = Table(
    "events",
    metadata,
    Column("event_id", Text, nullable=False),
    Column("shopper", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("item_id", Text),
    _time("at", nullable=False),
    _time("received_at", nullable=False, server_default=func.now()),
    Column("value", Double),
    Column("quantity", Double, nullable=False, server_default=text("1")),
    Column("session_id", Text),
    Column("surface", Text),
    Column("request_id", Text),
    Column("query", Text),
    Column("rank", Integer),
    Column("basket", Text, Computed(_BASKET, persisted=True)),
    postgresql_partition_by="RANGE (at)",
)

# What is known of a shopper: country, segment, referrer, …; the newest `at` wins.
shopper_traits = Table(
    "shopper_traits",
    metadata,
    Column("shopper", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
    _time("at", nullable=False),
)

change_ids = Table("change_ids", metadata, Column("change_id", Text, primary_key=True), _time("at", nullable=False))

# The catalogue. `stamps` holds, per field, the change that set it last; `words` what a lexical search looks for.
items = Table(
    "items",
    metadata,
    Column("item_id", Text, primary_key=True),
    Column("item_no", BigInteger, Identity(always=True), nullable=False, unique=True),
    Column("title", Text),
    Column("text", Text, nullable=False, server_default=""),
    Column("category", Text),
    Column("brand", Text),
    Column("price", Double),
    Column("currency", Text),
    Column("stock", BigInteger),
    Column("attributes", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    Column("tags", ARRAY(Text), nullable=False, server_default=text("'{}'::text[]")),
    Column("image_url", Text),
    _time("announced_at"),
    _time("deleted_at"),
    Column("stamps", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    Column("available", Boolean, Computed(_AVAILABLE, persisted=True), nullable=False),
    Column("changed_xid", BigInteger, nullable=False),
    Column("words", TSVECTOR, Computed(_WORDS, persisted=True), nullable=False),
)

item_vectors = Table(
    "item_vectors",
    metadata,
    Column("model_version", Text, primary_key=True),
    Column("item_id", Text, primary_key=True),
    Column("embedding", VECTOR, nullable=False),
)

due_marks = Sequence("due_marks", metadata=metadata)
order_places = Sequence("order_places", metadata=metadata)

# What has to be computed again. `mark` grows with every reason to. `later` says that nothing happened to it but another
# model: it waits for that model, and for whatever is fresher.
due = Table(
    "due",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("mark", BigInteger, nullable=False, server_default=due_marks.next_value()),
    _time("since", nullable=False, server_default=func.now()),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    _time("claimed_until"),
    Column("later", Boolean, nullable=False, server_default=text("false")),
)

# One ranked shelf a row, best item first. `through` is the time of the last event that it reflects. `because_…` name,
# for the first items, the event of the owner's history that moved each most: NULL elements where none did, and NULL
# where nothing is explained. `counted_by` is the version that served, and so counted the events up to `through`; an
# experiment may have had another one rank. NULL on surfaces that count nothing. `…_nos` are the numbers of the items
# named, on a shopper's own shelf; NULL where it was written before there were any, or an item has none yet.
rankings = Table(
    "rankings",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("surface", Text, primary_key=True),
    Column("item_ids", ARRAY(Text), nullable=False),
    Column("scores", ARRAY(REAL), nullable=False),
    Column("model_version", Text, nullable=False),
    _time("generated_at", nullable=False, server_default=func.now()),
    _time("through"),
    Column("mark", BigInteger, nullable=False, server_default=text("0")),
    Column("because_item_ids", ARRAY(Text)),
    Column("because_kinds", ARRAY(Text)),
    Column("counted_by", Text),
    Column("item_nos", ARRAY(BigInteger)),
    Column("because_nos", ARRAY(BigInteger)),
)

# `learnt_from` and `learnt_through` are the times of the first and the last event that the training knew, NULL where
# nobody noted it; `gate` what the gate said (`workers/learn/verdict.py`), NULL for versions of before there was one;
# `digest` the hash of its content; `forgotten_at` when its folder was deleted.
model_versions = Table(
    "model_versions",
    metadata,
    Column("version", Text, primary_key=True),
    Column("capability", Text, nullable=False),
    Column("parent", Text),
    Column("config", JSONB, nullable=False),
    Column("metrics", JSONB, nullable=False),
    _time("created_at", nullable=False, server_default=func.now()),
    _time("learnt_through"),
    _time("learnt_from"),
    Column("how", Text, nullable=False, server_default=text("'full'")),
    Column("digest", Text),
    Column("code", Text),
    Column("gate", JSONB(none_as_null=True)),
    _time("forgotten_at"),
)

# The pointer: which version serves.
live_models = Table(
    "live_models",
    metadata,
    Column("capability", Text, primary_key=True),
    Column("version", Text, nullable=False),
    _time("switched_at", nullable=False, server_default=func.now()),
)

# The history of the pointer: what served from when on, and why.
model_switches = Table(
    "model_switches",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("capability", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("previous", Text),
    _time("at", nullable=False, server_default=func.now()),
    Column("why", Text, nullable=False),
)

# What was measured of a version on a window of events (`workers/learn/drift.py`). `reference` is that of the version's
# first measurement, with which its later ones are compared; NULL in those. `alert` says what has moved too far.
drift_measurements = Table(
    "drift_measurements",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("version", Text, nullable=False),
    _time("measured_at", nullable=False, server_default=func.now()),
    _time("window_start", nullable=False),
    _time("window_end", nullable=False),
    Column("figures", JSONB, nullable=False),
    Column("reference", JSONB(none_as_null=True)),
    Column("alert", Text),
)

# How often `to_item` followed `from_item` since the training of the version that serves, weighed by distance and kind.
transitions = Table(
    "transitions",
    metadata,
    Column("from_item", Text, primary_key=True),
    Column("to_item", Text, primary_key=True),
    Column("count", REAL, nullable=False),
    Column("changed_xid", BigInteger, nullable=False),
)

# Shoppers whose events are kept and, while `flagged`, count for nobody but themselves. `changes` grows with every flag
# and every clearing. One that was cleared is not flagged by the detector for the same `reasons` before `spared_until`.
actors = Table(
    "actors",
    metadata,
    Column("shopper", Text, primary_key=True),
    Column("flagged", Boolean, nullable=False),
    Column("reasons", ARRAY(Text), nullable=False),
    Column("detail", Text, nullable=False),
    Column("flagged_by", Text, nullable=False),
    _time("flagged_at", nullable=False, server_default=func.now()),
    Column("cleared_by", Text),
    _time("cleared_at"),
    _time("spared_until"),
    Column("changes", BigInteger, nullable=False, server_default=text("1")),
)

# What could not be taken or computed, with the reason. `payload` is JSON in ASCII.
dead_letters = Table(
    "dead_letters",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("source", Text, nullable=False),
    Column("key", Text),
    Column("field", Text),
    Column("error", Text, nullable=False),
    Column("payload", Text),
    Column("attempts", Integer, nullable=False, server_default=text("1")),
    _time("at", nullable=False, server_default=func.now()),
)

# What came in, counted in the transaction that wrote it; a row per writing process, so none waits.
intake_counts = Table(
    "intake_counts",
    metadata,
    Column("writer", Text, primary_key=True),
    Column("door", Text, primary_key=True),
    Column("written", BigInteger, nullable=False, server_default=text("0")),
    Column("duplicates", BigInteger, nullable=False, server_default=text("0")),
    Column("rejected", BigInteger, nullable=False, server_default=text("0")),
)

watermarks = Table(
    "watermarks",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

# What shoppers are shown in turn. `arms` is an array of {name, treatment, share}, the control first.
experiments = Table(
    "experiments",
    metadata,
    Column("name", Text, primary_key=True),
    Column("salt", Text, nullable=False),
    Column("surface", Text, nullable=False),
    Column("arms", JSONB, nullable=False),
    Column("canary", Boolean, nullable=False),
    _time("started_at", nullable=False, server_default=func.now()),
    _time("stopped_at"),
    Column("stopped_because", Text),
)

# How each model version did, by minute: batches it was asked to rank, those that raised, and the seconds of all.
version_health = Table(
    "version_health",
    metadata,
    Column("version", Text, primary_key=True),
    _time("minute", primary_key=True),
    Column("batches", BigInteger, nullable=False),
    Column("failures", BigInteger, nullable=False),
    Column("seconds", Double, nullable=False),
)

# Orders as numbers: `at` in unix seconds, no later than it was received; digests
# of its id and of whom and what it names, 0 for what was not given. `place` is its place among the orders that were
# looked at, 0 until then; `odd` its amount / what was usual for its customer then. `fraud_at` is since when, in unix
# seconds, it is known here to be fraud; `label` the newest kind of label.
orders = Table(
    "orders",
    metadata,
    Column("order_id", Text, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("tie", BigInteger, nullable=False),
    Column("customer", BigInteger, nullable=False),
    *(
        Column(name, BigInteger, nullable=False, server_default=text("0"))
        for name in ("terminal", "payment", "device", "ip", "address", "country")
    ),
    Column("cents", BigInteger, nullable=False),
    Column("place", BigInteger, nullable=False, server_default=text("0")),
    Column("odd", Double, nullable=False, server_default=text("1")),
    Column("fraud_at", BigInteger),
    Column("label", Text),
)

# Orders as the shop sent them.
order_messages = Table(
    "order_messages",
    metadata,
    Column("order_id", Text, primary_key=True),
    Column("message", JSONB, nullable=False),
    _time("received_at", nullable=False, server_default=func.now()),
)

# What became known of orders; a label may come before its order.
order_labels = Table(
    "order_labels",
    metadata,
    Column("label_id", Text, primary_key=True),
    Column("order_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    _time("at", nullable=False),
    _time("received_at", nullable=False, server_default=func.now()),
)

# One decision for an order, never changed, with all that it rests on: `facts` are what the rules were asked with,
# `features` what the model was. `by` is what decided; `why` says why the model had no part, where it had none.
screenings = Table(
    "screenings",
    metadata,
    Column("order_id", Text, primary_key=True),
    Column("decision", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("why", Text),
    Column("probability", Double),
    Column("reasons", JSONB, nullable=False),
    Column("facts", JSONB, nullable=False),
    Column("rules_version", Text, nullable=False),
    Column("model_version", Text),
    Column("features", ARRAY(Double)),
    _time("decided_at", nullable=False, server_default=func.now()),
)

# What happened to an order after its decision; rows are only added.
screening_log = Table(
    "screening_log",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("order_id", Text, nullable=False),
    _time("at", nullable=False, server_default=func.now()),
    Column("what", Text, nullable=False),
    Column("detail", JSONB, nullable=False),
)

# Orders that a person is to decide about.
reviews = Table(
    "reviews",
    metadata,
    Column("order_id", Text, primary_key=True),
    _time("opened_at", nullable=False, server_default=func.now()),
    Column("why", Text, nullable=False),
    Column("taken_by", Text),
    _time("taken_at"),
    Column("decision", Text),
    Column("decided_by", Text),
    _time("decided_at"),
    Column("note", Text),
)

# Sets of rules by the hash of their content; the newest activation says which one decides.
rule_sets = Table(
    "rule_sets",
    metadata,
    Column("version", Text, primary_key=True),
    Column("content", JSONB, nullable=False),
    _time("created_at", nullable=False, server_default=func.now()),
)
rule_activations = Table(
    "rule_activations",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("version", Text, nullable=False),
    _time("at", nullable=False, server_default=func.now()),
)

# What was searched for, and what it found: NULL `item_nos` until it is answered. `question` is who asked for what
# (`storage/questions.py`), `terms` what the answer depends on: an item that holds one of them, or held it, makes it
# stale. `horizon` is that of the catalogue that answered, `through` the shopper's last event that it reflects.
search_answers = Table(
    "search_answers",
    metadata,
    Column("key", Text, primary_key=True),
    Column("question", JSONB, nullable=False),
    Column("shopper", Text),
    Column("item_nos", ARRAY(BigInteger)),
    Column("scores", ARRAY(REAL)),
    Column("total", BigInteger, nullable=False, server_default=text("0")),
    Column("facets", JSONB(none_as_null=True)),
    Column("meant", Text),
    Column("source", Text),
    Column("why", JSONB(none_as_null=True)),
    Column("model_version", Text),
    Column("terms", ARRAY(Text), nullable=False, server_default=text("'{}'::text[]")),
    Column("horizon", BigInteger, nullable=False, server_default=text("0")),
    _time("through"),
    Column("personal", Boolean, nullable=False, server_default=text("false")),
    _time("generated_at"),
    _time("stale_since"),
    Column("times", BigInteger, nullable=False, server_default=text("1")),
    _time("asked_at", nullable=False, server_default=func.now()),
)

# Phrases that complete what is typed, by their plain form: those of the catalogue, and what others searched for.
suggestions = Table(
    "suggestions",
    metadata,
    Column("key", Text, primary_key=True),
    Column("phrase", Text, nullable=False),
    Column("weight", REAL, nullable=False),
)
