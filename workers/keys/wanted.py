"""What a new API key is to be, as given over HTTP or on the command line."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated

import msgspec

from workers.keys.scopes import Scope

# At the end, `$` alone would let a line break pass.
NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9 ._@-]{0,62}$(?!\n)"
_LIKE_ID = re.compile("[0-9a-f]{8}")
OWNER_PATTERN = r"^[^\x00-\x1f\x7f]*$(?!\n)"


class Wanted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key: its name is the actor in the audit trail, and belongs to one key at a time."""

    name: Annotated[
        str, msgspec.Meta(pattern=NAME_PATTERN, description="1 to 63 letters, digits, spaces, and any of `._@-`.")
    ]
    scopes: Annotated[list[Scope], msgspec.Meta(min_length=1, max_length=6)]
    owner: Annotated[
        str, msgspec.Meta(max_length=128, pattern=OWNER_PATTERN, description="Who is to be asked about it.")
    ] = ""
    expires_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    rate: (
        Annotated[float, msgspec.Meta(gt=0, le=1e6, description="Most requests in a second; null: no limit.")] | None
    ) = None
    daily: (
        Annotated[int, msgspec.Meta(ge=1, le=2**53, description="Most requests in a day (UTC); null: no limit.")] | None
    ) = None

    def __post_init__(self) -> None:
        if _LIKE_ID.fullmatch(self.name):
            raise ValueError("must not look like the id of a key - at `$.name`")
        if self.expires_at is not None and self.expires_at <= datetime.now(UTC):
            raise ValueError("must be in the future - at `$.expires_at`")
