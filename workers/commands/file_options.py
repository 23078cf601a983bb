"""What a person may say of files where their content does not decide, as options of every command that reads them."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from workers.load.options import Options


def taken(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options to a command, which gets them as the one argument `said`."""

    @wraps(command)
    def packed(
        *args: Any,
        encoding: str | None,
        day_first: bool | None,
        decimal_comma: bool | None,
        currency: str | None,
        **named: Any,
    ) -> None:
        command(*args, said=Options(encoding, day_first, decimal_comma, _currency(currency)), **named)

    wrapped: Callable[..., None] = packed
    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped


_OPTIONS = (
    click.option("--encoding", help="The encoding of a CSV file, such as gb18030, where its bytes say too little."),
    click.option(
        "--day-first/--month-first", default=None, help="What comes first in 05/06/2026, where no date shows it."
    ),
    click.option(
        "--decimal-comma/--decimal-point", default=None, help="How 1,299 and 1.299 are meant, where no number shows it."
    ),
    click.option("--currency", help="What $, ¥ or kr stand for, as an ISO 4217 code."),
)


def _currency(code: str | None) -> str | None:
    from workers.load.values import currencies

    if code is not None and code.upper() not in currencies.CODES:
        raise click.BadParameter(f"{code!r} is no currency: give an ISO 4217 code such as EUR", param_hint="--currency")
    return code and code.upper()
