"""Parameters that several routes share, from the query string and the path to plain values."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any

from litestar import Request
from litestar.datastructures import State
from litestar.params import PathParameter, QueryParameter, SkipValidation

from api_gateway.http.errors import Invalid
from api_gateway.lists.fallback import Trait
from api_gateway.lists.paging import Paging
from reshelf import fields
from workers.canonical import countries

MOST_PER_PAGE = 100
MOST_EXCLUDED = 1_000
MOST_TRAITS = 16

SLASH = "\x1f"
"""Stands for the encoded slash of an id while a path is routed. No id contains it."""

# As for the ids of `reshelf.fields`.
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

Asked = Request[Any, Any, State]
Page = SkipValidation[Paging]
"""Which part of a list is asked for: the result of `paging`, injected into every route that has it."""

UserId = Annotated[str, PathParameter(description="The shop's id of the user; a slash in it is sent as %2F.")]
ItemId = Annotated[str, PathParameter(description="The shop's id of the item; a slash in it is sent as %2F.")]
SessionId = Annotated[
    str | None,
    QueryParameter(name="session_id", required=False, description="The session; its own shelf comes after the user's."),
]
Limit = Annotated[int, QueryParameter(name="limit", ge=1, le=MOST_PER_PAGE, description="Items in a page.")]
Cursor = Annotated[
    str | None, QueryParameter(name="cursor", required=False, description="`next_cursor` of the page before.")
]
Category = Annotated[
    str | None, QueryParameter(name="category", required=False, description="Only items of exactly this category.")
]
Exclude = Annotated[
    list[str] | None,
    QueryParameter(
        name="exclude", required=False, description="Item ids to leave out, separated by commas or repeated."
    ),
]
Traits = Annotated[
    list[str] | None,
    QueryParameter(
        name="trait", required=False, description="A trait of the shopper as `name:value`; may be repeated."
    ),
]
Segment = Annotated[
    str | None, QueryParameter(name="segment", required=False, description="Short for trait=segment:….")
]
Country = Annotated[
    str | None, QueryParameter(name="country", required=False, description="Short for trait=country:….")
]
Referrer = Annotated[
    str | None, QueryParameter(name="referrer", required=False, description="Short for trait=referrer:….")
]


def paging(limit: Limit = 20, cursor: Cursor = None, category: Category = None, exclude: Exclude = None) -> Paging:
    """Return which part of a list is asked for. Raises `errors.Invalid`."""
    excluded = [one for given in exclude or () for one in given.split(",") if one]
    if len(excluded) > MOST_EXCLUDED:
        raise Invalid(f"{len(excluded)} items are more than {MOST_EXCLUDED}", field="exclude")
    return Paging(
        limit=limit,
        cursor=cursor or None,
        category=None if category is None else text(category, "category", longest=256),
        exclude=[identity(one, "exclude") for one in excluded],
    )


def traits(segment: str | None, country: str | None, referrer: str | None, trait: Sequence[str] | None) -> list[Trait]:
    """Return the traits of the query: the three with their own parameter, then the others in order.

    Raises `errors.Invalid`.
    """
    named = [("segment", segment), ("country", country), ("referrer", referrer)]
    given = [(name, text(value, name, longest=256)) for name, value in named if value is not None]
    for one in trait or ():
        name, _, value = one.partition(":")
        if not name or not value:
            raise Invalid(f"{one!r} is no trait", field="trait", fix="write it as name:value, e.g. trait=country:FR")
        given.append((text(name, "trait", longest=256), text(value, "trait", longest=256)))
    if len(given) > MOST_TRAITS:
        raise Invalid(f"{len(given)} traits are more than {MOST_TRAITS}", field="trait")
    return [(name, countries.trait(value) if name == "country" else value) for name, value in given]


def path_id(value: str, field: str) -> str:
    """Return an id from the path. Raises `errors.Invalid`."""
    return identity(value.replace(SLASH, "/"), field)


def identity(value: str, field: str) -> str:
    """Return the id in the one form that ids have. Raises `errors.Invalid` where no event could carry it."""
    return text(fields.identity(value), field, longest=fields.MOST_CHARACTERS)


def text(value: str, field: str, *, longest: int) -> str:
    """Return the text, composed (NFC).

    Raises `errors.Invalid` where it is empty, too long, or holds a control character.
    """
    value = fields.composed(value)
    if not 0 < len(value) <= longest or _CONTROL.search(value):
        raise Invalid(f"must be 1 to {longest} characters, none of them a control character", field=field)
    return value
