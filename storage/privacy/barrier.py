"""The barrier: wait until every transaction that may not have known of an erasure has ended."""

from __future__ import annotations

import time

from sqlalchemy import Engine, text

from storage import xid_horizon
from storage.privacy import erased

_MARGIN_SECONDS = 1.0
"""How long a process may take between looking at who is erased and its first write."""
_LOOK_SECONDS = 0.1

_NEXT = text("SELECT CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS text) AS bigint)")


def wait(engine: Engine, *, most: float) -> bool:
    """Wait until no transaction runs that began to write before the doors knew; False after `most` seconds."""
    time.sleep(erased.FOLLOWED_EVERY + _MARGIN_SECONDS)
    until = time.monotonic() + most
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        next_xid = connection.execute(_NEXT).scalar_one()
        while xid_horizon.following(connection) < next_xid:
            if time.monotonic() > until:
                return False
            time.sleep(_LOOK_SECONDS)
    return True
