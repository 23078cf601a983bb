"""Text to terms for search, the same for titles and queries, English and Chinese mixed as they come."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import NamedTuple

import Stemmer

from model.text import measures, normalise, segment

WORD, NUMBER, UNIT, MEASURE, SIZE, CODE, HAN, INNER, BIGRAM, CHARACTER, ENDING = range(11)
"""What a term is: a stemmed word; a number; a unit; a number with its unit; two sizes ("2x4"); a code or model number;
a Chinese word; a shorter word inside one; two neighbouring Chinese characters; one of them; and how
a run of them ends: 手机 is what 智能手机 ends in, and 手机壳 does not."""

_ENGLISH = (
    "a",
    "an",
    "and",
    "at",
    "by",
    "for",
    "from",
    "in",
    "is",
    "it",
    "of",
    "or",
    "that",
    "the",
    "this",
    "to",
    "with",
)
STOPWORDS = frozenset((*_ENGLISH, *"的了和与是在及"))

MOST_TERMS = 512
"""Terms of one text; what stands behind them is left out."""

_LETTERS = rf"[^\W\d_{normalise.HAN}]"
_NUMERAL = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+"
_GLUED = "|".join(sorted((re.escape(spelling) for spelling in measures.UNITS), key=len, reverse=True))
_FRACTION = re.compile(r"(?:(\d+)[- ])?(\d+) ?/ ?(\d+)")
_AREA = re.compile(r"\b(sq|square|cu|cubic)[. ]{1,2}(?:ft|foot|feet)\b")
# Not the end of a word, such as that of "Xbox 360": behind letters it stands apart, or they are a unit: "4ftx8ft".
_TIMES = re.compile(r"(?:(?<=[\d\"'.]) ?|(?<=[a-z]) |(?<=\d[a-z])|(?<=\d[a-z][a-z]))[x*] ?(?=\.?\d)")
_ASIDE = re.compile(r"(?<![\d\"] )(?<!\d)\b(?:with|for|in)\b(?!\.)|[(,\[]| - | – ")
_TOKEN = re.compile(
    rf"""(?P<number>
            (?:\d+[- ])?\d+[ ]?/[ ]?\d+(?![\d/])
            | {_NUMERAL}
         )
         (?:(?P<gap>[ -]?)(?P<unit>{_GLUED})\.?(?![^\W_]))?
         (?P<tail>(?:(?<=\d)-?{_LETTERS}[^\W_{normalise.HAN}]*(?:-[^\W_{normalise.HAN}]*\d[^\W_{normalise.HAN}]*)*)?)
      | (?P<times>\x00)
      | (?P<han>[{normalise.HAN}]+)
      | (?P<code>{_LETTERS}+-?\d[^\W_{normalise.HAN}]*(?:-[^\W_{normalise.HAN}]+)*)
      | (?P<word>{_LETTERS}+(?:'{_LETTERS}+)?)""",
    re.VERBOSE,
)


class Term(NamedTuple):
    """One term of a text: what is looked up, what it is, which word of the text it came from (from 0), and as what."""

    term: str
    kind: int
    place: int
    surface: str


class Analysis(NamedTuple):
    """The terms of a text in reading order, and the first place that no longer says what a product is.

    From `head` on a title says what the product comes with, is for or is in: what stands behind "with", "for" or "in"
    (but not "in" the unit), a bracket, a comma or a dash.
    """

    terms: list[Term]
    head: int


def terms(text: str) -> list[Term]:
    """The terms of `text` in reading order; never raises for any `str`, and reads `MOST_TERMS` of them at most."""
    return analyse(text).terms


def analyse(text: str) -> Analysis:
    """The terms of `text`, and where the head of a title ends; never raises for any `str`."""
    plain = _prepared(text)
    aside = _ASIDE.search(plain)
    end = aside.start() if aside and aside.start() else len(plain)
    found: list[Term] = []
    last_size, times, place, head = "", False, 0, 0
    for match in _TOKEN.finditer(plain):
        if match["times"]:
            times = True
            continue
        new = list(_verbal(match, place)) if match["number"] is None else list(_numeric(match, place))
        amount = "" if match["number"] is None else _amount(match)
        if times and last_size and amount:
            new.append(Term(f"{last_size}x{amount}", SIZE, place, match[0]))
        last_size, times = amount, False
        found.extend(new)
        place = max((term.place for term in new), default=place) + 1
        head = place if match.start() < end else head
        if len(found) >= MOST_TERMS:
            break
    return Analysis(found[:MOST_TERMS], head)


def stem(word: str) -> str:
    """The Snowball stem of an English word (Porter 2001, "Snowball: a language for stemming algorithms")."""
    return str(_stemmer().stemWord(word))


def _prepared(text: str) -> str:
    """The clean text with `sqft` and `cuft` as single words and a mark for the "x" between two sizes."""
    plain = normalise.clean(text)
    plain = _AREA.sub(lambda match: f"{match[1][:2]}ft", plain)
    return _TIMES.sub("\x00", plain)


def _amount(match: re.Match[str]) -> str:
    fraction = _FRACTION.fullmatch(match["number"])
    parts = fraction.groups("") if fraction else (match["number"],)
    return measures.number(*parts) or ""


def _numeric(match: re.Match[str], place: int) -> Iterator[Term]:
    amount = _amount(match)
    unit = measures.UNITS.get(match["unit"] or "", "")
    if unit and match["gap"] and match["unit"] in measures.ONLY_GLUED:
        unit = ""
    written = match[0]
    if match["tail"]:
        whole = written.replace("-", "")
        yield Term(whole, CODE, place, written)
        if "-" in match["tail"]:
            yield Term(amount or match["number"], NUMBER, place, written)
            yield Term(stem(match["tail"].strip("-")), WORD, place, written)
        return
    if not amount:  # 12/2: two numbers that are no fraction
        for part in re.findall(r"\d+", match["number"]):
            yield Term(part, NUMBER, place, written)
        yield Term("-".join(re.findall(r"\d+", match["number"])), SIZE, place, written)
    else:
        yield Term(amount, NUMBER, place, written)
    if unit:
        yield Term(unit, UNIT, place, written)
        if amount:
            yield Term(amount + unit, MEASURE, place, written)


def _verbal(match: re.Match[str], place: int) -> Iterator[Term]:
    if match["han"]:
        yield from _han(match["han"], place)
    elif match["code"]:
        yield Term(match["code"].replace("-", ""), CODE, place, match["code"])
        if "-" in match["code"]:
            for part in match["code"].split("-"):
                yield Term(part, CODE, place, match["code"])
    else:
        word = match["word"].removesuffix("'s").replace("'", "")
        if word in measures.BARE:
            yield Term(measures.BARE[word], UNIT, place, word)
        elif word not in STOPWORDS:
            yield Term(stem(word), WORD, place, word)


def _han(run: str, place: int) -> Iterator[Term]:
    words = segment.words(run)
    owners = [owner for owner, word in enumerate(words, start=place) for _ in word]
    for owner, word in enumerate(words, start=place):
        if word not in STOPWORDS:
            yield Term(word, HAN, owner, word)
        for inner in segment.inner_words(word):
            yield Term(inner, INNER, owner, inner)
        if len(word) > 1:
            for character in word:
                yield Term(character, CHARACTER, owner, character)
    inner = [word for word in segment.inner_words(words[-1]) if words[-1].endswith(word)]
    for ending in dict.fromkeys((words[-1], *inner, run[-1])):
        yield Term(f"{ending}$", ENDING, owners[-1], ending)
    for start in range(len(run) - 1):
        pair = run[start : start + 2]
        if pair not in words:  # a word of two characters is a term already
            yield Term(pair, BIGRAM, owners[start], pair)


@functools.cache
def _stemmer() -> Stemmer.Stemmer:
    return Stemmer.Stemmer("english")
