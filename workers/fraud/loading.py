"""Load a file of past orders, so that a shop can train before its first live order.

Columns: `order_id`, `customer_id`, `at`, `amount`; and, as far as there are any, `currency`, `payment_id`, `device_id`,
`ip`, `email`, `phone`, `address_id`, `shipping_country`, `billing_country`, `terminal_id`, `label` (`chargeback`,
`confirmed_fraud`, `cleared`; 1, 0) and `labelled_at`. A file of the Fraud-Detection-Handbook is read as well. A fraud
without `labelled_at` became known some days after the order.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from sqlalchemy import Engine, text

from model.fraud.features import order_features
from model.fraud.features.features import FeatureConfig
from model.fraud.features.orders import DAY, NEVER
from reshelf.orders import LABEL_KINDS
from storage.fraud import order_backfill, orders
from storage.privacy.erased import Erased
from workers.canonical import orders as keys
from workers.load import fields, files, identities, options
from workers.load.columns import Accepted
from workers.load.files import LINE
from workers.load.options import Options
from workers.load.reading import Rejected, judge
from workers.load.values import currencies, nulls, numbers, times
from workers.privacy import dropping

ACCEPTED: Accepted = {
    "order_id": ("order_id", "TRANSACTION_ID"),
    "customer_id": ("customer_id",),
    "at": ("at", "TX_DATETIME", "timestamp"),
    "amount": ("amount", "TX_AMOUNT"),
    "label": ("label", "TX_FRAUD"),
    **{
        name: (name,)
        for name in ("payment_id", "device_id", "ip", "address_id", "terminal_id", "currency", "shipping_country",
                     "email", "phone", "billing_country", "labelled_at")
    },
}  # fmt: skip
_NEEDED = ("order_id", "customer_id", "at", "amount")
_IDS = ("order_id", "customer_id", "payment_id", "device_id", "address_id", "terminal_id")
_KEYS = ("ip", "email", "phone", "shipping_country", "billing_country")
_TEXTS = (*_IDS, *_KEYS, "currency", "label", "labelled_at")
_LABELS = {"1": "chargeback", "0": "cleared", **{kind: kind for kind in LABEL_KINDS}}
_CURRENCY = "EUR"
_MOST_AMOUNT = 1e12
_AT_ONCE = 50_000


class Read(NamedTuple):
    """A file as read: its good lines in order of time, with `second`, `known` (both unix seconds) and `kind`.

    `unread` counts the lines that are kept without a field that cannot be read.
    """

    path: Path
    lines: int
    kept: pl.DataFrame
    rejected: tuple[Rejected, ...]
    unread: tuple[Rejected, ...] = ()
    notes: tuple[str, ...] = ()
    encoding: str | None = None
    separator: str | None = None


def read(path: Path, *, label_days: int, now: datetime | None = None, said: Options = options.NONE) -> Read:
    """Return what the file says; a fraud is known `label_days` after its order where the file does not say when.

    Raises `LoadError`.
    """
    source = files.opened(path, said)
    for column in _NEEDED:
        source.require("a file of orders", ACCEPTED, [column])
    table = source.read(ACCEPTED)
    typed, notes = _typed(table.frame, said)
    kept, rejected = judge(typed, _rules(now), table.frame)
    known = pl.coalesce("told", pl.col("second") + label_days * DAY)
    kept = kept.with_columns(known=pl.when(pl.col("kind").is_in(["chargeback", "confirmed_fraud"])).then(known))
    kept, unread = _unified(kept.with_columns(currency=pl.col("currency").fill_null(_CURRENCY)))
    return Read(
        path,
        table.read,
        kept.sort("second", "order_id"),
        (*table.rejected, *rejected),
        unread,
        (*table.notes, *notes),
        source.encoding.label if source.encoding else None,
        source.dialect.name if source.dialect else None,
    )


def _unified(kept: pl.DataFrame) -> tuple[pl.DataFrame, tuple[Rejected, ...]]:
    """Return the lines with their keys in one form, without those that cannot be read, and how many those are."""
    found = kept
    for name in (*_KEYS, "currency"):
        if name != "phone":
            found = identities.formed(found, [name], partial(_form, name))
    countries = pl.coalesce("shipping_country", "billing_country")
    phones = found.select("phone", country=countries).iter_rows()
    formed = [None if phone is None else _form("phone", phone, country) for phone, country in phones]
    found = found.with_columns(pl.Series("phone", formed, dtype=pl.String))
    unread = []
    for name in (*_KEYS, "currency"):
        lost = kept.filter(kept[name].is_not_null() & found[name].is_null()).sort(LINE)
        if lost.height:
            places = lost[LINE].to_list()
            example = f"{name}={lost[name][0]}"
            unread.append(Rejected(f"{name} cannot be read", len(places), places[0], tuple(places[:5]), example))
    return found, tuple(unread)


def _form(name: str, text: str, country: str | None = None) -> str | None:
    """Return a value in the one form, None where it cannot be read."""
    found: str | None = keys.unified({"shipping_country": country, name: text}).get(name)
    return found


def _typed(frame: pl.DataFrame, said: Options) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Return the lines with their values beside what they say; and what was assumed."""
    missing = [pl.lit(None, pl.String).alias(name) for name in _TEXTS if name not in frame.columns]
    lines = nulls.cleared(frame.with_columns(missing), _TEXTS, ("at", "amount", "labelled_at"))
    lines = identities.unified(lines, _IDS)
    lines = identities.formed(lines, ("customer_id", "payment_id", "address_id"), keys.identity)
    amount = numbers.read(lines["amount"], is_decimal_comma=said.is_decimal_comma, is_money=True)
    at = times.read(lines["at"], is_day_first=said.is_day_first)
    told = times.read(lines["labelled_at"], is_day_first=said.is_day_first)
    has_cents = bool((amount.values % 1 > 0).any())
    beside, assumed = currencies.settled(amount.currency, has_cents=has_cents, asked=said.currency)
    typed = lines.with_columns(
        amount=amount.values,
        currency=pl.coalesce("currency", pl.lit(beside)),
        moment=at.values,
        second=at.values.dt.epoch("s"),
        kind=pl.col("label").replace_strict(_LABELS, default=None, return_dtype=pl.String),
        told=told.values.dt.epoch("s"),
        is_open_time=at.open | told.open,
        is_open_number=amount.open,
    )
    return typed, (*at.notes, *told.notes, *amount.notes, *(assumed if lines["currency"].null_count() else ()))


def _rules(now: datetime | None) -> dict[str, pl.Expr]:
    absent = {f"no {name}": pl.col(name).is_null() for name in ("order_id", "customer_id")}
    odd = {f"{name} is no id": fields.bad_id(name).fill_null(False) for name in _IDS}
    return {
        **absent,
        **odd,
        options.AMBIGUOUS_TIME: pl.col("is_open_time"),
        "at is no time": pl.col("second").is_null(),
        "time out of range": fields.out_of_range("moment", now),
        options.AMBIGUOUS_NUMBER: pl.col("is_open_number"),
        "amount is no amount from 0 on": ~pl.col("amount").is_between(0, _MOST_AMOUNT).fill_null(False),
        "label is none": pl.col("label").is_not_null() & pl.col("kind").is_null(),
        "labelled_at is no time": pl.col("labelled_at").is_not_null() & pl.col("told").is_null(),
        "order_id was there before": ~pl.col("order_id").is_first_distinct(),
    }


def write(
    engine: Engine,
    found: Read,
    config: FeatureConfig,
    progress: Callable[[int], object] = lambda _: None,
    *,
    erased: Erased | None = None,
) -> int:
    """Write the orders in chunks that each commit, in the order of their times; return how many are new.

    How odd each amount was for its customer is computed only from the file. Load before the first live order. Orders of
    the `erased` are left out.
    """
    numbers = {column: _digests(found.kept[field]) for column, field in orders.KEYS.items()}
    cents_N = (found.kept["amount"] * 100).round().cast(pl.Int64).to_numpy()
    tie_N = _digests(found.kept["order_id"])
    odd_N = _oddness(found.kept["second"].to_numpy(), tie_N, numbers["customer"], cents_N, config)
    written = 0
    for piece in range(0, found.kept.height, _AT_ONCE):
        part = slice(piece, piece + _AT_ONCE)
        values = {"tie": tie_N[part], **{name: column[part] for name, column in numbers.items()}}
        values |= {"cents": cents_N[part], "odd": odd_N[part]}
        with engine.begin() as connection:
            if erased is not None:
                erased.follow(connection)
            written += order_backfill.write(connection, _rows(found.kept[part], values, erased))
        progress(min(_AT_ONCE, found.kept.height - piece))
    with engine.begin() as connection:  # otherwise lookups are planned for an empty table
        connection.execute(text("ANALYZE orders, order_messages"))
    return written


def _rows(kept: pl.DataFrame, values: dict[str, np.ndarray], erased: Erased | None) -> Iterator[tuple[Any, ...]]:
    lists = [values[name].tolist() for name in ("tie", *orders.KEYS, "cents", "odd")]
    for row, digests in zip(kept.iter_rows(named=True), zip(*lists, strict=True), strict=True):
        if erased is not None and dropping.is_of(erased, {"order_id": row["order_id"], "message": row}):
            continue
        yield (row["order_id"], _message(row), row["second"], *digests, row["known"], row["kind"])


def _message(row: dict[str, Any]) -> str:
    at = str(np.datetime64(row["second"], "s")) + "Z"
    given = {name: row[name] for name in (*_IDS, *_KEYS) if row[name] is not None}
    return json.dumps(given | {"at": at, "amount": row["amount"], "currency": row["currency"]})


def _digests(column: pl.Series) -> np.ndarray:
    distinct = column.unique().to_list()
    found = {value: orders.digest(value) for value in distinct}
    return np.array([found[value] for value in column.to_list()], np.int64)


def _oddness(
    at_N: np.ndarray, tie_N: np.ndarray, customer_N: np.ndarray, cents_N: np.ndarray, config: FeatureConfig
) -> np.ndarray:
    made = order_features.empty(len(at_N))._replace(at_N=at_N, tie_N=tie_N, customer_N=customer_N, cents_N=cents_N)
    made = made._replace(fraud_at_N=np.full(len(at_N), NEVER))
    return order_features.oddness(made, made, config)
