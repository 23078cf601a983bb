"""Orders to be screened for fraud, and labels: what the shop learns about an order later, often after weeks."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

import msgspec

from reshelf import fields
from reshelf.catalogue import Currency, Money
from reshelf.fields import Id, Time

VERSION = 1

Country = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
Contact = Annotated[str, msgspec.Meta(min_length=1, max_length=320)]
LabelKind = Literal["chargeback", "confirmed_fraud", "cleared"]
LABEL_KINDS: tuple[str, ...] = get_args(LabelKind)

CARD_NUMBER = "is the number of a card: send a fingerprint of it"
"""Why an order is refused that names one: it must neither be kept nor overlooked."""

# The shortest and the longest number of a payment card (ISO/IEC 7812).
_CARD_DIGITS = range(13, 20)
_IDS = ("order_id", "customer_id", "payment_id", "device_id", "address_id", "terminal_id")


class Line(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One line of an order."""

    item_id: Id
    quantity: Annotated[float, msgspec.Meta(gt=0, le=1e9)] = 1.0
    price: Money | None = None
    """The price of one piece, in the order's currency."""

    def __post_init__(self) -> None:
        fields.unify(self, ("item_id",))


class Order(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One order, as it stands when the shop asks whether to take it. There is one decision for an `order_id`.

    Address, e-mail, phone, countries and currency may be spelled in any way: the server brings them into one form, and
    screens the order without one that cannot be read.
    """

    order_id: Id
    customer_id: Id
    at: Time
    """When it was placed, with its UTC offset."""
    amount: Money
    """What is to be paid, in `currency`. Amounts are compared as they are: convert them where a shop has several."""
    currency: Currency | None
    items: Annotated[tuple[Line, ...], msgspec.Meta(max_length=1000)] = ()
    payment_id: Id | None = None
    """A fingerprint of the card or account, never its number."""
    device_id: Id | None = None
    ip: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)] | None = None
    """Of the customer: IPv4 or IPv6, or the value of X-Forwarded-For or Forwarded."""
    email: Contact | None = None
    phone: Contact | None = None
    address_id: Id | None = None
    """The shop's id of the shipping address, or a fingerprint of it."""
    shipping_country: Country | None = None
    billing_country: Country | None = None
    terminal_id: Id | None = None
    """The merchant or the till, in shops that have several."""
    version: Annotated[int, msgspec.Meta(ge=1, le=VERSION)] = VERSION

    def __post_init__(self) -> None:
        fields.unify(self, _IDS)
        if self.payment_id is not None and _is_card_number(self.payment_id):
            raise ValueError(f"{CARD_NUMBER} - at `$.payment_id`")


class Label(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What the shop learnt about an order. It may come before the order; of several labels the newest `at` wins."""

    label_id: Id
    order_id: Id
    kind: LabelKind
    at: Time
    """When the shop learnt it."""
    version: Annotated[int, msgspec.Meta(ge=1, le=VERSION)] = VERSION

    def __post_init__(self) -> None:
        fields.unify(self, ("label_id", "order_id"))


def _is_card_number(text: str) -> bool:
    """Return whether the text has the length of a card number and a valid check digit (Luhn)."""
    digits = text.replace(" ", "").replace("-", "")
    if not digits.isascii() or not digits.isdigit() or len(digits) not in _CARD_DIGITS:
        return False
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    return sum(value // 10 + value % 10 for value in doubled) % 10 == 0
