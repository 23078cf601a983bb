"""The shop's list of synonyms: who finds whom, and what is said of a line that says nothing."""

from __future__ import annotations

from model.text import synonyms


def test_words_of_a_line_find_each_other_and_an_arrow_finds_one_way() -> None:
    found = synonyms.parse(["# comment", "", "Fridges, refrigerator, 冰箱", "xmas => christmas trees  # one way"])
    assert found.others[("fridg",)] == (("refriger",), ("冰箱",))
    assert found.others[("冰箱",)] == (("fridg",), ("refriger",))
    assert found.others[("xmas",)] == (("christma", "tree"),)
    assert ("christma", "tree") not in found.others
    assert found.longest == 1
    assert not found.refused


def test_phrases_and_chinese_commas() -> None:
    found = synonyms.parse(["air conditioner，ac、空调"])
    assert found.others[("air", "condition")] == (("ac",), ("空调",))
    assert found.longest == 2


def test_a_line_that_says_nothing_is_named_and_the_others_are_kept() -> None:
    found = synonyms.parse(["fridge", "sofa, couch", "a => ", "same, SAME"])
    assert [refused.split(":")[0] for refused in found.refused] == ["line 1", "line 3", "line 4"]
    assert ("sofa",) in found.others
