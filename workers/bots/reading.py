"""Read what shoppers did lately, as the arrays that the detector works on."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from sqlalchemy import Connection, Row

from model.bots.behaviour import Actors, Acts
from storage.bots import actors
from storage.bots.actors import Window

_TYPES = {"shopper": pl.String, "item_id": pl.String, "at": pl.Int64, "paid": pl.Int64}


class Lately(NamedTuple):
    """Acts and shoppers by dense numbers, and the ids behind those numbers."""

    acts: Acts
    actors: Actors
    shoppers: list[str]
    items: list[str]


def read(connection: Connection, span: Window) -> Lately:
    """Return what happened in the window."""
    profiles = actors.profiles(connection, span)
    text = b"".join(actors.acts_csv(connection, span))
    return from_acts(pl.read_csv(BytesIO(text), schema_overrides=_TYPES), profiles)


def from_acts(acts: pl.DataFrame, profiles: Sequence[Row[Any]]) -> Lately:
    """Return the acts (columns `storage.bots.actors.ACT_COLUMNS`) of the shoppers of `profiles` (`actors.profiles`)."""
    shoppers = [str(row.shopper) for row in profiles]
    items = acts["item_id"].unique().sort().to_list()
    numbered = acts.with_columns(
        actor=acts["shopper"].replace_strict(shoppers, range(len(shoppers)), return_dtype=pl.Int64),
        item=acts["item_id"].replace_strict(items, range(len(items)), return_dtype=pl.Int64),
    ).sort("actor", "at", maintain_order=True)
    columns = {name: _column(profiles, name) for name in ("known", "bought_before", "bought", "spared")}
    return Lately(
        Acts(
            actors_E=numbered["actor"].to_numpy(),
            items_E=numbered["item"].to_numpy(),
            at_E=numbered["at"].to_numpy() / 1e6,
            paid_E=numbered["paid"].to_numpy() > 0,
        ),
        Actors(
            impressions_A=np.array([row.impressions for row in profiles], np.int64),
            **{f"{name}_A": column for name, column in columns.items()},
        ),
        shoppers,
        items,
    )


def _column(profiles: Sequence[Row[Any]], name: str) -> np.ndarray:
    return np.array([getattr(row, name) for row in profiles], bool)
