"""Keys over HTTP: list, make, rotate and revoke them, and read the audit trail."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, TypeVar

from litestar import get, post
from litestar.params import PathParameter, QueryParameter, RawBody
from sqlalchemy import Connection

from api_gateway import services
from api_gateway.http import auth, bodies, openapi, scoped
from api_gateway.http.errors import Conflict, NotFound
from api_gateway.keys import schemas
from api_gateway.keys.schemas import AuditTrail, KeyMade, KeysShown, Rotating
from api_gateway.lists.parameters import Asked
from storage.keys import api_keys, audit
from workers.keys import service
from workers.keys.service import KeyChangeError, Made, NoSuchKey
from workers.keys.wanted import Wanted

MOST = 1_000

KeyId = Annotated[str, PathParameter(description="The key's id, or its name.")]
Limit = Annotated[int, QueryParameter(name="limit", ge=1, le=MOST, description="Most lines of the answer.")]
Before = Annotated[
    int | None, QueryParameter(name="before", required=False, ge=1, description="Only lines with a smaller `id`.")
]

T = TypeVar("T")

_WANTED = {"name": "storefront", "scopes": ["events"], "owner": "web team", "rate": 50}


@get(
    "/v1/keys",
    opt=scoped.ADMIN,
    operation_id="keys",
    summary="List API keys",
    tags=["Keys"],
    responses=openapi.READ_ERRORS,
    name="keys",
)
async def every(request: Asked) -> KeysShown:
    """All keys, also revoked and expired ones. Secrets are not among it: they are stored nowhere."""
    async with services.from_request(request).engine.connect() as connection:
        return KeysShown([schemas.shown(row) for row in await connection.run_sync(api_keys.every)])


@post(
    "/v1/keys",
    opt=scoped.ADMIN,
    operation_id="makeKey",
    operation_class=openapi.taking(Wanted, _WANTED),
    summary="Make an API key",
    tags=["Keys"],
    responses=openapi.KEY_ERRORS,
    name="make_key",
)
async def make(request: Asked, body: RawBody) -> KeyMade:
    """The answer has the key's text, this once. A gateway takes it within a second."""
    wanted = bodies.decoded(await bodies.unpacked(request, body), Wanted)
    by = auth.caller(request).actor
    return await _changed(request, lambda connection: _made(connection, service.make(connection, wanted, by)))


@post(
    "/v1/keys/{key_id:str}/rotate",
    opt=scoped.ADMIN,
    operation_id="rotateKey",
    operation_class=openapi.taking(Rotating, {"overlap_hours": 24}, required=False),
    summary="Make another key of the same name",
    tags=["Keys"],
    responses=openapi.KEY_ERRORS,
    name="rotate_key",
)
async def rotate(request: Asked, key_id: KeyId, body: RawBody) -> KeyMade:
    """Both are valid for `overlap_hours`, so that nothing stands still while the new one is put in place."""
    given = bodies.decoded(await bodies.unpacked(request, body) or b"{}", Rotating)
    by, overlap = auth.caller(request).actor, timedelta(hours=given.overlap_hours)
    return await _changed(
        request, lambda connection: _made(connection, service.rotate(connection, key_id, by, overlap=overlap))
    )


@post(
    "/v1/keys/{key_id:str}/revoke",
    opt=scoped.ADMIN,
    operation_id="revokeKey",
    summary="Revoke an API key",
    tags=["Keys"],
    responses=openapi.KEY_ERRORS,
    name="revoke_key",
    status_code=200,
)
async def revoke(request: Asked, key_id: KeyId) -> KeysShown:
    """Every gateway refuses it within a second. By a name, all keys of that name. Again changes nothing."""
    by = auth.caller(request).actor

    def write(connection: Connection) -> KeysShown:
        service.revoke(connection, key_id, by)
        return KeysShown([schemas.shown(row) for row in api_keys.find(connection, key_id)])

    return await _changed(request, write)


@get(
    "/v1/audit",
    opt=scoped.ADMIN,
    operation_id="auditTrail",
    summary="The audit trail",
    tags=["Keys"],
    responses=openapi.READ_ERRORS,
    name="audit",
)
async def trail(request: Asked, limit: Limit = 100, before: Before = None) -> AuditTrail:
    """Which key changed keys or decided something, the newest first. Lines are only ever added."""
    async with services.from_request(request).engine.connect() as connection:
        rows = await connection.run_sync(lambda sync: audit.recent(sync, before=before, most=limit))
    return AuditTrail([schemas.line(row) for row in rows])


async def _changed(request: Asked, change: Callable[[Connection], T]) -> T:
    """Commit a change of keys. Raises `errors.NotFound` and `errors.Conflict`."""
    try:
        async with services.from_request(request).engine.begin() as connection:
            return await connection.run_sync(change)
    except NoSuchKey as error:
        raise NotFound(str(error), field="key_id") from error
    except KeyChangeError as error:
        raise Conflict(str(error), field="name") from error


def _made(connection: Connection, made: Made) -> KeyMade:
    return KeyMade(made.text, schemas.shown(api_keys.find(connection, made.key_id)[0]))
