"""Completions: by weight, in any script, and gone when nothing stands behind them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from model.search.suggest import Suggestions


def _filled() -> Suggestions:
    made = Suggestions()
    made.extend(["cordless drill", "Cordless Saw", "cord", "手机壳", "手机"])
    made.add("cordless saw", 5.0)
    made.add("手机", 3.0)
    return made


def test_the_heaviest_come_first() -> None:
    assert _filled().of("cord") == ["Cordless Saw", "cord", "cordless drill"]
    assert _filled().of("ＣＯＲＤＬＥＳＳ d") == ["cordless drill"]
    assert _filled().of("手", 1) == ["手机"]
    assert _filled().of("手機") == ["手机", "手机壳"]


def test_the_last_word_is_completed_where_the_whole_is_not() -> None:
    assert _filled().of("red cordless s") == []
    assert _filled().of("red cord", 2) == ["red Cordless Saw", "red cord"]


def test_what_weighs_nothing_is_gone() -> None:
    made = _filled()
    made.remove("手机壳")
    made.remove("never there")
    assert made.of("手机") == ["手机"]
    assert made.of("  ") == []


@given(st.text(max_size=30), st.text(max_size=5))
def test_any_text_completes(phrase: str, typed: str) -> None:
    made = Suggestions()
    made.add(phrase)
    made.of(typed)
    made.remove(phrase)
    assert made.of(phrase) == []
