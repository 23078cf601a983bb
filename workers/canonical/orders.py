"""An order's keys in the one form in which they are counted, digested, compared and blocked.

A field that cannot be read is left out, and said: whoever waits for a decision gets one without it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from reshelf import currencies, fields
from storage.fraud.orders import UNREAD
from workers.canonical import addresses, countries, emails, phones

# An id that is the e-mail address or the phone number of whom it stands for.
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]{2,}")
_PHONE = re.compile(r"\+[\d\s().-]{7,}")


def identity(text: str) -> str:
    """Return the one form of an id. One that is an e-mail address or a phone number with + has the form of those."""
    text = fields.identity(text)
    try:
        if _EMAIL.fullmatch(text):
            return emails.canonical(text)
        if _PHONE.fullmatch(text):
            return phones.canonical(text)
    except ValueError:
        pass  # it only looks like one
    return text


_FORMS: Mapping[str, Callable[[str], str]] = {
    "customer_id": identity,
    "payment_id": identity,
    "address_id": identity,
    "ip": addresses.canonical,
    "email": emails.canonical,
    "shipping_country": countries.canonical,
    "billing_country": countries.canonical,
}


def unified(message: Mapping[str, Any], unread: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return an order's message (JSON) with its keys in one form.

    What cannot be read is not in it, and stands in `UNREAD` with the reason, as does what `unread` brings along.
    """
    found, missed = dict(message), {**message.get(UNREAD, {}), **(unread or {})}
    for name, form in _FORMS.items():
        _unify(found, missed, name, form)
    country = found.get("shipping_country") or found.get("billing_country")
    _unify(found, missed, "phone", lambda text: phones.canonical(text, country))
    _unify(found, missed, "currency", lambda text: currencies.canonical(text, country))
    return found | {UNREAD: missed} if missed else found


def form(field: str, text: str) -> str:
    """Return a value that an operator typed for a field of an order in the one form. Raises `ValueError`."""
    if field == "currency":
        return currencies.canonical(text)
    if field == "phone":
        return phones.canonical(text)
    return _FORMS.get(field, fields.identity)(text)


def _unify(message: dict[str, Any], missed: dict[str, str], name: str, form: Callable[[str], str]) -> None:
    text = message.get(name)
    if text is None:
        return
    try:
        message[name] = form(text)
    except ValueError as error:
        del message[name]
        missed[name] = str(error)
