"""The database connection of a command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from workers.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Engine


@contextmanager
def connected(settings: Settings, *mistakes: type[Exception]) -> Iterator[Engine]:
    """Yield the database for a block; one of `mistakes`, or no answer, ends the command with one line."""
    from sqlalchemy.exc import OperationalError

    from storage import engine as engines
    from workers.runtime import bootstrap

    engine = engines.connect(bootstrap.required(settings.database_url, "RESHELF_DATABASE_URL"))
    try:
        yield engine
    except mistakes as error:
        raise click.ClickException(str(error)) from error
    except OperationalError as error:
        raise click.ClickException(f"the database does not answer: {error.orig}") from error
    finally:
        engine.dispose()
