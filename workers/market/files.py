"""Read a file of events, or the Online Retail file, into what the analyses work on: no server is needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl

from model.market import baskets as counting
from storage.market import demand, searches
from storage.market.baskets import MOST_PER_BASKET
from storage.market.demand import TOTAL, Span
from workers.load import options, service
from workers.load.options import Options
from workers.load.reading import Reading
from workers.market import data, database
from workers.market.data import Market
from workers.registry.errors import NotEnoughData

_SESSION = "session:"


def read(events: Path, items: Path | None = None, said: Options = options.NONE) -> Market:
    """Return what the file says was bought and searched for.

    Raises `LoadError` for a file that cannot be read, `NotEnoughData` if it has no purchase.
    """
    found = [service.read(file, said=said) for file in service.sources(events, items)]
    lines = pl.concat([reading.events for reading in found]).unique("event_id", keep="last", maintain_order=True)
    return from_events(lines, _catalogue(found))


def from_events(events: pl.DataFrame, catalogue: pl.DataFrame) -> Market:
    """Return the market of events and a catalogue (columns `data.ITEMS` and currency). Raises `NotEnoughData`."""
    bought = events.filter(pl.col("kind") == "purchase", pl.col("item_id").is_not_null())
    if not bought.height:
        raise NotEnoughData("the file holds no purchase: its column `kind` says what each line is")
    priced = catalogue.select("item_id", "price", "category")
    bought = bought.join(priced, on="item_id", how="left", maintain_order="left").with_columns(
        revenue=pl.coalesce("value", pl.col("quantity") * pl.col("price"), 0.0)
    )
    span = demand.whole_weeks(_time(bought, "min"), _time(bought, "max"))
    weekly = _weekly(_during(bought, span))
    frequent, counts = _baskets(bought.filter(pl.col("at") >= _start(span)))
    named = sorted({*frequent, *weekly.filter(level="item")["series"]})
    return Market(
        through=span.through,
        weeks=span.weeks,
        currency=min(catalogue["currency"].drop_nulls().mode().to_list(), default=None),
        demand=weekly,
        items=database.with_missing(catalogue.drop("currency"), named),
        basket_items=frequent,
        baskets=counts,
        customers=_customers(_logged_in(bought).filter(pl.col("at") >= _start(span)), span.through),
        cohorts=_cohorts(_logged_in(bought)),
        queries=_queries(events),
        tastes_CxD=np.zeros((0, 1), np.float32),
        vectors={},
    )


def _catalogue(found: Sequence[Reading]) -> pl.DataFrame:
    """Return the newest value of each field of each item."""
    rows: dict[str, dict[str, object]] = {}
    for change in (change for one in found for change in one.changes):
        fields = change["fields"]
        if isinstance(fields, Mapping):
            row = rows.setdefault(str(change["item_id"]), {})
            row.update({name: value for name, value in fields.items() if value is not None})
    columns = {**data.ITEMS, "currency": pl.String}
    values = [[item_id, *(row.get(name) for name in list(columns)[1:])] for item_id, row in rows.items()]
    return pl.DataFrame(values, schema=columns, orient="row", strict=False)


def _time(events: pl.DataFrame, which: str) -> datetime:
    found: datetime = events.select(getattr(pl.col("at"), which)()).item()
    return found


def _start(span: Span) -> pl.Expr:
    return pl.lit(span.since).cast(pl.Datetime("us", "UTC"))


def _during(bought: pl.DataFrame, span: Span) -> pl.DataFrame:
    return bought.filter(pl.col("at") >= _start(span), pl.col("at").dt.date() < span.until)


def _weekly(bought: pl.DataFrame) -> pl.DataFrame:
    week = pl.col("at").dt.truncate("1w").dt.date().alias("week")
    sums = (pl.col("quantity").sum().alias("units"), pl.col("revenue").sum(), pl.lit(None, pl.Float64).alias("price"))
    paid = (pl.col("value") / pl.col("quantity")).filter(pl.col("value") > 0).median()
    items = bought.group_by("item_id", week).agg(*sums[:2], price=paid)
    best = items.group_by("item_id").agg(pl.col("revenue").sum(), pl.col("units").sum())
    best = best.sort("revenue", "units", "item_id", descending=[True, True, False]).head(data.MOST_ITEMS)
    parts = [
        items.join(best, on="item_id", how="semi").select(pl.lit("item").alias("level"), series="item_id", **_sums()),
        bought.filter(pl.col("category").is_not_null())
        .group_by("category", week)
        .agg(*sums)
        .select(pl.lit("category").alias("level"), series="category", **_sums()),
        bought.group_by(week).agg(*sums).select(pl.lit("total").alias("level"), series=pl.lit(TOTAL), **_sums()),
    ]
    return pl.concat([part.select(list(data.DEMAND)) for part in parts]).sort("level", "series", "week")


def _sums() -> dict[str, pl.Expr]:
    return {name: pl.col(name) for name in ("week", "units", "revenue", "price")}


def _baskets(bought: pl.DataFrame) -> tuple[list[str], counting.Counts]:
    """Return the items in most baskets, and the counts of their pairs. A basket is a session, or else a shopper."""
    lines = bought.select("item_id", basket=pl.coalesce("session_id", "shopper")).unique()
    frequent = lines["item_id"].value_counts().sort("count", "item_id", descending=[True, False])
    named = frequent["item_id"].head(data.MOST_BASKET_ITEMS).to_list()
    small = lines.filter(pl.len().over("basket") <= MOST_PER_BASKET).with_columns(
        number=pl.col("basket").rank("dense").cast(pl.Int64),
        item=pl.col("item_id").replace_strict(named, range(len(named)), default=-1, return_dtype=pl.Int64),
    )
    counts = counting.counted(counting.none(len(named)), small["number"].to_numpy(), small["item"].to_numpy())
    return named, counts


def _logged_in(bought: pl.DataFrame) -> pl.DataFrame:
    return bought.filter(~pl.col("shopper").str.starts_with(_SESSION))


def _customers(bought: pl.DataFrame, through: datetime) -> pl.DataFrame:
    order = pl.coalesce("session_id", pl.col("at").dt.date().cast(pl.String))
    return (
        bought.group_by("shopper")
        .agg(
            days_since=(pl.lit(through) - pl.col("at").max()).dt.total_seconds() / 86400,
            orders=order.n_unique().cast(pl.Int64),
            amount=pl.col("revenue").sum(),
        )
        .select(list(data.CUSTOMERS))
    )


def _cohorts(bought: pl.DataFrame) -> pl.DataFrame:
    months = bought.select("shopper", month=pl.col("at").dt.truncate("1mo").dt.date()).unique()
    first = pl.col("month").min().over("shopper")
    age = (pl.col("month").dt.year() - first.dt.year()) * 12 + (
        pl.col("month").dt.month().cast(pl.Int32) - first.dt.month().cast(pl.Int32)
    )
    aged = months.select(cohort=first, age=age.cast(pl.Int64))
    return aged.group_by("cohort", "age").agg(active=pl.len().cast(pl.Int64)).sort("cohort", "age")


def _queries(events: pl.DataFrame) -> pl.DataFrame:
    """Return the queries as `storage.market.searches` counts them; a file has no kept answers."""
    asked = events.filter(pl.col("kind") == "search", pl.col("query").is_not_null())
    if not asked.height:
        return pl.DataFrame(schema=data.QUERIES)
    newest = _time(asked, "max")
    asked = asked.filter(pl.col("at") > pl.lit(newest).dt.offset_by(f"-{searches.WEEKS}w"))
    acts = events.filter(pl.col("kind").is_in(["click", "add_to_cart", "purchase"]), pl.col("request_id").is_not_null())
    counted = asked.with_columns(
        key=pl.col("query").str.to_lowercase().str.replace_all(r"\s+", " ").str.strip_chars(),
        clicked=pl.col("request_id").is_in(acts["request_id"].unique().implode()).fill_null(False),
        recent=pl.col("at") > pl.lit(newest).dt.offset_by(f"-{searches.RECENT_WEEKS}w"),
    )
    sums = counted.group_by("key").agg(
        query=pl.col("query").min(),
        searches=pl.len().cast(pl.Int64),
        shoppers=pl.col("shopper").n_unique().cast(pl.Int64),
        clicked=pl.col("clicked").sum().cast(pl.Int64),
        recent=pl.col("recent").sum().cast(pl.Int64),
        found=pl.lit(None, pl.Int64),
    )
    kept = sums.filter(pl.col("shoppers") >= searches.LEAST_SHOPPERS, pl.col("key") != "")
    return kept.sort("searches", "key", descending=[True, False]).head(data.MOST_QUERIES).select(list(data.QUERIES))
