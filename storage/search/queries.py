"""Search queries: what was searched for, by whom and with which filters. Equal queries have the same key."""

from __future__ import annotations

from hashlib import blake2b
from typing import Literal, get_args

import msgspec

Sort = Literal["relevance", "price", "-price", "newest", "popular"]
SORTS: tuple[str, ...] = get_args(Sort)


class Question(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One search. `query` is normalised, the labels are sorted, the price range has both its ends.

    `shopper` is the shopper whose taste is used, None for no personalisation; `explain` asks why the first items are
    found.
    """

    query: str
    categories: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()
    price_from: float | None = None
    price_to: float | None = None
    in_stock: bool = True
    sort: Sort = "relevance"
    explain: bool = False
    shopper: str | None = None

    @property
    def key(self) -> str:
        """The key of its answer."""
        return blake2b(msgspec.json.encode(self), digest_size=16).hexdigest()

    def without_shopper(self) -> Question:
        """Return the same query without personalisation."""
        return msgspec.structs.replace(self, shopper=None)


def encode(question: Question) -> str:
    """Return the query as JSON, for its row."""
    return msgspec.json.encode(question).decode()


def from_row(value: object) -> Question:
    """Return the query of a row's JSON, as the driver returns it."""
    return msgspec.convert(value, Question)
