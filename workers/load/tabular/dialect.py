"""How a file is cut into lines and fields: its line ends, separator, quotes, and what takes their meaning away.

Every way to cut is tried on the first lines, and the one holds under which most of them have as many fields as the
header, and fewest have not. Of equals, the one with more columns counts, then the plainer one: every CR, LF and CRLF
ends a line, and quotes are double, and doubled inside.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple

_SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
_HINT = re.compile(r"^\ufeff?\"?sep=(.)\"?[\r\n]*$", re.IGNORECASE)
_MOST_LINES_OF_A_RECORD = 50
# Code points that Unicode keeps free of characters.
_CR, _LF = "\ufdd1", "\ufdd2"

csv.field_size_limit(2**31 - 1)  # a long text in a column that nobody uses is no reason to stop


class Dialect(NamedTuple):
    """`quote` is None where quotes mean nothing. `is_strict` says that quotes only ever stand around whole fields.

    `newline` is what ends a line, where it is not each of CR, LF and CRLF.
    """

    separator: str = ","
    quote: str | None = '"'
    escape: str | None = None
    skips_spaces: bool = False
    is_strict: bool = True
    newline: str = ""

    def cut(self, line: str) -> list[str] | None:
        """Return the fields of a line without quotes and escapes, and None for one that has some."""
        return None if self.has_marks(line) else line.rstrip("\r\n").split(self.separator)

    def has_marks(self, text: str) -> bool:
        """Return whether a text has quotes or escapes."""
        return any(mark is not None and mark in text for mark in (self.quote, self.escape))

    @property
    def name(self) -> str:
        """What to call the separator in a report."""
        return _SEPARATORS.get(self.separator, repr(self.separator))

    def reader(self, lines: Iterator[str]) -> Iterator[list[str]]:
        """Return a reader of records, which raises `csv.Error` for a quote that does not fit."""
        records = csv.reader(
            map(self._guarded, lines) if self.newline else lines,
            delimiter=self.separator,
            quotechar=self.quote,
            quoting=csv.QUOTE_MINIMAL if self.quote else csv.QUOTE_NONE,
            escapechar=self.escape,
            doublequote=True,
            skipinitialspace=self.skips_spaces,
            strict=True,
        )
        return map(_unguarded, records) if self.newline else records

    def _guarded(self, line: str) -> str:
        """Return a line in which what ends no line here is kept from the csv module, which takes it for an end."""
        body = line.rstrip("\r\n")
        return body.replace("\r", _CR).replace("\n", _LF) + line[len(body) :]


def hinted(line: str) -> str | None:
    """Return the separator that a first line `sep=;`, which Excel reads, names."""
    found = _HINT.match(line)
    return found.group(1) if found else None


def found(lines: Sequence[str], *, separator: str | None = None) -> Dialect:
    """Return the dialect of a file by its first lines, the header among them, cut at every line end."""
    tried = [_best("", list(lines), separator)]
    for newline in _newlines(lines):
        split = _split("".join(lines), newline)
        tried.append(_best(newline, split, separator))
    best, _, split = max(tried, key=lambda one: (one[1][0], one[0].escape is None))  # of equals the first
    return best._replace(is_strict=not _has_loose_quotes(best, split))


def _best(newline: str, lines: list[str], separator: str | None) -> tuple[Dialect, tuple[int, int, int], list[str]]:
    candidates = sorted(
        _candidates(lines, separator, newline),
        key=lambda one: (one.escape is not None, one.quote != '"', one.skips_spaces),
    )
    scores = [_score(one, lines) for one in candidates]
    equals = [one for one, score in zip(candidates, scores, strict=True) if score == max(scores)]
    # Of equals the one that leaves no quotes inside of fields, then the plainest.
    best = next((one for one in equals if len(equals) == 1 or not _has_loose_quotes(one, lines)), equals[0])
    return best, max(scores), lines


def header(dialect: Dialect, lines: Sequence[str]) -> tuple[list[str], int]:
    """Return the names in the first record, and how many lines it takes."""
    pending = list(reversed(lines))
    names = _record(dialect, pending)
    if names is None:
        return lines[0].rstrip("\r\n").split(dialect.separator), 1
    return names, len(lines) - len(pending)


def _unguarded(fields: list[str]) -> list[str]:
    return [field.replace(_CR, "\r").replace(_LF, "\n") for field in fields]


def _newlines(lines: Sequence[str]) -> list[str]:
    """Return the line end to try: where a file has LF and CR, the one after the header may be the only one."""
    text = "".join(lines)
    if re.search(r"\r(?!\n)", text) is None or "\n" not in text:
        return []
    return ["\r"] if lines[0].endswith("\r") else ["\n"]


def _split(text: str, newline: str) -> list[str]:
    return [line for line in re.split(rf"(?<={newline})", text) if line]


def _candidates(lines: Sequence[str], separator: str | None, newline: str) -> Iterator[Dialect]:
    header, text = lines[0], "".join(lines)
    separators = [separator] if separator else [one for one in _SEPARATORS if one in header]
    quotes = _quotes(header, text)
    escapes = [None, "\\"] if "\\" in text else [None]
    spaces = [False, True] if re.search(r"[,;|\t] +['\"]", text) else [False]
    for one, quote, escape, skips in product(separators or [","], quotes, escapes, spaces):
        yield Dialect(one, quote, escape, skips, newline=newline)
        # Files with tabs often have no quotes at all, and a title may begin with one.
        if (
            one == "\t"
            and quote == '"'
            and not re.search(r'(?:^|\t)"(?:[^"\r\n]|"")*"(?:\t|[\r\n]|$)', text, re.MULTILINE)
        ):
            yield Dialect(one, None, escape, skips, newline=newline)


def _quotes(header: str, text: str) -> list[str]:
    """Return the quotes that may be: those around all names of the header, or double ones and single ones in use."""
    for quote in "'\"":
        if re.fullmatch(rf"\s*{quote}[^{quote}]*{quote}(?:\s*[,;|\t]\s*{quote}[^{quote}]*{quote})+\s*", header):
            return [quote]
    is_used = re.search(r"[,;|\t]\s*'[^'\r\n]*'\s*(?:[,;|\t\r\n]|$)", text)
    return ['"', "'"] if is_used else ['"']


def _score(dialect: Dialect, lines: Sequence[str]) -> tuple[int, int, int]:
    """Return the lines that fit less those that do not, how many columns there are, and how many have bare names."""
    pending = list(reversed(lines))
    header = _record(dialect, pending) or []
    widths = []
    while pending:
        record = _record(dialect, pending)
        if record is None or any(field.strip() for field in record):
            widths.append(-1 if record is None else len(record))
    fits = widths.count(len(header))
    bare = sum(not name.strip().startswith(("'", '"')) for name in header)
    return (2 * fits - len(widths) if len(header) > 1 else -len(lines)), len(header), bare


def _record(dialect: Dialect, pending: list[str]) -> list[str] | None:
    """Take a record off the end of `pending`; of one that cannot be read, the first line alone."""
    if (fields := dialect.cut(pending[-1])) is not None:
        pending.pop()
        return fields
    taken: list[str] = []

    def feed() -> Iterator[str]:
        while pending and len(taken) < _MOST_LINES_OF_A_RECORD:
            taken.append(pending.pop())
            yield taken[-1]

    try:
        return next(dialect.reader(feed()), None)
    except csv.Error:
        pending.extend(reversed(taken[1:]))
        return None


def _has_loose_quotes(dialect: Dialect, lines: Sequence[str]) -> bool:
    """Return whether quotes stand inside fields that are not quoted, such as in `24" screen`."""
    quote, separator, pending = dialect.quote, re.escape(dialect.separator), list(reversed(lines))
    if quote is None:
        return False
    whole = re.compile(rf"(?<![^{separator}])\s*{quote}(?:[^{quote}]|{quote}{quote})*{quote}\s*(?=[{separator}\r\n]|$)")
    while pending:
        before = pending.copy()
        is_read = _record(dialect, pending) is not None
        record = "".join(reversed(before[len(pending) :]))
        bare = re.sub(r"\\.", "", record) if dialect.escape else record
        if is_read and quote in whole.sub("", bare):
            return True
    return False
