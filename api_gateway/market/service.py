"""Read pages of the newest version; later pages stay with the version of the first one."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection

from api_gateway.http.errors import Invalid, NotFound
from storage.market import results, versions
from storage.market.rows import Row
from storage.market.versions import Version

_CURSOR = re.compile(rb"([a-z-]{1,20})/(\d{1,18})/(\d{1,9})")
_AGAIN = "send the `next_cursor` of the page before, unchanged, to the same path; or ask for page one again"


@dataclass(frozen=True)
class Wanted:
    """Which rows: of this analysis, `limit` at most, with these values, and after which page."""

    name: str
    limit: int
    cursor: str | None
    where: Mapping[str, str]


class Found(NamedTuple):
    """A page of rows with its version, and the cursor of the next page."""

    version: Version
    rows: list[Row]
    next_cursor: str | None


def overview(connection: Connection) -> tuple[Version, dict[str, int]]:
    """Return the newest version, and the number of rows of each analysis. Raises `errors.NotFound`."""
    version = _newest(connection)
    return version, results.counts(connection, version.version)


def page(connection: Connection, wanted: Wanted) -> Found:
    """Return a page. Raises `errors.NotFound` before the first version, `errors.Invalid` for a bad cursor."""
    version, after = (_newest(connection), -1) if wanted.cursor is None else _continued(connection, wanted)
    found = results.read(
        connection, version.version, wanted.name, most=wanted.limit + 1, after=after, where=wanted.where
    )
    shown = found[: wanted.limit]
    is_last = len(found) <= wanted.limit
    return Found(version, [row for _, row in shown], None if is_last else _pack(wanted.name, version, shown[-1][0]))


def _newest(connection: Connection) -> Version:
    version = versions.newest(connection)
    if version is None:
        raise NotFound("the market was not analysed yet", fix="`reshelf market refresh` analyses it now")
    return version


def _continued(connection: Connection, wanted: Wanted) -> tuple[Version, int]:
    name, number, place = _unpack(wanted.cursor or "")
    if name != wanted.name:
        raise Invalid("this cursor belongs to another table", field="cursor", fix=_AGAIN)
    version = versions.named(connection, number)
    if version is None:
        raise Invalid(f"version {number} is no longer kept", field="cursor", fix="ask for page one again")
    return version, place


def _pack(name: str, version: Version, place: int) -> str:
    return base64.urlsafe_b64encode(f"{name}/{version.version}/{place}".encode()).rstrip(b"=").decode()


def _unpack(cursor: str) -> tuple[str, int, int]:
    try:
        raw = base64.b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error) as error:
        raise Invalid("this is no cursor", field="cursor", fix=_AGAIN) from error
    match = _CURSOR.fullmatch(raw)
    if match is None:
        raise Invalid("this is no cursor", field="cursor", fix=_AGAIN)
    return match[1].decode(), int(match[2]), int(match[3])
