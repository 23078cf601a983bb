"""What is said of prices over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

from reshelf.fields import Id
from workers.pricing import rules as contents
from workers.pricing.rules import Money, Rules, Scope, State

Text = Annotated[str, msgspec.Meta(max_length=256, pattern=r"^[^\x00-\x1f\x7f]*$(?!\n)")]


class Proposal(msgspec.Struct, frozen=True):
    """A price that is proposed for an item, and what became of it. Money is in units of the currency."""

    proposal_id: int
    item_id: str
    price: Annotated[float, msgspec.Meta(description="The price when it was proposed.")]
    proposed: float
    currency: str | None
    objective: str
    expects: Annotated[dict[str, Any], msgspec.Meta(description="A week's figures: mean, low and high (80 %).")]
    reason: str
    bitten: Annotated[list[str], msgspec.Meta(description="The guardrails that kept it from a better price.")]
    propensity: Annotated[float, msgspec.Meta(description="With which probability the policy chose this price.")]
    policy: str
    state: State
    why: Annotated[str | None, msgspec.Meta(description="Why it was refused or rejected, or expired.")]
    created_at: datetime
    decided_at: datetime | None
    decided_by: str | None


class Proposals(msgspec.Struct, frozen=True):
    """Proposals, the newest first."""

    proposals: list[Proposal]


class Change(msgspec.Struct, frozen=True):
    """A change of a price."""

    change_no: int
    at: datetime
    item_id: str
    price_before: float
    price_after: float
    currency: str | None
    cause: Literal["proposal", "rollback"]
    proposal_id: int | None
    changed_by: str


class Changes(msgspec.Struct, frozen=True):
    """Changes of prices, in order. Ask again with `after` as the last `change_no`."""

    changes: list[Change]


class Price(msgspec.Struct, frozen=True):
    """The price of an item, the same for every shopper, with its newest proposal and change.

    Cost, competitor's price and proposal are null for keys without the scope `catalogue`.
    """

    item_id: str
    price: float | None
    currency: str | None
    cost: float | None
    competitor_price: float | None
    promotion: bool | None
    proposal: Proposal | None
    change: Change | None


class ScopedRules(msgspec.Struct, frozen=True):
    """Rules and where they hold; `name` is empty for the shop."""

    scope: Scope
    name: str
    rules: dict[str, Any]
    updated_at: datetime
    updated_by: str


class AllRules(msgspec.Struct, frozen=True):
    """All rules, whether every change is stopped, and what holds where no rule says otherwise."""

    stopped: bool
    default: Rules
    rules: list[ScopedRules]


class Scoped(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A scope. `name` is the category, brand or item; none for the shop."""

    scope: Scope
    name: Text = ""

    def __post_init__(self) -> None:
        if (self.scope == "shop") != (not self.name):
            raise ValueError("name is empty for the scope shop, and only for it - at `$.name`")


class PutRules(Scoped, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Rules for a scope, in place of those before."""

    rules: Rules

    def __post_init__(self) -> None:
        super().__post_init__()
        contents.check_scope(self.scope, self.rules)


class Fact(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is known of an item; what is not given stays as it was."""

    item_id: Id
    cost: Money | None = None
    competitor_price: Money | None = None
    promotion: Annotated[bool, msgspec.Meta(description="Then nothing but the shop changes the price.")] | None = None


class Facts(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Costs and competitors' prices, in units of the item's currency."""

    items: Annotated[list[Fact], msgspec.Meta(min_length=1, max_length=1000)]


class Rejection(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Why a proposal is rejected."""

    why: Text = ""


class Window(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A time whose changes are taken back."""

    since: Annotated[datetime, msgspec.Meta(tz=True)]
    until: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


class Stop(msgspec.Struct, frozen=True):
    """Whether every change of a price is stopped."""

    stopped: bool


class RolledBack(msgspec.Struct, frozen=True):
    """The items whose prices are being restored, within seconds and one by one."""

    items: list[str]


def proposal(row: Any) -> Proposal:
    """Return a row as a proposal."""
    return Proposal(**row._mapping)


def change(row: Any) -> Change:
    """Return a row as a change."""
    return Change(**row._mapping)
