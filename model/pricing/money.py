"""Prices in whole minor units (cents), so that sums and endings are exact.

A price ending is written as shoppers see it: ".99" is any price whose part after the point is 99 cents, "8" any price
whose last whole digit is 8 and that has no cents, "95.00" any price that ends in 95.00.
"""

from __future__ import annotations

from dataclasses import dataclass

from model.errors import ConfigError

WITHOUT_MINOR = frozenset(
    {"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"}
)
"""ISO 4217 currencies that have no minor unit. The others are counted in hundredths here."""


@dataclass(frozen=True)
class Ending:
    """Prices that leave `rest` when divided by `modulus`; both in minor units."""

    rest: int
    modulus: int


def minor_units(currency: str | None) -> int:
    """Return how many minor units one unit of the currency has: 1 or 100."""
    return 1 if currency in WITHOUT_MINOR else 100


def to_minor(amount: float, currency: str | None = None) -> int:
    """Return an amount of money in minor units, rounded to the nearest."""
    return round(amount * minor_units(currency))


def from_minor(amount: int, currency: str | None = None) -> float:
    """Return an amount in minor units as money."""
    return amount / minor_units(currency)


def ending(text: str, currency: str | None = None) -> Ending:
    """Return the ending that `text` writes. Raises ConfigError for a text that is no ending of a price."""
    whole, point, cents = text.partition(".")
    unit = minor_units(currency)
    is_number = (whole + cents).isascii() and (whole + cents).isdigit()
    if not is_number or (point and (len(cents) != 2 or unit == 1)) or len(whole) > 6:
        raise ConfigError(f'{text!r} is no price ending; write one as ".99", "8" or "95.00"')
    rest = int(whole or 0) * unit + int(cents or 0)
    return Ending(rest, unit * 10 ** len(whole))
