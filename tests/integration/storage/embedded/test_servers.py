"""The embedded servers: durable, closed to strangers, and gone with whoever started them."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
from redis import Redis
from redis.exceptions import AuthenticationError

from storage.embedded import launch, server, servers
from storage.embedded.servers import Servers


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    # A quote and a space in the path must not break a configuration file.
    with servers.running(tmp_path_factory.mktemp("it's a home") / "reshelf") as both:
        yield both


@pytest.fixture
def broker(embedded: Servers) -> Iterator[Redis]:
    with Redis.from_url(embedded.broker) as client:
        yield client


def marked(marker: Path) -> list[psutil.Process]:
    """The live processes whose command line or working folder names `marker`."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and str(marker) in " ".join(
                [*process.cmdline(), *(file.path for file in process.open_files())]
            ):
                found.append(process)
        except psutil.Error:
            continue
    return found


def test_postgres_keeps_commits_through_a_crash(embedded: Servers) -> None:
    with psycopg.connect(embedded.database) as connection:
        connection.execute("CREATE TABLE kept (value int)")
        connection.execute("INSERT INTO kept VALUES (7)")
    embedded.postgres.kill()
    embedded.postgres.start()
    with psycopg.connect(embedded.database) as connection:
        assert connection.execute("SELECT value FROM kept").fetchone() == (7,)


def test_redis_keeps_messages_through_a_crash(embedded: Servers, broker: Redis) -> None:
    broker.rpush("kept", "message")
    broker.execute_command("CONFIG", "SET", "appendfsync", "always")
    broker.rpush("kept", "another")
    embedded.redis.kill()
    embedded.redis.start()
    assert broker.lrange("kept", 0, -1) == [b"message", b"another"]


def test_postgres_is_durable_and_has_pgvector(embedded: Servers) -> None:
    with psycopg.connect(embedded.database) as connection:
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            assert connection.execute(f"SHOW {name}").fetchone() == ("on",)
        connection.execute("CREATE EXTENSION vector")
        assert connection.execute("SELECT '[1,2]'::vector <-> '[1,3]'::vector").fetchone() == (1.0,)


def test_redis_never_evicts_a_message(broker: Redis) -> None:
    assert broker.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
    assert broker.config_get("appendonly") == {"appendonly": "yes"}


def test_a_stranger_on_the_machine_is_kept_out(embedded: Servers) -> None:
    wrong = "not-the-password"
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(embedded.database.replace(embedded.database.split(":")[2].split("@")[0], wrong))
    with (
        Redis.from_url(embedded.broker.replace(embedded.broker.split(":")[2].split("@")[0], wrong)) as client,
        pytest.raises(AuthenticationError),
    ):
        client.ping()
    home = embedded.redis.log.parent.parent
    for secret in (home / "redis/redis.conf", home / "redis/server.json", home / "postgres/server.json"):
        assert stat.S_IMODE(secret.stat().st_mode) == 0o600


def test_a_second_start_finds_the_same_data_on_the_same_urls(tmp_path: Path) -> None:
    with servers.running(tmp_path) as first:
        urls = (first.database, first.broker)
        with psycopg.connect(first.database) as connection:
            connection.execute("CREATE TABLE kept (value int)")
    with servers.running(tmp_path) as second:
        assert (second.database, second.broker) == urls
        with psycopg.connect(second.database) as connection:
            assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)
    assert marked(tmp_path) == []


def test_two_servers_cannot_share_a_folder(embedded: Servers, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    lock = embedded.redis.log.parent.parent / "redis" / "lock"
    monkeypatch.setattr(launch, "LOCK_PATIENCE", 0.1)
    with pytest.raises(launch.LaunchError, match="already running"):
        launch._hold(lock)


def test_nothing_is_left_when_the_starter_is_killed(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom storage.embedded import servers\n"
        "with servers.running(Path(sys.argv[1])):\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    starter = subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)
    assert starter.returncode == -signal.SIGKILL
    deadline = time.monotonic() + 10
    while marked(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert marked(tmp_path) == []


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    broken = server.Server(
        name="broken",
        url="",
        command=launch.command([sys.executable, "-c", "import sys; sys.exit('no disk left')"]),
        stop_signal=signal.SIGTERM,
        answers=lambda: False,
    )
    with pytest.raises(server.StartError, match=r"broken ended with status 1; .*\n.*no disk left"):
        server.Running(broken, tmp_path / "logs" / "broken.log").start()


def test_a_taken_port_is_stepped_around(tmp_path: Path) -> None:
    first = server.identity(tmp_path)
    assert server.identity(tmp_path) == first
    with server.socket.create_server((server.LOOPBACK, first.port)):
        moved = server.identity(tmp_path)
    assert moved.port != first.port
    assert moved.password == first.password


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")
def test_as_root_postgres_is_an_ordinary_user_and_no_folder_is_opened(embedded: Servers) -> None:
    home = embedded.postgres.log.parent.parent
    assert embedded.postgres.pid is not None
    assert psutil.Process(embedded.postgres.pid).uids().effective != 0
    # pytest's own folders are closed to others, and stay so.
    assert stat.S_IMODE(home.parent.stat().st_mode) == 0o700
