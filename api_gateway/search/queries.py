"""From the parameters of a search to a search query."""

from __future__ import annotations

import math
from collections.abc import Sequence

from api_gateway.http.errors import Invalid
from api_gateway.lists import parameters
from api_gateway.search import normalise
from reshelf.events import shopper_key
from storage.search.queries import Question, Sort

LONGEST = 256
MOST_LABELS = 20


def read(
    q: str,
    *,
    categories: Sequence[str],
    brands: Sequence[str],
    price_from: float | None,
    price_to: float | None,
    in_stock: bool,
    sort: Sort,
    explain: bool,
    user_id: str | None,
    session_id: str | None,
) -> Question:
    """Return the search query. Raises `errors.Invalid`, naming the parameter that is not valid."""
    low, high = _price(price_from, "price_from"), _price(price_to, "price_to")
    if low is not None and high is not None and low > high:
        raise Invalid(f"price_from {low:g} is above price_to {high:g}", field="price_from")
    return Question(
        query=typed(q),
        categories=_labels(categories, "category"),
        brands=_labels(brands, "brand"),
        price_from=low,
        price_to=high,
        in_stock=in_stock,
        sort=sort,
        explain=explain,
        shopper=_shopper(user_id, session_id),
    )


def typed(q: str) -> str:
    """Return the normalised text. Raises `errors.Invalid` if it is empty or too long."""
    return parameters.text(normalise.text(q), "q", longest=LONGEST)


def _labels(given: Sequence[str], field: str) -> tuple[str, ...]:
    if len(given) > MOST_LABELS:
        raise Invalid(f"{len(given)} are more than {MOST_LABELS}", field=field)
    return tuple(sorted({parameters.text(one, field, longest=256) for one in given}))


def _price(given: float | None, field: str) -> float | None:
    if given is not None and not math.isfinite(given):
        raise Invalid("must be a number", field=field)
    return given


def _shopper(user_id: str | None, session_id: str | None) -> str | None:
    if user_id is not None:
        return shopper_key(parameters.identity(user_id, "user_id"), None)
    return None if session_id is None else shopper_key(None, parameters.identity(session_id, "session_id"))
