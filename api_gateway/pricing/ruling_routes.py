"""Deciding: proposals, rules, facts, the stop, and taking changes back. Each leaves a line in the audit trail."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, TypeVar

import msgspec
from litestar import delete, get, post, put
from litestar.params import PathParameter, QueryParameter, RawBody
from sqlalchemy import Connection

from api_gateway import services
from api_gateway.http import auth, bodies, openapi, scoped
from api_gateway.http.errors import Conflict, Invalid, NotFound, Unavailable
from api_gateway.lists.parameters import Asked
from api_gateway.pricing import schemas
from api_gateway.pricing.schemas import (
    AllRules,
    Facts,
    Proposal,
    PutRules,
    Rejection,
    RolledBack,
    Scoped,
    ScopedRules,
    Stop,
    Window,
)
from storage.keys import audit
from storage.pricing import facts as known
from storage.pricing import proposals
from storage.pricing import rules as price_rules
from workers.pricing import rules as contents
from workers.pricing.rules import Scope

ProposalId = Annotated[str, PathParameter(description="The proposal's number.")]
OfScope = Annotated[Scope, QueryParameter(name="scope", description="Where the rules hold.")]
OfName = Annotated[
    str, QueryParameter(name="name", description="The category, brand or item; empty for the shop.", max_length=256)
]

T = TypeVar("T")

_DIGITS = 18
_RULES = {
    "scope": "shop",
    "rules": {"margin": 0.2, "step": 0.1, "endings": [".99"], "approval": "manual"},
}
_FROZEN = {"scope": "category", "name": "Lamps"}
_FACTS = {"items": [{"item_id": "4711", "cost": 5.2, "competitor_price": 9.5}]}


@post(
    "/v1/pricing/proposals/{proposal_id:str}/approve",
    opt=scoped.CATALOGUE,
    operation_id="approvePrice",
    summary="Approve a proposed price",
    tags=["Pricing"],
    responses=openapi.PRICE_ERRORS,
    name="approve_price",
    status_code=202,
)
async def approve(request: Asked, proposal_id: ProposalId) -> Proposal:
    """It is applied within seconds, if no guardrail is in the way by then."""
    _check_on(request)
    return await _decided(request, proposal_id, proposals.APPROVED, None)


@post(
    "/v1/pricing/proposals/{proposal_id:str}/reject",
    opt=scoped.CATALOGUE,
    operation_id="rejectPrice",
    operation_class=openapi.taking(Rejection, {"why": "on sale next week"}, required=False),
    summary="Reject a proposed price",
    tags=["Pricing"],
    responses=openapi.PRICE_ERRORS,
    name="reject_price",
    status_code=200,
)
async def reject(request: Asked, proposal_id: ProposalId, body: RawBody) -> Proposal:
    """It is not applied."""
    given = bodies.decoded(await bodies.unpacked(request, body) or b"{}", Rejection)
    return await _decided(request, proposal_id, proposals.REJECTED, given.why or None)


@get(
    "/v1/pricing/rules",
    opt=scoped.CATALOGUE,
    operation_id="priceRules",
    summary="Rules of prices",
    tags=["Pricing"],
    responses=openapi.READ_ERRORS,
    name="price_rules",
)
async def rules(request: Asked) -> AllRules:
    """Field by field, those of an item win over its brand's, its category's, the shop's, and the default."""
    async with services.from_request(request).engine.connect() as connection:
        return await connection.run_sync(_rules)


@put(
    "/v1/pricing/rules",
    opt=scoped.CATALOGUE,
    operation_id="putPriceRules",
    operation_class=openapi.taking(PutRules, _RULES),
    summary="Set the rules of a scope",
    tags=["Pricing"],
    responses=openapi.PRICE_ERRORS,
    name="put_price_rules",
)
async def put_rules(request: Asked, body: RawBody) -> AllRules:
    """They take the place of those before, and hold for whatever is applied from now on."""
    given = bodies.decoded(await bodies.unpacked(request, body), PutRules)

    def write(connection: Connection, by: str) -> AllRules:
        kept = contents.dated(msgspec.to_builtins(given.rules), datetime.now(UTC).date())
        price_rules.put(connection, given.scope, given.name, kept, by)
        return _rules(connection)

    return await _audited(request, "price rules set", f"{given.scope} {given.name}".strip(), write)


@delete(
    "/v1/pricing/rules",
    opt=scoped.CATALOGUE,
    operation_id="dropPriceRules",
    summary="Delete the rules of a scope",
    tags=["Pricing"],
    responses=openapi.PRICE_ERRORS,
    name="drop_price_rules",
    status_code=200,
)
async def drop_rules(request: Asked, in_scope: OfScope, name: OfName = "") -> AllRules:
    """Wider rules hold from now on."""

    def write(connection: Connection, by: str) -> AllRules:
        if not price_rules.drop(connection, in_scope, name):
            raise NotFound(f"there are no rules for {in_scope} {name!r}", field="name")
        return _rules(connection)

    return await _audited(request, "price rules deleted", f"{in_scope} {name}".strip(), write)


@post(
    "/v1/pricing/freeze",
    opt=scoped.CATALOGUE,
    operation_id="freezePrices",
    operation_class=openapi.taking(Scoped, _FROZEN),
    summary="Let no price of a scope change",
    tags=["Pricing"],
    responses=openapi.PRICE_ERRORS,
    name="freeze_prices",
    status_code=200,
)
async def freeze(request: Asked, body: RawBody) -> AllRules:
    """The scope's other rules stay, and hold again when it is no longer frozen."""
    given = bodies.decoded(await bodies.unpacked(request, body), Scoped)

    def write(connection: Connection, by: str) -> AllRules:
        price_rules.freeze(connection, given.scope, given.name, by)
        return _rules(connection)

    return await _audited(request, "prices frozen", f"{given.scope} {given.name}".strip(), write)


@post(
    "/v1/pricing/unfreeze",
    opt=scoped.CATALOGUE,
    operation_id="unfreezePrices",
    operation_class=openapi.taking(Scoped, _FROZEN),
    summary="Let the prices of a scope change again",
    tags=["Pricing"],
    responses=openapi.PRICE_ERRORS,
    name="unfreeze_prices",
    status_code=200,
)
async def unfreeze(request: Asked, body: RawBody) -> AllRules:
    """The rules that it had before hold again."""
    given = bodies.decoded(await bodies.unpacked(request, body), Scoped)

    def write(connection: Connection, by: str) -> AllRules:
        if not price_rules.unfreeze(connection, given.scope, given.name, by):
            raise NotFound(f"{given.scope} {given.name!r} is not frozen", field="name")
        return _rules(connection)

    return await _audited(request, "prices unfrozen", f"{given.scope} {given.name}".strip(), write)


@post(
    "/v1/pricing/facts",
    opt=scoped.CATALOGUE,
    operation_id="priceFacts",
    operation_class=openapi.taking(Facts, _FACTS),
    summary="Say what items cost, here and elsewhere",
    tags=["Pricing"],
    responses=openapi.PRICE_ERRORS,
    name="price_facts",
    status_code=200,
)
async def facts(request: Asked, body: RawBody) -> Stop:
    """Costs and competitors' prices, which no shopper is shown."""
    given = bodies.decoded(await bodies.unpacked(request, body), Facts)
    rows = _by_item(given)

    def write(connection: Connection, by: str) -> Stop:
        known.learn(connection, rows)
        return Stop(price_rules.is_stopped(connection))

    return await _audited(request, "price facts set", f"{len(rows)} items", write)


@post(
    "/v1/pricing/stop",
    opt=scoped.CATALOGUE,
    operation_id="stopPrices",
    summary="Stop every change of a price",
    tags=["Pricing"],
    responses=openapi.READ_ERRORS,
    name="stop_prices",
    status_code=200,
)
async def stop(request: Asked) -> Stop:
    """When this is answered, no price is changed any more until it is resumed."""
    return await _stopped(request, stopped=True)


@post(
    "/v1/pricing/resume",
    opt=scoped.CATALOGUE,
    operation_id="resumePrices",
    summary="Let approved prices be applied again",
    tags=["Pricing"],
    responses=openapi.READ_ERRORS,
    name="resume_prices",
    status_code=200,
)
async def resume(request: Asked) -> Stop:
    """What was approved meanwhile is applied, if no guardrail is in the way."""
    return await _stopped(request, stopped=False)


@post(
    "/v1/pricing/rollback",
    opt=scoped.CATALOGUE,
    operation_id="rollBackPrices",
    operation_class=openapi.taking(Window, {"since": "2026-03-01T00:00:00Z"}),
    summary="Take back the changes of a time",
    tags=["Pricing"],
    responses=openapi.PRICE_ERRORS,
    name="roll_back_prices",
    status_code=202,
)
async def rollback(request: Asked, body: RawBody) -> RolledBack:
    """Each item gets the price it had before the first change of that time, unless the shop has set it since."""
    _check_on(request)
    given = bodies.decoded(await bodies.unpacked(request, body), Window)
    until = given.until or datetime.now(UTC)
    if given.since >= until:
        raise Invalid("since is not before until", field="since")

    def write(connection: Connection, by: str) -> RolledBack:
        return RolledBack(proposals.roll_back(connection, given.since, until, by))

    return await _audited(request, "prices taken back", f"{given.since.isoformat()} to {until.isoformat()}", write)


def _check_on(request: Asked) -> None:
    """Raise `Unavailable` where no worker applies prices: what is accepted then would never be done."""
    if not services.from_request(request).settings.pricing:
        raise Unavailable("pricing is off, so no worker would change a price", fix="set RESHELF_PRICING=true")


async def _decided(request: Asked, proposal_id: str, state: str, why: str | None) -> Proposal:
    if not (proposal_id.isascii() and proposal_id.isdigit() and len(proposal_id) <= _DIGITS):
        raise NotFound(f"there is no proposal {proposal_id!r}", field="proposal_id")
    number = int(proposal_id)

    def write(connection: Connection, by: str) -> Proposal:
        found = proposals.get(connection, number)
        if found is None:
            raise NotFound(f"there is no proposal {number}", field="proposal_id")
        if found.state != proposals.PROPOSED:
            raise Conflict(f"proposal {number} is {found.state}", field="proposal_id")
        proposals.decide(connection, number, state, by=by, why=why)
        again = proposals.get(connection, number)
        assert again is not None
        return schemas.proposal(again)

    return await _audited(request, f"price {state}", str(number), write)


def _by_item(given: Facts) -> list[dict[str, object]]:
    """Return one row per item: of several in one body, the last that gives a field."""
    rows: dict[str, dict[str, object]] = {}
    for one in given.items:
        row = rows.setdefault(one.item_id, {"item_id": one.item_id})
        row |= {name: value for name, value in msgspec.structs.asdict(one).items() if value is not None}
    return list(rows.values())


async def _stopped(request: Asked, *, stopped: bool) -> Stop:
    def write(connection: Connection, by: str) -> Stop:
        price_rules.stop(connection, by, stopped=stopped)
        return Stop(stopped)

    return await _audited(request, "prices stopped" if stopped else "prices resumed", "all", write)


def _rules(connection: Connection) -> AllRules:
    rows = [ScopedRules(**row._mapping) for row in price_rules.every(connection)]
    return AllRules(price_rules.is_stopped(connection), contents.DEFAULT, rows)


async def _audited(request: Asked, action: str, subject: str, write: Callable[[Connection, str], T]) -> T:
    """Run a change and its line in the audit trail in one transaction."""
    actor = auth.caller(request).actor

    def run(connection: Connection) -> T:
        done = write(connection, actor.name)
        audit.record(connection, actor, action, subject, {})
        return done

    async with services.from_request(request).engine.begin() as connection:
        return await connection.run_sync(run)
