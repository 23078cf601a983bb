"""What a forecast may know: planned prices and promotions of the week, and sales up to the origin before it.

A row is one store, item and week, seen `horizon` weeks before. The item's own price is kept apart from the rest (the
context), because units must fall in it. Context never depends on the own price of the week, but for the residual of
the first stage: how far the price is from what cost, promotions and season would have it. That holds what the merchant
knew and we don't (control function; Petrin and Train 2010), and stays when a price is only imagined.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from model.pricing import first_stage
from model.pricing.forecast.panel import COUNT, Panel, filled, lagged, smoothed

HALF_LIVES = (1.0, 4.0, 13.0, 40.0)
"""Of the means of past sales, in weeks."""
LEVEL_HALF_LIFE = 6.0
YEAR = 52.18
"""Weeks."""
MOST_RIVALS = 24
"""Up to so many items each one's price is a feature of all others'."""

_REFERENCE_HALF_LIFE = 26.0
_LEAST_COST = 0.2
"""Of the price: a cost below is an error of bookkeeping, and taken as unknown."""


class Rows(NamedTuple):
    """All rows at one horizon. `context` has a column for each of `names`; NaN is unknown.

    `price` is log(price / reference), where the reference is the mean of the item's past prices in the store. `level`
    is the mean log of past sales, NaN where there are none.
    """

    names: tuple[str, ...]
    context_SxIxWxF: Float[np.ndarray, "S I W F"]
    price_SxIxW: Float[np.ndarray, "S I W"]
    level_SxIxW: Float[np.ndarray, "S I W"]


def build(panel: Panel, horizon: int, train_S: Bool[np.ndarray, " S"]) -> Rows:
    """Return the rows at a horizon of 1 week or more. `train_S`: whose stores say how the item does in the chain."""
    sold = panel.sold()
    price = np.log(filled(panel.price_SxIxW))
    deal, feature = np.nan_to_num(panel.deal_SxIxW), np.nan_to_num(panel.feature_SxIxW)
    reference = lagged(smoothed(price, np.ones_like(sold), _REFERENCE_HALF_LIFE), horizon)
    # Before there is any past, a price is compared with itself.
    reference = np.where(np.isnan(reference), price, reference)
    relative = price - reference
    columns = _planned(panel, price, relative, deal, feature)
    columns |= _past(panel, horizon, sold, price, reference, deal, feature)
    columns |= _chain(panel, horizon, sold, train_S)
    columns |= _calendar(panel)
    columns["horizon"] = np.float32(horizon)
    shape = panel.units_SxIxW.shape
    context = np.stack([np.broadcast_to(column, shape) for column in columns.values()], axis=-1).astype(np.float32)
    # A mean of logs: weeks on offer sell ten times as much, and say little of the others.
    level = lagged(smoothed(panel.log_units(), sold, LEVEL_HALF_LIFE), horizon)
    return Rows(tuple(columns), context, relative.astype(np.float32), level.astype(np.float32))


def raised(rows: Rows, item: int, step: float) -> Rows | None:
    """Return the rows as if log price of one item were higher by `step`, for all others; None where no row knows it.

    Own prices stay, and what depends on them.
    """
    name = f"price of {item}"
    if name not in rows.names:
        return None
    context = rows.context_SxIxWxF.copy()
    items = context.shape[1]
    others = np.arange(items) != item
    context[:, others, :, rows.names.index(name)] += step
    context[:, others, :, rows.names.index("others' prices")] += step / max(items - 1, 1)
    return rows._replace(context_SxIxWxF=context)


def _planned(
    panel: Panel, price: np.ndarray, relative: np.ndarray, deal: np.ndarray, feature: np.ndarray
) -> dict[str, np.ndarray]:
    """Return what is planned for the week and was planned for those before it."""
    items = price.shape[1]
    columns = {"deal": deal, "feature": feature, "residual": _residual(panel, price, deal, feature)}
    for weeks in (1, 2, 3):
        columns[f"price {weeks} before"] = lagged(relative, weeks)
        columns[f"deal {weeks} before"] = lagged(deal, weeks)
        columns[f"feature {weeks} before"] = lagged(feature, weeks)
    others = max(items - 1, 1)
    columns["others' prices"] = (relative.sum(1, keepdims=True) - relative) / others
    columns["others' deals"] = (deal.sum(1, keepdims=True) - deal) / others
    columns["others' features"] = (feature.sum(1, keepdims=True) - feature) / others
    columns["lowest other price"] = _lowest_other(relative)
    if 1 < items <= MOST_RIVALS:
        for n in range(items):
            own = np.arange(items)[None, :, None] == n
            columns[f"price of {n}"] = np.where(own, 0.0, relative[:, n : n + 1, :])
    return columns


def _past(
    panel: Panel,
    horizon: int,
    sold: np.ndarray,
    price: np.ndarray,
    reference: np.ndarray,
    deal: np.ndarray,
    feature: np.ndarray,
) -> dict[str, np.ndarray]:
    """Return means of what was sold up to the origin, and of the conditions under which it was."""
    logs = panel.log_units()
    whole = np.log(np.nansum(panel.units_SxIxW, axis=1, keepdims=True) + COUNT)
    columns = {"reference": reference, "last": lagged(smoothed(logs, sold, 0.3), horizon)}
    for half_life in HALF_LIVES:
        columns[f"sold, {half_life:g}"] = lagged(smoothed(logs, sold, half_life), horizon)
        columns[f"price, {half_life:g}"] = lagged(smoothed(price, sold, half_life), horizon) - reference
        columns[f"deal, {half_life:g}"] = lagged(smoothed(deal, sold, half_life), horizon)
        columns[f"feature, {half_life:g}"] = lagged(smoothed(feature, sold, half_life), horizon)
    columns["store"] = lagged(smoothed(whole, np.ones_like(whole, bool), 4.0), horizon)
    return columns


def _chain(panel: Panel, horizon: int, sold: np.ndarray, train_S: np.ndarray) -> dict[str, np.ndarray]:
    logs = np.where(sold, panel.log_units(), 0.0)[train_S]
    count = sold[train_S].sum(0, keepdims=True)
    mean = logs.sum(0, keepdims=True) / np.maximum(count, 1)
    return {f"chain, {hl:g}": lagged(smoothed(mean, count > 0, hl), horizon) for hl in (1.0, 4.0, 26.0)}


def _calendar(panel: Panel) -> dict[str, np.ndarray]:
    week_W = np.arange(panel.units_SxIxW.shape[-1])
    columns = {}
    for k in (1, 2, 3):
        columns[f"year sin {k}"] = np.sin(2.0 * np.pi * k * week_W / YEAR)[None, None, :]
        columns[f"year cos {k}"] = np.cos(2.0 * np.pi * k * week_W / YEAR)[None, None, :]
    return columns


def _residual(panel: Panel, price: np.ndarray, deal: np.ndarray, feature: np.ndarray) -> np.ndarray:
    """Return what of log price cost, promotions, season, store and item do not explain; 0 where cost is unknown."""
    cost = np.where(panel.cost_SxIxW > _LEAST_COST * panel.price_SxIxW, panel.cost_SxIxW, np.nan)
    known = ~np.isnan(cost) & panel.sold()
    if not known.any():
        return np.zeros_like(price)
    columns = (np.log(filled(cost)), deal, feature, *_calendar(panel).values())
    return first_stage.residuals(price, columns, known)


def _lowest_other(relative: np.ndarray) -> np.ndarray:
    if relative.shape[1] == 1:
        return np.zeros_like(relative)
    two = np.partition(relative, 1, axis=1)[:, :2]
    lowest, second = two.min(1, keepdims=True), two.max(1, keepdims=True)
    return np.where(relative <= lowest, second, lowest)
