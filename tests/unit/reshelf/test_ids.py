"""Ids: one form in every message, whoever spelled them."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reshelf import fields, parsing
from workers import rows

AT = "2026-03-01T12:00:00Z"
EVENT: dict[str, Any] = {"event_id": "e", "kind": "view", "at": AT, "user_id": "u", "session_id": "s", "item_id": "i"}
LONG = "e\u0301" * 64


@pytest.mark.parametrize(
    ("typed", "identity"),
    [
        ("4711", "4711"),
        (" 4711 ", "4711"),
        ("\ufeff4711", "4711"),
        ("47\u200b11\u00ad", "4711"),
        ("\u202a4711\u202c", "4711"),
        ("Ka\u0308se", "Käse"),
        ("ＡＢ－１２", "AB-12"),
        ("\u3000ab", "ab"),
        ("ｶﾞﾗｽ", "ガラス"),
        ("\u1100\u1161", "가"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("m²", "m²"),
        ("aB", "aB"),
    ],
)
def test_every_way_to_write_an_id_is_that_id(typed: str, identity: str) -> None:
    assert fields.identity(typed) == identity


@given(st.text())
def test_an_id_in_its_form_stays_and_its_other_forms_lead_there(typed: str) -> None:
    form = fields.identity(typed)
    assert fields.identity(form) == form
    assert fields.identity(unicodedata.normalize("NFD", form)) == form
    assert fields.identity(f"\u200b {form}\u00a0") == form


def test_events_changes_and_labels_name_the_same_whatever_the_spelling() -> None:
    [event] = parsing.parse_events([EVENT | {"user_id": " Ka\u0308te", "item_id": "ｉ１", "request_id": "r "}]).good
    row = rows.event_row(event)
    assert (row["shopper"], row["item_id"], row["request_id"]) == ("Käte", "i1", "r")
    [change] = parsing.parse_changes([{"kind": "delete", "change_id": "c ", "item_id": "\ufeffi1", "at": AT}]).good
    assert (change.change_id, change.item_id) == ("c", "i1")
    [label] = parsing.parse_labels([{"label_id": "l", "order_id": "o\u200b1", "kind": "cleared", "at": AT}]).good
    assert label.order_id == "o1"


@pytest.mark.parametrize("typed", ["", "  ", "\u200b", "a\nb", "a\x00", "\x7f", "x" * 129])
@pytest.mark.parametrize("field", ["event_id", "user_id", "session_id", "item_id"])
def test_what_is_no_id_is_answered_with_its_field(typed: str, field: str) -> None:
    [bad] = parsing.parse_events([EVENT | {field: typed}]).bad
    assert bad.field == field


def test_an_id_may_be_as_long_as_it_is_composed() -> None:
    assert parsing.parse_events([EVENT | {"item_id": LONG}]).good[0].item_id == "é" * 64


def test_what_is_compared_is_composed_and_what_is_shown_is_as_it_came() -> None:
    given = {"category": "Ka\u0308se", "brand": "E\u0301", "tags": ["u\u0308"], "attributes": {"o\u0308": "a\u0308"}}
    upsert = {"kind": "upsert", "change_id": "c", "item_id": "i", "at": AT, "title": "Ka\u0308se"} | given
    [change] = parsing.parse_changes([upsert | {"currency": "eur"}]).good
    found = rows.change_row(change)["fields"]
    assert (found["category"], found["brand"], found["tags"], found["attributes"]) == ("Käse", "É", ("ü",), {"ö": "ä"})
    assert (found["title"], found["currency"]) == ("Ka\u0308se", "EUR")


def test_a_price_in_a_currency_that_nobody_knows_is_answered() -> None:
    [bad] = parsing.parse_changes(
        [{"kind": "price", "change_id": "c", "item_id": "i", "at": AT, "price": 1, "currency": "?"}]
    ).bad
    assert (bad.field, "ISO 4217" in bad.error) == ("currency", True)


def test_traits_have_one_form() -> None:
    [event] = parsing.parse_events([EVENT | {"context": {"country": "fr", "segment": "Ku\u0308che"}}]).good
    assert rows.event_row(event)["context"] == {"country": "FR", "segment": "Küche"}
