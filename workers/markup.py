"""Mark-up out of what a shop sends of an item: the words that a reader of its page sees, on shelves and in search."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any

_LABELS = ("category", "brand", "tags", "attributes")

_INLINE = "a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd label mark q s samp small span strike"
_INLINE += " strong sub sup time tt u var wbr"
_BLOCKS = (
    "address article aside audio blockquote body br button canvas caption center col colgroup dd details div dl dt"
)
_BLOCKS += (
    " fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 head header hr html iframe img input legend li link"
)
_BLOCKS += " main map meta nav noscript object ol option p param picture pre script section select source style summary"
_BLOCKS += " svg table tbody td template textarea tfoot th thead title tr ul video"
_UNSEEN = frozenset(("script", "style", "template", "head"))
_APART = frozenset(_BLOCKS.split())

# A bracket that opens no tag of HTML is text: "<3", "a < b", "<M>".
_NAMES = "|".join(sorted((*_INLINE.split(), *_BLOCKS.split()), key=len, reverse=True))
_NO_TAG = re.compile(rf"<(?!/?(?:{_NAMES})(?:\s[^<>]*)?/?>)", re.IGNORECASE)
# With its semicolon: "Black&notebook" holds none.
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});")
_AMPERSAND = re.compile(rf"&(?!{_ENTITY.pattern[1:]})")
# One letter in brackets may be a size, <S>, or a comparison, a<b>c: a tag is closed somewhere.
_LETTER = re.compile(r"<(?=([biqsu])(?:\s[^<>]*)?>)", re.IGNORECASE)
_CDATA = re.compile(r"<!\[CDATA\[|\]\]>")
_SPACES = re.compile(r"\s+")
_MOST_TIMES = 2
"""What was escaped twice, as `&amp;amp;` or `&lt;b&gt;`, is read twice."""


def fields(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a catalogue change without mark-up; a title with nothing else stays as it is."""
    plain = dict(given)
    if isinstance(given.get("title"), str):
        plain["title"] = text(given["title"]) or given["title"]
    if isinstance(given.get("text"), str):
        plain["text"] = text(given["text"])
    for name in _LABELS:
        if given.get(name):
            plain[name] = _label(given[name])
    return plain


def text(given: str) -> str:
    """Return a text without tags and comments, entities resolved; as it is where it has none."""
    for _ in range(_MOST_TIMES):
        if "<" not in given and "&" not in given:
            return given
        found = _read(given)
        if found == given:
            return given
        given = found
    return given


def _label(given: Any) -> Any:
    """Labels are compared, so that of them only entities are resolved."""
    if isinstance(given, str):
        return _resolved(given) if "&" in given else given
    if isinstance(given, Mapping):
        return {_label(name): _label(value) for name, value in given.items()}
    return tuple(map(_label, given))


def _resolved(given: str) -> str:
    for _ in range(_MOST_TIMES):
        given = _ENTITY.sub(lambda match: html.unescape(match[0]), given)
    return given.replace("\xa0", " ")


def _read(given: str) -> str:
    bare = _without_comments(_CDATA.sub("", given))
    closed = {letter for letter in "biqsu" if f"</{letter}>" in bare.lower()}
    tagged = _LETTER.sub(lambda match: "<" if match[1].lower() in closed else "&lt;", bare)
    marked = _AMPERSAND.sub("&amp;", _NO_TAG.sub("&lt;", tagged))
    if "<" not in marked and not _ENTITY.search(bare):
        return bare
    reader = _Reader()
    reader.feed(marked)
    reader.close()
    return _SPACES.sub(" ", "".join(reader.seen)).strip()


def _without_comments(given: str) -> str:
    kept, at = [], 0
    while (start := given.find("<!--", at)) >= 0 and (end := given.find("-->", start)) >= 0:
        kept.append(given[at:start])
        at = end + len("-->")
    return "".join((*kept, given[at:]))


class _Reader(HTMLParser):
    """Keeps what is seen of a page. What stands in blocks of their own is parted by a space."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.seen: list[str] = []
        self._unseen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _APART:
            self.seen.append(" ")
        if tag in _UNSEEN:
            self._unseen.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _APART:
            self.seen.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in _APART:
            self.seen.append(" ")
        if self._unseen and self._unseen[-1] == tag:
            self._unseen.pop()

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.seen.append(data)
