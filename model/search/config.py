"""The configuration of search: a frozen config with named presets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from model import presets
from model.errors import ConfigError
from model.text import analyser

KINDS = 15
"""Kinds of terms that `model.text.analyser` tells apart."""

FIELDS = ("title", "brand", "category", "attributes", "text")
"""The fields of an item that are searched."""


@dataclass(frozen=True)
class SearchConfig:
    """Weights of fields and terms, correction, fusion and sizes. Make one with `preset`.

    `analyser` is the version of the analyser that made the terms of which something was learnt.
    """

    analyser: int = analyser.VERSION

    # Aligned with FIELDS.
    field_weights: tuple[float, ...] = (1.0, 0.4, 0.6, 0.4, 0.2)
    tail_weight: float = 0.7  # of what comes after "with", "for", "in" or in brackets, in a title
    head_weight: float = 1.5  # of the last word before that: what the product is
    part_weight: float = 0.9  # of a part of a code beside one that stands there as such, and of another way to write it
    k1: float = 0.5  # small: a word said twice in a title says little more
    b: float = 0.5
    # The share of a clause's score that a term of each kind gets, aligned with the kinds of `model.text.analyser`:
    # word, number, unit, measure, size, code, Chinese word, word inside a word, pair of characters, character,
    # what a run of characters ends in, neighbouring letters of other scripts without spaces, parts (which a query does
    # not ask for), the exact spelling, the item's id.
    kind_weights: tuple[float, ...] = (1.0, 0.7, 0.2, 0.4, 0.7, 1.0, 1.0, 0.5, 0.5, 0.7, 0.3, 1.0, 0.0, 0.3, 1.0)
    coverage_power: float = 0.5  # the score is multiplied by this power of the share of the query that matched

    rare: int = 3  # a word that this many items or fewer contain may be misspelt
    rarer: float = 10.0  # and is replaced by one that at least this many times as many items contain
    correction_weight: float = 0.9
    join_weight: float = 0.8
    synonym_weight: float = 0.8
    run_weight: float = 0.3  # of a whole run of a script without spaces, beside its neighbouring letters
    least_grams: int = 3  # neighbouring letters of a run that an item holds, or all of a shorter one's
    least_gram_share: float = 0.35  # of a longer one's
    longest_query: int = 48  # terms of a query that are looked up

    dim: int = 64  # of the encoder's vectors
    buckets: int = 32_768  # rows of its table, to which terms are hashed
    width: int = 32  # most distinct terms of a text that are read
    batch: int = 512  # pairs in a step; each is contrasted with all others
    epochs: int = 8  # over the catalogue: parts of an item have to find the whole
    least_steps: int = 300  # for which a small catalogue gets more epochs
    learning_rate: float = 2e-3
    finetune_epochs: int = 4  # over pairs of queries and the items that they should find
    finetune_rate: float = 1e-3

    likeness_weight: float = 0.3  # of the cosine added to the lexical score relative to the best, without a ranker
    letters_weight: float = 0.6  # of the share of the query's trigrams that a title has, without a ranker
    popularity_weight: float = 0.1  # of an item's log popularity relative to the most popular one's
    affinity_weight: float = 0.05  # of how much the shopper likes an item (`workers.search.tastes`)
    least_likeness: float = 0.5  # cosine from which an item is a result without any term of the query
    candidates: int = 200  # by lexical score and cosine, to be sorted by the ranker, or by trigrams
    likest: int = 100  # additional ones, by cosine only
    rankers: int = 1  # boosted one by one with other seeds, and summed
    trees: int = 400
    leaves: int = 20
    depth: int = 6
    least_in_leaf: int = 200
    ranker_rate: float = 0.05
    truncation: int = 20  # a pair of items is learnt from if one of them is ranked before this
    threads: int = 1
    folds: int = 5  # parts of the judged queries; the features of a part are computed without its judgements

    def __post_init__(self) -> None:
        if len(self.field_weights) != len(FIELDS) or min(self.field_weights) < 0:
            raise ConfigError(f"field_weights needs a weight of at least 0 for each of {', '.join(FIELDS)}")
        if len(self.kind_weights) != KINDS or min(self.kind_weights) < 0:
            raise ConfigError(f"kind_weights needs a weight of at least 0 for each of the {KINDS} kinds of terms")
        if self.k1 < 0 or not 0 <= self.b <= 1:
            raise ConfigError(f"k1 {self.k1} must be at least 0 and b {self.b} within 0..1")


_PRESETS: Mapping[str, Mapping[str, Any]] = {
    "tiny": {"dim": 16, "buckets": 1024, "width": 16, "batch": 32, "least_steps": 40, "candidates": 40, "likest": 10},
    "small": {},
}


def preset(name: str = "small", **overrides: Any) -> SearchConfig:
    """The preset "tiny" (for tests) or "small" (the default), with single options replaced.

    Raises ConfigError for an unknown preset or option, naming the nearest known one.
    """
    return presets.named(SearchConfig, _PRESETS, name, overrides)


def from_json(values: Mapping[str, Any]) -> SearchConfig:
    """The config of an artifact; its tuples came back from JSON as lists. The errors are those of `preset`.

    Of one made with another version of the analyser, what was chosen for its kinds of terms is left out.
    """
    given = {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}
    if analyser_of(values) != analyser.VERSION:
        given = {name: value for name, value in given.items() if name not in ("analyser", "kind_weights")}
    return preset(**given)


def analyser_of(values: Mapping[str, Any]) -> int:
    """The version of the analyser that an artifact's config names; those before there was a name for it are 1."""
    return int(values.get("analyser", 1))


def replace(config: SearchConfig, **overrides: Any) -> SearchConfig:
    """`config` with single options replaced; the errors are those of `preset`."""
    return presets.replaced(config, overrides)
