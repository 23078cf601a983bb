"""Codes and model numbers in parts: `WH-1000XM4` is also found by `wh 1000 xm4`, `1000xm4` and `xm4`."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence

from model.text import measures

MOST_PARTS = 6
"""Parts of a code all of whose neighbours are indexed; of a longer one, its beginnings, its ends, and each part."""

_PART = re.compile(r"\d+(?:\.\d+)?|[^\W\d_]+")
_SHIFTED = 3  # letters that may belong to the number beside them: "galaxya54" is "galaxy a54"
_LOOKING_ALIKE = str.maketrans("авекмнорстух", "abekmhopctyx")

Parts = tuple[str, ...]


def parts(code: str) -> Parts:
    """The runs of letters and the numbers of a folded code, in order; numbers in their one spelling."""
    return tuple(measures.number(part) or part if part[0].isdigit() else part for part in _PART.findall(code))


def latin(code: str) -> str:
    """A code in Latin letters, where all of its letters look like some: `Е27` is often typed on a Russian keyboard."""
    twin = code.translate(_LOOKING_ALIKE)
    return twin if twin.isascii() else code


def pieces(found: Parts) -> list[str]:
    """What a code is found by, beside itself: neighbouring parts as one, and each part but a single letter."""
    last = len(found)
    spans = itertools.combinations(range(last + 1), 2)
    if last > MOST_PARTS:
        spans = iter([(a, b) for a, b in spans if a == 0 or b == last or b == a + 1])
    joined = ("".join(found[start:end]) for start, end in spans)
    return [piece for piece in dict.fromkeys(joined) if len(piece) > 1 or piece.isdigit()]


def readings(found: Parts) -> Iterator[Parts]:
    """The ways to read a code as several words that all have to be there, the likeliest first.

    `xm4` is `xm 4`; `r14` stays whole, as single letters belong to what stands beside them; `6500k` is `6500 k`;
    `galaxya54` is `galaxy a54`, and `12tpro` is `12t pro`; and at last the single letters are left out.
    """
    ways = [_grouped(found), found, *_shifted(found), tuple(p for p in found if len(p) > 1 or p.isdigit())]
    return (way for way in dict.fromkeys(ways) if len(way) > 1)


def _grouped(found: Parts) -> Parts:
    grouped: list[str] = []
    alone = ""
    for part in found:
        if len(part) == 1 and not part.isdigit():
            alone += part
        else:
            grouped.append(alone + part)
            alone = ""
    if alone and grouped:
        grouped[-1] += alone
    return tuple(grouped)


def _shifted(found: Sequence[str]) -> Iterator[Parts]:
    for place, (one, other) in enumerate(itertools.pairwise(found)):
        before, behind = found[:place], found[place + 2 :]
        letters = other if one[0].isdigit() else one
        for count in range(1, min(_SHIFTED, len(letters) - 2) + 1):
            if one[0].isdigit():
                yield (*before, one + other[:count], other[count:], *behind)
            else:
                yield (*before, one[:-count], one[-count:] + other, *behind)
