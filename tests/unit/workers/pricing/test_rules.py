"""Rules of prices: which of several scopes win, and dates that no later look moves."""

from __future__ import annotations

from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from workers.pricing import rules as contents
from workers.pricing.rules import Book, Rules

TODAY = date(2026, 3, 1)


def _row(scope: str, name: str, **rules: Any) -> Any:
    return SimpleNamespace(scope=scope, name=name, rules=rules, updated_at=datetime(2026, 3, 1, 12, tzinfo=UTC))


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"objective": "clear", "clear_days": 10}, {"objective": "clear", "clear_by": "2026-03-11"}),
        ({"objective": "clear"}, {"objective": "clear", "clear_by": "2026-03-31"}),
        ({"clear_days": 1}, {"clear_by": "2026-03-02"}),
        ({"clear_by": "2026-12-24"}, {"clear_by": "2026-12-24"}),
        ({"objective": "clear", "clear_by": "2026-12-24"}, {"objective": "clear", "clear_by": "2026-12-24"}),
        ({"step": 0.1}, {"step": 0.1}),
    ],
)
def test_days_to_clear_are_kept_as_a_date(given: dict[str, Any], kept: dict[str, Any]) -> None:
    assert contents.dated(given, TODAY) == kept
    assert contents.dated(kept, date(2027, 1, 1)) == kept, "what is kept is not moved"


def test_rules_from_before_there_were_dates_count_from_when_they_were_set() -> None:
    assert Book([_row("shop", "", objective="clear", clear_days=7)]).of("i1", None, None).clear_by == date(2026, 3, 8)


def test_the_most_specific_scope_wins_field_by_field() -> None:
    book = Book([_row("shop", "", step=0.2, floor=1.0), _row("brand", "b", step=0.3), _row("item", "i1", floor=2.0)])
    found = book.of("i1", "c", "b")
    assert (found.step, found.floor, found.approval) == (0.3, 2.0, "manual")


def test_a_family_has_the_items_that_name_it_with_their_sizes() -> None:
    book = Book([_row("item", "a", family="f", size=1.0), _row("item", "b", family="f", size=6.0),
                 _row("item", "c", family="g", size=1.0), _row("shop", "", step=0.1)])  # fmt: skip
    assert book.family("a") == book.family("b") == {"a": 1.0, "b": 6.0}
    assert book.family("d") == {}


def test_a_family_is_of_items_and_has_sizes() -> None:
    with pytest.raises(msgspec.ValidationError, match="go together"):
        msgspec.json.decode(b'{"family": "f"}', type=Rules)
    with pytest.raises(ValueError, match="only an item"):
        contents.check_scope("brand", Rules(family="f", size=1.0))


def test_days_and_a_date_together_are_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="give one of them"):
        msgspec.json.decode(b'{"clear_days": 3, "clear_by": "2026-03-04"}', type=Rules)
