"""Who acts by a command: the user of the machine, as the audit trail names them."""

from __future__ import annotations

import getpass
from typing import Any

from sqlalchemy import Connection

from storage.keys import audit
from storage.keys.audit import Actor


def actor() -> Actor:
    """Return the user of this machine."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a container may run as a number without a name
        name = "unknown"
    return Actor(name, via="command")


def record(connection: Connection, action: str, subject: str, **detail: Any) -> None:
    """Add a line about this user to the audit trail, in the transaction of what it tells of."""
    audit.record(connection, actor(), action, subject, detail)
