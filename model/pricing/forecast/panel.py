"""Weekly sales of many stores as arrays by store ("S"), item ("I") and week ("W")."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

COUNT = 0.5
"""Is added to units before their log is taken, so that weeks without sales have one."""


class Panel(NamedTuple):
    """What was sold, in which weeks, at which price; NaN is unknown. Weeks are numbered without gaps from 0.

    `units` >= 0. `price` and `cost` > 0 in units of currency. `deal` and `feature` are shares from 0 to 1: on offer,
    and advertised. `store_ids`, `item_ids` and `weeks` name the axes as the shop does.
    """

    units_SxIxW: Float[np.ndarray, "S I W"]
    price_SxIxW: Float[np.ndarray, "S I W"]
    deal_SxIxW: Float[np.ndarray, "S I W"]
    feature_SxIxW: Float[np.ndarray, "S I W"]
    cost_SxIxW: Float[np.ndarray, "S I W"]
    store_ids: tuple[str, ...]
    item_ids: tuple[str, ...]
    weeks: tuple[str, ...]

    def log_units(self) -> Float[np.ndarray, "S I W"]:
        """Return log(units + COUNT), with unknown units as 0."""
        return np.log(np.nan_to_num(self.units_SxIxW) + COUNT)

    def sold(self) -> Bool[np.ndarray, "S I W"]:
        """Return where units and price are known."""
        return ~np.isnan(self.units_SxIxW) & ~np.isnan(self.price_SxIxW)


def filled(values_SxIxW: Float[np.ndarray, "S I W"]) -> Float[np.ndarray, "S I W"]:
    """Return the values with each gap filled by the last before it, else the item's mean, else the mean of all."""
    known = ~np.isnan(values_SxIxW)
    last = np.maximum.accumulate(np.where(known, np.arange(values_SxIxW.shape[-1]), -1), axis=-1)
    carried = np.take_along_axis(values_SxIxW, np.maximum(last, 0), axis=-1)
    item_I = np.nansum(values_SxIxW, axis=(0, 2)) / np.maximum(known.sum((0, 2)), 1)
    overall = float(np.nansum(values_SxIxW) / max(known.sum(), 1))
    item_I = np.where(known.any((0, 2)), item_I, overall)
    return np.where(last >= 0, carried, item_I[None, :, None])


def smoothed(
    values_SxIxW: Float[np.ndarray, "S I W"], known: Bool[np.ndarray, "S I W"], half_life: float
) -> np.ndarray:
    """Return the mean of each week and those before it that are known, weighted by half for each `half_life` weeks.

    NaN before the first known one.
    """
    keep = 0.5 ** (1.0 / half_life)
    total, weight = np.zeros(values_SxIxW.shape[:-1]), np.zeros(values_SxIxW.shape[:-1])
    found = np.full(values_SxIxW.shape, np.nan)
    for week in range(values_SxIxW.shape[-1]):
        total = keep * total + np.where(known[..., week], values_SxIxW[..., week], 0.0)
        weight = keep * weight + known[..., week]
        found[..., week] = np.where(weight > 0.0, total / np.maximum(weight, 1e-12), np.nan)
    return found


def lagged(values_SxIxW: Float[np.ndarray, "S I W"], weeks: int) -> Float[np.ndarray, "S I W"]:
    """Return the values of so many weeks before, NaN where there is no such week."""
    found = np.full(values_SxIxW.shape, np.nan)
    found[..., weeks:] = values_SxIxW[..., : values_SxIxW.shape[-1] - weeks]
    return found
