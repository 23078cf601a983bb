"""E-mail addresses and phone numbers: one form for one mailbox and one line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.canonical import emails, phones
from workers.canonical.errors import Unreadable


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("Eva.Moon@Shop.Example", "eva.moon@shop.example"),
        ("  eva@shop.example ", "eva@shop.example"),
        ("mailto:Eva@shop.example?subject=Hi", "eva@shop.example"),
        ("Eva Moon <eva@shop.example>", "eva@shop.example"),
        ("eva@MÜHLE.example", "eva@xn--mhle-0ra.example"),
        ("eva@xn--mhle-0ra.example", "eva@xn--mhle-0ra.example"),
        ("eva@mu\u0308hle.example.", "eva@xn--mhle-0ra.example"),
        ("ｅｖａ＠shop.example", "eva@shop.example"),
        ("e.v.a+x@gmail.com", "e.v.a+x@gmail.com"),
        ("eva\u200b@shop.example", "eva@shop.example"),
    ],
)
def test_every_way_to_write_a_mailbox_is_that_mailbox(typed: str, address: str) -> None:
    assert emails.canonical(typed) == address


@pytest.mark.parametrize("typed", ["", "eva", "eva@", "@shop.example", "a b@shop.example", "a@b@c", "none", "a@b..c"])
def test_what_is_no_mailbox_says_what_would_be(typed: str) -> None:
    with pytest.raises(Unreadable, match="name@domain"):
        emails.canonical(typed)


@pytest.mark.parametrize(
    ("typed", "country", "number"),
    [
        ("+49 30 901820", None, "+4930901820"),
        ("0049 (30) 90 18 20", None, "+4930901820"),
        ("030/901820", "DE", "+4930901820"),
        ("030-90 18 20", "DE", "+4930901820"),
        ("tel:+49-30-901820;ext=7", None, "+4930901820"),
        ("+49 (0)30 901820", "FR", "+4930901820"),
        ("(202) 456-1111", "US", "+12024561111"),
        ("1 202 456 1111", "US", "+12024561111"),
        ("٠٣٠٩٠١٨٢٠", "DE", "+4930901820"),
        ("139 1234 5678", "CN", "+8613912345678"),
        ("86 139 1234 5678", "CN", "+8613912345678"),
        ("030 901820", None, "030901820"),
        ("030.901.820", None, "030901820"),
    ],
)
def test_every_way_to_write_a_number_is_that_number(typed: str, country: str | None, number: str) -> None:
    assert phones.canonical(typed, country) == number


@pytest.mark.parametrize("typed", ["", "-", "call me", "12", "1" * 40])
def test_what_is_no_number_says_what_would_be(typed: str) -> None:
    with pytest.raises(Unreadable, match=r"\+49"):
        phones.canonical(typed, "DE")


@given(st.text(max_size=60), st.sampled_from([None, "DE", "US", "CN"]))
def test_whatever_is_typed_has_one_form_or_is_unreadable(typed: str, country: str | None) -> None:
    for form in (emails.canonical, lambda text: phones.canonical(text, country)):
        try:
            found = form(typed)
        except Unreadable:
            continue
        assert form(found) == found
