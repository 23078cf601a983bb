"""The key of this machine: in the home folder, readable by its owner alone, for commands and clients that run here."""

from __future__ import annotations

import re
import socket
from pathlib import Path
from typing import TYPE_CHECKING

from workers import exposure
from workers.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Connection

FILE = "api-key"


def path(home: Path) -> Path:
    """Return the file that holds the key."""
    return home / FILE


def read(home: Path) -> str | None:
    """Return the key of the folder, None if there is none."""
    try:
        return path(home).read_text().strip() or None
    except FileNotFoundError:
        return None


def for_client(settings: Settings) -> str | None:
    """Return the key that a client on this machine sends: the first one that is set, or that of the folder."""
    return next(iter(exposure.api_keys(settings)), None) or read(settings.home)


def is_needed(settings: Settings) -> bool:
    """Return whether clients on this machine have no other way in than a key of the home folder."""
    return not (settings.open_on_loopback or exposure.api_keys(settings))


def ensure(connection: Connection, home: Path) -> str | None:
    """Make the key of the folder unless this database knows it; return its text if it was made.

    One that was revoked stays so. Commit before the file is used.
    """
    from storage.embedded import server
    from storage.keys import api_keys
    from storage.keys.audit import Actor
    from workers.keys import secret, service
    from workers.keys.wanted import Wanted

    kept = read(home)
    if kept is not None and api_keys.is_known(connection, secret.digest(kept)):
        return None
    by, name = Actor("reshelf up", via="command"), _name()
    if api_keys.valid(connection, name):  # nobody has its text any more
        service.revoke(connection, name, by)
    made = service.make(connection, Wanted(name=name, scopes=["admin"], owner="this machine"), by)
    home.mkdir(parents=True, exist_ok=True)
    server.write_private(path(home), f"{made.text}\n".encode())
    return made.text


def _name() -> str:
    """Return the name of this machine's key; two machines on one database have keys of their own."""
    return f"local-{re.sub('[^A-Za-z0-9.-]', '-', socket.gethostname())}"[:63]
