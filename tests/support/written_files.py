"""Files as the csv module of Python writes them, in any encoding and dialect: what the loader is held to."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import NamedTuple

from hypothesis import strategies as st


class Form(NamedTuple):
    """How the csv module writes a file."""

    delimiter: str = ","
    quotechar: str = '"'
    quoting: int = csv.QUOTE_MINIMAL
    escapechar: str | None = None
    lineterminator: str = "\n"

    def write(self, rows: Sequence[Sequence[str]]) -> str:
        """Return the rows as text."""
        out = io.StringIO(newline="")
        writer = csv.writer(out, doublequote=self.escapechar is None, strict=True, **self._asdict())
        writer.writerows(rows)
        return out.getvalue()


DOUBLED = tuple(
    Form(delimiter, '"', quoting, None, end)
    for delimiter in ",;\t|"
    for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_ALL)
    for end in ("\n", "\r\n", "\r")
)
"""Forms in which any text comes back: quotes around fields, doubled inside."""

ESCAPED = tuple(Form(delimiter, '"', csv.QUOTE_ALL, "\\", "\n") for delimiter in ",;\t|")
SINGLE = tuple(Form(delimiter, "'", csv.QUOTE_ALL, None, "\n") for delimiter in ",;\t|")

HEADER = ("item_id", "title", "text", "brand")


def fields(alphabet: str = "") -> st.SearchStrategy[str]:
    """Return texts with everything that a dialect may trip over. Nothing of it is white space at an end, or null."""
    chars = st.sampled_from("abcXYZ019 ,;\t|\"'\\\n\r.:-_/" + alphabet)
    return st.text(chars, max_size=12).map(str.strip).filter(lambda text: text != r"\N")


def rows(alphabet: str = "") -> st.SearchStrategy[list[list[str]]]:
    """Return lines of a catalogue of four columns, each with an id of its own."""
    line = st.tuples(fields(alphabet), fields(alphabet), fields(alphabet)).map(list)
    return st.lists(line, min_size=1, max_size=12).map(
        lambda lines: [[f"i{number}", *texts] for number, texts in enumerate(lines)]
    )
