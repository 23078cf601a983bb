"""The attacked shop: a real PostgreSQL and the workers' own functions, without processes and broker."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from sqlalchemy import Engine, create_engine, text

from reshelf import parsing
from storage import due, engine
from storage.bots import actors
from storage.events import intake
from storage.registry import models
from workers import rows
from workers.bots import recounting, watch
from workers.bots.watch import Look
from workers.recommend import refresh
from workers.recommend.serving import Serving
from workers.recommend.training import full_training
from workers.registry import switching
from workers.settings import Settings
from workers.shelves import service as shelves

SHOWN = 20
_BATCH = 2_000


class Shop:
    """A shop's database and the model that ranks for it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.engine: Engine = engine.connect(str(settings.database_url))
        self._serving: Serving | None = None

    def close(self) -> None:
        """Close the database connections."""
        self.engine.dispose()

    def announce(self, changes: Sequence[dict[str, Any]]) -> None:
        """Write catalogue changes."""
        parsed = parsing.parse_changes(list(changes))
        assert not parsed.bad, parsed.bad[0]
        with self.engine.begin() as connection:
            intake.write_changes(connection, [rows.change_row(change) for change in parsed.good], writer="bench")

    def happen(self, events: Sequence[dict[str, Any]]) -> None:
        """Write events."""
        for start in range(0, len(events), _BATCH):
            parsed = parsing.parse_events(list(events[start : start + _BATCH]))
            assert not parsed.bad, parsed.bad[0]
            with self.engine.begin() as connection:
                intake.write_events(connection, [rows.event_row(event) for event in parsed.good], writer="bench")

    def train(self, *, minutes: float, seed: int) -> None:
        """Train a model from scratch on the events that count, and publish it whatever the gate says."""
        report = full_training.train(
            self.engine, self.settings, full_training.Training("small", seed=seed, minutes=minutes)
        )
        if not report.published:
            switching.switch(self.engine, report.version, why=models.FORCED)
        self._serving = None

    def settle(self) -> None:
        """Process everything that is due, as the workers would, and rank every shelf again."""
        if self._serving is None:
            self._serving = Serving(self.engine, self.settings.home)
        serving = self._serving
        self._drain(due.ACTOR, partial(recounting.recount, self.engine))
        for kind, work in ((due.ITEM, refresh.items), (due.SHOPPER, refresh.shoppers)):
            assert serving.follow()
            self._drain(kind, partial(work, self.engine, serving, self.settings))
        # The first shelves were ranked before the others' events were counted.
        with self.engine.begin() as connection:
            owners = connection.execute(text("SELECT owner FROM rankings WHERE surface = 'home'")).scalars()
            due.mark(connection, due.SHOPPER, list(owners))
        assert serving.follow()
        self._drain(due.SHOPPER, partial(refresh.shoppers, self.engine, serving, self.settings))
        self._drain(due.BASKET, partial(shelves.refresh_baskets, self.engine))
        self._forget("popularity")
        shelves.refresh_popular(self.engine, self.settings)

    def look(self) -> Look:
        """Run the bot detection now."""
        self._forget("actors")
        found = watch.look(self.engine, self.settings)
        assert found is not None
        return found

    def clear(self, shoppers: Sequence[str]) -> None:
        """Clear the shoppers."""
        with self.engine.begin() as connection:
            actors.clear(connection, shoppers, by="benchmark")

    def exposure(self, shoppers: Sequence[str], targets: Sequence[str]) -> dict[str, int]:
        """Return how often the first positions show a target.

        On the shoppers' own shelves, and to as many shoppers who are shown the popular shelf.
        """
        wanted = set(targets)
        shelf = text(
            "SELECT owner, "
            f"ARRAY(SELECT item_id FROM unnest(item_nos[1:{SHOWN}]) AS item_no JOIN items USING (item_no)) "
            "FROM rankings WHERE surface = :surface"
        )
        with self.engine.connect() as connection:
            homes = {row[0]: row[1] for row in connection.execute(shelf, {"surface": "home"})}
            popular = {row[0]: row[1] for row in connection.execute(shelf, {"surface": "popular"})}
        home = sum(len(wanted & set(homes[shopper])) for shopper in shoppers)
        crowd = len(wanted & set(popular[""])) * len(shoppers)
        return {"home": home, "popular": crowd, "all": home + crowd}

    def counts(self) -> dict[str, int]:
        """Return how many events each item has."""
        with self.engine.connect() as connection:
            found = connection.execute(text("SELECT item_id, count(*) FROM events GROUP BY item_id"))
            return {row[0]: int(row[1]) for row in found}

    def _drain(self, kind: str, work: Any) -> None:
        while True:
            with self.engine.begin() as connection:
                claims = due.claim(connection, kind, limit=self.settings.refresh_batch, lease=600)
            if not claims:
                return
            work(claims)

    def _forget(self, name: str) -> None:
        with self.engine.begin() as connection:
            connection.execute(text("UPDATE watermarks SET value = '{}' WHERE name = :name"), {"name": name})


def copy(url: str, name: str) -> str:
    """Copy a database that has no connections; return the URL of the copy."""
    source = engine.url_for(url, "psycopg")
    administrator = create_engine(source.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with administrator.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}" TEMPLATE "{source.database}"'))
    administrator.dispose()
    return source.set(drivername="postgresql", database=name).render_as_string(hide_password=False)
