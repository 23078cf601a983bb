"""Kills intake workers again and again while messages are sent, and counts the rows: `make faults`.

Real workers on servers of their own. Half of a run's messages go to the queue of intake, which is read in batches; the
other half to the queue `runtime`, from which a Celery consumer takes them one by one and passes them on to intake. It
prints a table and, as its last line, one JSON object. The same seed sends and kills in the same order.
"""

from __future__ import annotations

import argparse
import json
import random
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from redis import Redis

from reshelf import client, tasks
from storage import engine, migrate
from storage.embedded import servers
from tests.support import stack as stacks
from tests.support.stack import Stack
from workers.intake import messages
from workers.runtime import unacknowledged

QUEUES = (tasks.INTAKE_QUEUE, tasks.RUNTIME_QUEUE)
_PATIENCE = 90.0
_LATEST_KILL = 0.4


@dataclass(frozen=True)
class Plan:
    """`kills` of workers while `messages` of one event each are sent; `workers` run at a time."""

    seed: int
    kills: int
    messages: int
    workers: int = 2


@dataclass
class Outcome:
    """What became of it; times are seconds until the rows of what a killed worker had in hand were there."""

    kills: int = 0
    in_hand: int = 0
    waits: list[float] = field(default_factory=list)
    sent: int = 0
    rows: int = 0
    lost: int = 0
    doubled: int = 0
    letters: int = 0
    seconds: float = 0.0

    def figures(self, plan: Plan) -> dict[str, Any]:
        """Return the figures that are printed."""
        p50, p99, most = np.percentile(self.waits or [0.0], [50, 99, 100], method="inverted_cdf").round(2).tolist()
        waits = {"wait_p50_s": p50, "wait_p99_s": p99, "wait_max_s": most}
        counts = {name: value for name, value in vars(self).items() if name not in ("waits", "seconds")}
        return {"seed": plan.seed, **counts, **waits, "seconds": round(self.seconds, 1)}


class Killing:
    """One run, on stacks that each run one worker."""

    def __init__(self, plan: Plan, workers: Sequence[Stack]) -> None:
        self._plan = plan
        self._workers = workers
        self._draw = random.Random(plan.seed)
        self._redis: Any = Redis.from_url(str(workers[0].settings.broker_url))
        self._sender = client.sender(str(workers[0].settings.broker_url))
        self._waiting: list[tuple[float, set[str]]] = []
        self._stopped = threading.Event()
        self.outcome = Outcome()

    def run(self) -> Outcome:
        """Send, kill, wait until everything is there, and count."""
        start = time.monotonic()
        for worker in self._workers:
            worker.start("intake", "worker", "intake")
        watching = threading.Thread(target=self._watch)
        watching.start()
        for kill in range(self._plan.kills):
            worker = self._workers[kill % len(self._workers)]
            self._until(lambda worker=worker: self._is_ready(worker), "a worker that reads")
            self._kill_while_sending(worker, self._share(kill))
        self._until(self._is_done, "all rows", fails=False)
        self._stopped.set()
        watching.join()
        self._count()
        self.outcome.seconds = time.monotonic() - start
        self._sender.close()
        self._redis.close()
        return self.outcome

    def _share(self, kill: int) -> range:
        """Return the numbers of the messages that are sent around one kill."""
        total, kills = self._plan.messages, self._plan.kills
        return range(total * kill // kills, total * (kill + 1) // kills)

    def _kill_while_sending(self, worker: Stack, numbers: range) -> None:
        queues = [self._draw.choice(QUEUES) for _ in numbers]
        sending = threading.Thread(target=self._send, args=(numbers, queues))
        sending.start()
        time.sleep(self._draw.uniform(0, _LATEST_KILL))
        pid = worker.processes["intake"].pid
        before = set(self._redis.hkeys(unacknowledged.KEYS["unacked_key"]))
        worker.kill("intake")
        held = self._in_hand(pid, before)
        self.outcome.kills += 1
        self.outcome.in_hand += bool(held)
        if held:
            self._waiting.append((time.monotonic(), held))
        worker.start("intake", "worker", "intake")
        sending.join()

    def _send(self, numbers: Sequence[int], queues: Sequence[str]) -> None:
        for number, queue in zip(numbers, queues, strict=True):
            event = {"event_id": _name(number), "kind": "view", "at": "2026-03-01T12:00:00Z", "user_id": "u"}
            self._sender.send_task(tasks.EVENTS, args=[[event | {"item_id": f"item-{number % 50}"}]], queue=queue)
            self.outcome.sent += 1

    def _in_hand(self, pid: int, unacked: set[bytes]) -> set[str]:
        """Return the events that the killed worker had taken, and what all had taken from `runtime` by then."""
        raws = self._redis.lrange(f"reshelf:intake:hand:{socket.gethostname()}:{pid}", 0, -1)
        noted = [self._redis.hget(unacknowledged.KEYS["unacked_key"], tag) for tag in unacked]
        raws += [json.dumps(json.loads(note)[0]).encode() for note in noted if note]
        return {message.argument[0]["event_id"] for raw in raws if (message := messages.read(raw)).task == tasks.EVENTS}

    def _is_ready(self, worker: Stack) -> bool:
        pid = worker.processes["intake"].pid
        return bool(self._redis.exists(f"reshelf:intake:alive:{socket.gethostname()}:{pid}"))

    def _is_done(self) -> bool:
        return self._rows()[0] >= self._plan.messages and not self._waiting

    def _rows(self) -> tuple[Any, ...]:
        return self._workers[0].query("SELECT count(*), count(DISTINCT event_id) FROM events")[0]

    def _watch(self) -> None:
        """Note when the rows of what killed workers had in hand are there."""
        while not self._stopped.wait(0.25):
            for entry in list(self._waiting):
                at, held = entry
                sql = "SELECT count(DISTINCT event_id) FROM events WHERE event_id = ANY(:held)"
                if self._workers[0].query(sql, held=list(held)) == [(len(held),)]:
                    self.outcome.waits.append(time.monotonic() - at)
                    self._waiting.remove(entry)

    def _count(self) -> None:
        rows, unique = self._rows()
        letters = self._workers[0].query("SELECT count(*) FROM dead_letters")[0][0]
        outcome = self.outcome
        outcome.rows, outcome.letters = rows, letters
        outcome.lost, outcome.doubled = outcome.sent - unique, rows - unique

    def _until(self, condition: Any, what: str, *, fails: bool = True) -> None:
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end:
            if condition():
                return
            time.sleep(0.1)
        if fails:
            raise AssertionError(f"not within {_PATIENCE:.0f} s: {what}")


def _name(number: int) -> str:
    return f"killing-{number}"


@contextmanager
def prepared(home: Path, database_url: str, broker_url: str, workers: int) -> Iterator[list[Stack]]:
    """Yield stacks that run nothing yet, each with a folder of its own, and stop them at the end."""
    database = engine.connect(database_url)
    made = []
    for n in range(workers):
        folder = home / f"worker-{n}"
        folder.mkdir()
        made.append(Stack(stacks.settings_for(folder, database_url, broker_url), database))
    try:
        yield made
    finally:
        for stack in made:
            stack.stop()
        database.dispose()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run on embedded servers; return 1 if anything was lost or doubled."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    plan = Plan(given.seed, given.kills, given.messages)
    with tempfile.TemporaryDirectory(prefix="reshelf-faults-") as home, servers.running(Path(home)) as running:
        migrate.upgrade(running.database)
        with prepared(Path(home), running.database, running.broker, plan.workers) as workers:
            figures = Killing(plan, workers).run().figures(plan)
    table = "".join(f"{name:>12}  {value}\n" for name, value in figures.items())
    sys.stdout.write(table + json.dumps(figures) + "\n")
    return int(bool(figures["lost"] or figures["doubled"] or figures["letters"]))


if __name__ == "__main__":
    sys.exit(main())
