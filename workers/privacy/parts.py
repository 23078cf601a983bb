"""The erased as each process knows them, one for each engine: what writes through an engine follows it there."""

from __future__ import annotations

from functools import partial
from weakref import WeakKeyDictionary

from sqlalchemy import Engine

from storage.privacy.erased import Erased
from workers.privacy import secret
from workers.settings import Settings

_known: WeakKeyDictionary[Engine, Erased] = WeakKeyDictionary()


def erased(engine: Engine, settings: Settings) -> Erased:
    """Return the erased of this database; the caller has to `follow` in its transaction."""
    return _known.setdefault(engine, Erased(partial(secret.load, settings)))
