"""JSON that the strict parser refuses, read as far as it goes: what one row holds costs no other row.

Only for bodies that `msgspec` has refused; it takes many times as long. Read are what Python's `json` takes (`NaN`,
halves of surrogate pairs, control characters in a text, a byte order mark, UTF-16), values nested ever so deep, numbers
of any size, bytes that are no UTF-8, and, where the brackets match, broken values beside others. An `Unparsed` stands
for each value that nobody can use.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec

MOST_DEPTH = 64
_MOST_DIGITS = 400
_MOST_PARTS = 100_000
_MOST_SHOWN = 40
# From the body of a Celery message, which is the deepest: arguments, rows, a row, its fields.
_LEVELS = 4

_STRING = r'"[^"\\]*(?:\\.[^"\\]*)*"'
_NESTING = re.compile(rf"{_STRING}|[\[{{]+|[\]}}]+", re.DOTALL)
_TOKENS = re.compile(rf"{_STRING}|[\[{{\]}},:]", re.DOTALL)
# Stands for what was cut out; nobody sends this number.
_CUT = "8472e847200"


class Unparsed(msgspec.Struct, frozen=True):
    """A value that is none: `why`, and how it was written."""

    why: str
    text: str
    is_broken: bool = False
    """Whether it is no JSON at all, not even as `json` takes it."""

    def __str__(self) -> str:
        return self.text


def loads(body: bytes) -> Any:
    """Return the document. Raises `ValueError` where it is none, as a whole."""
    text = _text(body).strip()
    if text[:1] not in ("[", "{"):
        raise ValueError("the body is neither an array nor an object")
    return _value(_shallow(text), _LEVELS)


def is_broken(value: Any) -> bool:
    """Return whether a row, or a field of it, is no JSON."""
    values = value.values() if isinstance(value, dict) else (value,)
    return any(isinstance(one, Unparsed) and one.is_broken for one in values)


def _text(body: bytes) -> str:
    """Return the text; a byte that is none of its encoding becomes half a surrogate pair, which no row may hold."""
    encoding = json.detect_encoding(body)
    if encoding.startswith("utf-8"):
        return body.decode("utf-8-sig", "surrogateescape")
    return body.decode(encoding, "surrogatepass")


def _value(text: str, levels: int) -> Any:
    try:
        return _decoder.decode(text)
    except (ValueError, RecursionError) as error:
        broken = Unparsed(f"is no JSON: {error}", text, is_broken=True)
    if not levels or text[:1] not in ("[", "{"):
        return broken
    try:
        parts = list(_parts(text))
    except ValueError:
        if levels == _LEVELS:
            raise
        return broken
    if text[0] == "[":
        return [_value(part, levels - 1) for _, part in parts]
    return {key: _value(part, levels - 1) for key, part in parts}


def _parts(text: str) -> Iterator[tuple[str, str]]:
    """Yield the elements of an array, or the keys and values of an object. Raises `ValueError`."""
    opening, depth, start, colon, count = text[0], 0, 1, -1, 0
    for token in _TOKENS.finditer(text):
        kind = token[0][0]
        if kind in "[{":
            depth += 1
        elif kind in "]}":
            depth -= 1
        if depth == 1 and kind == ":" and colon < 0:
            colon = token.start()
        if (depth == 1 and kind == ",") or depth == 0:
            part = text[start : token.start()]
            if part.strip() or depth:  # a comma before the end is let pass
                yield _part(part, colon - start, opening)
            start, colon, count = token.end(), -1, count + 1
            if count > _MOST_PARTS:
                raise ValueError(f"more than {_MOST_PARTS} values")
        if depth == 0:
            break
    if depth or text[start:].strip() or text[start - 1] != {"[": "]", "{": "}"}[opening]:
        raise ValueError("its brackets do not match")


def _part(text: str, colon: int, opening: str) -> tuple[str, str]:
    if opening == "[":
        return "", text.strip()
    if colon < 0:
        raise ValueError(f"{text[:_MOST_SHOWN]!r} is no name and value")
    key = _decoder.decode(text[:colon].strip())
    if not isinstance(key, str):
        raise ValueError(f"{text[:_MOST_SHOWN]!r} has no name")
    return key, text[colon + 1 :].strip()


def _shallow(text: str) -> str:
    """Return the text without what is nested more than `MOST_DEPTH` levels deep. One pass, however deep it is."""
    pieces: list[str] = []
    depth = done = 0
    for token in _NESTING.finditer(text):
        kind, size = token[0][0], len(token[0])
        if kind in "[{":
            if depth <= MOST_DEPTH < depth + size:
                pieces += [text[done : token.start() + MOST_DEPTH - depth], _CUT]
            depth += size
        elif kind in "]}":
            if depth - size <= MOST_DEPTH < depth:
                done = token.start() + depth - MOST_DEPTH
            depth -= size
    return "".join([*pieces, text[done:]]) if pieces and depth <= MOST_DEPTH else text


def _integer(text: str) -> Any:
    if len(text) > _MOST_DIGITS:
        return Unparsed(f"{text[:_MOST_SHOWN]}… is a number out of range", text)
    return int(text)


def _real(text: str) -> Any:
    if text == _CUT:
        return Unparsed(f"is nested more than {MOST_DEPTH} levels deep", "(nested too deeply)")
    found = float(text)
    if found in (float("inf"), float("-inf")):
        return Unparsed(f"{text[:_MOST_SHOWN]} is a number out of range", text)
    return found


def _constant(text: str) -> Any:
    return Unparsed(f"{text} is no number of JSON", text)


_decoder = json.JSONDecoder(strict=False, parse_int=_integer, parse_float=_real, parse_constant=_constant)
