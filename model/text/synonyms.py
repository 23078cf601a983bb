"""The shop's own synonyms: a text file that anybody can edit.

    # a comment
    fridge, refrigerator, 冰箱        every word of the line finds the others
    xmas => christmas                the left finds the right, not the other way round

Lower and upper case, full width, traditional characters and word endings do not matter; a synonym may be several words.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from model.text import analyser

_KEYED = frozenset((analyser.WORD, analyser.NUMBER, analyser.CODE, analyser.HAN, analyser.MEASURE, analyser.SIZE))

Phrase = tuple[str, ...]


@dataclass(frozen=True)
class Synonyms:
    """`others[phrase]` are the phrases that a phrase also finds; a phrase is a tuple of terms."""

    others: dict[Phrase, tuple[Phrase, ...]] = field(default_factory=dict)
    refused: tuple[str, ...] = ()

    @property
    def longest(self) -> int:
        """Number of terms of the longest phrase with synonyms."""
        return max(map(len, self.others), default=0)


def parse(lines: Iterable[str]) -> Synonyms:
    """The synonyms of a file's lines. A line without two phrases is left out and listed in `refused`."""
    others: dict[Phrase, dict[Phrase, None]] = {}
    refused: list[str] = []
    for number, line in enumerate(lines, start=1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        left, arrow, right = text.partition("=>")
        found, finding = _phrases(right if arrow else left), _phrases(left)
        if not finding or not found or len({*found, *finding}) < 2:
            refused.append(f'line {number}: {text!r} needs two phrases, such as "fridge, refrigerator"')
            continue
        for phrase in finding:
            others.setdefault(phrase, {}).update(dict.fromkeys(other for other in found if other != phrase))
    return Synonyms({phrase: tuple(found) for phrase, found in others.items()}, tuple(refused))


def key(terms: Iterable[analyser.Term]) -> Phrase:
    """The phrase of some terms: their main forms."""
    return tuple(term.term for term in terms if term.kind in _KEYED)


def _phrases(text: str) -> list[Phrase]:
    parts = (key(analyser.terms(part)) for part in text.replace("，", ",").replace("、", ",").split(","))
    return [phrase for phrase in parts if phrase]
