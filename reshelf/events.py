"""Behaviour events: what a shopper did."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

import msgspec

from reshelf import fields
from reshelf.fields import Id, Time

VERSION = 1

Kind = Literal["impression", "view", "click", "add_to_cart", "wishlist", "purchase", "rating", "dismiss", "search"]
KINDS: tuple[str, ...] = get_args(Kind)

SESSION = "session:"
"""What the key of a shopper who is not logged in begins with. No `user_id` begins with it."""

_IDS = ("event_id", "user_id", "item_id", "session_id", "request_id")

Word = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]


class Event(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One thing that one shopper did, at one time.

    A shopper is a `user_id`, or a `session_id` alone while nobody is logged in. Writing is idempotent by `event_id`:
    a retry sends the same message again. Every kind but `search` names an item; `search` carries its `query`. Its ids
    are in one form (`fields.identity`), however they were spelled.
    """

    event_id: Id
    kind: Kind
    at: Time
    """When it happened, with its UTC offset."""
    user_id: Id | None = None
    session_id: Id | None = None
    item_id: Id | None = None
    value: Annotated[float, msgspec.Meta(ge=-1e12, le=1e12)] | None = None
    """The stars of a rating; the money of a purchase, in the shop's currency, for the whole quantity."""
    quantity: Annotated[float, msgspec.Meta(gt=0, le=1e9)] = 1.0
    surface: Word | None = None
    """Where the shop showed the item: home, similar, search, …"""
    request_id: Id | None = None
    """The `request_id` of the gateway's answer that showed the item."""
    query: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)] | None = None
    rank: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] | None = None
    """The place of the item in the list that showed it, from 1, over all pages."""
    context: dict[Word, Word] = {}
    """Traits of the shopper: country, segment, referrer, …; kept until a later event changes them."""
    version: Annotated[int, msgspec.Meta(ge=1, le=VERSION)] = VERSION

    def __post_init__(self) -> None:
        fields.unify(self, _IDS)
        if self.user_id is not None and self.user_id.startswith(SESSION):
            raise ValueError(f"must not begin with `{SESSION}`: a visitor has a `session_id` - at `$.user_id`")
        if self.user_id is None and self.session_id is None:
            raise ValueError("give `user_id`, or `session_id` for a shopper who is not logged in - at `$.user_id`")
        if self.kind == "search" and self.query is None:
            raise ValueError("a search needs its `query` - at `$.query`")
        if self.kind != "search" and self.item_id is None:
            raise ValueError(f"a {self.kind} needs the `item_id` it is about - at `$.item_id`")
        if len(self.context) > 16:
            raise ValueError("at most 16 entries - at `$.context`")

    @property
    def shopper(self) -> str:
        """The key of this shopper's shelf: the user id, or `session:` and the session id."""
        return shopper_key(self.user_id, self.session_id)


def shopper_key(user_id: str | None, session_id: str | None) -> str:
    """Return the key under which a shopper's history and shelf are kept."""
    if user_id is not None:
        return user_id
    return f"{SESSION}{session_id}"
