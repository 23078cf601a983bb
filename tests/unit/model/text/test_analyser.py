"""One analyser for all scripts: what counts as the same, and that nothing breaks it."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.text import analyser, measures, normalise
from model.text.analyser import CODE, ENDING, GRAM, HAN, MEASURE, NUMBER, PART, SIZE, WORD


def _terms(text: str, *kinds: int) -> list[str]:
    return [term.term for term in analyser.terms(text) if not kinds or term.kind in kinds]


@pytest.mark.parametrize("text", ["18v", "18 v", "18V", "18-volt", "18 Volts", "１８Ｖ", "18伏"])
def test_a_number_and_its_unit_are_the_same_however_they_are_written(text: str) -> None:
    assert _terms(text) == ["18", "volt", "18volt"]


@pytest.mark.parametrize("text", ['3/4"', "3/4 in.", "0.75 inch", ".75in", "¾ in", "3/ 4 inches", "3/4”"])
def test_fractions_decimals_and_signs_of_one_length_are_the_same(text: str) -> None:
    assert _terms(text) == ["0.75", "in", "0.75in"]


@pytest.mark.parametrize("text", ["1-1/2 in", "1 1/2 inch", '1.50"', "1½ in."])
def test_mixed_fractions(text: str) -> None:
    assert "1.5in" in _terms(text, MEASURE)


@pytest.mark.parametrize("text", ["Xbox 360", "a box 12", "zorblax 3000"])
def test_a_word_that_ends_in_x_is_whole(text: str) -> None:
    assert _terms(text, SIZE) == []
    assert _terms(text, WORD)[0].endswith("x")


@pytest.mark.parametrize("text", ["2x4", "2 x 4", "2 in. x 4 in.", "2×4", "2*4", '2" x 4"'])
def test_two_sizes_are_found_by_each_other(text: str) -> None:
    assert _terms(text, SIZE) == ["2x4"]
    assert _terms(text, NUMBER) == ["2", "4"]


@pytest.mark.parametrize(
    ("text", "code"),
    [("DCD780", "dcd780"), ("wdp-75", "wdp75"), ("#SC-141", "sc141"), ("iphone15", "iphone15"), ("6500K", "6500k")],
)
def test_codes_and_model_numbers_stay_whole(text: str, code: str) -> None:
    assert code in _terms(text, CODE)


def test_two_wires_of_gauge_twelve_are_no_fraction() -> None:
    assert _terms("12/2 wire", NUMBER) == ["12", "2"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("drills", "drill"),
        ("BATTERIES", "battery"),
        ("men's", "men"),
        ("Tom &amp; Jerry", "tom & jerry"),
        ("手機", "手机"),
    ],
)
def test_endings_case_entities_and_traditional_characters_do_not_matter(one: str, other: str) -> None:
    assert _terms(one) == _terms(other)


def test_chinese_words_their_parts_and_what_they_end_in() -> None:
    assert _terms("智能手机", HAN) == ["智能手机"]
    assert {"智能", "手机"} <= set(_terms("智能手机"))
    assert "手机$" in _terms("支持双卡的智能手机", ENDING)
    assert "手机$" not in _terms("手机壳", ENDING)
    assert "机壳" in _terms("手机壳")


def test_both_scripts_in_one_text() -> None:
    assert _terms("iPhone手机壳 15", WORD, HAN, NUMBER) == ["iphon", "手机", "壳", "15"]


def test_the_head_of_a_title_ends_where_it_says_what_the_product_comes_with() -> None:
    title = analyser.analyse("Delta 1-1/2 in. Shower Faucet Trim Kit in Chrome (Valve Not Included)")
    head = [term.term for term in title.terms if term.kind == WORD and term.place < title.head]
    assert head == ["delta", "shower", "faucet", "trim", "kit"]


@given(st.text(st.characters()))
def test_any_text_has_terms_in_order(text: str) -> None:
    found = analyser.analyse(text)
    places = [term.place for term in found.terms if term.kind in (WORD, NUMBER, CODE, HAN)]
    assert places == sorted(places)
    assert 0 <= found.head <= len(text) + 1
    assert all(term.term for term in found.terms)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("चम्मच सेट", 2),
        ("பருத்தி சட்டை", 2),
        ("కాఫీ కప్పు", 2),
        ("কাচের জগ", 2),
        ("ਪੱਗ", 1),
        ("മേശ വിളക്ക്", 2),
        ("ಹತ್ತಿ ಸೀರೆ", 2),
        ("قُبَّعَة صُوف", 2),
        ("כָּרִית נוֹחָה", 2),
        ("ቡና ስኒ", 2),
        ("ღვინის ჭიქა", 2),
        ("සිංහල පොත", 2),
        (unicodedata.normalize("NFD", "Ghế gỗ"), 2),
    ],
)
def test_combining_marks_cut_no_word(text: str, words: int) -> None:
    assert len(_terms(text, WORD)) == words


@pytest.mark.parametrize(
    ("run", "inside"),
    [
        ("コードレス掃除機", "コードレス"),
        ("デジタルカメラバッグ", "カメラ"),
        ("가죽지갑", "지갑"),
        ("กระเป๋าหนัง", "หนัง"),
        ("ໂຄມໄຟ", "ໄຟ"),
        ("កាបូបស្ពាយ", "ស្ពាយ"),
        ("လက်ကိုင်ဖုန်း", "ဖုန်း"),
    ],
)
def test_a_word_inside_a_run_has_terms_of_the_run(run: str, inside: str) -> None:
    within = {term.term for term in analyser.terms(run)}
    asked = [term for term in analyser.terms(inside) if term.kind == GRAM]
    assert {term.term for term in asked} <= within
    assert asked or set(_terms(inside, HAN)) <= within


@pytest.mark.parametrize(
    ("text", "also"),
    [
        ("Long-Sleeve", "longsleev"),
        ("AC/DC", "acdc"),
        ("KX-T7730", "kxt7730"),
        ("C'est l'huile", "lhuil"),
        ("Käfig", "kaefig"),
        ("12.345.678", "12345678"),
    ],
)
def test_what_is_also_written_as_one(text: str, also: str) -> None:
    assert also in _terms(text, PART)


def test_what_stands_behind_an_article_is_the_word() -> None:
    assert _terms("l'huile d'olive", WORD) == ["huil", "oliv"]
    assert _terms("women's don't", WORD) == ["women", "dont"]


@pytest.mark.parametrize(
    ("one", "other"),
    [("книги", "книга"), ("السيارة", "سيارات"), ("τσάντες", "τσαντα"), ("बोतलें", "बोतल"), ("خزانه", "خزانة")],
)
def test_endings_are_those_of_the_script(one: str, other: str) -> None:
    assert _terms(one, WORD) == _terms(other, WORD)


@pytest.mark.parametrize("text", ["2,5 cm", "2.5cm", "٢٫٥ سم", "2,5 см"])
def test_a_decimal_comma_is_a_point(text: str) -> None:
    assert _terms(text, MEASURE) == ["2.5cm"]


@pytest.mark.parametrize("written", ["AB-12/x", "ab12X", "Ａｂ 12.x", "ab_12_x"])
def test_an_id_is_one_however_it_is_typed(written: str) -> None:
    found = analyser.identity(written)
    assert found is not None
    assert found.term == "=ab12x"


def test_what_is_no_letter_is_no_id() -> None:
    assert analyser.identity(" - ") is None


@given(st.text(st.sampled_from("0123456789/-.x× \"'″½ 手机abvin°"), max_size=60))
def test_any_numbers_and_units_have_terms(text: str) -> None:
    assert analyser.terms(text) == analyser.terms(normalise.clean(text)) or "&" in text


@pytest.mark.parametrize("piece", ["a", "手", "1/", "1-1/2 in x ", "\x00", "😀", "\ud800", "-a1", "'\""])
def test_ten_thousand_characters_are_read_and_cut(piece: str) -> None:
    assert len(analyser.terms(piece * 10_000)) <= analyser.MOST_TERMS


def test_control_characters_and_joiners_are_left_out() -> None:
    assert normalise.clean("red\x00\u200bshoe\ufeff") == "red shoe"


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (("10,000",), "10000"),
        ((".50",), "0.5"),
        (("2.0",), "2"),
        (("1", "1", "2"), "1.5"),
        (("", "12", "2"), None),
        (("007",), "007"),
    ],
)
def test_one_spelling_of_a_number(parts: tuple[str, ...], expected: str | None) -> None:
    assert measures.number(*parts) == expected
