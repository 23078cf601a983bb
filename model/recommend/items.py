"""Items as the arrays that the item tower reads."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int32

from model.batching import pad_rows
from model.catalogue import Item
from model.recommend.config import RecommendConfig
from model.text import tokens


class ItemFeatures(NamedTuple):
    """The item tower's input. Hashed labels are 1-based; 0 is missing or padding.

    `price_NxP` is (1, log(1 + price), its square), scaled to about unit size, or zeros without a price.
    """

    rows_N: Int32[np.ndarray, " N"]  # row of the id table; 0 is an item never trained on
    text_NxT: Int32[np.ndarray, "N T"]
    labels_NxF: Int32[np.ndarray, "N 2"]  # category, brand
    attributes_NxA: Int32[np.ndarray, "N A"]
    price_NxP: Float32[np.ndarray, "N 3"]


def features(items: Sequence[Item], rows: Mapping[str, int], config: RecommendConfig) -> ItemFeatures:
    """The arrays of `items`, in order. `rows` maps a trained item's id to its row of the id table, from 1."""
    buckets = config.hash_buckets
    return ItemFeatures(
        rows_N=np.fromiter((rows.get(item.item_id, 0) for item in items), np.int32, len(items)),
        text_NxT=tokens.hash_tokens(
            [f"{item.title} {item.text}" for item in items], width=config.text_width, buckets=buckets
        ),
        labels_NxF=np.stack([categories(items, config), _labels("brand", [i.brand for i in items], buckets)], 1),
        attributes_NxA=tokens.hash_lists(
            ([f"attribute={attribute}" for attribute in sorted(set(item.attributes))] for item in items),
            width=config.attribute_width,
            buckets=buckets,
        ),
        price_NxP=np.array([_price(item.price) for item in items], np.float32).reshape(len(items), 3),
    )


def categories(items: Sequence[Item], config: RecommendConfig) -> Int32[np.ndarray, " N"]:
    """Each item's category as a stable integer from 1; 0 for none."""
    return _labels("category", [item.category for item in items], config.hash_buckets)


def _labels(field: str, values: Sequence[str | None], buckets: int) -> Int32[np.ndarray, " N"]:
    hashed = (tokens.bucket(f"{field}={value}", buckets=buckets) if value else 0 for value in values)
    return np.fromiter(hashed, np.int32, len(values))


def _price(price: float | None) -> tuple[float, float, float]:
    if price is None or not math.isfinite(price) or price < 0:
        return (0.0, 0.0, 0.0)
    scaled = math.log1p(price) / 4 - 1
    return (1.0, scaled, scaled * scaled)


def padded(features: ItemFeatures, rows: int) -> ItemFeatures:
    """The same, padded with empty rows to `rows`."""
    return ItemFeatures(*(pad_rows(column, rows) for column in features))
