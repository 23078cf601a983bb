"""The files of a search evaluation: a catalogue, and queries with judged products."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from model.catalogue import Item
from model.search.learning.encoder import TextVectors
from model.search.learning.judgements import Judged
from workers import catalogue as workers_catalogue
from workers.load import files, items, reading
from workers.load import service as loading
from workers.load.errors import FileError
from workers.load.reading import Rejected
from workers.load.values import numbers

_JUDGED = {"query": ("query",), "item_id": ("item_id", "product_id"), "relevance": ("relevance",)}


class Judgements(NamedTuple):
    """A file of judgements as read; `rejected` are the lines that were left out, by reason."""

    judged: Judged
    path: Path
    read: int
    kept: int
    rejected: tuple[Rejected, ...]


class Catalogue(NamedTuple):
    """A catalogue file as read; `rejected` are the lines that were left out, by reason."""

    items: list[Item]
    path: Path
    read: int
    kept: int
    rejected: tuple[Rejected, ...]


def catalogue(path: Path) -> Catalogue:
    """Return a catalogue's items in the order of their lines; the id column may be item_id or product_id.

    Raises `LoadError` for a file that cannot be read or has no item.
    """
    found = loading.read(path, format=items.FORMAT)
    read = [_item(str(change["item_id"]), change["fields"]) for change in found.changes]
    if not read:
        raise FileError(f"{path} has no item: it needs lines with item_id (or product_id) and title")
    return Catalogue(read, path, found.read, found.kept, found.rejected)


def judgements(path: Path, known: Sequence[Item], *, least: float, relevant: float) -> Judgements:
    """Return the judged queries of a file, with items as indices of `known`; of a repeated pair the last line counts.

    Raises `LoadError` for a file that cannot be read or has no valid line.
    """
    source = files.opened(path)
    source.require("judgements", _JUDGED, ["query"], ["item_id"], ["relevance"])
    table = source.read(_JUDGED)
    positions = {item.item_id: position for position, item in enumerate(known)}
    frame = table.frame.with_columns(grade=numbers.read(table.frame["relevance"]).values)
    kept, rejected = reading.judge(
        frame,
        {
            "no query": pl.col("query").is_null(),
            "no item_id": pl.col("item_id").is_null(),
            "relevance is no number": pl.col("grade").is_null(),
            "item is not in the catalogue": ~pl.col("item_id").is_in(list(positions)),
        },
    )
    rejected = (*table.rejected, *rejected)
    if not kept.height:
        raise FileError(f"{path} has no judgement of an item of the catalogue: {_reasons(rejected)}")
    relevance: dict[str, dict[int, float]] = {}
    for query, item_id, grade in kept.select("query", "item_id", "grade").iter_rows():
        relevance.setdefault(query, {})[positions[item_id]] = grade
    judged = Judged(tuple(relevance), tuple(relevance.values()), least, relevant)
    return Judgements(judged, path, table.read, kept.height, rejected)


def published(folder: Path) -> TextVectors:
    """Return the encoder in a folder with `safetensors` and `tokenizer.json` files.

    Raises `ModelError` if there is none, or one that is not supported.
    """
    from model.text.bert import encoder

    return encoder.load(folder)


def _item(item_id: str, given: Any) -> Item:
    of: Mapping[str, Any] = given
    return Item(
        item_id=item_id,
        title=of.get("title") or "",
        text=of.get("text") or "",
        category=of.get("category"),
        brand=of.get("brand"),
        price=of.get("price"),
        attributes=workers_catalogue.attribute_labels(of.get("attributes") or {}, of.get("tags") or ()),
        available=of.get("stock") != 0,
    )


def _reasons(rejected: Sequence[Rejected]) -> str:
    return ", ".join(f"{r.lines:,} lines: {r.reason} (first: line {r.first_line})" for r in rejected) or "it is empty"
