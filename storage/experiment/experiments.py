"""Experiments: their arms, which part of the shoppers each arm gets, and the outcomes.

A shopper's place is a number in [0, 1) that depends only on the experiment's salt and the shopper's key; `_PLACE` is
the SQL of `workers.experiment.assignment.place`. Each arm gets an interval of [0, 1), see `Experiment.stretches`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import accumulate
from typing import Any

from sqlalchemy import Connection, text

from storage.bots import actors
from storage.json import ascii_text

LIVE = "live"
POPULAR = "popular"
VERSION = "version:"

HOME = "home"

COLUMNS = "name, salt, surface, arms, canary, started_at, stopped_at, stopped_because"
RUNNING = f"SELECT {COLUMNS} FROM experiments WHERE stopped_at IS NULL"
"""Selects the running experiment, for readers that do not use SQLAlchemy; `from_row` reads its row."""

_NAMED = text(f"SELECT {COLUMNS} FROM experiments WHERE name = :name")
_ALL = text(f"SELECT {COLUMNS} FROM experiments ORDER BY started_at DESC, name")
_START = text("""
INSERT INTO experiments (name, salt, surface, arms, canary)
VALUES (:name, :salt, :surface, CAST(:arms AS jsonb), :canary)
""")
_STOP = text(f"""
UPDATE experiments SET stopped_at = now(), stopped_because = :because WHERE name = :name AND stopped_at IS NULL
RETURNING {COLUMNS}
""")

# The first 52 bits of the hash: a double holds them exactly, here and in Python.
_HASH = "encode(sha256(convert_to(:salt || ':' || {0}, 'UTF8')), 'hex')"
_PLACE = f"CAST(CAST(('x000' || left({_HASH}, 13)) AS bit(64)) AS bigint) / CAST(4503599627370496 AS float8)"
_ARM = f"(CAST(:arms AS text[]))[width_bucket({_PLACE}, CAST(:ends AS float8[])) + 1]"

_ARMS_OF = text(f"SELECT {_ARM.format('shopper')} FROM unnest(CAST(:shoppers AS text[])) AS shopper")

# `since` puts the shoppers who were active last first; rows are locked in the order in which intake locks them. Another
# model ranks them now, so failed attempts with the previous one no longer count.
_MARK = text(f"""
INSERT INTO due (kind, key, since, later)
SELECT 'shopper', owner, now() + place * interval '1 microsecond', true FROM (
    SELECT owner, row_number() OVER (ORDER BY through DESC NULLS LAST, owner) AS place
    FROM rankings
    WHERE surface = :surface AND model_version IS DISTINCT FROM :but_by AND {_ARM.format("owner")} = ANY(:marked)
) AS held ORDER BY owner
ON CONFLICT (kind, key) DO UPDATE SET mark = nextval('due_marks'), claimed_until = NULL, attempts = 0
""")

# Outcomes count by assigned arm, from the exposure on: a shopper who never saw the surface is in no figure, and one who
# saw it once stays in the figures of their arm. Comparing the last time of each action with the exposure is enough, so
# the events are read once. An event without a surface counts for this one: a shop with a single place for
# recommendations need not name it.
_OUTCOMES = text(f"""
WITH seen AS (
    SELECT shopper, at, kind, coalesce(surface, :surface) = :surface AS here FROM events
    WHERE at >= :since AND at < :until AND kind IN ('impression', 'click', 'add_to_cart', 'purchase')
        AND {actors.counts("events")}
), done AS (
    SELECT shopper, min(at) FILTER (WHERE here AND kind IN ('impression', 'click')) AS exposed_at,
        count(*) FILTER (WHERE here AND kind = 'impression') AS impressions,
        count(*) FILTER (WHERE here AND kind = 'click') AS clicks,
        max(at) FILTER (WHERE kind = 'add_to_cart') AS carted_at,
        max(at) FILTER (WHERE kind = 'purchase') AS purchased_at
    FROM seen GROUP BY shopper
)
SELECT {_ARM.format("shopper")} AS arm, count(*) AS exposed, count(*) FILTER (WHERE clicks > 0) AS clicked,
    count(*) FILTER (WHERE carted_at >= exposed_at) AS carted,
    count(*) FILTER (WHERE purchased_at >= exposed_at) AS purchased,
    sum(impressions) AS impressions, sum(clicks) AS clicks
FROM done WHERE exposed_at IS NOT NULL GROUP BY 1
""")
# At most one core, since requests need the others; and a sequential scan, which is faster here than reading all events
# one by one through an index.
_READING = text(
    "SET LOCAL max_parallel_workers_per_gather = 0; SET LOCAL enable_indexscan = off; SET LOCAL work_mem = '64MB'"
)


@dataclass(frozen=True)
class Arm:
    """One arm: what its shoppers are shown (`live`, `popular` or `version:…`), and its share of all shoppers."""

    name: str
    treatment: str
    share: float

    @property
    def version(self) -> str | None:
        """The model version that ranks for this arm, None if it names none."""
        return self.treatment.removeprefix(VERSION) if self.treatment.startswith(VERSION) else None


@dataclass(frozen=True)
class Experiment:
    """An experiment; the first of its arms is the control. Its times are UTC."""

    name: str
    salt: str
    arms: tuple[Arm, ...]
    canary: bool = False
    surface: str = HOME
    started_at: datetime | None = None
    stopped_at: datetime | None = None
    stopped_because: str | None = None

    @property
    def stretches(self) -> list[tuple[float, Arm]]:
        """The end of each arm's interval of [0, 1), from 0 on.

        The other arms grow from the two ends, the control has what is between them. So with up to three arms, an arm
        that grows at the cost of the control keeps all its shoppers.
        """
        control, *others = self.arms
        order = [*others[0::2], control, *reversed(others[1::2])]
        ends = [*list(accumulate(arm.share for arm in order))[:-1], 1.0]
        return list(zip(ends, order, strict=True))

    @property
    def versions(self) -> list[str]:
        """The model versions that its arms name."""
        return [arm.version for arm in self.arms if arm.version is not None]


@dataclass(frozen=True)
class Outcome:
    """What the exposed shoppers of an arm did after their exposure; `impressions` and `clicks` count events."""

    exposed: int = 0
    clicked: int = 0
    carted: int = 0
    purchased: int = 0
    impressions: int = 0
    clicks: int = 0


def start(connection: Connection, experiment: Experiment) -> None:
    """Start the experiment. Raises `IntegrityError` if its name is taken or another experiment runs."""
    arms = ascii_text([asdict(arm) for arm in experiment.arms])
    parameters = {"name": experiment.name, "salt": experiment.salt, "surface": experiment.surface, "arms": arms}
    connection.execute(_START, parameters | {"canary": experiment.canary})


def stop(connection: Connection, name: str, because: str) -> Experiment | None:
    """Stop the experiment; None if no experiment of this name runs."""
    row = connection.execute(_STOP, {"name": name, "because": because}).one_or_none()
    return None if row is None else from_row(row)


def running(connection: Connection) -> Experiment | None:
    """Return the running experiment, None if there is none."""
    row = connection.execute(text(RUNNING)).one_or_none()
    return None if row is None else from_row(row)


def named(connection: Connection, name: str) -> Experiment | None:
    """Return an experiment, running or stopped."""
    row = connection.execute(_NAMED, {"name": name}).one_or_none()
    return None if row is None else from_row(row)


def every(connection: Connection) -> list[Experiment]:
    """Return all experiments, the last started first."""
    return [from_row(row) for row in connection.execute(_ALL)]


def from_row(row: Sequence[Any]) -> Experiment:
    """Return the experiment of a row of `COLUMNS`; asyncpg returns `arms` as text."""
    name, salt, surface, arms, canary, *times = row
    read = json.loads(arms) if isinstance(arms, str) else arms
    return Experiment(name, salt, tuple(Arm(**arm) for arm in read), canary, surface, *times)


def arms_of(connection: Connection, experiment: Experiment, shoppers: Sequence[str]) -> list[str]:
    """Return the name of the arm of each shopper, as computed by the database."""
    return list(connection.execute(_ARMS_OF, _places(experiment) | {"shoppers": list(shoppers)}).scalars())


def mark(connection: Connection, experiment: Experiment) -> int:
    """Mark due all shoppers with a shelf whom a version of this experiment ranks or ranked; return how many."""
    return _mark(connection, experiment, experiment.versions, but_by=None)


def mark_unranked(connection: Connection, experiment: Experiment, version: str) -> int:
    """Mark due the shoppers whom `version` is to rank and whose shelf was ranked by another one; return how many."""
    return _mark(connection, experiment, [version], but_by=version)


def outcomes(connection: Connection, experiment: Experiment) -> dict[str, Outcome]:
    """Return the outcome of each arm, from the start to the stop or until now, by event time.

    A shopper is exposed from the first impression or click on the experiment's surface on: a click shows that it was
    seen, even if the impression was lost or is not sent.
    """
    connection.execute(_READING)
    parameters = _places(experiment) | {"surface": experiment.surface}
    parameters |= {"since": experiment.started_at, "until": experiment.stopped_at or "infinity"}
    found = {arm.name: Outcome() for arm in experiment.arms}
    for arm, *counts in connection.execute(_OUTCOMES, parameters):
        found[arm] = Outcome(*map(int, counts))
    return found


def _mark(connection: Connection, experiment: Experiment, versions: Sequence[str], *, but_by: str | None) -> int:
    marked = [arm.name for arm in experiment.arms if arm.version in versions]
    parameters = _places(experiment) | {"surface": experiment.surface, "marked": marked, "but_by": but_by}
    return connection.execute(_MARK, parameters).rowcount if marked else 0


def _places(experiment: Experiment) -> dict[str, Any]:
    stretches = experiment.stretches
    return {
        "salt": experiment.salt,
        "arms": [arm.name for _, arm in stretches],
        "ends": [end for end, _ in stretches[:-1]],
    }
