"""Start and stop experiments: one transaction each, which marks due the shoppers who get another shelf."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError

from storage.experiment import experiments
from storage.experiment.experiments import Experiment
from storage.registry import models
from workers.experiment import plan, report
from workers.experiment.plan import Refused
from workers.experiment.report import Report

BY_HAND = "stopped by hand"


def start(engine: Engine, asked: Experiment) -> int:
    """Start the experiment, and return how many shoppers are due for another model. Raises `Refused`."""
    with _starting(engine) as connection:
        return _begin(connection, asked)


def canary(engine: Engine, version: str, share: float) -> tuple[Experiment, int]:
    """Give the version a share of the shoppers; return the experiment, and how many shoppers are due.

    A running canary of this version is stopped first: its figures end, its shoppers stay. Raises `Refused`.
    """
    with _starting(engine) as connection:
        asked = _next_canary(connection, version, share)
        marked = _make_way(connection, asked)
        return asked, max(marked, _begin(connection, asked))


def stop(engine: Engine, name: str, because: str = BY_HAND) -> int:
    """Stop the experiment, and return how many shoppers go back to the live model. Raises `Refused`."""
    with engine.begin() as connection:
        stopped = experiments.stop(connection, name, because)
        if stopped is None:
            known = _named(connection, name)
            raise Refused("name", f"{name} does not run: {known.stopped_because}", "there is nothing to stop")
        return experiments.mark(connection, stopped)


def reported(connection: Connection, name: str) -> Report:
    """Return the report of the experiment so far. Raises `Refused`."""
    experiment = _named(connection, name)
    return report.build(experiment, experiments.outcomes(connection, experiment))


@contextmanager
def _starting(engine: Engine) -> Iterator[Connection]:
    """Open the transaction that starts an experiment; if another one starts first, this one is refused."""
    try:
        with engine.begin() as connection:
            yield connection
    except IntegrityError as error:
        with engine.connect() as connection:
            quicker = experiments.running(connection)
        raise _runs(quicker.name if quicker is not None else "another experiment") from error


def _begin(connection: Connection, asked: Experiment) -> int:
    current = experiments.running(connection)
    if current is not None:
        raise _runs(current.name)
    if experiments.named(connection, asked.name) is not None:
        raise Refused("name", f"there was an experiment {asked.name} before", "choose another name")
    known = [row.version for row in models.versions(connection, models.RECOMMEND) if row.forgotten_at is None]
    for version in asked.versions:
        if version not in known:
            registered = ", ".join(known) or "none: `reshelf train` makes one"
            raise Refused("arm", f"there is no model version {version!r}", f"registered are {registered}")
    live = models.live(connection)
    if asked.canary and live is not None and live.version in asked.versions:
        raise Refused("version", f"{live.version} is live and serves everyone", "try one that is not")
    experiments.start(connection, asked)
    return experiments.mark(connection, asked)


def _next_canary(connection: Connection, version: str, share: float) -> Experiment:
    taken = {one.name for one in experiments.every(connection)}
    numbered = (plan.canary(version, share, number=number) for number in itertools.count(1))
    return next(one for one in numbered if one.name not in taken)


def _make_way(connection: Connection, asked: Experiment) -> int:
    """Stop a running canary of the same version; return how many shoppers it had."""
    current = experiments.running(connection)
    if current is None or not current.canary or current.versions != asked.versions:
        return 0
    experiments.stop(connection, current.name, f"{asked.name} goes on with a share of {asked.arms[-1].share:g}")
    return experiments.mark(connection, current)


def _named(connection: Connection, name: str) -> Experiment:
    found = experiments.named(connection, name)
    if found is None:
        known = ", ".join(one.name for one in experiments.every(connection)) or "none"
        raise Refused("name", f"there is no experiment {name!r}", f"known are {known}")
    return found


def _runs(name: str) -> Refused:
    return Refused("name", f"{name} runs, and a shopper is in one at a time", f"first `reshelf experiment stop {name}`")
