"""SQL statements, counted in the log of Postgres."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from psycopg import Connection

APPLICATION = "benchmark"
"""The benchmark's application name in Postgres: its own statements do not count."""

# The prefix has the application. Parameters would fill the log so that the supervisor starts new files.
_SETTINGS = {"log_statement": "all", "log_line_prefix": "ledger [%a] ", "log_parameter_max_length": "0"}
_LINE = re.compile(r"ledger \[(?P<application>[^]]*)\] LOG:  (statement|execute [^:]*):")
_SETTLE_SECONDS = 1.0


@contextmanager
def logged(database: Connection[Any]) -> Iterator[None]:
    """Have the server log every statement during the block. The connection is a superuser's, in autocommit mode."""
    for name, value in _SETTINGS.items():
        database.execute(f"ALTER SYSTEM SET {name} = '{value}'")
    database.execute("SELECT pg_reload_conf()")
    time.sleep(_SETTLE_SECONDS)
    try:
        yield
    finally:
        for name in _SETTINGS:
            database.execute(f"ALTER SYSTEM RESET {name}")
        database.execute("SELECT pg_reload_conf()")


def count(logs: Path) -> int:
    """Return how many statements other applications than the benchmark sent while they were logged.

    `BEGIN` and `COMMIT` count if the driver sends them: each is a round trip. `logs` is the folder with the server's
    log and earlier ones.
    """
    time.sleep(_SETTLE_SECONDS)  # the supervisor writes the server's output with a delay
    found = 0
    for file in logs.glob("postgres.log*"):
        with file.open(errors="replace") as lines:
            matches = (_LINE.match(line) for line in lines)
            found += sum(match is not None and match["application"] != APPLICATION for match in matches)
    return found
