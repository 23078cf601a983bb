"""`reshelf up` as a person runs it: real processes in a home folder of their own, and nothing left of them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import psycopg
import pytest
from redis import Redis
from redis.exceptions import RedisError

from storage.embedded import server
from workers import capabilities
from workers.supervisor import control, processes, run_file
from workers.supervisor.installation import Installation

SERVERS = ("--only", "postgres", "--only", "redis")


class Home(Installation):
    """An installation without any setting of the environment, and what of it can be killed."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, {name: value for name, value in os.environ.items() if not name.startswith("RESHELF_")})

    def pid(self, name: str) -> int | None:
        found = {process.name: process.pid for process in control.processes(control.socket_path(self.home))}
        return found[name]

    def kill(self, name: str) -> int:
        """Kill one program as a crash would; return its process id."""
        pid = self.pid(name)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        return pid

    def left(self) -> list[str]:
        """The command lines of live processes that belong to this home."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.status() != psutil.STATUS_ZOMBIE and (
                    str(self.home) in " ".join(process.cmdline())
                    or process.environ().get("RESHELF_HOME") == str(self.home)
                ):
                    found.append(" ".join(process.cmdline()))
            except psutil.Error:
                continue
        return found


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    made = Home(tmp_path / "home")
    yield made
    made.run("down", "--timeout", "30")
    assert made.left() == []


def within(seconds: float, condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def answers(url: str) -> bool:
    try:
        with Redis.from_url(url) as client:
            return bool(client.ping())
    except RedisError:
        return False


def test_the_servers_start_in_the_background_and_stop_without_a_trace(home: Home) -> None:
    started = home.run("up", "--detach", *SERVERS)
    assert started.returncode == 0, started.stderr
    assert "ready" in started.stderr

    status = home.run("status", "--json")
    assert status.returncode == 0
    report = json.loads(status.stdout)
    assert report["state"] == "running"
    assert [process["name"] for process in report["processes"]] == ["postgres", "redis"]
    assert all(process["pid"] and process["memory"] > 0 for process in report["processes"])
    assert report["queues"] == dict.fromkeys(capabilities.QUEUES, 0)

    chosen = home.settings
    assert chosen.database_url is not None
    with psycopg.connect(chosen.database_url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert (home.home / "run.json").stat().st_mode & 0o077 == 0

    assert home.run("down").returncode == 0
    assert home.left() == []
    assert home.run("status").returncode == 3
    assert not (home.home / "run.json").exists()
    assert not control.socket_path(home.home).exists()


def test_a_key_is_made_at_the_first_start_printed_once_and_read_by_its_owner_alone(home: Home) -> None:
    started = home.run("up", "--detach", *SERVERS, "--only", "gateway")
    assert started.returncode == 0, started.stderr
    key = home.api_key
    assert key is not None
    assert started.stderr.count(key) == 1
    with httpx.Client(base_url=home.gateway_url, trust_env=False) as client:
        assert client.get("/v1/popular").status_code == 401
        assert client.get("/v1/keys", headers={"Authorization": f"Bearer {key}"}).status_code == 200
    files = [
        file for file in home.home.rglob("*") if file.is_file() and "postgres" not in file.relative_to(home.home).parts
    ]
    assert {"api-key", "run.json", "up.log", "gateway.log", "supervisord.log"} <= {file.name for file in files}
    assert [str(file) for file in files if file.stat().st_mode & 0o077] == []
    assert [str(file) for file in files if file.name.endswith(".log") and key in file.read_text()] == []

    home.run("down")
    again = home.run("up", "--detach", *SERVERS, "--only", "gateway")
    assert (again.returncode, key in again.stderr, home.api_key) == (0, False, key)


def test_it_is_open_on_loopback_only_when_asked_and_says_so(home: Home) -> None:
    home.environ["RESHELF_OPEN_ON_LOOPBACK"] = "true"
    started = home.run("up", "--detach", *SERVERS, "--only", "gateway")
    assert "RESHELF_OPEN_ON_LOOPBACK lets every program of this machine in" in started.stderr.replace("\n", " ")
    assert "WARNING: RESHELF_OPEN_ON_LOOPBACK" in home.log("gateway").read_text()
    assert home.api_key is None
    assert httpx.get(f"{home.gateway_url}/v1/popular", trust_env=False).status_code == 200


def test_a_second_up_says_where_the_first_one_is(home: Home) -> None:
    home.run("up", "--detach", *SERVERS)
    for arguments in (("up",), ("up", "--detach")):
        second = home.run(*arguments, *SERVERS)
        assert second.returncode == 1
        assert f"already runs in {home.home} (process {run_file.holder(home.home)})" in second.stderr
        assert "http://127.0.0.1:" in second.stderr
    assert home.status()["state"] == "running"


def test_a_killed_redis_comes_back_with_its_messages(home: Home) -> None:
    home.run("up", "--detach", *SERVERS)
    url = home.settings.broker_url
    assert url is not None
    with Redis.from_url(url) as client:
        client.execute_command("CONFIG", "SET", "appendfsync", "always")
        client.rpush("kept", "message")
    before = home.kill("redis")
    assert within(20, lambda: answers(url))
    assert home.pid("redis") != before
    with Redis.from_url(url) as client:
        assert client.lrange("kept", 0, -1) == [b"message"]


def test_a_killed_postgres_comes_back_with_what_was_committed(home: Home) -> None:
    home.run("up", "--detach", *SERVERS)
    url = home.settings.database_url
    assert url is not None
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS value")
    before = home.kill("postgres")

    def kept() -> bool:
        try:
            with psycopg.connect(url) as connection:
                return connection.execute("SELECT value FROM kept").fetchone() == (7,)
        except psycopg.OperationalError:
            return False

    assert within(30, kept)
    assert home.pid("postgres") != before


@pytest.mark.parametrize("victims", [("pid",), ("supervisor_pid",), ("pid", "supervisor_pid")])
def test_nothing_outlives_a_killed_parent(home: Home, victims: tuple[str, ...]) -> None:
    home.run("up", "--detach", *SERVERS)
    run = json.loads((home.home / "run.json").read_text())
    for victim in victims:
        os.kill(run[victim], signal.SIGKILL)
    assert within(30, lambda: home.left() == []), home.left()
    assert home.run("status").returncode == 3


def test_the_next_up_clears_what_a_crash_left(home: Home) -> None:
    home.run("up", "--detach", *SERVERS)
    run = json.loads((home.home / "run.json").read_text())
    os.kill(run["pid"], signal.SIGKILL)
    os.kill(run["supervisor_pid"], signal.SIGKILL)
    again = home.run("up", "--detach", *SERVERS)
    assert again.returncode == 0, again.stderr
    assert home.status()["state"] == "running"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_foreground_stops_everything(home: Home, number: signal.Signals) -> None:
    up = subprocess.Popen(
        processes.reshelf_command("up", *SERVERS), env=home.environ, stderr=subprocess.PIPE, text=True
    )
    with up:
        assert up.stderr is not None
        assert any("Ctrl-C stops everything" in line for line in up.stderr)
        up.send_signal(number)
        assert up.wait(30) == 0
    assert home.left() == []


def test_taken_ports_are_stepped_around(home: Home) -> None:
    port = server.free_port()
    with server.socket.create_server(("127.0.0.1", port)):
        started = home.run("up", "--detach", *SERVERS, RESHELF_GATEWAY_PORT=str(port))
        assert started.returncode == 0, started.stderr
        assert home.settings.gateway_port == port + 1
        assert f"port {port} is taken: gateway listens on {port + 1}" in (home.home / "logs" / "up.log").read_text()


def test_servers_of_your_own_are_used_and_not_started(home: Home, database_url: str, broker_url: str) -> None:
    started = home.run(
        "up", "--detach", "--only", "beat", RESHELF_DATABASE_URL=database_url, RESHELF_BROKER_URL=broker_url
    )
    assert started.returncode == 0, started.stderr
    assert [process["name"] for process in home.status()["processes"]] == ["beat"]
    assert home.settings.broker_url == broker_url
    assert not (home.home / "postgres").exists()
    assert not (home.home / "redis").exists()


def test_a_database_that_cannot_be_migrated_is_said_and_nothing_is_left(home: Home, broker_url: str) -> None:
    started = home.run(
        "up",
        "--detach",
        "--only",
        "beat",
        RESHELF_DATABASE_URL="postgresql://nobody@127.0.0.1:1/x",
        RESHELF_BROKER_URL=broker_url,
    )
    assert started.returncode == 1
    assert "the database does not answer" in started.stderr
    assert home.left() == []


def test_a_flower_open_to_everybody_is_refused_before_anything_starts(home: Home) -> None:
    started = home.run("up", "--detach", RESHELF_FLOWER_HOST="0.0.0.0")
    assert started.returncode == 1
    assert "RESHELF_FLOWER_BASIC_AUTH" in started.stderr
    assert home.left() == []


def test_everything_is_ready_healthy_and_restarted(home: Home) -> None:
    started = home.run("up", "--detach", "--timeout", "120")
    assert started.returncode == 0, started.stderr
    report = home.status()
    assert report["state"] == "running"
    assert [process["name"] for process in report["processes"]] == list(processes.NAMES)
    assert report["problems"] == []
    for name in processes.NAMES[2:]:
        healthy = home.run("health", name, "--timeout", "60")
        assert healthy.returncode == 0, healthy.stderr

    before = home.kill("worker-recommend")
    assert within(30, lambda: home.pid("worker-recommend") not in (None, before))
    assert within(60, lambda: home.status()["state"] == "running")
    assert home.run("down").returncode == 0
    assert home.left() == []
