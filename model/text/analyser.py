"""Text to terms for search, the same for titles and queries, languages and scripts mixed as they come."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import NamedTuple

from model.text import codes, folding, measures, normalise, runs, scripts, segment, stems

VERSION = 2
"""Rises whenever a text gets other terms than before: what was learnt of terms of another version is worth nothing."""

WORD, NUMBER, UNIT, MEASURE, SIZE, CODE, HAN, INNER, BIGRAM, CHARACTER, ENDING = range(11)
"""What a term is: a folded and stemmed word; a number; a unit; a number with its unit; two sizes ("2x4"); a code or
model number; a Chinese word, or a word or whole run of another script without spaces; a shorter word inside a Chinese
one; two neighbouring Chinese characters; one of them; and how a run of them ends: 手机 is what 智能手机 ends in, and
手机壳 does not."""
GRAM, PART, SPELLED, IDENTITY = range(11, 15)
"""And: two neighbouring letters of a run of kana, hangul, Thai, Lao, Khmer or Burmese; what a text is found by, too,
but does not ask for, such as a part of a code, two words as one, or a word with its umlauts written out; a word as it
is spelled, where folding changed it; and the item's own id."""

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
"""Most terms of one text; later ones are left out."""

_LONGEST_ID = 128

# A comma is a decimal one before one or two digits: 3,5 mm.
_NUMERAL = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+,\d{1,2}(?![\d,.]|\ ?/)|\d+(?:\.\d+)?|(?<![^\W_])\.\d+"
_GLUED = "|".join(sorted((re.escape(spelling) for spelling in measures.UNITS), key=len, reverse=True))
_THOUSANDS = re.compile(r"\d{1,3}(?:\.\d{3})+")  # 10.000 is ten thousand in half of the world
_FRACTION = re.compile(r"(?:(\d+)[- ])?(\d+) ?/ ?(\d+)")
_AREA = re.compile(r"\b(sq|square|cu|cubic)[. ]{1,2}(?:ft|foot|feet)\b")
# Not the end of a word, as in "Xbox 360": after letters there is a space, or the letters are a unit: "4ftx8ft".
_TIMES = re.compile(r"(?:(?<=[\d\"'.]) ?|(?<=[a-z]) |(?<=\d[a-z])|(?<=\d[a-z][a-z]))[x*] ?(?=\.?\d)")
_ASIDE = re.compile(r"(?<![\d\"] )(?<!\d)\b(?:with|for|in)\b(?!\.)|[(,\[]| - | – ")
_PATTERN = rf"""(?P<number>
            (?:\d+[- ])?\d+[ ]?/[ ]?\d+(?![\d/])
            | {_NUMERAL}
         )
         (?:(?P<gap>[ -]?)(?P<unit>{_GLUED})\.?(?![^\W_]))?
         (?P<tail>(?:(?<=\d)-?LETTER ANY*(?:-ANY*\dANY*)*)?)
      | (?P<times>\x00)
      | (?P<code>LETTER+-?\dANY*(?:\.\dANY*)*(?:-ANY+)*)
      | (?P<word>LETTER+(?:'LETTER+)?)"""
_SEPARATORS = frozenset("-/._")  # between what may also be written as one
_NOT_CODE = re.compile("[-/ ]")
_NOT_GLUED = re.compile("[-/ ._'\",]")
_NUMERIC = "tail"  # the group that closes last where the pattern met a number
_ONE_PLACE = frozenset(("word", "code", _NUMERIC))
_ENGLISH_ENDINGS = frozenset(("s", "t", "d", "m", "re", "ve", "ll"))  # behind an apostrophe
# What is cut off before one in French, Catalan and Italian.
_ARTICLES = frozenset(
    [
        "l",
        "d",
        "j",
        "m",
        "t",
        "s",
        "c",
        "n",
        "qu",
        "jusqu",
        "lorsqu",
        "dell",
        "nell",
        "all",
        "dall",
        "sull",
        "coll",
        "quest",
        "un",
        "gl",
    ]
)


class Term(NamedTuple):
    """One term of a text: what is looked up, its kind, the index of its word in the text (from 0), and as written."""

    term: str
    kind: int
    place: int
    surface: str


class Analysis(NamedTuple):
    """The terms of a text in reading order, and the index of the first word that no longer says what a product is.

    From `head` on a title says what the product comes with, is for or is in: after "with", "for" or "in" (but not "in"
    the unit), a bracket, a comma or a dash.
    """

    terms: list[Term]
    head: int


def terms(text: str) -> list[Term]:
    """The terms of `text` in reading order, at most `MOST_TERMS`; never raises for any `str`."""
    return analyse(text).terms


def analyse(text: str) -> Analysis:
    """The terms of `text`, and where the head of a title ends; never raises for any `str`."""
    plain = _prepared(text)
    aside = _ASIDE.search(plain)
    end = aside.start() if aside and aside.start() else len(plain)
    found: list[Term] = []
    last_size, times, place, head = "", False, 0, 0
    chain, behind = "", len(plain)
    for match in _token(ascii_only=plain.isascii()).finditer(plain):
        kind = match.lastgroup
        if kind == "times":
            times = True
            continue
        start, stop = match.span()
        new = list(_numeric(match, place) if kind == _NUMERIC else _verbal(match, place, plain))
        amount = _amount(match) if kind == _NUMERIC else ""
        if times and last_size and amount:
            new.append(Term(f"{last_size}x{amount}", SIZE, place, match[0]))
        if start == behind + 1 and plain[behind] in _SEPARATORS and len(chain) < _LONGEST_ID:
            chain += match[0]
            new.append(_glued(chain, place))
        else:
            chain = match[0]
        behind = stop
        last_size, times = amount, False
        found.extend(new)
        place = 1 + (place if kind in _ONE_PLACE else max((term.place for term in new), default=place))
        head = place if start < end else head
        if len(found) >= MOST_TERMS:
            break
    return Analysis(found[:MOST_TERMS], head)


def identity(text: str) -> Term | None:
    """The term of an item's id, a SKU, or a query that may be one: case, dashes and spaces do not matter."""
    key = "".join(filter(str.isalnum, folding.fold(normalise.clean(text[:_LONGEST_ID]))))
    return Term(f"={key}", IDENTITY, 0, text) if key else None


def stem(word: str) -> str:
    """The stem of a folded word."""
    return stems.stem(word)


@functools.cache
def _token(*, ascii_only: bool) -> re.Pattern[str]:
    """What a text is cut into. Most texts are ASCII, whose letters are found without a look at Unicode's tables."""
    letter, any_ = ("[a-z]", "[a-z0-9]") if ascii_only else (scripts.letter(), scripts.alphanumeric())
    pattern = _PATTERN.replace("LETTER", letter).replace("ANY", any_)
    if not ascii_only:
        pattern = f"(?P<han>[{scripts.HAN}]+)|{runs.PATTERN}|{pattern}"
    return re.compile(pattern, re.VERBOSE)


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
        yield from _code(written, place)
        if "-" in match["tail"]:
            yield Term(amount or match["number"], NUMBER, place, written)
            yield Term(stem(folding.fold(match["tail"].strip("-"))), WORD, place, written)
        return
    if not amount:  # 12/2: two numbers that are no fraction
        for part in re.findall(r"\d+", match["number"]):
            yield Term(part, NUMBER, place, written)
        yield Term("-".join(re.findall(r"\d+", match["number"])), SIZE, place, written)
        yield Term("".join(re.findall(r"\d+", match["number"])), PART, place, written)
    else:
        yield Term(amount, NUMBER, place, written)
    if unit:
        yield Term(unit, UNIT, place, written)
        if amount:
            yield Term(amount + unit, MEASURE, place, written)
    if _THOUSANDS.fullmatch(match["number"]):
        yield Term(match["number"].replace(".", ""), PART, place, written)


def _code(written: str, place: int) -> Iterator[Term]:
    """The code as one, and what it is also found by."""
    folded = codes.latin(folding.fold(written))
    parts = codes.parts(folded)
    whole = _NOT_CODE.sub("", folded)
    yield Term(whole, CODE, place, written)
    for piece in codes.pieces(parts):
        if piece != whole:
            yield Term(stem(piece) if piece.isalpha() else piece, PART, place, written)


def _verbal(match: re.Match[str], place: int, plain: str) -> Iterator[Term]:
    kind = match.lastgroup
    if kind == "word":
        yield from _word(match["word"], place)
    elif kind == "code":
        yield from _code(match["code"], place)
        if "-" in match["code"]:
            for part in match["code"].split("-"):
                yield Term(folding.fold(part), CODE, place, match["code"])
    elif kind == "han":
        yield from _han(match["han"], place)
    else:
        start, end = match.span()
        yield from _run(match[0], place, plain[start - 1 : start], plain[end : end + 1])


def _word(written: str, place: int) -> Iterator[Term]:
    before, apostrophe, behind = written.partition("'")
    if apostrophe and before in _ARTICLES and behind not in _ENGLISH_ENDINGS:
        yield Term(stem(folding.fold(before + behind)), PART, place, written)
        written = behind
    written = written.removesuffix("'s").replace("'", "")
    word = folding.fold(written)
    if word in measures.BARE:
        yield Term(measures.BARE[word], UNIT, place, word)
    elif word not in STOPWORDS:
        yield Term(stem(word), WORD, place, word)
        if word != written:
            yield from _spellings(written, word, place)


def _spellings(written: str, word: str, place: int) -> Iterator[Term]:
    """A folded word as it is spelled, and with its umlauts written out."""
    yield Term(written, SPELLED, place, written)
    digraphs = folding.digraphs(written)
    if digraphs is not None and digraphs != word:
        yield Term(stem(digraphs), PART, place, word)


def _glued(chain: str, place: int) -> Term:
    """Words, numbers and codes with a hyphen, slash or dot between them, as one: `t-shirt` is also `tshirt`."""
    glued = _NOT_GLUED.sub("", folding.fold(chain))
    return Term(stem(glued) if glued.isalpha() else glued, PART, place, glued)


def _run(written: str, place: int, before: str, behind: str) -> Iterator[Term]:
    """A run of a script that is written without spaces: its words as far as they are known, and its grams."""
    run = runs.read(written, before, behind)
    for number, word in enumerate(run.words):
        yield Term(word, HAN, place + number, word)
    if run.text != written:
        yield Term(written, SPELLED, place, written)
    for gram in run.grams:
        yield Term(gram, GRAM, place, run.text)
    for letter in run.letters:
        yield Term(letter, PART, place, run.text)
    if run.ending:
        yield Term(f"{run.ending}$", ENDING, place, run.ending)


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
