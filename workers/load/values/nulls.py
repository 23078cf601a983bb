"""Words that programs write where there is no value.

What stands for nothing depends on the kind of column. In a title or a query nothing does: a film may be called *None*.
In ids, categories and other optional texts the words below do; a shopper `null` would be everybody who is unknown. In
numbers and times `NA`, `-` and the like do, too. An empty field and `\\N` are null everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import polars as pl

WORDS = (
    "null", "none", "nan", "nil", "n/a", "#n/a", "<na>", "<null>", "(null)", "undefined", "nat",
)  # fmt: skip
NUMBER_WORDS = (*WORDS, "na", "n.a.", "-", "--", "—", "–", "?")
_MOST_CHARS = max(map(len, NUMBER_WORDS))


def is_null(text: str) -> bool:
    """Return whether a text is one of the words."""
    return len(text) <= _MOST_CHARS and text.strip().lower() in WORDS


def cleared(frame: pl.DataFrame, texts: Iterable[str], numbers: Sequence[str] = ()) -> pl.DataFrame:
    """Return the frame with null instead of the words, in those of the columns that it has."""
    return frame.with_columns(
        *(_cleared(name, WORDS) for name in texts if name in frame.columns and name not in numbers),
        *(_cleared(name, NUMBER_WORDS) for name in numbers if name in frame.columns),
    )


def _cleared(name: str, words: tuple[str, ...]) -> pl.Expr:
    is_word = (pl.col(name).str.len_bytes() <= _MOST_CHARS + 2) & pl.col(name).str.to_lowercase().is_in(words)
    return pl.when(~is_word).then(pl.col(name)).alias(name)
