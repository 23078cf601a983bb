"""The text of an API key: `reshelf_ID_SECRET`.

The id is stored as it is, so that a key that turns up in a file or a log can be found in the list and revoked. Of the
whole text only SHA-256 is stored. A slow hash protects passwords, which can be guessed; a secret of 256 random bits
cannot, and a slow hash would cost every request its time.
"""

from __future__ import annotations

import secrets
from hashlib import sha256

PREFIX = "reshelf"
_ID_BYTES = 4
_SECRET_BYTES = 32


def make() -> tuple[str, str]:
    """Return a new id and the whole text of its key."""
    key_id = secrets.token_hex(_ID_BYTES)
    return key_id, f"{PREFIX}_{key_id}_{secrets.token_urlsafe(_SECRET_BYTES)}"


def digest(text: str) -> bytes:
    """Return what is stored of a key, 32 bytes."""
    return sha256(text.encode("utf-8", "surrogatepass")).digest()
