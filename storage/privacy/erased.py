"""The erased: the digests of their names, in memory, so that what still comes of them is dropped at every door.

While nobody was erased, a check costs a look at an empty set, and the table is read twice a second at most. A process
drops what comes of a person at the latest `FOLLOWED_EVERY` seconds after the commit that erases them.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import Connection, text

from storage.privacy.names import Secret

log = logging.getLogger(__name__)

FOLLOWED_EVERY = 0.5
"""Seconds between two looks at the table."""

ADDED = "SELECT no, digest, secret_id FROM erased_names WHERE no > $1 ORDER BY no"
"""What was added after $1, for asyncpg."""
_ADDED = text("SELECT no, digest, secret_id FROM erased_names WHERE no > :last ORDER BY no")


class Erased:
    """The erased as of a moment ago. `secret` returns the secret; it is asked only if somebody was erased."""

    def __init__(self, secret: Callable[[], Secret]) -> None:
        self._load = secret
        self._secret: Secret | None = None
        self._digests: set[bytes] = set()
        self._read_at = float("-inf")
        self.last = 0
        """The number of the last row that was read."""

    @property
    def is_empty(self) -> bool:
        """Whether nobody was erased."""
        return not self._digests

    @property
    def is_old(self) -> bool:
        """Whether it is time to look again."""
        return time.monotonic() - self._read_at >= FOLLOWED_EVERY

    def has(self, name: str | None) -> bool:
        """Return whether this is the id of an erased user, or the key of an erased shopper."""
        return bool(self._digests) and name is not None and self._known().digest(name) in self._digests

    def has_order(self, order_id: str | None) -> bool:
        """Return whether this is the id of an order of an erased person."""
        return bool(self._digests) and order_id is not None and self._known().order_digest(order_id) in self._digests

    def among(self, connection: Connection, names: Iterable[str]) -> set[str]:
        """Return those of the names that are of erased people, as of now. Raises SQLAlchemy's errors."""
        self.follow(connection)
        return {name for name in names if self.has(name)} if self._digests else set()

    def follow(self, connection: Connection) -> None:
        """Read what was added, if it is time to. Raises SQLAlchemy's errors."""
        if self.is_old:
            began = time.monotonic()
            self.take(connection.execute(_ADDED, {"last": self.last}).all(), began)

    def take(self, rows: Iterable[Any], began: float) -> None:
        """Add rows (no, digest, secret_id) of a look that began at this time of the monotonic clock."""
        for no, digest, secret_id in rows:
            if secret_id != self._known().id:
                log.error("an erased person cannot be recognised: RESHELF_PRIVACY_SECRET was another one then")
            self._digests.add(bytes(digest))
            self.last = max(self.last, no)
        self._read_at = began

    def _known(self) -> Secret:
        if self._secret is None:
            self._secret = self._load()
        return self._secret
