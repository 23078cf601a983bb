"""What went wrong, in one shape: `{"error": {"code", "message", "field"?, "fix"?}}`.

ApiError                  anything that an answer says to the caller
├── Invalid        400    a parameter or the body cannot be read; names the field
├── Unauthorized   401    no accepted API key
├── Forbidden      403    the key has not the scope of the route
├── ForeignOrigin  403    a page of another origin sent it
├── NotFound       404    nothing of this name
├── Conflict       409    what is there contradicts it; names the field
├── TooLarge       413    the body is larger than a door takes
├── Unsupported    415    the body is packed in an unknown way
├── NotJson        415    the body does not say that it is JSON
├── Misdirected    421    it was sent to a host that is not allowed
├── TooMany        429    the key has used its rate or its daily quota; comes with Retry-After
└── Unavailable    503    the database cannot be reached now; comes with Retry-After
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any

import asyncpg
import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.types import Send
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

log = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = 2

# SQLSTATE classes and codes: an undefined table, column or function; a cancelled query; and a lost connection, no
# resources, a shutdown, a standby, no such database.
_UNMIGRATED = ("42P01", "42703", "42883")
_SLOW = ("57014",)
_AWAY = ("08", "53", "57P", "25006", "3D000")
_MISSING = re.compile(r"Missing required \w+ parameter '(\w+)'")
_CODES = {
    400: "invalid",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported",
}


class ErrorDetail(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was wrong, where, and how to fix it."""

    code: str
    message: str
    field: str | None = None
    fix: str | None = None


class ErrorBody(msgspec.Struct, frozen=True):
    """The body of every error response."""

    error: ErrorDetail


class ApiError(Exception):
    """An error that is returned to the caller. `fix` says what to do."""

    status = 500
    code = "internal"

    def __init__(self, message: str, *, field: str | None = None, fix: str | None = None) -> None:
        super().__init__(message)
        self.detail = ErrorDetail(self.code, message, field, fix)
        self.headers: dict[str, str] = {}


class Invalid(ApiError):
    """A parameter or the body is not valid."""

    status = 400
    code = "invalid"


class Unauthorized(ApiError):
    """The request has no accepted API key."""

    status = 401
    code = "unauthorized"

    def __init__(self) -> None:
        super().__init__(
            "this needs an API key that is neither revoked nor expired",
            fix="send `Authorization: Bearer KEY`; `reshelf keys make` makes one",
        )
        self.headers = {"WWW-Authenticate": "Bearer"}


class Forbidden(ApiError):
    """The key has not the scope of the route."""

    status = 403
    code = "forbidden"

    def __init__(self, scope: str) -> None:
        super().__init__(f"the key has not the scope `{scope}`", fix=f"use a key with the scope `{scope}`")


class ForeignOrigin(ApiError):
    """A page of another origin sent the request."""

    status = 403
    code = "foreign_origin"

    def __init__(self, origin: str) -> None:
        super().__init__(
            f"pages of {origin[:200]!r} may not send this",
            field="origin",
            fix="RESHELF_ALLOWED_ORIGINS names the origins whose pages may send events, and nothing else",
        )


class NotFound(ApiError):
    """There is nothing with this name."""

    status = 404
    code = "not_found"


class Conflict(ApiError):
    """It contradicts what is stored already."""

    status = 409
    code = "conflict"


class TooLarge(ApiError):
    """The body is larger than a door accepts."""

    status = 413
    code = "too_large"


class Unsupported(ApiError):
    """The body is packed in a way that is not known; `accept` names those that are."""

    status = 415
    code = "unsupported"

    def __init__(self, message: str, *, field: str, accept: str) -> None:
        super().__init__(message, field=field, fix=f"send it as it is, or as {accept}")
        self.headers = {"Accept-Encoding": accept}


class NotJson(ApiError):
    """The body does not say that it is JSON."""

    status = 415
    code = "not_json"

    def __init__(self, given: str) -> None:
        super().__init__(
            f"a body of the type {given[:64]!r} is not read",
            field="content-type",
            fix="send `Content-Type: application/json`",
        )


class Misdirected(ApiError):
    """The request was sent to a host that is not allowed."""

    status = 421
    code = "misdirected"

    def __init__(self, host: str) -> None:
        super().__init__(
            f"this gateway does not answer to the host {host[:200]!r}",
            field="host",
            fix="name the host in RESHELF_ALLOWED_HOSTS",
        )


class TooMany(ApiError):
    """The key has used its rate or its daily quota."""

    status = 429
    code = "too_many"

    def __init__(self, seconds: str) -> None:
        super().__init__(
            "the key has used its rate or its daily quota", fix=f"try again in {seconds} seconds, or raise the limit"
        )
        self.headers = {"Retry-After": seconds}


class Unavailable(ApiError):
    """The database cannot answer now."""

    status = 503
    code = "unavailable"

    def __init__(self, message: str, *, fix: str | None = None) -> None:
        super().__init__(
            message, fix=fix or f"try again in {RETRY_AFTER_SECONDS} seconds; /v1/ready says when it is back"
        )
        self.headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}


def from_database(error: Exception) -> ApiError | None:
    """Return the response for a database error; None for any other error, which is a bug."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    state = getattr(cause, "sqlstate", None)
    if state in _UNMIGRATED:
        return Unavailable("the database has not been migrated to this version", fix="run `reshelf migrate`")
    if state in _SLOW or isinstance(cause, TimeoutError):
        return Unavailable("the database took too long to answer")
    # Without an SQLSTATE, there was no answer from the server.
    lost = state is None and isinstance(error, OSError | asyncpg.InterfaceError | OperationalError | InterfaceError)
    if lost or (state is not None and state.startswith(_AWAY)):
        return Unavailable("the database cannot be reached")
    return None


def answer(_request: Request[Any, Any, Any], error: Exception) -> Response[ErrorBody]:
    """Return the response for any error; what neither the caller nor the database caused is logged, and is a 500."""
    if isinstance(error, ApiError):
        return _response(error.status, error.detail, error.headers)
    if isinstance(error, HTTPException):
        return _response(error.status_code, _detail(error), error.headers or {})
    if (known := from_database(error)) is not None:
        log.warning("%s: %s", known, error)
        return _response(known.status, known.detail, known.headers)
    log.error("a request failed", exc_info=error)
    return _response(500, ErrorDetail("internal", "the gateway failed; its log says why"), {})


async def send(error: ApiError, to: Send) -> None:
    """Send the response for an error that came up before there was a route."""
    headers = [(name.lower().encode(), value.encode()) for name, value in error.headers.items()]
    body = msgspec.json.encode(ErrorBody(error.detail))
    headers += [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await to({"type": "http.response.start", "status": error.status, "headers": headers})
    await to({"type": "http.response.body", "body": body, "more_body": False})


def _detail(error: HTTPException) -> ErrorDetail:
    code = _CODES.get(error.status_code, "error")
    first = error.extra[0] if isinstance(error.extra, list) and error.extra else {}
    if isinstance(first, dict) and "key" in first:
        return ErrorDetail(code, f"{first['key']}: {first['message']}", field=first["key"])
    if (missing := _MISSING.match(error.detail)) is not None:
        return ErrorDetail(code, error.detail, field=missing[1])
    if error.status_code == 404:
        return ErrorDetail(code, "there is nothing at this path", fix="/schema lists the paths")
    if error.status_code == 413:
        return ErrorDetail(code, "the body is too large", fix="send fewer rows in a request")
    return ErrorDetail(code, error.detail)


def _response(status: int, detail: ErrorDetail, headers: Mapping[str, str]) -> Response[ErrorBody]:
    return Response(ErrorBody(detail), status_code=status, headers=headers, media_type="application/json")
