"""Split a run of Chinese characters into words."""

from __future__ import annotations

import functools

import rjieba

LONGEST = 400
"""Most characters that are split into words at once: the time grows with the length of the run."""


def words(run: str) -> list[str]:
    """The words of a run, in order: by jieba's dictionary and, for unknown words, its hidden Markov model."""
    parts = [run[start : start + LONGEST] for start in range(0, len(run), LONGEST)]
    return [word for part in parts for word in _cutter().cut(part)]


def inner_words(word: str) -> list[str]:
    """The dictionary's words inside a longer one: 智能 and 手机 in 智能手机; none in a word of two characters."""
    if len(word) < 3:
        return []
    return [part for part in _cutter().cut_for_search(word) if part != word and len(part) > 1]


@functools.cache
def _cutter() -> rjieba.Jieba:
    return rjieba.Jieba()
