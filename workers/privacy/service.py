"""Begin an erasure, with its line in the audit trail, which names nobody."""

from __future__ import annotations

from sqlalchemy import Connection

from storage.keys import audit
from storage.keys.audit import Actor
from storage.privacy import receipts
from workers.privacy import mentions, secret
from workers.settings import Settings


def begin(connection: Connection, settings: Settings, user_id: str, by: Actor) -> str:
    """Begin to erase a user, or a visitor by the key `session:ID`; return the receipt. Raises `receipts.OtherSecret`.

    A user is also erased as a visitor in the sessions in which they were logged in.
    """
    receipt = receipts.begin(connection, secret.ensure(settings), mentions.forms(user_id))
    audit.record(connection, by, "erasure asked", receipt, {})
    return receipt


def pseudonym(settings: Settings, shopper: str) -> str:
    """Return what the audit trail, which nobody can change, calls a shopper."""
    return f"shopper {secret.ensure(settings).digest(shopper).hex()}"
