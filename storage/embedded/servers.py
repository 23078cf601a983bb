"""Both embedded servers for the duration of a `with` block: for tests, and for commands that run once.

with servers.running(home) as embedded:
    engine = create_engine(embedded.database)
    embedded.redis.kill()   # as a crash would
    embedded.redis.start()  # same port, same data
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from storage.embedded import postgres, redis
from storage.embedded.server import Running


@dataclass(frozen=True)
class Servers:
    """The two servers and their URLs."""

    postgres: Running
    redis: Running

    @property
    def database(self) -> str:
        """The database URL."""
        return self.postgres.url

    @property
    def broker(self) -> str:
        """The broker URL."""
        return self.redis.url


@contextmanager
def running(home: Path) -> Iterator[Servers]:
    """Run both servers with their data in `home`, yield them when they answer, and stop them at the end.

    They also stop when this process dies, for whatever reason (on Linux). Raises `server.EmbeddedError`.
    """
    logs = home / "logs"
    with ExitStack() as stack:
        both = Servers(
            postgres=Running(postgres.prepare(home), logs / "postgres.log"),
            redis=Running(redis.prepare(home), logs / "redis.log"),
        )
        for one in (both.redis, both.postgres):
            stack.callback(one.stop)
            one.start(wait=False)
        for one in (both.redis, both.postgres):
            one.wait_ready()
        yield both
