"""The products, queries and judgements of `benchmarks/search/multilingual/data`."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).with_name("data")


@dataclass(frozen=True)
class Product:
    """One line of the catalogue."""

    product_id: str
    title: str
    language: str


@dataclass(frozen=True)
class Query:
    """What was typed, what is hard about it, and whether it was written before or after the search was made."""

    text: str
    language: str
    kind: str
    half: str


@dataclass(frozen=True)
class Searches:
    """The whole set; `wanted[query]` are the ids of the products that it should find."""

    products: list[Product]
    queries: list[Query]
    wanted: dict[str, set[str]]


def read(folder: Path = FOLDER) -> Searches:
    """The set in `folder`, in the order of its files."""
    wanted: dict[str, set[str]] = {}
    for row in _rows(folder / "judgements.csv"):
        wanted.setdefault(row["query"], set()).add(row["product_id"])
    return Searches(
        products=[Product(**row) for row in _rows(folder / "catalogue.csv")],
        queries=[
            Query(row["query"], row["language"], row["kind"], row["half"]) for row in _rows(folder / "queries.csv")
        ],
        wanted=wanted,
    )


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)
