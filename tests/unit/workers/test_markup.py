"""Mark-up goes, whatever is only like it stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers import markup


@pytest.mark.parametrize(
    ("sent", "plain"),
    [
        ("<div class='t'><b>Oak</b> table</div>", "Oak table"),
        ("<P>Seats four</P><P>Folds<BR/>flat</P>", "Seats four Folds flat"),
        ("CO<sub>2</sub> cartridge", "CO2 cartridge"),
        ("Salt &amp; pepper &quot;Duo&quot; 5&nbsp;cm", 'Salt & pepper "Duo" 5 cm'),
        ("Salt &amp;amp; pepper", "Salt & pepper"),
        ("&lt;i&gt;Fine&lt;/i&gt; bone china", "Fine bone china"),
        ("Caf&eacute; cup &#233; &#xE9;", "Café cup é é"),
        ("<![CDATA[Wool rug]]>", "Wool rug"),
        ("<!-- new -->Wool rug", "Wool rug"),
        ("<script>track('<p>')</script><style>b{}</style>Wool rug", "Wool rug"),
        ('<a href="/x?a=1&b=2">Wool</a> rug', "Wool rug"),
        ("<table><tr><td>Width</td><td>40</td></tr></table>", "Width 40"),
    ],
)
def test_what_a_reader_of_the_page_sees_is_kept(sent: str, plain: str) -> None:
    assert markup.text(sent) == plain


@pytest.mark.parametrize(
    "text",
    [
        "I <3 tea",
        "width < 40 and > 20",
        "Shirt <S>",
        "Pump <M8>",
        "a<b>c",
        "R&D kit",
        "Black&notebook",
        "5 <-> 6",
        "<",
        "&",
    ],
)
def test_what_only_looks_like_it_stays(text: str) -> None:
    assert markup.text(text) == text


def test_a_heart_that_was_escaped_comes_back() -> None:
    assert markup.text("I &lt;3 tea") == "I <3 tea"


@given(st.text(st.characters(exclude_characters="<&")))
def test_text_without_brackets_and_ampersands_is_left_alone(text: str) -> None:
    assert markup.text(text) is text


@given(st.lists(st.sampled_from(["<", ">", "b", "/", "p", " ", "&", "amp;", "<!--", "-->", "'", '"', "é", "<br>"])))
def test_any_mark_up_has_a_text_and_reading_it_again_changes_nothing_that_was_not_escaped(parts: list[str]) -> None:
    sent = "".join(parts)
    read = markup.text(sent)
    assert len(read) <= len(sent)
    assert "<br>" not in read


def test_the_fields_of_a_change_are_plain_and_the_others_are_left_alone() -> None:
    sent = {
        "title": "<b>Oak</b> table",
        "text": None,
        "brand": "Nut &amp; Bolt",
        "category": None,
        "tags": ("A &amp; B", "new"),
        "attributes": {"size": "&lt; 40 cm"},
        "image_url": "https://shop.example/x?a=1&amp;b=2",
        "price": 5.0,
    }
    plain = {"title": "Oak table", "brand": "Nut & Bolt", "tags": ("A & B", "new"), "attributes": {"size": "< 40 cm"}}
    assert markup.fields(sent) == sent | plain


def test_a_title_of_nothing_but_mark_up_is_kept_as_it_came() -> None:
    assert markup.fields({"title": "<br>", "text": "<p></p>"}) == {"title": "<br>", "text": ""}
