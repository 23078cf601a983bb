"""Vectors to search: like those of a trained item tower and encoder, and Gaussian ones, the worst case of an index.

The learned kind is a mixture whose shape follows models trained on the Amazon Beauty and Sports sets: item norms of
1.36 +- 15 %, 46 % of the items' energy in 16 of 64 dimensions and 69 % in 32, users of norm 8, the best item 5 to 6
standard deviations above the mean score and few items popular.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32

DIM = 64
_DEPARTMENTS = 20
_CATEGORIES = 1_000
_BRANDS = 5_000
_WORDS = 20_000
_WORDS_IN_TITLE = 6
# Norms of an item's parts, and of the direction that popular items share.
_DEPARTMENT, _CATEGORY, _BRAND, _TITLE, _ID, _POPULAR = 0.5, 0.68, 0.45, 0.56, 0.79, 0.3
_HISTORY = 9
_TASTES = 2


def learned(items: int, users: int, *, seed: int) -> tuple[Float32[np.ndarray, "C D"], Float32[np.ndarray, "B D"]]:
    """Item and user vectors of a synthetic shop.

    An item is department + category + brand + six words of its category or of the language + its own part, which is
    longer for popular items. Categories, brands, words and items are drawn by a Zipf law. A user's history of about
    nine items is from two categories; its vector is the recency-weighted mean of the history, and a third of noise.
    """
    random = np.random.default_rng(seed)
    # A falling spectrum: what many items share is in few dimensions.
    spread_D = (1.0 / np.sqrt(1.0 + np.arange(DIM) / 8.0)).astype(np.float32)
    department_of = random.integers(0, _DEPARTMENTS, _CATEGORIES)
    category_N = _zipf(random, _CATEGORIES, items, 0.6)
    brand_N = (_zipf(random, _BRANDS // 50, items, 0.6) * 50 + category_N * 7 % 50) % _BRANDS
    popularity_N = random.permutation(1.0 / np.sqrt(1.0 + np.arange(items))).astype(np.float32)
    popularity_N /= popularity_N.max()
    vectors_CxD = _table(random, _DEPARTMENTS, _DEPARTMENT, spread_D)[department_of[category_N]]
    vectors_CxD += _table(random, _CATEGORIES, _CATEGORY, spread_D)[category_N]
    vectors_CxD += _table(random, _BRANDS, _BRAND, spread_D)[brand_N]
    words = _table(random, _WORDS, _TITLE / np.sqrt(_WORDS_IN_TITLE), spread_D)
    for _ in range(_WORDS_IN_TITLE):
        own = random.random(items) < 0.6
        word_N = np.where(own, category_N * 20 + random.integers(0, 40, items), _zipf(random, _WORDS, items, 0.8))
        vectors_CxD += words[word_N % _WORDS]
    ids_CxD = _table(random, items, _ID, np.ones(DIM, np.float32))
    vectors_CxD += ids_CxD * (0.8 + 0.6 * popularity_N**0.25)[:, None]
    vectors_CxD += _table(random, 1, _POPULAR, spread_D) * (popularity_N**0.25)[:, None]
    return vectors_CxD, _users(random, vectors_CxD, category_N, popularity_N, users)


def gaussian(items: int, users: int, *, seed: int) -> tuple[Float32[np.ndarray, "C D"], Float32[np.ndarray, "B D"]]:
    """Independent normal item and user vectors: no clusters, no preferred direction, nothing to index."""
    random = np.random.default_rng(seed)
    return random.standard_normal((items, DIM), np.float32), random.standard_normal((users, DIM), np.float32)


def _users(
    random: np.random.Generator, vectors_CxD: np.ndarray, category_N: np.ndarray, popularity_N: np.ndarray, users: int
) -> np.ndarray:
    by_category = np.argsort(category_N, kind="stable")
    starts = np.searchsorted(category_N[by_category], np.arange(_CATEGORIES + 1))
    held = np.flatnonzero(np.diff(starts))
    users_BxD = np.zeros((users, DIM), np.float32)
    for user in range(users):
        tastes = random.choice(held, _TASTES, p=np.diff(starts)[held] / len(category_N))
        for age in range(int(np.clip(random.geometric(1 / _HISTORY), 2, 50))):
            taste = tastes[0] if random.random() < 0.7 else tastes[1]
            seen = by_category[random.integers(starts[taste], starts[taste + 1], 8)]
            users_BxD[user] += vectors_CxD[seen[popularity_N[seen].argmax()]] / (1.0 + age) ** 0.7
    users_BxD /= np.linalg.norm(users_BxD, axis=1, keepdims=True)
    users_BxD += _table(random, users, 0.33, np.ones(DIM, np.float32))
    return users_BxD * (8.0 / np.linalg.norm(users_BxD, axis=1, keepdims=True))


def _table(random: np.random.Generator, rows: int, norm: float, spread_D: np.ndarray) -> np.ndarray:
    scale_D = spread_D * np.float32(norm / np.sqrt(np.sum(spread_D**2)))
    return random.standard_normal((rows, DIM), np.float32) * scale_D


def _zipf(random: np.random.Generator, values: int, draws: int, exponent: float) -> np.ndarray:
    weights = (1.0 + np.arange(values)) ** -exponent
    return np.searchsorted(np.cumsum(weights / weights.sum())[:-1], random.random(draws))
