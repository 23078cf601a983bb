"""Price rules, as given over HTTP or on the command line. Pure: the gateway checks them too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Annotated, Any, Literal

import msgspec

Scope = Literal["shop", "category", "brand", "item"]
"""Where rules hold, from the least to the most specific."""
State = Literal["proposed", "approved", "rejected", "applied", "refused", "expired"]
"""What becomes of a proposal."""
Objective = Literal["revenue", "margin", "units", "clear"]
Approval = Literal["manual", "automatic"]

Money = Annotated[float, msgspec.Meta(ge=0, le=1e10)]
Share = Annotated[float, msgspec.Meta(gt=0, lt=1)]
Multiple = Annotated[float, msgspec.Meta(gt=0, le=100)]
Ending = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{0,6}(\.[0-9]{2})?$(?!\n)", min_length=1, max_length=9)]


class Rules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What bounds prices, what they are for, and who approves them. What is not given is left to wider rules."""

    floor: Annotated[Money, msgspec.Meta(description="The lowest price, in units of the currency.")] | None = None
    ceiling: Annotated[Money, msgspec.Meta(description="The highest price.")] | None = None
    margin: Annotated[Share, msgspec.Meta(description="The price is at least cost / (1 - margin).")] | None = None
    needs_cost: Annotated[bool, msgspec.Meta(description="Without a known cost the price stays.")] | None = None
    step: Annotated[Share, msgspec.Meta(description="The largest change, as a share of the price.")] | None = None
    cooldown_hours: (
        Annotated[float, msgspec.Meta(ge=0, le=10_000, description="Hours between two changes of an item.")] | None
    ) = None
    competitor_low: (
        Annotated[Multiple, msgspec.Meta(description="The lowest multiple of the competitor's price.")] | None
    ) = None
    competitor_high: (
        Annotated[Multiple, msgspec.Meta(description="The highest multiple of the competitor's price.")] | None
    ) = None
    endings: (
        Annotated[list[Ending], msgspec.Meta(max_length=8, description='How prices end: ".99", "8" or "95.00".')] | None
    ) = None
    frozen: Annotated[bool, msgspec.Meta(description="The price is not changed.")] | None = None
    objective: Annotated[Objective, msgspec.Meta(description="What a price is to be best for.")] | None = None
    clear_days: (
        Annotated[int, msgspec.Meta(ge=1, le=365, description="`clear_by`, counted from when the rules are set.")]
        | None
    ) = None
    clear_by: (
        Annotated[date, msgspec.Meta(description="For `clear`: the day (UTC) by which the stock is to go.")] | None
    ) = None
    family: (
        Annotated[
            str, msgspec.Meta(min_length=1, max_length=256, description="Of an item: which family of sizes it is of.")
        ]
        | None
    ) = None
    size: (
        Annotated[
            float, msgspec.Meta(gt=0, description="In its family: a larger item never costs less than a smaller.")
        ]
        | None
    ) = None
    approval: Annotated[Approval, msgspec.Meta(description="Whether a person approves each proposal.")] | None = None

    def __post_init__(self) -> None:
        if self.floor is not None and self.ceiling is not None and self.floor > self.ceiling:
            raise ValueError("floor is above ceiling")
        low, high = self.competitor_low, self.competitor_high
        if low is not None and high is not None and low > high:
            raise ValueError("competitor_low is above competitor_high")
        if self.clear_days is not None and self.clear_by is not None:
            raise ValueError("clear_days and clear_by say the same; give one of them")
        if (self.family is None) != (self.size is None):
            raise ValueError("family and size go together; give both or none")


DEFAULT = Rules(step=0.1, cooldown_hours=24.0, objective="revenue", approval="manual")
"""What holds where no rule says otherwise: small steps, once a day, and a person approves each."""


CLEAR_DAYS = 30
"""How long stock may take to clear where rules with the objective `clear` name neither days nor a date."""


def check_scope(scope: str, rules: Rules) -> None:
    """Raise `ValueError` for rules that do not go with their scope."""
    if rules.family is not None and scope != "item":
        raise ValueError("only an item is of a family - at `$.rules.family`")


def dated(rules: Mapping[str, Any], today: date) -> dict[str, Any]:
    """Return rules as they are stored: `clear_days` becomes the date that it ends on, which no later look moves."""
    found = dict(rules)
    days = found.pop("clear_days", CLEAR_DAYS if found.get("objective") == "clear" else None)
    if days is not None and "clear_by" not in found:
        found["clear_by"] = (today + timedelta(days=days)).isoformat()
    return found


class _Merged(Rules, frozen=True, kw_only=True):
    """Rules of several scopes together, which may contradict each other: then the price stays as it is."""

    def __post_init__(self) -> None:
        """Take them as they are."""


class Book:
    """All rules of a shop."""

    def __init__(self, rows: Iterable[Any]) -> None:
        # Rules from before there were dates count from when they were set.
        self._rules = {(row.scope, row.name): dated(row.rules, row.updated_at.date()) for row in rows}

        self._families: dict[str, dict[str, float]] = {}
        for (scope, name), given in self._rules.items():
            if scope == "item" and "family" in given:
                self._families.setdefault(given["family"], {})[name] = given["size"]

    def family(self, item: str) -> Mapping[str, float]:
        """Return the items of the family that an item is of, itself too, with their sizes; none if it is of none."""
        return self._families.get(self._rules.get(("item", item), {}).get("family", ""), {})

    def of(self, item: str, category: str | None, brand: str | None) -> Rules:
        """Return the rules of an item: field by field, those of the item win over its brand's, its category's, and
        the shop's.
        """
        found: dict[str, Any] = msgspec.to_builtins(DEFAULT)
        for key in (("shop", ""), ("category", category), ("brand", brand), ("item", item)):
            found |= self._rules.get(key, {})
        return msgspec.convert(found, _Merged)
