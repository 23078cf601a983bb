"""What a person may say of a file where its content does not decide."""

from __future__ import annotations

from typing import NamedTuple

AMBIGUOUS_TIME = "ambiguous date: give --day-first or --month-first"
AMBIGUOUS_NUMBER = "ambiguous number: give --decimal-comma or --decimal-point"
"""Reasons under which lines are left out that an option would keep."""


class Options(NamedTuple):
    """Each is None where the file itself is to decide."""

    encoding: str | None = None
    """A Python codec, such as `gb18030`."""
    is_day_first: bool | None = None
    """Whether `05/06/2026` is the 5th of June."""
    is_decimal_comma: bool | None = None
    """Whether `1,299` is a little more than one, and `1.299` a thousand and more."""
    currency: str | None = None
    """What `$`, `¥` and `kr` stand for: an ISO 4217 code."""


NONE = Options()
