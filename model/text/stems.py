"""Stems of words, by the script that they are written in."""

from __future__ import annotations

import functools
import re

import Stemmer

# The script tells the language well enough: what shares a script shares most endings, and whatever a stemmer makes of
# another language, it makes of the title and of the query alike. Of Latin letters, English is meant.
_LANGUAGES = {
    "russian": "\u0400-\u052f",
    "greek": "\u0370-\u03ff\u1f00-\u1fff",
    "arabic": "\u0600-\u06ff\u0750-\u077f",
    "hindi": "\u0900-\u097f",
    "tamil": "\u0b80-\u0bff",
    "armenian": "\u0530-\u058f",
}
# The letter that folding made one with heh, which the stemmer knows, and the plural of it, which it does not.
_ARABIC_FEMININE, _TEH_MARBUTA = re.compile("ه$|(?<=...)ات$"), "ة"
_OF = tuple((re.compile(f"[{letters}]"), language) for language, letters in _LANGUAGES.items())


def stem(word: str) -> str:
    """The Snowball stem of a folded word (Porter 2001, "Snowball: a language for stemming algorithms")."""
    if word.isascii():
        return str(_english().stemWord(word))
    language = next((language for letters, language in _OF if letters.match(word)), "")
    if not language:
        return str(_english().stemWord(word))
    if language == "arabic":
        word = _ARABIC_FEMININE.sub(_TEH_MARBUTA, word)
    return str(_stemmer(language).stemWord(word)) or word


@functools.cache
def _english() -> Stemmer.Stemmer:
    return Stemmer.Stemmer("english")


@functools.cache
def _stemmer(language: str) -> Stemmer.Stemmer:
    return Stemmer.Stemmer(language)
