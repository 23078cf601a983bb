"""What stands beside a price: codes of ISO 4217, symbols, and words."""

from __future__ import annotations

import polars as pl

from reshelf import currencies

CODES = currencies.CODES | currencies.WITHDRAWN
"""Codes that files may have: old ones, too."""
WITH_MILLS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})
"""Currencies with three decimals. In the others, `1.299` and `1,299` are a thousand and more."""

_AMBIGUOUS: dict[str, tuple[str | None, str]] = {
    "$": ("USD", "USD or another dollar"),
    "£": ("GBP", "GBP or another pound"),
    "¥": (None, "JPY or CNY"),
    "kr": (None, "SEK, NOK or DKK"),
    "rs": (None, "INR, PKR or LKR"),
}
"""Symbols of several currencies: the one that is taken, if any, and what they may be."""

_SYMBOLS = {
    "€": "EUR", "₹": "INR", "₽": "RUB", "₺": "TRY", "₴": "UAH", "₩": "KRW", "₪": "ILS", "₫": "VND", "đ": "VND",
    "฿": "THB", "₱": "PHP", "₦": "NGN", "₸": "KZT", "₲": "PYG", "₡": "CRC", "₵": "GHS", "₭": "LAK", "₮": "MNT",
    "₾": "GEL", "₼": "AZN", "元": "CNY", "円": "JPY", "원": "KRW", "人民币": "CNY", "rmb": "CNY", "euro": "EUR",
    "euros": "EUR", "zł": "PLN", "kč": "CZK", "ft": "HUF", "lei": "RON", "лв": "BGN", "руб": "RUB", "грн": "UAH",
    "tl": "TRY", "r$": "BRL", "us$": "USD", "us $": "USD", "a$": "AUD", "au$": "AUD", "c$": "CAD", "ca$": "CAD",
    "hk$": "HKD", "nt$": "TWD", "s$": "SGD", "nz$": "NZD", "mx$": "MXN", "cn¥": "CNY", "jp¥": "JPY", "fr": "CHF",
    "sfr": "CHF", "rp": "IDR", "rm": "MYR", "s/": "PEN", "ر.س": "SAR", "د.إ": "AED", "ج.م": "EGP", "ریال": "IRR",
    "円(税込)": "JPY", "円(税抜)": "JPY",
}  # fmt: skip


def named(text: str) -> str | None:
    """Return the ISO code, or the ambiguous symbol, that a text beside a number is; None where it is no currency."""
    word = text.strip().rstrip(".").strip()
    if word.upper() in CODES:
        return word.upper()
    low = word.casefold()
    return low if low in _AMBIGUOUS else _SYMBOLS.get(low)


def settled(named: pl.Series, *, has_cents: bool, asked: str | None) -> tuple[pl.Series, tuple[str, ...]]:
    """Return the codes that a column of codes and symbols stands for, and what was assumed.

    An ambiguous symbol is what was asked for, or the currency that it mostly means; `¥` with cents is CNY. Where there
    is none, the currency stays open.
    """
    symbols = [symbol for symbol in _AMBIGUOUS if (named == symbol).any()]
    taken = {symbol: asked or ("CNY" if symbol == "¥" and has_cents else _AMBIGUOUS[symbol][0]) for symbol in symbols}
    codes = named.replace(list(taken), pl.Series(list(taken.values()), dtype=pl.String)) if taken else named
    return codes, tuple(_note(symbol, code) for symbol, code in taken.items() if asked is None)


def _note(symbol: str, code: str | None) -> str:
    what = f"was taken for {code}" if code else "was left without a currency"
    return f"{symbol} {what}: it may be {_AMBIGUOUS[symbol][1]}; --currency says which"
