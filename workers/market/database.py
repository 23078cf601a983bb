"""Read a running shop's tables: one state of them, most of it summed by PostgreSQL, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from io import BytesIO
from typing import Any

import numpy as np
import polars as pl
from sqlalchemy import Connection, Engine

from model.market import baskets as counting
from model.market.baskets import Counts
from storage.market import baskets, customers, demand, searches
from storage.market.demand import Span
from storage.recommend import item_vectors
from storage.registry import models, training
from workers.market import data
from workers.market.data import Market
from workers.registry.errors import NotEnoughData

_LINES_AT_ONCE = 500_000
_FLOATS = ">f4"


def read(engine: Engine) -> Market:
    """Return what was bought and searched for. Raises `NotEnoughData` if nothing was ever bought."""
    with training.reading(engine) as connection:
        span = demand.span(connection)
        if span is None:
            raise NotEnoughData("nothing was ever bought: send purchases, or `reshelf load` a file of them")
        return _read(connection, span)


def _read(connection: Connection, span: Span) -> Market:
    weekly = _frame(demand.weekly_csv(connection, span, most_items=data.MOST_ITEMS), data.DEMAND)
    frequent = baskets.frequent(connection, span, most=data.MOST_BASKET_ITEMS)
    named = sorted({*frequent, *weekly.filter(level="item")["series"]})
    version = models.live(connection)
    return Market(
        through=span.through,
        weeks=span.weeks,
        currency=demand.currency(connection),
        demand=weekly,
        items=_items(connection, named),
        basket_items=frequent,
        baskets=_counts(baskets.lines_csv(connection, span, frequent), len(frequent)),
        customers=_frame(customers.recency_csv(connection, span), data.CUSTOMERS),
        cohorts=_frame(customers.cohorts_csv(connection, span), data.COHORTS),
        queries=_frame(searches.queries_csv(connection, most=data.MOST_QUERIES), data.QUERIES),
        tastes_CxD=_matrix(customers.tastes(connection, span, most=data.MOST_TASTES)),
        vectors={} if version is None else _vectors(item_vectors.read(connection, version.version, named)),
    )


def _frame(chunks: Iterable[bytes | memoryview], columns: Mapping[str, Any]) -> pl.DataFrame:
    return pl.read_csv(BytesIO(b"".join(chunks)), schema_overrides=dict(columns), null_values=[""])


def _items(connection: Connection, item_ids: list[str]) -> pl.DataFrame:
    rows = [tuple(row) for row in demand.items(connection, item_ids)]
    return with_missing(pl.DataFrame(rows, schema=data.ITEMS, orient="row"), item_ids)


def with_missing(items: pl.DataFrame, item_ids: list[str]) -> pl.DataFrame:
    """Return the items with those that only purchases name: their title is their id."""
    named = pl.DataFrame({"item_id": item_ids}, schema={"item_id": pl.String})
    joined = named.join(items, on="item_id", how="left", maintain_order="left")
    return joined.with_columns(pl.coalesce("title", "item_id").alias("title"))


def _counts(chunks: Iterable[bytes | memoryview], items: int) -> Counts:
    counts = counting.none(items)
    for lines in _whole_baskets(_pieces(chunks)):
        counts = counting.counted(counts, lines["basket"].to_numpy(), lines["item"].to_numpy())
    return counts


def _pieces(chunks: Iterable[bytes | memoryview]) -> Iterator[pl.DataFrame]:
    """Yield the lines of a stream, so many at once."""
    rows = iter(chunks)
    next(rows, None)  # PostgreSQL sends the header, and then each row, as a chunk
    held: list[bytes | memoryview] = []
    for row in rows:
        held.append(row)
        if len(held) >= _LINES_AT_ONCE:
            yield _lines(held)
            held = []
    if held:
        yield _lines(held)


def _lines(rows: list[bytes | memoryview]) -> pl.DataFrame:
    columns = {"basket": pl.Int64, "item": pl.Int64}
    return pl.read_csv(BytesIO(b"".join(rows)), has_header=False, schema=columns)


def _whole_baskets(pieces: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """Yield the lines so that no basket is in two pieces; they come by basket."""
    rest = pl.DataFrame(schema={"basket": pl.Int64, "item": pl.Int64})
    for piece in pieces:
        joined = pl.concat([rest, piece])
        is_last = joined["basket"] == joined["basket"][-1]
        yield joined.filter(~is_last)
        rest = joined.filter(is_last)
    yield rest


def _matrix(rows: list[bytes]) -> np.ndarray:
    if not rows:
        return np.zeros((0, 1), np.float32)
    return np.stack([np.frombuffer(row, _FLOATS) for row in rows]).astype(np.float32)


def _vectors(found: Mapping[str, bytes]) -> dict[str, np.ndarray]:
    return {item_id: np.frombuffer(vector, _FLOATS).astype(np.float32) for item_id, vector in found.items()}
