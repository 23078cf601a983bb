"""Which spellings are one word, and that whoever folds twice gets the same."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.text import folding, normalise, scripts

ACCENTED = "àáâãäåąăāçčćďéèêëęěēğìíîïīįłľñńňøòóôõöőřśšşșťţțùúûüůűūýžźżđıßæœðþёїάέήίόύώϊϋ"
"""Letters with an accent, or of a shape of their own, of two dozen languages."""


def _folded(text: str) -> str:
    return folding.fold(normalise.clean(text))


@pytest.mark.parametrize(
    ("written", "typed"),
    [
        ("Crème Brûlée", "creme brulee"),
        ("Weißbräu", "weissbrau"),
        ("Rømø Sørlandschips", "romo sorlandschips"),
        ("Wrocław", "wroclaw"),
        ("Dźwięk", "dzwiek"),
        ("Æblegrød", "aeblegrod"),
        ("Œillet", "oeillet"),
        ("Đèn ngủ", "den ngu"),
        ("DIŞ IŞIK", "dis isik"),
        ("İNCİ kolye", "inci kolye"),
        ("ﬂower ﬃx", "flower ffix"),
        ("ＭＵＧ　ﾏｸﾞ", "mug マグ"),
        ("Þórshöfn", "thorshofn"),
        ("Cătălin Țuică", "catalin tuica"),
        ("Ёжик", "ежик"),
        ("Αθήνα ΚΑΦΈΣ", "αθηνα καφεσ"),
        ("إسوارة مُذَهَّبة", "اسواره مذهبه"),
        ("كـــوب", "كوب"),
        ("پیچ‌گوشتی", "پيچگوشتي"),
        ("בָּקְבּוּק", "בקבוק"),
        ("שולחן", "שולחנ"),
        ("कुर्सी", "कुर्सि"),
        ("चन्दन", "चंदन"),
        ("गाड़ी", "गाडि"),
        ("টেবিল ল্যাম্প", "টেবিল ল্যাংপ"),
        ("まくら", "マクラ"),
        ("٣٤٥ ۷۸ ५६ ４２", "345 78 56 42"),
    ],
)
def test_what_a_shopper_types_is_what_a_title_folds_to(written: str, typed: str) -> None:
    assert _folded(written) == typed
    assert _folded(typed) == typed


def test_letters_that_tell_words_apart_stay() -> None:
    assert _folded("мой") != _folded("мои")
    assert _folded("かき") != _folded("がき")
    assert _folded("ขา") != _folded("ข่า")


@given(st.text(st.sampled_from(ACCENTED), min_size=1))
def test_no_accent_is_left_and_nothing_but_letters_comes(word: str) -> None:
    folded = _folded(word)
    assert not any(unicodedata.combining(letter) for letter in unicodedata.normalize("NFD", folded))
    assert folded.isalpha()


@given(st.text(st.characters()))
def test_any_text_folds_to_what_folds_to_itself(text: str) -> None:
    folded = _folded(text)
    assert folding.fold(folded) == folded


@given(st.text(st.characters(codec="utf-8")))
def test_the_form_of_unicode_does_not_matter(text: str) -> None:
    decomposed, composed = (unicodedata.normalize(form, text) for form in ("NFD", "NFC"))
    assert _folded(decomposed) == _folded(composed)


@pytest.mark.parametrize(
    ("word", "digraphs"), [("bäckerei", "baeckerei"), ("ålborg", "aalborg"), ("öl", "oel"), ("creme", None)]
)
def test_umlauts_are_also_written_out(word: str, digraphs: str | None) -> None:
    assert folding.digraphs(word) == digraphs


@pytest.mark.parametrize(
    ("run", "letters"),
    [
        ("น้ำตาล", ["น้", "ำ", "ต", "า", "ล"]),
        ("ខ្មែរ", ["ខ្មែ", "រ"]),
        ("မြန်မာ", ["မြ", "န်", "မာ"]),
        ("컵라면", ["컵", "라", "면"]),
    ],
)
def test_a_mark_stays_with_its_letter(run: str, letters: list[str]) -> None:
    assert scripts.graphemes(run) == letters


@given(st.text(st.characters()))
def test_graphemes_are_the_whole_run(run: str) -> None:
    assert "".join(scripts.graphemes(run)) == run
