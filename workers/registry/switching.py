"""Switching: make another version live, with one commit."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from storage.recommend import transitions
from storage.registry import models, training

_ATTEMPTS = 5
_DEADLOCK = "40P01"


class Overtaken(RuntimeError):
    """Another version is live by now than the one that the candidate was compared with."""


def switch(
    engine: Engine, version: str, *, why: str = models.PUBLISHED, instead_of: Sequence[str | None] | None = None
) -> str | None:
    """Make the version live, and return the one that was live before.

    A recommender makes every shopper and item due. The counts of the previous version are deleted; the refresh of each
    shopper counts what is new to this one. Raises `UnknownVersion`, and `Overtaken` if a version is live that
    `instead_of` does not allow.
    """
    for left in reversed(range(_ATTEMPTS)):
        try:
            with engine.begin() as connection:
                return _switch(connection, version, why, instead_of)
        except OperationalError as error:
            # Intake may lock due rows in another order. It retries, too.
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
        transitions.clear(connection)  # after the switch, which waits for transactions that count
        training.mark_items(connection)
        training.mark_shoppers(connection)
    return before
