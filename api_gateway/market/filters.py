"""Filters: the values that the rows of an answer have, as parameters of the query."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args, get_origin, get_type_hints

from litestar.openapi.spec import Operation, Parameter, Schema
from litestar.openapi.spec.enums import OpenAPIType

from api_gateway.http.errors import Invalid
from api_gateway.lists import parameters
from storage.market.results import ANALYSES

_LONGEST = 256
_MEANT = {
    "level": "Only rows of this level.",
    "series": "Only rows of this series: an item's id, a category, or `total`.",
    "direction": "Only series that move so.",
    "item_id": "Only rows of this item.",
    "method": "Only segments that were found so.",
    "reason": "Only queries that are listed for this reason.",
}


def read(name: str, given: Mapping[str, str], others: Iterable[str]) -> dict[str, str]:
    """Return the filters of an analysis among the parameters; `others` are its further parameters.

    Raises `errors.Invalid`, also for a parameter that is none.
    """
    filters = ANALYSES[name].filters
    for one in given:
        if one not in filters and one not in others:
            known = ", ".join(sorted({*filters, *others}))
            raise Invalid(f"there is no parameter {one!r} here", field=one, fix=f"known are {known}")
    return {one: _value(name, one, given[one]) for one in filters if one in given}


def operation(name: str) -> type[Operation]:
    """Return the operation whose document also has the filters of an analysis."""

    @dataclass
    class Filtered(Operation):
        def __post_init__(self) -> None:
            self.parameters = [*(self.parameters or []), *(_parameter(name, one) for one in ANALYSES[name].filters)]

    return Filtered


def _value(name: str, field: str, value: str) -> str:
    choices = _choices(name, field)
    if choices and value not in choices:
        raise Invalid(f"{value!r} is none of {', '.join(choices)}", field=field)
    return parameters.text(value, field, longest=_LONGEST)


def _choices(name: str, field: str) -> tuple[str, ...]:
    """Return the values that a field may have, none where it is any text."""
    kind = get_type_hints(ANALYSES[name].row)[field]
    return get_args(kind) if get_origin(kind) is Literal else ()


def _parameter(name: str, field: str) -> Parameter:
    schema = Schema(type=OpenAPIType.STRING, enum=_choices(name, field) or None)
    return Parameter(name=field, param_in="query", description=_MEANT[field], schema=schema)
