"""The declaration of a capability: what the shared parts have to know about it. They derive the rest.

A declaration imports only names from the capability, so that every process can read all declarations cheaply.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from workers.settings import Settings


def always(_: Settings) -> bool:
    """Return True: enabled whatever the settings say."""
    return True


class Ring(NamedTuple):
    """What is sent for a due kind: the name of a task, and its queue."""

    task: str
    queue: str


@dataclass(frozen=True)
class Worker:
    """A worker process: its queues, its number of threads or processes, and how it shares the machine with the others.

    `bounded`: it stays within the share of cores and memory that the settings allow for training. `on_host`: it leaves
    the accelerator to others. `alone`: its arithmetic uses one thread. `reads`: it also reads the data messages.
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
    """A task that beat sends every so many seconds; a message older than `expires` seconds is dropped."""

    task: str
    every: Callable[[Settings], float]
    expires: int

    def entry(self, settings: Settings) -> dict[str, Any]:
        """Return it in Celery's format for beat."""
        return {"task": self.task, "schedule": self.every(settings), "options": {"expires": self.expires}}


@dataclass(frozen=True)
class Capability:
    """One capability.

    `tasks` are its modules of Celery tasks. `queues` maps the name of a task, or a pattern that ends in `*`, to its
    queue. `rings` maps a due kind to the task that is sent when something of it is due. `workers` are its own
    processes; `hosted` says which of its queues are read by the process of another capability. `beats` are its periodic
    tasks by name. `gauges` names functions (`module:function`) that get a connection whenever the backlog is measured,
    and set its gauges.
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
    """Return an interval that does not depend on the settings."""
    return lambda _: count


def queue_of(task: str, routes: Mapping[str, Mapping[str, str]]) -> str | None:
    """Return the queue of a task by its name, None if no route (a name, or a pattern that ends in `*`) matches."""
    route = routes.get(task) or next(
        (route for name, route in routes.items() if name.endswith("*") and task.startswith(name[:-1])), None
    )
    return None if route is None else route["queue"]
