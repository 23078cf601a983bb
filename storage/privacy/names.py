"""Names of people as they are kept of the erased: digests, and sealed until the erasure is done.

A digest is HMAC-SHA-256 with a secret that is not in the database, so that nobody who reads the database can test
whether somebody is among the erased.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:  # imported only where somebody is erased
    from cryptography.fernet import Fernet

_DIGEST_BYTES = 16
_SESSION = "session:"
# No id contains it.
_ORDER = "order\x1f"


class Names(msgspec.Struct, frozen=True, kw_only=True):
    """All by which one person is found.

    `people` are the forms of their id, `sessions` the ids of the sessions in which they were logged in, and `orders`
    the ids of their orders.
    """

    people: list[str]
    sessions: list[str] = []
    orders: list[str] = []

    @property
    def shoppers(self) -> list[str]:
        """The keys of their histories and shelves: as users, and before they logged in."""
        return sorted({*self.people, *(f"{_SESSION}{session}" for session in self.sessions)})

    def joined(self, other: Names) -> Names:
        """Return the names of both."""
        return Names(
            people=sorted({*self.people, *other.people}),
            sessions=sorted({*self.sessions, *other.sessions}),
            orders=sorted({*self.orders, *other.orders}),
        )


@dataclass(frozen=True)
class Secret:
    """The secret of digests and seals."""

    key: bytes

    @property
    def id(self) -> str:
        """What is stored with a digest, to notice that another secret is used later."""
        return hashlib.sha256(b"id\0" + self.key).hexdigest()[:8]

    def digest(self, name: str) -> bytes:
        """Return the digest of the id of a user, or of a shopper's key, 16 bytes."""
        return hmac.digest(self.key, name.encode("utf-8", "surrogatepass"), "sha256")[:_DIGEST_BYTES]

    def order_digest(self, order_id: str) -> bytes:
        """Return the digest of the id of an order, which may be equal to that of a user."""
        return self.digest(_ORDER + order_id)

    def digests(self, names: Names) -> list[bytes]:
        """Return the digests of all names of a person."""
        return [*map(self.digest, names.shoppers), *map(self.order_digest, names.orders)]

    def seal(self, names: Names) -> bytes:
        """Return the names encrypted."""
        return self._cipher().encrypt(msgspec.json.encode(names))

    def open(self, sealed: bytes) -> Names:
        """Return the names. Raises `cryptography.fernet.InvalidToken` if another secret sealed them."""
        return msgspec.json.decode(self._cipher().decrypt(sealed), type=Names)

    def _cipher(self) -> Fernet:
        from cryptography.fernet import Fernet

        return Fernet(base64.urlsafe_b64encode(hashlib.sha256(b"seal\0" + self.key).digest()))
