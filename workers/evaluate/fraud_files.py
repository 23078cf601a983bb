"""Read a file of transactions in the format of the Fraud-Detection-Handbook.

Columns: TRANSACTION_ID, TX_DATETIME (UTC), CUSTOMER_ID, TERMINAL_ID, TX_AMOUNT and TX_FRAUD (0, 1, or empty if not
known). Other columns, such as the scenario, are ignored.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
from jaxtyping import Bool

from model.fraud.features import orders
from model.fraud.features.orders import DAY, NEVER, Orders
from workers.load import files
from workers.load.errors import FileError
from workers.load.reading import Rejected, judge
from workers.load.values import nulls, numbers, times

COLUMNS = ("TRANSACTION_ID", "TX_DATETIME", "CUSTOMER_ID", "TERMINAL_ID", "TX_AMOUNT", "TX_FRAUD")
_ACCEPTED = {name: (name,) for name in COLUMNS}
_MOST_AMOUNT = 1e9


class Transactions(NamedTuple):
    """The contents of the file, in its order. `labelled_N` is True if the file says whether the order is fraud."""

    path: Path
    ids: tuple[str, ...]
    found: Orders
    frauds_N: Bool[np.ndarray, " N"]
    labelled_N: Bool[np.ndarray, " N"]
    rejected: tuple[Rejected, ...]


def read(path: Path, *, delay: int) -> Transactions:
    """Return the transactions; a fraud becomes known `delay` days after it happened.

    Lines that cannot be read are left out, counted by reason. Raises `LoadError` for a file without the columns, or
    without a valid line.
    """
    source = files.opened(path)
    for column in COLUMNS:
        source.require("a file of transactions", _ACCEPTED, [column])
    table = source.read(_ACCEPTED)
    frame = nulls.cleared(table.frame, (), COLUMNS)
    amount = numbers.read(frame["TX_AMOUNT"], is_money=True)
    at = times.read(frame["TX_DATETIME"])
    typed = frame.with_columns(
        at=at.values.dt.epoch("s"),
        cents=(amount.values * 100).round(),
        label=numbers.read(frame["TX_FRAUD"]).values,
        is_open=amount.open | at.open,
    )
    kept, rejected = judge(typed, _rules(), frame)
    rejected = (*table.rejected, *rejected)
    if not kept.height:
        first = f" (line {rejected[0].first_line}: {rejected[0].reason})" if rejected else ""
        raise FileError(f"{path} has no transaction that can be read{first}")
    return _columns(path, kept, rejected, delay)


def _rules() -> dict[str, pl.Expr]:
    ids = {f"no {name}": pl.col(name).is_null() for name in ("TRANSACTION_ID", "CUSTOMER_ID", "TERMINAL_ID")}
    return {
        **ids,
        "ambiguous date or number": pl.col("is_open"),
        "TX_DATETIME is no time": pl.col("at").is_null(),
        "TX_AMOUNT is no amount from 0 on": ~pl.col("cents").is_between(0, 100 * _MOST_AMOUNT).fill_null(False),
        "TX_FRAUD is neither 0, 1 nor empty": pl.col("TX_FRAUD").is_not_null()
        & ~pl.col("label").is_in([0.0, 1.0]).fill_null(False),
        "TRANSACTION_ID was there before": ~pl.col("TRANSACTION_ID").is_first_distinct(),
    }


def _columns(path: Path, kept: pl.DataFrame, rejected: tuple[Rejected, ...], delay: int) -> Transactions:
    ids = tuple(kept["TRANSACTION_ID"])
    at_N = kept["at"].to_numpy().astype(np.int64)
    frauds_N = (kept["label"] == 1.0).fill_null(False).to_numpy()
    found = orders.empty(len(ids))._replace(
        at_N=at_N,
        tie_N=orders.digests(ids),
        customer_N=_dense(kept["CUSTOMER_ID"]),
        terminal_N=_dense(kept["TERMINAL_ID"]),
        cents_N=kept["cents"].to_numpy().astype(np.int64),
        fraud_at_N=np.where(frauds_N, at_N + delay * DAY, NEVER),
    )
    labelled_N = kept["label"].is_not_null().to_numpy()
    return Transactions(path, ids, found, frauds_N, labelled_N, rejected)


def _dense(ids: pl.Series) -> np.ndarray:
    return ids.rank("dense").to_numpy().astype(np.int64)
