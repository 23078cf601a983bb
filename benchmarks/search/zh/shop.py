"""The products, searches and judgements of `benchmarks/search/zh/data`."""

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
    category: str
    brand: str
    department: str


@dataclass(frozen=True)
class Query:
    """The text, the department of the wanted products, and what makes it difficult."""

    text: str
    department: str
    kind: str


@dataclass(frozen=True)
class Searches:
    """The whole set; `relevance[query][product_id]` is 3, 2 or 1, and 1 for products not in it."""

    products: list[Product]
    queries: list[Query]
    relevance: dict[str, dict[str, int]]


def read(folder: Path = FOLDER) -> Searches:
    """The set in `folder`, in the order of its files."""
    relevance: dict[str, dict[str, int]] = {}
    for row in _rows(folder / "judgements.csv"):
        relevance.setdefault(row["query"], {})[row["product_id"]] = int(row["relevance"])
    return Searches(
        products=[Product(**row) for row in _rows(folder / "catalogue.csv")],
        queries=[Query(row["query"], row["department"], row["kind"]) for row in _rows(folder / "queries.csv")],
        relevance=relevance,
    )


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)
