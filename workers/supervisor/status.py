"""The data of `reshelf status`, from the supervisor, Redis and the database: whichever of them answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from workers import capabilities, exposure, heartbeat
from workers.settings import Settings
from workers.supervisor import control, processes, run_file
from workers.supervisor.control import Process

RUNNING = "running"
DEGRADED = "degraded"
STOPPED = "stopped"
HUNG = "HUNG"
"""The state of a process that lives and does nothing."""
EXIT_STATUS = {RUNNING: 0, DEGRADED: 1, STOPPED: 3}


@dataclass
class Report:
    """The state of a home folder. What could not be read is None or empty, and `problems` says why."""

    home: str
    gateway: str
    processes: list[Process] = field(default_factory=list)
    queues: dict[str, int] | None = None
    due: list[dict[str, Any]] | None = None
    model: dict[str, Any] | None = None
    search_model: dict[str, Any] | None = None
    fraud_model: dict[str, Any] | None = None
    drift: dict[str, Any] | None = None
    fraud_drift: dict[str, Any] | None = None
    actors: dict[str, Any] | None = None
    dead_letters: dict[str, int] | None = None
    problems: list[str] = field(default_factory=list)

    @property
    def state(self) -> str:
        """`running`, `degraded` (something that should run does not) or `stopped`."""
        if not self.processes:
            return STOPPED
        return RUNNING if all(process.is_up for process in self.processes) else DEGRADED


def gather(settings: Settings) -> Report:
    """Return the report; a part that does not answer becomes a problem, not an exception."""
    report = Report(home=str(settings.home.absolute()), gateway=exposure.gateway_url(settings))
    _ask_supervisor(settings, report)
    if settings.broker_url is not None:
        _ask_redis(settings.broker_url, report)
    if settings.database_url is not None:
        _ask_database(settings.database_url, report)
    return report


def as_dict(report: Report) -> dict[str, Any]:
    """Return the report as JSON values."""
    return {"state": report.state} | asdict(report)


def _ask_supervisor(settings: Settings, report: Report) -> None:
    socket = control.socket_path(settings.home)
    if not run_file.is_held(settings.home):
        left = control.family(socket)
        if left or run_file.read(settings) is not None:
            report.problems.append(f"an earlier run crashed ({len(left)} processes left): `reshelf down` clears up")
        return
    try:
        report.processes = [_judged(settings, one) for one in sorted(control.processes(socket), key=_start_order)]
    except control.Unreachable as error:
        report.problems.append(f"starting or stopping: {error}")


def _judged(settings: Settings, process: Process) -> Process:
    """Return the process with the state `HUNG` where it, or one of its children, has fallen silent."""
    if process.uptime is None:
        return process
    path = heartbeat.file(settings.home, process.name)
    if heartbeat.is_hung(path, process.uptime) or heartbeat.hung_children(settings.home, process.name):
        return replace(process, state=HUNG)
    return process


def _start_order(process: Process) -> int:
    return processes.NAMES.index(process.name)


def _ask_redis(url: str, report: Report) -> None:
    client = Redis.from_url(url, socket_timeout=5, socket_connect_timeout=5)
    try:
        report.queues = {queue: int(client.llen(queue)) for queue in capabilities.QUEUES}
    except RedisError as error:
        report.problems.append(f"Redis: {error}")
    finally:
        client.close()


def _ask_database(url: str, report: Report) -> None:
    from sqlalchemy.exc import SQLAlchemyError

    from storage import dead_letters, due, engine
    from storage.bots import actors
    from storage.fraud import order_labels
    from storage.registry import drift, models

    database = engine.connect(url, pool_size=1)
    try:
        with database.connect() as connection:
            report.due = [asdict(backlog) for backlog in due.summary(connection)]
            report.dead_letters = dict(dead_letters.count(connection))
            report.model = _values(models.live(connection))
            report.search_model = _values(models.live(connection, models.SEARCH))
            detector = models.live(connection, models.FRAUD)
            if detector is not None:
                labelled = order_labels.received_since(connection, detector.learnt_through)
                report.fraud_model = dict(detector._mapping) | {"labelled_since": labelled}
            report.drift = _values(drift.latest(connection))
            report.fraud_drift = _values(drift.latest(connection, models.FRAUD))
            report.actors = asdict(actors.summary(connection))
    except SQLAlchemyError as error:
        # The first line has the error; the rest is the statement.
        report.problems.append(f"database: {str(error).splitlines()[0]}")
    finally:
        database.dispose()


def _values(row: Any) -> dict[str, Any] | None:
    """Return a database row or a dataclass as a plain mapping."""
    if row is None:
        return None
    mapping: Mapping[str, Any] = row._mapping if hasattr(row, "_mapping") else asdict(row)
    return dict(mapping)
