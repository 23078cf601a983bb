"""Parts of codes, and the ways to read one as words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.text import codes


def test_a_code_is_found_by_its_parts_and_by_neighbours_among_them() -> None:
    assert codes.parts("dcf887d2-qw") == ("dcf", "887", "d", "2", "qw")
    pieces = codes.pieces(codes.parts("kx-t7730"))
    assert {"kx", "7730", "t7730", "kxt7730", "kxt"} == set(pieces)


@pytest.mark.parametrize(
    ("code", "reading"),
    [
        ("pixel8", ("pixel", "8")),
        ("205/55r16", ("205", "55", "r16")),
        ("4000k", ("4000", "k")),
        ("lumixg9", ("lumix", "g9")),
        ("hdmi2.1", ("hdmi", "2.1")),
    ],
)
def test_a_code_may_be_several_words(code: str, reading: codes.Parts) -> None:
    assert reading in list(codes.readings(codes.parts(code)))


def test_one_part_has_no_other_reading() -> None:
    assert list(codes.readings(codes.parts("4711"))) == []


@given(st.text(st.characters(codec="utf-8")))
def test_pieces_are_few_however_long_a_code_is(code: str) -> None:
    found = codes.parts(code)
    assert len(codes.pieces(found)) <= max(21, 3 * len(found))
    assert all(len(reading) > 1 for reading in codes.readings(found))
