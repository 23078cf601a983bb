"""Countries and currencies: their codes, from other codes, names and signs."""

from __future__ import annotations

import pycountry
import pytest

from reshelf import currencies
from workers.canonical import countries
from workers.canonical.errors import Unreadable


def test_the_codes_are_those_of_the_standards() -> None:
    assert {one.alpha_2 for one in pycountry.countries} | {"XK"} == countries.CODES
    known = {one.alpha_3: one.numeric for one in pycountry.currencies}
    assert known.keys() >= currencies.CODES
    assert all(currencies.canonical(known[code]) == code for code in currencies.CODES)


def test_every_country_is_known_by_each_of_its_codes_and_names() -> None:
    for one in pycountry.countries:
        for text in (one.alpha_2.lower(), one.alpha_3, one.numeric, one.name, one.name.upper()):
            assert countries.canonical(text) == one.alpha_2, text


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("uk", "GB"), ("U.S.A.", "US"), ("South Korea", "KR"), ("Türkiye", "TR"), ("turkey", "TR"),
        ("Côte d’Ivoire", "CI"), ("Republic of Korea", "KR"), ("Deutschland", "DE"), ("España", "ES"), ("中国", "CN"),
        ("Россия", "RU"),
        ("Trinidad & Tobago", "TT"), (" the netherlands ", "NL"), ("ＦＲ", "FR"), ("Kosovo", "XK"), ("EIRE", "IE"),
    ],
)  # fmt: skip
def test_names_in_use_are_known(typed: str, code: str) -> None:
    assert countries.canonical(typed) == code


@pytest.mark.parametrize("typed", ["", "-", "XX", "Atlantis", "unknown", "EU", "4"])
def test_what_is_no_country_says_what_would_be(typed: str) -> None:
    with pytest.raises(Unreadable, match="ISO 3166"):
        countries.canonical(typed)


def test_a_trait_is_the_shops_own_word_but_for_the_case_of_a_code() -> None:
    assert [countries.trait(one) for one in ("fr", " De", "France", "north")] == ["FR", "DE", "France", "north"]


@pytest.mark.parametrize(
    ("typed", "country", "code"),
    [
        ("eur", None, "EUR"), (" Eur ", None, "EUR"), ("€", None, "EUR"), ("euros", None, "EUR"), ("978", None, "EUR"),
        ("US$", None, "USD"), ("$", None, "USD"), ("$", "CA", "CAD"), ("¥", None, "JPY"), ("¥", "CN", "CNY"),
        ("kr", "SE", "SEK"), ("zł", None, "PLN"), ("Rs.", "PK", "PKR"), ("ＧＢＰ", None, "GBP"), ("R$", None, "BRL"),
        ("btc", None, "BTC"),
    ],
)  # fmt: skip
def test_every_way_to_write_a_currency_is_its_code(typed: str, country: str | None, code: str) -> None:
    assert currencies.canonical(typed, country) == code


@pytest.mark.parametrize("typed", ["", "?", "kr", "money", "NaN", "12"])
def test_what_is_no_currency_says_what_would_be(typed: str) -> None:
    with pytest.raises(currencies.Unreadable, match="ISO 4217"):
        currencies.canonical(typed)
