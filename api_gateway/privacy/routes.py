"""What is kept of a person: exported, and erased."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from litestar import delete, get
from litestar.params import PathParameter
from litestar.response import Stream
from sqlalchemy import Connection

from api_gateway import services
from api_gateway.http import auth, openapi, scoped
from api_gateway.http.errors import Conflict, NotFound
from api_gateway.lists import parameters
from api_gateway.lists.parameters import Asked
from api_gateway.privacy import exporting, schemas
from api_gateway.privacy.schemas import Receipt
from storage import due
from storage.keys import audit
from storage.privacy import receipts
from storage.privacy.receipts import OtherSecret
from workers.privacy import mentions, service

Person = Annotated[
    str, PathParameter(description="The user's id, or `session:` and a session's; a slash in it is sent as %2F.")
]
ReceiptId = Annotated[str, PathParameter(description="The receipt of an erasure.")]


@delete(
    "/v1/users/{user_id:str}",
    opt=scoped.ADMIN,
    status_code=202,
    operation_id="eraseUser",
    summary="Erase what is kept of a person",
    tags=["Privacy"],
    responses=openapi.ERASURE_ERRORS,
    name="erase_user",
)
async def erase(request: Asked, user_id: Person) -> Receipt:
    """From now on what comes of them is dropped. While their erasure runs, asking again returns the same receipt."""
    found, person = services.from_request(request), parameters.path_id(user_id, "user_id")
    by = auth.caller(request).actor

    def begin(connection: Connection) -> Receipt:
        row = receipts.read(connection, service.begin(connection, found.settings, person, by))
        assert row is not None
        return schemas.receipt_of(row)

    try:
        async with found.engine.begin() as connection:
            begun = await connection.run_sync(begin)
    except OtherSecret as error:
        raise Conflict(str(error), field="user_id") from error
    found.doorbell.ring(due.ERASURE)
    return begun


@get(
    "/v1/erasures/{receipt_id:str}",
    opt=scoped.ADMIN,
    operation_id="erasure",
    summary="How far an erasure is",
    tags=["Privacy"],
    responses=openapi.FOUND_ERRORS,
    name="erasure",
)
async def receipt(request: Asked, receipt_id: ReceiptId) -> Receipt:
    """When it is done, how many rows were deleted, by table."""
    key = parameters.path_id(receipt_id, "receipt_id")
    async with services.from_request(request).engine.connect() as connection:
        row = await connection.run_sync(receipts.read, key)
    if row is None:
        raise NotFound(f"there is no erasure {key!r}", field="receipt_id")
    return schemas.receipt_of(row)


@get(
    "/v1/users/{user_id:str}/export",
    opt=scoped.ADMIN,
    operation_id="exportUser",
    summary="Everything that is kept of a person",
    tags=["Privacy"],
    responses=openapi.READ_ERRORS,
    name="export_user",
)
async def export(request: Asked, user_id: Person) -> Stream:
    """A JSON object with the rows of each table that has any, sent as they are read."""
    found, person = services.from_request(request), parameters.path_id(user_id, "user_id")
    by = auth.caller(request).actor
    async with found.engine.begin() as connection:
        await connection.run_sync(
            lambda sync: audit.record(sync, by, "person exported", service.pseudonym(found.settings, person), {})
        )
    body: AsyncIterator[bytes] = exporting.stream(found.engine, mentions.forms(person))
    return Stream(body, media_type="application/json")
