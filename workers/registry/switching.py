"""Switching: another version serves from one commit on."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from storage.recommend import transitions
from storage.registry import models, training

_ATTEMPTS = 5
_DEADLOCK = "40P01"


class Overtaken(RuntimeError):
    """Another version serves by now than the one that the candidate was compared with."""


def switch(
    engine: Engine, version: str, *, why: str = models.PUBLISHED, instead_of: Sequence[str | None] | None = None
) -> str | None:
    """Let the version serve, and return the one that served before.

    One that recommends makes every shopper and item due. What was counted for the one before is forgotten; the refresh
    of each shopper counts what is new to this one. Raises `UnknownVersion`, and `Overtaken` where another serves than
    `instead_of` allows.
    """
    for left in reversed(range(_ATTEMPTS)):
        try:
            with engine.begin() as connection:
                return _switch(connection, version, why, instead_of)
        except OperationalError as error:
            # Intake may take rows that are due in another order. It tries again, too.
            if getattr(error.orig, "sqlstate", None) != _DEADLOCK or not left:
                raise
    raise AssertionError(f"{_ATTEMPTS} attempts ended neither way")


def _switch(connection: Connection, version: str, why: str, instead_of: Sequence[str | None] | None) -> str | None:
    capability = version.partition("-")[0]
    before = models.locked(connection, capability)
    if instead_of is not None and before not in instead_of:
        raise Overtaken(
            f"{version} was tested against {instead_of[0] or 'no live version'}, but {before} serves by now: "
            f"`reshelf models promote {version}` lets it serve"
        )
    models.switch(connection, version, why=why)
    if capability == models.RECOMMEND:
        transitions.clear(connection)  # after the switch, which waits for those who count
        training.mark_items(connection)
        training.mark_shoppers(connection)
    return before
