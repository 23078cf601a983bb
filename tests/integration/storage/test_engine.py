"""Engines: what an error says of a statement."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError


def test_an_error_does_not_say_what_was_bound(database: Engine) -> None:
    with pytest.raises(DBAPIError) as failed, database.connect() as connection:
        connection.execute(text("SELECT :ip FROM nowhere"), {"ip": "192.0.2.7"})
    assert "nowhere" in str(failed.value)
    assert "192.0.2.7" not in str(failed.value)
