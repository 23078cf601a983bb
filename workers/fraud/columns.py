"""PostgreSQL's binary columns as the arrays that features are computed from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from model.fraud.features import order_features
from model.fraud.features.order_features import ShopOrders
from storage.fraud import entity_history

# An array: dimensions, flags, type, length, lower bound; then each element, preceded by its size.
_ARRAY_HEADER = 20
# Output of COPY: signature, flags, extension; then each row, preceded by its number of fields; at the end -1.
_COPY_HEADER, _COPY_END = 19, 2

_NAMES = {
    "at": "at_N", "tie": "tie_N", "place": "arrived_N", "cents": "cents_N", "fraud_at": "fraud_at_N", "odd": "odd_N",
    "customer": "customer_N", "terminal": "terminal_N", "payment": "payment_N", "device": "device_N", "ip": "ip_N",
    "address": "address_N", "country": "country_N", "tainted_at": "tainted_at_N",
}  # fmt: skip
"""The names of the columns of orders in the tables, and in the model."""


class Every(NamedTuple):
    """All screened orders. A label of an order is known since `labelled_at_N` (unix seconds)."""

    found: ShopOrders
    labelled_N: np.ndarray
    labelled_at_N: np.ndarray


def asking(rows: Sequence[Any], places: Sequence[int]) -> ShopOrders:
    """Return orders that are to be screened (`entity_history.asking`), each with its place."""
    columns = {column: np.array([getattr(row, column) for row in rows], np.int64) for column in _given()}
    made = order_features.empty(len(rows))._replace(**{_NAMES[column]: values for column, values in columns.items()})
    return made._replace(arrived_N=np.array(places, np.int64), fraud_at_N=np.full(len(rows), entity_history.NEVER))


def pasts_of(arrays: Sequence[bytes | None], own: ShopOrders) -> dict[str, ShopOrders]:
    """Return the result of `entity_history.read` by entity, as `order_features.compute_each` takes it.

    Orders of the batch itself, which have no place in the tables yet, get theirs from `own`.
    """
    columns = dict(zip(entity_history.ASKED, map(_array, entity_history.ASKED, arrays), strict=True))
    found = _orders(columns)
    mate_N, is_mate_N = _mates(found.tie_N, own)
    found = found._replace(arrived_N=np.where(is_mate_N, own.arrived_N[mate_N], found.arrived_N))
    row_N, entity_N = columns["n"] - 1, columns["entity"]
    group_N = entity_N * len(own.at_N) + row_N
    order_N = np.argsort(group_N, kind="stable")
    counts_G = np.bincount(group_N, minlength=len(entity_history.ENTITIES) * len(own.at_N))
    place_N = np.arange(len(order_N)) - np.repeat(np.cumsum(counts_G) - counts_G, counts_G)
    where = (entity_N[order_N], row_N[order_N], place_N)
    shape = (len(entity_history.ENTITIES), len(own.at_N), max(int(counts_G.max(initial=0)), 1))
    filled = ShopOrders(*(_scattered(column[order_N], where, shape, name) for name, column in found._asdict().items()))
    return {entity: filled.take(n) for n, entity in enumerate(entity_history.ENTITIES)}


def with_oddness(found: ShopOrders, own: ShopOrders) -> ShopOrders:
    """Return past orders in which those of the batch itself have the oddness that was just computed for `own`."""
    mate_QxP, is_mate_QxP = _mates(found.tie_N, own)
    return found._replace(odd_N=np.where(is_mate_QxP, own.odd_N[mate_QxP], found.odd_N))


def every(copied: bytes) -> Every:
    """Return the result of `entity_history.every`, with `tainted_at_N` filled in."""
    fields: list[tuple[str, str]] = [("fields", ">i2")]
    for name in entity_history.EVERY:
        fields += [(f"{name} size", ">i4"), (name, _type(name))]
    rows = np.frombuffer(copied[_COPY_HEADER:-_COPY_END], np.dtype(fields))
    columns = {name: _native(rows[name]) for name in entity_history.EVERY}
    columns["tainted_at"] = np.full(len(rows), entity_history.NEVER)
    found = order_features.tainted(_orders(columns))
    return Every(found, columns["is_labelled"].astype(bool), columns["known_at"])


def _given() -> list[str]:
    return [column for column in _NAMES if column not in ("place", "fraud_at", "odd", "tainted_at")]


def _orders(columns: dict[str, np.ndarray]) -> ShopOrders:
    return ShopOrders(**{name: columns[column] for column, name in _NAMES.items()})


def _mates(tie_N: np.ndarray, own: ShopOrders) -> tuple[np.ndarray, np.ndarray]:
    """Return the row of `own` that each order may be, and whether it is."""
    sorted_Q = np.argsort(own.tie_N)
    place_N = np.minimum(np.searchsorted(own.tie_N, tie_N, sorter=sorted_Q), len(sorted_Q) - 1)
    row_N = sorted_Q[place_N]
    return row_N, own.tie_N[row_N] == tie_N


def _scattered(values_N: np.ndarray, where: Any, shape: tuple[int, ...], name: str) -> np.ndarray:
    """Return the values at their positions, and filler values that no order sees elsewhere."""
    fill = order_features.AHEAD if name == "at_N" else 0
    filled = np.full(shape, fill, values_N.dtype)
    filled[where] = values_N
    return filled


def _array(name: str, array: bytes | None) -> np.ndarray:
    if array is None:
        return np.zeros(0, np.float64 if name == "odd" else np.int64)
    element = np.dtype([("size", ">i4"), ("value", _type(name))])
    return _native(np.frombuffer(array, element, offset=_ARRAY_HEADER)["value"])


def _type(name: str) -> str:
    return ">f8" if name == "odd" else ">i8"


def _native(values: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(values.astype(values.dtype.newbyteorder("=")))
