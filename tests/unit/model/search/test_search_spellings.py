"""What a shopper types finds what a shop writes: accents, scripts, codes and ids, each as it comes."""

from __future__ import annotations

import itertools
import string
import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from model.catalogue import Item
from model.search import config
from model.search.engine import MATCHED, Engine, Parts
from model.text import analyser

OTHERS = ("Garden hose reel", "Blue paper lantern 40 cm", "Плед шерстяной", "สมุดโน้ต", "台灯", "Kettle KX-90 steel")


def shop(*items: str | Item) -> Engine:
    """An engine over the items; a title alone gets the next number as its id."""
    engine = Engine(Parts(config.preset("tiny")))
    engine.build([item if isinstance(item, Item) else Item(f"no-{n}", item) for n, item in enumerate(items)])
    return engine


def found(engine: Engine, query: str) -> list[str]:
    """The titles that match, best first."""
    page = engine.find(query)
    return [engine.collection.items[slot].title for slot in page.slots_K] if page.source == MATCHED else []


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("rosti pfanne", "Rösti Pfanne"),
        ("roesti pfanne", "Rösti Pfanne"),
        ("grosse schussel", "Große Schüssel"),
        ("grosse schuessel", "Große Schüssel"),
        ("huile", "L'huile d'argan"),
        ("argan", "L’huile d’argan"),
        ("PIMENTON", "Pimentón dulce"),
        ("recznik", "Ręcznik kąpielowy"),
        ("kasik", "Kaşık takımı"),
        ("ISIK", "Işık şeridi"),
        ("den hoc", "Đèn học"),
        ("rakspann", "Räkspann"),
        ("ljusstake", "Ljusståke"),
        ("kobenhavn", "København plakat"),
        ("serviettes", "Serviette en lin"),
        ("щетка", "Щётка"),
        ("книга", "Книги для детей"),
        ("קערה", "קְעָרָה"),
        ("ساعه حائط", "ساعةُ حائط"),
        ("السجاد", "سجاد صوف"),
        ("كيك", "قالب کیک"),
        ("कुरसि", "कुरसी लकड़ी"),
        ("चंदन", "चन्दन साबुन"),
        ("ドライヤ", "ヘアードライヤー"),
        ("ﾄﾞﾗｲﾔｰ", "ヘアードライヤー"),
        ("まくら", "低反発マクラ"),
        ("지갑", "가죽지갑"),
        ("가죽 지갑", "가죽지갑"),
        ("가죽지갑", "가죽 지갑"),
        ("กระเป๋า", "เข็มขัดกระเป๋าหนัง"),
        ("ໂຄມ", "ຕັ້ງໂຄມໄຟ"),
        ("កាបូប", "កាបូបស្ពាយ"),
        ("ဖုန်း", "လက်ကိုင်ဖုန်း"),
        ("台燈", "台灯"),
        ("४० cm", "Tape 40 cm wide"),
    ],
)
def test_a_title_is_found_as_people_type_it(query: str, title: str) -> None:
    assert found(shop(*OTHERS, title), query)[:1] == [title]


@pytest.mark.parametrize(
    ("plain", "accented"), [("resume", "résumé"), ("Rose", "Rosé"), ("елка", "ёлка"), ("pate", "Pâté"), ("ολα", "όλα")]
)
def test_the_spelling_that_was_typed_comes_first(plain: str, accented: str) -> None:
    engine = shop(f"{plain} in a long title of many words", accented, f"{accented} of many words, too", f"{plain} here")
    assert plain in found(engine, plain)[0]
    assert plain in found(engine, plain)[1]
    assert accented in found(engine, accented)[0]
    assert accented in found(engine, accented)[1]
    assert len(found(engine, plain)) == len(found(engine, accented)) == 4


def test_words_of_indic_scripts_are_whole() -> None:
    engine = shop("मोमबत्ती", "मोर पंख", "बत्ती")
    assert found(engine, "मोमबत्ती") == ["मोमबत्ती"]
    assert found(engine, "मोर") == ["मोर पंख"]


def test_a_short_word_of_thai_or_kana_is_not_found_inside_of_another() -> None:
    engine = shop("ชาเขียว", "ที่ชาร์จ", "マスク", "デスク", "タスクチェア")
    assert found(engine, "ชา") == ["ชาเขียว"]
    assert found(engine, "デスク") == ["デスク"]


FORMS = (
    ("dcf887", "DCF-887", "dcf 887", "DCF/887", "dcf.887", "DCF_887"),
    ("pixel8pro", "Pixel 8 Pro", "pixel8 pro", "PIXEL 8PRO", "pixel-8-pro"),
    ("205/55R16", "205/55 R16", "205 55 16", "205-55-R16", "205/55/16", "20555r16"),
    ("750ml", "750 ml", "750-ML", "750ML."),
    ("2,5mm", "2.5 mm", "2.5mm"),
    ("EH-NA65CN", "ehna65cn", "EH NA65CN", "eh-na65 cn"),
    ("10W-40", "10w40", "10 W 40"),
    ("M6x30", "m6 x 30", "M6X30"),
    ("E27", "е27", "E-27"),
    ("10.000mAh", "10000mah", "10 000 mAh"),
    ("13Tpro", "13T Pro", "13 t-pro"),
    ("hdmi2.1", "HDMI 2.1", "hdmi-2.1"),
)


@pytest.mark.parametrize(("title", "query"), [pair for forms in FORMS for pair in itertools.permutations(forms, 2)])
def test_a_code_is_found_in_every_form(title: str, query: str) -> None:
    assert found(shop(*OTHERS, f"Thing {title} new"), query)[:1] == [f"Thing {title} new"]


@pytest.mark.parametrize("part", ["sm-a546b", "a546b", "A546", "sm a546", "546b"])
def test_a_code_is_found_by_a_part(part: str) -> None:
    assert found(shop("Phone SM-A546B/DS", "Phone SM-A346B/DS", *OTHERS), part)[0] == "Phone SM-A546B/DS"


def test_the_code_that_is_written_so_comes_first() -> None:
    engine = shop("Case for Pixel 8", "Pixel8 case", "Case Pixel-8")
    assert found(engine, "pixel8")[0] == "Pixel8 case"
    assert len(found(engine, "pixel8")) == 3


SHOES = (
    Item("AB-1207/x", "Sandal"),
    Item("ab1208x", "Boot AB-1207/x", text="AB-1207/x AB-1207/x"),
    Item("3", "Loafer", attributes=("SKU=777-A", "EAN=4006381333931", "colour=red")),
    Item("4", "Clog 777A 4006381333931"),
)


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("AB-1207/x", "Sandal"),
        ("ab1207x", "Sandal"),
        ("AB 1208 X", "Boot AB-1207/x"),
        ("777a", "Loafer"),
        ("4006381333931", "Loafer"),
        ("#3", "Loafer"),
    ],
)
def test_an_items_own_number_gives_it_first(query: str, title: str) -> None:
    assert found(shop(*SHOES), query)[0] == title


def test_an_items_number_goes_with_it() -> None:
    engine = shop(*SHOES)
    engine.remove(["AB-1207/x"])
    assert found(engine, "AB-1207/x") == ["Boot AB-1207/x"]
    engine.put([Item("ab1208x", "Boot")])
    assert found(engine, "ab-1208-x") == ["Boot"]


@pytest.mark.parametrize(
    ("query", "meant"),
    [
        ("gelbee vorhnage", "gelbe vorhänge"),
        ("crmee", "crème"),
        ("наушинки", "наушники"),
        ("सुरजमुखि", None),
        ("vorhang", None),
        ("foot ball", None),
        ("xk90", None),
        ("crème", None),
        ("CREME", None),
    ],
)
def test_what_was_meant_is_a_word_as_the_catalogue_spells_it(query: str, meant: str | None) -> None:
    engine = shop("Gelbe Vorhänge", "Crème Caramel", "Наушники", "सूरजमुखी तेल", "Vorhang blau", "Football", "Food ball")
    assert engine.understand(query).meant == meant


@given(st.text(st.characters(), max_size=40))
def test_what_was_meant_cuts_no_letter_and_finds_more(query: str) -> None:
    engine = _meaning()
    asked = engine.understand(query)
    if asked.meant is not None:
        assert not unicodedata.combining(asked.meant[0])
        assert len(engine.understand(asked.meant).unknown) <= len(asked.unknown)


def test_accents_are_let_go_with_their_item() -> None:
    engine = shop("Rosé Wein", "Rose Wein")
    engine.remove(["no-0"])
    assert engine.lexicon.spelled("rose") == "rose"
    assert found(engine, "rosé") == ["Rose Wein"]


LATIN = "abcdefghijklmnopqrstuvwyzàáâãäåąăçčćéèêëęěğíìîïıłñńňóòôõöőøřśšşťţúùûüůűýžźżđßæœ"
GREEK = "αβγδεζηθικλμνξοπρστυφχψωάέήίόύώϊϋ"
CYRILLIC = "абвгдеёжзийклмнопрстуфхцчшщыьэюяіїєґ"
UNCASED = (
    "אבגדהוזחטיכלמנסעפצקרשתםןץףך",
    "ابتثجحخدذرزسشصضطظعغفقكلمنهويأإآةىئؤءگپچ",
    "अआइईउकखगघचछजटठडतथदनपबभमयरलवशसहािीुूेैोौंँ़्",
    "กขคงจชซดตถทนบปผพฟมยรลวสหอะาิีึืุูเแโใไ่้์",
    "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワンーガギグ",
    "가나다라마바사아자차카타파하개너더로무버소어조처크텀폰형",
)
CASED = st.sampled_from((LATIN, GREEK, CYRILLIC)).flatmap(lambda letters: st.text(letters, min_size=4, max_size=10))
WORDS = st.one_of(CASED, st.sampled_from(UNCASED).flatmap(lambda letters: st.text(letters, min_size=3, max_size=8)))
TITLES = st.lists(WORDS, min_size=1, max_size=5).map(" ".join)


def _meaning() -> Engine:
    return _MEANING


_MEANING = shop("Größe Vorhänge", "Crème Caramel", "Наушники", "सूरजमुखी तेल", "ชาเขียว", "무선이어폰", "هاتف ذكي", *OTHERS)


def _asks(text: str) -> bool:
    return any(term.kind not in (analyser.PART, analyser.SPELLED) for term in analyser.terms(text))


def _without_accents(text: str) -> str:
    """The text as it is typed without accents: й is a letter of its own."""
    decomposed = unicodedata.normalize("NFD", text.replace("й", "\0"))
    plain = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return unicodedata.normalize("NFC", plain).replace("\0", "й")


@given(st.text(st.characters(), max_size=60))
def test_any_text_finds_itself(title: str) -> None:
    assume(_asks(title))
    assert title in found(shop(title, *OTHERS), title)


@given(TITLES)
def test_any_title_finds_itself_in_any_case_and_form_of_unicode(title: str) -> None:
    assume(_asks(title))
    engine = shop(title, *OTHERS)
    for typed in (title.lower(), unicodedata.normalize("NFD", title), unicodedata.normalize("NFKC", title)):
        assert title in found(engine, typed)


@given(st.lists(CASED, min_size=1, max_size=5).map(" ".join))
def test_any_title_finds_itself_without_accents_and_in_capitals(title: str) -> None:
    engine = shop(title, *OTHERS)
    assert title in found(engine, _without_accents(title))
    assert title in found(engine, title.upper())


@given(st.lists(CASED, min_size=2, max_size=4), st.data())
def test_any_title_is_found_by_two_neighbours_written_as_one(words: list[str], data: st.DataObject) -> None:
    title = " ".join(words)
    at = data.draw(st.integers(0, len(words) - 2))
    glued = words[at] + words[at + 1]
    assert title in found(shop(title, *OTHERS), glued)
    assert title in found(shop(title, *OTHERS), _without_accents(glued))


@given(CASED, st.integers(2, 9999), st.sampled_from(("", " ", "-")), st.sampled_from(("", " ", "-")))
def test_a_word_and_its_number_are_found_glued_spaced_and_dashed(
    word: str, number: int, before: str, typed: str
) -> None:
    title = f"{word}{before}{number}"
    assert title in found(shop(title, *OTHERS), f"{word}{typed}{number}")
    assert title in found(shop(title, *OTHERS), f"{_without_accents(word)}{typed}{number}")


CODE = st.tuples(
    st.text(string.ascii_uppercase, min_size=2, max_size=4),
    st.integers(10, 9999).map(str),
    st.text(string.ascii_uppercase, min_size=2, max_size=3),
)


@given(CODE, st.sampled_from(("", " ", "-", "/", ".", "_")), st.sampled_from(("", " ", "-", "/", ".", "_")))
def test_any_code_is_found_whatever_stands_between_its_parts(code: tuple[str, ...], before: str, typed: str) -> None:
    title = f"Thing {before.join(code)}"
    assert title in found(shop(title, *OTHERS), typed.join(code).lower())


@given(
    st.sampled_from(UNCASED[3:]).flatmap(lambda letters: st.lists(st.text(letters, min_size=3, max_size=6), min_size=2))
)
def test_words_of_scripts_without_spaces_are_found_in_one_and_apart(words: list[str]) -> None:
    glued, apart = "".join(words[:3]), " ".join(words[:3])
    assert glued in found(shop(glued, *OTHERS), apart) or not _asks(apart)
    assert apart in found(shop(apart, *OTHERS), glued) or not _asks(glued)
