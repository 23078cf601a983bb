"""The registry and its pointer: what served when, and the way back."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine

from storage.registry import models

ONE, TWO, THREE = (f"recommend-2026010{n}T000000-00000{n}" for n in (1, 2, 3))


@pytest.fixture
def registered(database: Engine) -> Engine:
    """A database with three versions, of which none serves."""
    with database.begin() as connection:
        for version in (ONE, TWO, THREE):
            models.register(connection, version, config={"dim": 16}, metrics={}, parent=None)
    return database


def test_what_is_registered_comes_back(database: Engine) -> None:
    since, through = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    origin = {"parent": TWO, "learnt_from": since, "learnt_through": through, "code": "0.1.0", "digest": "abc"}
    gate = {"passed": False, "reasons": ["constant scores"]}
    with database.begin() as connection:
        models.register(connection, ONE, config={}, metrics={"x": 1}, how=models.INCREMENTAL, gate=gate, **origin)  # type: ignore[arg-type]
        models.register(connection, TWO, config={}, metrics={})
        kept, plain = (models.get(connection, version) for version in (ONE, TWO))
    assert {name: kept._mapping[name] for name in origin} == origin
    assert (kept.how, kept.gate, kept.metrics) == ("incremental", gate, {"x": 1})
    assert (plain.how, plain.gate, plain.digest, plain.forgotten_at) == ("full", None, None, None)


def test_the_history_of_the_pointer(registered: Engine) -> None:
    for version, why in ((ONE, models.PUBLISHED), (TWO, models.PROMOTED), (TWO, models.PROMOTED), (ONE, models.FORCED)):
        with registered.begin() as connection:
            models.switch(connection, version, why=why)
    with registered.connect() as connection:
        history = [(row.version, row.previous, row.why) for row in models.switches(connection)]
    assert history == [(ONE, TWO, "forced"), (TWO, ONE, "promoted"), (ONE, None, "published")]


def test_two_rollbacks_go_two_back(registered: Engine) -> None:
    with registered.begin() as connection:
        for version in (ONE, TWO, THREE):
            models.switch(connection, version)
        for expected in (TWO, ONE):
            live = models.live(connection)
            assert live is not None
            before = models.served_before(connection, live.version)
            assert before == expected
            models.switch(connection, expected, why=models.ROLLED_BACK)
        assert models.served_before(connection, ONE) is None


def test_a_version_whose_weights_are_gone_cannot_serve(registered: Engine) -> None:
    with registered.begin() as connection:
        models.switch(connection, ONE)
        models.forget(connection, TWO)
        with pytest.raises(models.UnknownVersion, match=rf"the weights of {TWO} were deleted; registered are: {THREE}"):
            models.switch(connection, TWO)
        assert models.locked(connection) == ONE


def test_whoever_deletes_keeps_the_pointer_and_lets_others_count(registered: Engine) -> None:
    with registered.begin() as connection:
        models.switch(connection, ONE)
    with registered.connect() as deleting, registered.connect() as other:
        assert models.locked(deleting, share=True) == ONE
        assert models.hold(other, ONE) is not None
        other.rollback()
        other.exec_driver_sql("SET lock_timeout = '100ms'")
        other.commit()
        with pytest.raises(Exception, match="lock timeout"):
            models.switch(other, TWO)
