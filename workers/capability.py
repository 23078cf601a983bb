"""A capability, declared: what the shared parts have to know of it. They derive the rest.

A declaration imports nothing of the capability but its names, so that everybody can read all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from workers.settings import Settings


def always(_: Settings) -> bool:
    """Return that something is wanted whatever the settings say."""
    return True


class Ring(NamedTuple):
    """What is sent for a due kind: the name of a task, and its queue."""

    task: str
    queue: str


@dataclass(frozen=True)
class Worker:
    """A worker process: what it takes, with how many threads or processes, and how it stands beside the others.

    `bounded`: it stays within the share of cores and memory that the settings leave to trainings. `on_host`: it leaves
    the accelerator to others. `alone`: its arithmetic is done by one thread. `reads`: it reads the data messages, too.
    `yields`: its tasks are halted while shoppers wait.
    """

    name: str
    queues: tuple[str, ...]
    pool: str
    concurrency: int
    niceness: int = 0
    bounded: bool = False
    on_host: bool = False
    alone: bool = False
    reads: bool = False
    yields: bool = False


@dataclass(frozen=True)
class Beat:
    """A task that the clock sends every so many seconds; it is worth nothing after `expires` more."""

    task: str
    every: Callable[[Settings], float]
    expires: int

    def entry(self, settings: Settings) -> dict[str, Any]:
        """Return it as Celery's beat takes it."""
        return {"task": self.task, "schedule": self.every(settings), "options": {"expires": self.expires}}


@dataclass(frozen=True)
class Capability:
    """One capability.

    `tasks` are its modules of Celery tasks; `queues` says for the name of a task, or a pattern that ends in `*`, which
    queue it goes to; `rings` which task is sent where something of a kind is due; `workers` are its own processes, and
    `hosted` says which of its queues the process of another capability takes; `beats` has a name for each; `gauges`
    names functions, `module:function`, that get a connection every time what is due is looked at, and set its gauges.
    """

    name: str
    tasks: tuple[str, ...] = ()
    queues: Mapping[str, str] = field(default_factory=dict)
    rings: Mapping[str, str] = field(default_factory=dict)
    workers: tuple[Worker, ...] = ()
    hosted: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    beats: Mapping[str, Beat] = field(default_factory=dict)
    gauges: tuple[str, ...] = ()
    is_on: Callable[[Settings], bool] = always


def seconds(count: float) -> Callable[[Settings], float]:
    """Return an interval that no setting changes."""
    return lambda _: count


def queue_of(task: str, routes: Mapping[str, Mapping[str, str]]) -> str | None:
    """Return the queue of a task by its name, None where no route (a name, or a pattern that ends in `*`) is for it."""
    route = routes.get(task) or next(
        (route for name, route in routes.items() if name.endswith("*") and task.startswith(name[:-1])), None
    )
    return None if route is None else route["queue"]
