"""PostgreSQL's binary columns as the arrays that features are computed from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from model.fraud import shop
from model.fraud.shop import ShopOrders
from storage import pasts

# An array: dimensions, flags, type, length, lower bound; then each element with its size before it.
_ARRAY_HEADER = 20
# A file of COPY: signature, flags, extension; each row with its number of fields before it; at the end the number -1.
_COPY_HEADER, _COPY_END = 19, 2

_NAMES = {
    "at": "at_N", "tie": "tie_N", "place": "arrived_N", "cents": "cents_N", "fraud_at": "fraud_at_N", "odd": "odd_N",
    "customer": "customer_N", "terminal": "terminal_N", "payment": "payment_N", "device": "device_N", "ip": "ip_N",
    "address": "address_N", "country": "country_N", "tainted_at": "tainted_at_N",
}  # fmt: skip
"""The columns of orders in the tables, and in the model."""


class Every(NamedTuple):
    """All orders that were looked at. A label says what the order is since `labelled_at_N` (unix seconds)."""

    found: ShopOrders
    labelled_N: np.ndarray
    labelled_at_N: np.ndarray


def asking(rows: Sequence[Any], places: Sequence[int]) -> ShopOrders:
    """Return orders that are to be screened (`pasts.asking`), each with its place."""
    columns = {column: np.array([getattr(row, column) for row in rows], np.int64) for column in _given()}
    made = shop.empty(len(rows))._replace(**{_NAMES[column]: values for column, values in columns.items()})
    return made._replace(arrived_N=np.array(places, np.int64), fraud_at_N=np.full(len(rows), pasts.NEVER))


def by_entity(arrays: Sequence[bytes | None], own: ShopOrders) -> dict[str, ShopOrders]:
    """Return what `pasts.read` read, by entity, each order once; those of the batch get their places from `own`."""
    columns = dict(zip(pasts.ASKED, map(_array, pasts.ASKED, arrays), strict=True))
    found = _orders(columns)
    sorted_N = np.argsort(own.tie_N)
    at_N = np.minimum(np.searchsorted(own.tie_N, found.tie_N, sorter=sorted_N), len(sorted_N) - 1)
    mate_N = sorted_N[at_N]
    is_mate_N = own.tie_N[mate_N] == found.tie_N
    found = found._replace(arrived_N=np.where(is_mate_N, own.arrived_N[mate_N], found.arrived_N))
    return {name: _once(found.take(np.flatnonzero(columns["entity"] == n))) for n, name in enumerate(pasts.ENTITIES)}


def with_oddness(found: ShopOrders, own: ShopOrders) -> ShopOrders:
    """Return past orders in which those of the batch itself have the oddness that was just computed for `own`."""
    odd_of = dict(zip(own.tie_N.tolist(), own.odd_N.tolist(), strict=True))
    odd_N = found.odd_N.copy()
    for row in np.flatnonzero(np.isin(found.tie_N, own.tie_N)).tolist():
        odd_N[row] = odd_of[int(found.tie_N[row])]
    return found._replace(odd_N=odd_N)


def every(copied: bytes) -> Every:
    """Return what `pasts.every` read, with `tainted_at_N` filled in."""
    fields: list[tuple[str, str]] = [("fields", ">i2")]
    for name in pasts.EVERY:
        fields += [(f"{name} size", ">i4"), (name, _type(name))]
    rows = np.frombuffer(copied[_COPY_HEADER:-_COPY_END], np.dtype(fields))
    columns = {name: _native(rows[name]) for name in pasts.EVERY}
    columns["tainted_at"] = np.full(len(rows), pasts.NEVER)
    found = shop.tainted(_orders(columns))
    return Every(found, columns["is_labelled"].astype(bool), columns["known_at"])


def _given() -> list[str]:
    return [column for column in _NAMES if column not in ("place", "fraud_at", "odd", "tainted_at")]


def _orders(columns: dict[str, np.ndarray]) -> ShopOrders:
    return ShopOrders(**{name: columns[column] for column, name in _NAMES.items()})


def _once(found: ShopOrders) -> ShopOrders:
    """Orders of one batch share parts of their pasts: each is kept once, and tainted if anybody sees that it is."""
    order_N = np.lexsort((found.tainted_at_N, found.tie_N))
    first_N = np.append(True, np.diff(found.tie_N[order_N]) != 0)[: len(order_N)]
    return found.take(order_N[first_N])


def _array(name: str, array: bytes | None) -> np.ndarray:
    if array is None:
        return np.zeros(0, np.float64 if name == "odd" else np.int64)
    element = np.dtype([("size", ">i4"), ("value", _type(name))])
    return _native(np.frombuffer(array, element, offset=_ARRAY_HEADER)["value"])


def _type(name: str) -> str:
    return ">f8" if name == "odd" else ">i8"


def _native(values: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(values.astype(values.dtype.newbyteorder("=")))
