"""Who acts by a command: the user of the machine, as the audit trail names them."""

from __future__ import annotations

import getpass

from storage.keys.audit import Actor


def actor() -> Actor:
    """Return the user of this machine."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a container may run as a number without a name
        name = "unknown"
    return Actor(name, via="command")
