"""The tables as the arrays that the model learns from."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import NamedTuple

import numpy as np
import polars as pl
from sqlalchemy import Engine

from model.catalogue import Item
from model.recommend import config as configs
from model.recommend.events import Interactions
from storage import due
from storage.registry import training
from workers import catalogue
from workers.registry.errors import NotEnoughData


class TrainingData(NamedTuple):
    """Items and events by dense ids: `interactions.items_E` are indices of `items`, `users_E` of `users`.

    `since` is the time of the oldest event, `through` that of the newest, or of the reading of the tables if earlier.
    """

    items: list[Item]
    users: list[str]
    interactions: Interactions
    through: datetime | None = None
    since: datetime | None = None

    def without(self, mask_E: np.ndarray) -> TrainingData:
        """Return the same data without the events at which the mask is True."""
        return self._replace(interactions=Interactions(*(column[~mask_E] for column in self.interactions)))


def read(
    engine: Engine,
    *,
    without_kinds: Collection[str] = due.QUIET_KINDS,
    until: datetime | None = None,
    snapshot: str | None = None,
) -> TrainingData:
    """Return the catalogue and the events of all kinds except those left out, by user and event time.

    With `until`, only events received by then. Items that occur only in events are included, without a title and never
    available. The data is one state of the tables: that of `snapshot`, if another process made one. Raises
    `NotEnoughData`.
    """
    started = datetime.now(UTC) if until is None else until
    with training.reading(engine, snapshot) as connection:
        rows = training.items(connection)
        text = b"".join(training.events_csv(connection, without_kinds=without_kinds, until=until))
    events = pl.read_csv(BytesIO(text), schema_overrides=dict.fromkeys(("shopper", "item_id", "kind"), pl.String))
    items = [catalogue.to_item(row) for row in rows]
    _require(events, items)
    at_E = events["at"].to_numpy()
    oldest, newest = (
        datetime.fromtimestamp(0, UTC) + timedelta(microseconds=int(at)) for at in (at_E.min(), at_E.max())
    )
    return from_events(events, items)._replace(through=min(newest, started), since=oldest)


def from_events(events: pl.DataFrame, items: list[Item]) -> TrainingData:
    """Return events (columns shopper, item_id, kind, and at in microseconds) and a catalogue by dense ids."""
    items = with_named(items, events["item_id"].unique().sort().to_list())
    users = events["shopper"].unique(maintain_order=True).to_list()
    return TrainingData(items, users, _interactions(events, users, [item.item_id for item in items]))


def with_named(items: list[Item], named: Sequence[str]) -> list[Item]:
    """Return the catalogue, followed by the items that occur only in events, which can never be shown."""
    listed = {item.item_id for item in items}
    return items + [Item(item_id, title="", available=False) for item_id in named if item_id not in listed]


def _interactions(events: pl.DataFrame, users: list[str], items: list[str]) -> Interactions:
    return Interactions(
        users_E=_places(events["shopper"], users),
        items_E=_places(events["item_id"], items),
        kinds_E=_places(events["kind"], list(configs.KINDS)),
        at_E=events["at"].to_numpy() / 1e6,
    )


def _places(values: pl.Series, known: list[str]) -> np.ndarray:
    table = pl.DataFrame({"value": known, "place": np.arange(len(known), dtype=np.int32)})
    joined = values.to_frame("value").join(table, on="value", how="left", maintain_order="left")
    return joined["place"].to_numpy()


def _require(events: pl.DataFrame, items: list[Item]) -> None:
    if not events.height:
        raise NotEnoughData("there are no events to learn from: send some, or `reshelf load` a file of them")
    if not any(item.available for item in items):
        raise NotEnoughData(
            "the catalogue holds no item that can be shown: send catalogue changes, or `reshelf load --items` a file"
        )
    distinct = events["item_id"].n_unique()
    if distinct < 2:
        raise NotEnoughData(f"all {events.height} events are about one item: there is nothing to rank")
