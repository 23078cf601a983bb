"""Items, their categories and the total: one stack of series, and forecasts that add up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

ITEM, CATEGORY, TOTAL = 0, 1, 2
_LEAST = 1e-9


@dataclass(frozen=True)
class Hierarchy:
    """The category of each item, numbered from 0. The stack has the items first, the categories, then the total."""

    group_S: Int[np.ndarray, " S"]
    groups: int

    def stacked(self, units_SxW: Float[np.ndarray, "S W"]) -> Float[np.ndarray, "N W"]:
        """Return the series of all levels."""
        return np.concatenate([units_SxW, self.summed(units_SxW), units_SxW.sum(0, keepdims=True)])

    def summed(self, units_SxW: Float[np.ndarray, "S W"]) -> Float[np.ndarray, "G W"]:
        """Return the series of the categories."""
        found = np.zeros((self.groups, units_SxW.shape[1]))
        np.add.at(found, self.group_S, units_SxW)
        return found

    def parents(self, stack_NxW: Float[np.ndarray, "N W"]) -> Float[np.ndarray, "N W"]:
        """Return the series that each one of a stack is a part of; the total is its own."""
        items = len(self.group_S)
        total = stack_NxW[-1:]
        return np.concatenate([stack_NxW[items + self.group_S], np.repeat(total, self.groups + 1, axis=0)])

    def level_N(self) -> Int[np.ndarray, " N"]:
        """Return the level of each series of the stack."""
        return np.repeat([ITEM, CATEGORY, TOTAL], [len(self.group_S), self.groups, 1])

    def coherent(self, stack_NxH: Float[np.ndarray, "N H"], weights_2: tuple[float, float]) -> Float[np.ndarray, "N H"]:
        """Return forecasts that add up. Each sum is a geometric mean of what it and its parts say.

        `weights` are how much a category's, and the total's, own forecast counts; its parts share the change in
        proportion to their forecasts.
        """
        items = len(self.group_S)
        item, category, total = stack_NxH[:items], stack_NxH[items:-1], stack_NxH[-1:]
        parts = self.summed(item)
        category = _blend(category, parts, weights_2[0])
        total = _blend(total, category.sum(0, keepdims=True), weights_2[1])
        category = category * total / np.maximum(category.sum(0, keepdims=True), _LEAST)
        # A category without any forecast item has none to share it among.
        category = np.where(parts > _LEAST, category, 0.0)
        item = item * (category / np.maximum(parts, _LEAST))[self.group_S]
        return np.concatenate([item, self.summed(item), item.sum(0, keepdims=True)])


def build(groups_S: np.ndarray | None, series: int) -> Hierarchy:
    """Return the hierarchy of items in these groups, in one group if there are none."""
    if groups_S is None:
        return Hierarchy(np.zeros(series, np.int64), 1)
    names, group_S = np.unique(np.asarray(groups_S), return_inverse=True)
    return Hierarchy(group_S.astype(np.int64), len(names))


def _blend(own: np.ndarray, parts: np.ndarray, weight: float) -> np.ndarray:
    both = (own > _LEAST) & (parts > _LEAST)
    mixed = np.exp(weight * np.log(np.maximum(own, _LEAST)) + (1.0 - weight) * np.log(np.maximum(parts, _LEAST)))
    return np.where(both, mixed, parts)
