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


def test_days_and_a_date_together_are_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="give one of them"):
        msgspec.json.decode(b'{"clear_days": 3, "clear_by": "2026-03-04"}', type=Rules)
