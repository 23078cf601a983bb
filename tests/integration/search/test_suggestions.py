"""What completes what is typed: phrases of the catalogue, and queries of several shoppers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from model.text import folding, normalise
from reshelf import parsing
from storage.events import intake
from storage.search import suggestions
from tests.support.searching import Client, Shop
from workers import rows

LETTERS = (
    "abcIÀÉÎÕÜàéîõüåÆæœøØđĐłŁßþðıİşŞğĞčřżźńãñçőű ﬁ",
    "αάΆϊΐςσΣЁёЙйЇїўґӘәқҰ",
    "אבגדהםןשׁבּ",
    "أإآٱةىیکہؤئءابتـَُِّْ٣٥۷",
    "कखनहिीुूँं्ड़ज़फ़ऑॉ५६গঁনল্দਸਕ",
    "กขาิ์้๕ぁあガがﾄﾞﾗーゝ手机한글컵ＡＢ１２-_/.’“",
)
"""Letters that folding changes, and neighbours of theirs. Traditional characters and am of Thai stay in Postgres."""


def searched(shop: Shop, query: str, *shoppers: str) -> None:
    """Let shoppers search, and count."""
    at = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    events = [
        {"event_id": f"{query}-{who}-{shop.number()}", "kind": "search", "at": at, "user_id": who, "query": query}
        for who in shoppers
    ]
    parsed = parsing.parse_events(events)
    with shop.database.begin() as connection:
        intake.write_events(connection, [rows.event_row(event) for event in parsed.good], writer="test")


def counted(shop: Shop) -> bool:
    with shop.database.begin() as connection:
        return suggestions.refresh(connection)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("mak", ["Makita", "Makita bits", "Makita drills", "Makita 18-Volt Cordless Drill"]),
        ("MAKITA  b", ["Makita bits"]),
        ("手", ["手机壳"]),
        ("big fan", ["big fans"]),
        ("zzz", []),
    ],
)
def test_phrases_of_the_catalogue(shop: Shop, gateway: Client, typed: str, expected: list[str]) -> None:
    assert counted(shop)
    answer = gateway.get("/v1/suggest", params={"q": typed})
    assert sorted(answer.json()["suggestions"]) == sorted(expected)


def test_phrases_are_completed_in_any_spelling_and_shown_as_the_catalogue_has_them(shop: Shop, gateway: Client) -> None:
    for number, title in enumerate(("Ürünü Şık Çanta", "Ёлочка", "قُبَّعة", "फ़ीता", "Salt &amp; Pepper", "Straßenkreide")):
        shop.change("upsert", f"t{number}", title=title)
    searched(shop, "strassenkreide", "ann", "bob")
    assert counted(shop)
    typed = {
        "urunu s": "Ürünü Şık Çanta",
        "ÜRÜNÜ": "Ürünü Şık Çanta",
        "ел": "Ёлочка",
        "قبعه": "قُبَّعة",
        "फि": "फ़ीता",
        "salt &": "Salt & Pepper",
        "strasse": "Straßenkreide",
        "straß": "Straßenkreide",
    }
    found = {q: gateway.get("/v1/suggest", params={"q": q}).json()["suggestions"] for q in typed}
    assert {q: phrases[0] for q, phrases in found.items()} == typed


@given(st.text(st.sampled_from("".join(LETTERS)), max_size=20))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
def test_postgres_folds_as_the_search_does(database: Engine, written: str) -> None:
    with database.connect() as connection:
        folded = connection.execute(text("SELECT folded(:written)"), {"written": written}).scalar_one()
    assert folded == folding.fold(normalise.clean(written))


def test_what_several_shoppers_searched_for_comes_first_and_what_one_did_never(shop: Shop, gateway: Client) -> None:
    searched(shop, "Makita Saw ", "ann", "bob")
    searched(shop, "makita secret", "ann", "ann")
    assert counted(shop)
    found = gateway.get("/v1/suggest", params={"q": "mak", "limit": 20}).json()["suggestions"]
    assert found[0] == "Makita Saw"
    assert "makita secret" not in found


def test_phrases_go_with_their_items_and_nothing_is_counted_twice(shop: Shop) -> None:
    assert counted(shop)
    assert not counted(shop)
    shop.change("delete", "fan")
    with shop.database.begin() as connection:
        connection.execute(text("UPDATE watermarks SET value = jsonb_set(value::jsonb, '{ended}', '0')::text"))
    assert counted(shop)
    with shop.database.connect() as connection:
        assert not connection.execute(text("SELECT count(*) FROM suggestions WHERE key LIKE 'hampton%'")).scalar()
