"""Phone numbers in one form: E.164 where the country is known, by the number itself or beside it, else the digits."""

from __future__ import annotations

import re
import unicodedata

import phonenumbers

from workers.canonical.errors import unreadable

WANTED = "phone number: send it with its country, such as +49 170 1234567"

_LEAST_DIGITS = 4
_MOST_DIGITS = 20
_ABROAD = re.compile(r"^(?:tel:)?\s*\+?\s*00\s*(?=[1-9])", re.IGNORECASE)


def canonical(text: str, country: str | None = None) -> str:
    """Return the number as +, country and number. `country` (ISO 3166) is that of a number without one.

    Extensions are left out. A number of which no country is known is its digits. Raises `Unreadable`.
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    digits = _digits(plain)
    attempts = [(_ABROAD.sub("+", plain), None), (f"+{digits}", None), (plain, country), (digits, country)]
    if not _has_code(digits, country):
        del attempts[1]
    if digits[:2] == "00":
        attempts.append((f"+{digits[2:]}", None))
    for given, region in attempts:
        if (found := _parsed(given, region)) is not None:
            return found
    if not _LEAST_DIGITS <= len(digits) <= _MOST_DIGITS:
        raise unreadable(text, WANTED)
    return digits


def _parsed(text: str, region: str | None) -> str | None:
    """Return a number in E.164, None where it is none, or of no known country."""
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    is_number = phonenumbers.is_valid_number(number) or (region is None and phonenumbers.is_possible_number(number))
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) if is_number else None


def _has_code(digits: str, country: str | None) -> bool:
    """Return whether the digits begin with the country's own code, and are a number of it with that."""
    code = phonenumbers.country_code_for_region(country or "")
    if not code or not digits.startswith(str(code)):
        return False
    return phonenumbers.is_valid_number(phonenumbers.PhoneNumber(code, int(digits[len(str(code)) :] or "0")))


def _digits(text: str) -> str:
    return "".join(str(unicodedata.digit(letter)) for letter in text if unicodedata.digit(letter, None) is not None)
