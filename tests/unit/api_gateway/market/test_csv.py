"""CSV: every cell is what it was, and none is a formula."""

from __future__ import annotations

import csv as standard
import io
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from api_gateway.market import csv

_TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)


@given(_TEXTS)
def test_a_text_is_read_back_but_for_the_apostrophe_that_keeps_it_from_being_a_formula(value: str) -> None:
    content = csv.encode(["title", "n"], [[value, 1.5]]).decode()
    [_, [cell, number]] = list(standard.reader(io.StringIO(content, newline="")))
    assert not cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "＝"))
    assert value in (cell, cell.removeprefix("'"))
    assert number == "1.5"


def test_numbers_dates_lists_and_nothing_are_plain() -> None:
    assert [csv.cell(value) for value in (-2.5, 3, date(2026, 1, 2), [1.0, -2.0], [], None)] == [
        "-2.5",
        "3",
        "2026-01-02",
        "1.0 -2.0",
        "",
        "",
    ]
