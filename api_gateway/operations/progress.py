"""Progress: whether shelves are ranked while shoppers wait for them.

Overload and standstill both let shoppers wait. But under load shelves are written all the time; where none is, the
ranking workers are gone, stopped or stuck, on whatever machine they are.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from api_gateway import database
from api_gateway.database import Pool

STANDSTILL_SECONDS = 15.0

_LOOK = """
SELECT EXISTS (SELECT FROM live_models WHERE capability = 'recommend') AND EXISTS (
    SELECT FROM due WHERE kind = 'shopper' AND attempts = 0 AND NOT later AND since < now() - interval '5 seconds'
) AS waits, (SELECT n_tup_ins + n_tup_upd FROM pg_stat_user_tables WHERE relname = 'rankings') AS written
"""


class Progress:
    """What was seen of the shelves since the last one was written. `clock` counts seconds."""

    def __init__(self, pool: Pool, clock: Callable[[], float] = time.monotonic) -> None:
        self._pool = pool
        self._clock = clock
        self._written: int | None = None
        self._since = clock()

    async def standstill(self) -> float:
        """Look, and return for how many seconds shoppers have waited without a shelf being written; 0 if none waits.

        Raises as `database.read` does.
        """
        row = await database.read(self._pool, lambda connection: connection.fetchrow(_LOOK))
        if not row["waits"] or row["written"] != self._written:
            self._written, self._since = row["written"], self._clock()
        return self._clock() - self._since
