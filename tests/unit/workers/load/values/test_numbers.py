"""Numbers and prices in the notations of the world, and columns that decide how theirs are meant."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.load.values import currencies, numbers
from workers.load.values.numbers import Column


def _column(*texts: str | None, is_decimal_comma: bool | None = None, is_money: bool = True) -> Column:
    return numbers.read(pl.Series("price", texts, pl.String), is_decimal_comma=is_decimal_comma, is_money=is_money)


@pytest.mark.parametrize(
    ("text", "value", "currency"),
    [
        ("8,75", 8.75, None), ("2,499.90", 2499.9, None), ("2.499,90", 2499.9, None), ("2 499,90", 2499.9, None),
        ("2\u00a0499,90", 2499.9, None), ("2\u202f499,90", 2499.9, None), ("2'499.90", 2499.9, None),
        ("2’499.90", 2499.9, None), ("12,34,567.00", 1234567.0, None), ("8.75 EUR", 8.75, "EUR"),
        ("usd 8.75", 8.75, "USD"), ("$8", 8.0, "$"), ("US$ 8", 8.0, "USD"), ("€ 8,75", 8.75, "EUR"),
        ("8,75€", 8.75, "EUR"), ("￥2,499", 2499.0, "¥"), ("2.499 €", 2499.0, "EUR"), ("8,-", 8.0, None),
        ("8.- CHF", 8.0, "CHF"), ("８．７５", 8.75, None), ("٨٫٧٥", 8.75, None), ("٢٬٤٩٩", 2499.0, None),
        ("८.७५", 8.75, None), ("-8,75", -8.75, None), ("−8", -8.0, None), ("8-", -8.0, None), ("(8.75)", -8.75, None),
        ("8,5E+2", 850.0, None), ("Rs. 2,499", 2499.0, "rs"), ("R$ 8,75", 8.75, "BRL"), ("8 zł", 8.0, "PLN"),
        ("2.499.000 ₫", 2499000.0, "VND"), ("299円", 299.0, "JPY"), ("0,125", 0.125, None), (".5", 0.5, None),
    ],
)  # fmt: skip
def test_a_price_is_read_as_it_is_written(text: str, value: float, currency: str | None) -> None:
    found = _column(text)
    assert (found.values.to_list(), found.currency.to_list()) == ([value], [currency])


@pytest.mark.parametrize(
    "text", ["five", "8 pcs", "8%", "2,49,9", "8,7,5", "24 99", "8..5", "--8", "1e400", "8 EUR USD"]
)
def test_what_is_no_price_is_none(text: str) -> None:
    assert _column(text).values.to_list() == [None]


def test_a_column_decides_what_its_commas_are() -> None:
    assert _column("2,499", "8,75").values.to_list() == [2.499, 8.75]
    assert _column("2,499", "8.75").values.to_list() == [2499.0, 8.75]
    assert _column("2.499", "8,75").values.to_list() == [2499.0, 8.75]
    assert _column("2.499", "8.75").values.to_list() == [2.499, 8.75]
    assert _column("2.499", "1 000,5").values.to_list() == [2499.0, 1000.5]
    assert all(not _column("2,499", other).notes for other in ("8,75", "8.75"))


def test_a_column_that_shows_nothing_is_read_by_a_rule_that_is_said() -> None:
    found = _column("2,499", "3,999", "5")
    assert found.values.to_list() == [2499.0, 3999.0, 5.0]
    assert "2,499 and the like (2 lines) were read with a comma between thousands" in found.notes[0]
    found = _column("2,499", is_decimal_comma=True)
    assert (found.values.to_list(), found.notes) == ([2.499], ())
    assert _column("2.499", is_decimal_comma=True).values.to_list() == [2499.0]


def test_a_column_that_shows_both_leaves_out_what_can_be_read_in_two_ways() -> None:
    found = _column("8,75", "8.75", "2,499", "2.499", "2.499,00")
    assert found.values.to_list() == [8.75, 8.75, None, None, 2499.0]
    assert found.open.to_list() == [False, False, True, True, False]
    assert _column("2,499", "2.499").open.to_list() == [True, True]


def test_a_currency_makes_no_number_of_what_is_no_money() -> None:
    assert _column("8 EUR", "8", is_money=False).values.to_list() == [None, 8.0]


def test_an_ambiguous_symbol_is_what_is_said_or_stays_open() -> None:
    named = pl.Series("currency", ["$", "¥", "EUR", None])
    codes, notes = currencies.settled(named, has_cents=False, asked=None)
    assert codes.to_list() == ["USD", None, "EUR", None]
    assert len(notes) == 2
    assert currencies.settled(named, has_cents=True, asked=None)[0].to_list() == ["USD", "CNY", "EUR", None]
    assert currencies.settled(named, has_cents=False, asked="TWD")[0].to_list() == ["TWD", "TWD", "EUR", None]


_STYLES = {
    "plain": lambda value: f"{value:.2f}",
    "english": lambda value: f"{value:,.2f}",
    "german": lambda value: f"{value:,.2f}".replace(",", " ").replace(".", ",").replace(" ", "."),
    "french": lambda value: f"{value:,.2f}".replace(",", "\u202f").replace(".", ","),
    "swiss": lambda value: f"{value:,.2f}".replace(",", "’"),
    "arabic": lambda value: f"{value:.2f}".replace(".", "٫").translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")),
    "full width": lambda value: f"{value:.2f}".translate(str.maketrans("0123456789.", "０１２３４５６７８９．")),
}


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(sorted(_STYLES)),
    st.sampled_from(["{}", "€ {}", "{} EUR", "{}€"]),
    st.lists(st.integers(0, 10**9), min_size=1, max_size=5),
)
def test_any_price_comes_back_from_any_notation(style: str, around: str, cents: list[int]) -> None:
    texts = [around.format(_STYLES[style](value / 100)) for value in cents]
    assert _column(*texts).values.to_list() == pytest.approx([value / 100 for value in cents])


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(st.sampled_from("0123456789.,' €$-+eE()\u00a0x٫１"), max_size=9), max_size=5))
def test_whatever_stands_there_is_a_finite_number_or_none(texts: list[str]) -> None:
    found = _column(*texts)
    assert found.values.len() == len(texts)
    assert found.values.drop_nulls().is_finite().all()


@pytest.mark.parametrize("code", ["XCG", "EUR", "BGN", "ANG"])
def test_codes_in_files_are_those_of_the_messages_and_those_that_were_withdrawn(code: str) -> None:
    assert currencies.named(code.lower()) == code
