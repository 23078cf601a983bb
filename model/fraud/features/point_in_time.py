"""What each order may know of an entity's past: masks over pairs, and exact statistics under a mask.

All asking orders share one past (columns P), or each has its own row (columns Q x P, padded with orders that are
ahead).

All sums are of integers. Such a sum is exact, so a feature is the same bit for bit whether one order asks or thousands
at once, and whatever the sequence of the past orders.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float64, Int64

from model.fraud.features.orders import Orders

Mask = Bool[np.ndarray, "Q P"]


class View:
    """The orders `asking`, and the past of one entity as each of them could see it when it came, without itself."""

    def __init__(self, asking: Orders, past: Orders, *, horizon: int, mature: int, most: int = 0) -> None:
        """Orders older than `horizon` seconds are not seen; after `mature` without a fraud label one counts as genuine.

        Each order sees the newest `most` of those before it, 0: all.
        """
        at_Qx1 = asking.at_N[:, None]
        self.past = past
        self.age_QxP: Int64[np.ndarray, "Q P"] = at_Qx1 - past.at_N
        before_QxP = (self.age_QxP > 0) | ((self.age_QxP == 0) & (past.tie_N < asking.tie_N[:, None]))
        arrived_QxP = (past.arrived_N < asking.arrived_N[:, None]) | (asking.arrived_N[:, None] == 0)
        other_QxP = past.tie_N != asking.tie_N[:, None]
        seen_QxP = before_QxP & other_QxP & arrived_QxP & (self.age_QxP <= horizon)
        self.seen_QxP: Mask = newest(seen_QxP, past, most) if 0 < most < past.at_N.shape[-1] else seen_QxP
        self.fraud_QxP: Mask = self.seen_QxP & (past.fraud_at_N <= at_Qx1)
        self.genuine_QxP: Mask = self.seen_QxP & ~self.fraud_QxP & (self.age_QxP >= mature)

    def within(self, mask_QxP: Mask, seconds: int) -> Mask:
        """The pairs of a mask that are at most `seconds` apart."""
        return mask_QxP & (self.age_QxP <= seconds)

    def youngest(self, mask_QxP: Mask, absent: int) -> Int64[np.ndarray, " Q"]:
        """Seconds since the newest order of each row of a mask; `absent` if it has none."""
        return np.min(self.age_QxP, axis=1, initial=absent, where=mask_QxP)

    def oldest(self, mask_QxP: Mask) -> Int64[np.ndarray, " Q"]:
        """Seconds since the oldest order of each row of a mask; 0 if it has none."""
        return np.max(self.age_QxP, axis=1, initial=0, where=mask_QxP)

    def median(self, mask_QxP: Mask) -> Int64[np.ndarray, " Q"]:
        """The (lower) median amount of each row of a mask, in cents; 0 if it has none."""
        if not self.past.cents_N.shape[-1]:
            return np.zeros(len(mask_QxP), np.int64)
        by_amount_QxP = np.argsort(np.atleast_2d(self.past.cents_N), axis=1, kind="stable")
        sorted_QxP = _along(mask_QxP, by_amount_QxP)
        upto_QxP = np.cumsum(sorted_QxP, axis=1, dtype=np.int32)
        half_Q = (upto_QxP[:, -1] + 1) // 2
        place_Q = (upto_QxP >= half_Q[:, None]).argmax(1)
        cents_QxP = np.broadcast_to(
            np.take_along_axis(np.atleast_2d(self.past.cents_N), by_amount_QxP, 1), mask_QxP.shape
        )
        return np.where(half_Q > 0, cents_QxP[np.arange(len(place_Q)), place_Q], 0)


def _along(mask_QxP: Mask, order_QxP: Int64[np.ndarray, "R P"]) -> Mask:
    """The mask with each row reordered in its own way, or all in the same way (R = 1)."""
    return mask_QxP[:, order_QxP[0]] if len(order_QxP) == 1 else np.take_along_axis(mask_QxP, order_QxP, 1)


def newest(mask_QxP: Mask, past: Orders, most: int) -> Mask:
    """The `most` newest orders of each row of a mask, by time and tie."""
    from_newest_P = np.lexsort((past.tie_N, past.at_N))[::-1]
    found_QxP = np.zeros_like(mask_QxP)
    sorted_QxP = mask_QxP[:, from_newest_P]
    found_QxP[:, from_newest_P] = sorted_QxP & (np.cumsum(sorted_QxP, axis=1, dtype=np.int32) <= most)
    return found_QxP


def count(mask_QxP: Mask) -> Int64[np.ndarray, " Q"]:
    """How many pairs each row of a mask has."""
    return mask_QxP.sum(1)


def total(mask_QxP: Mask, values_P: Int64[np.ndarray, " P"]) -> Int64[np.ndarray, " Q"]:
    """The sum of an integer column under each row of a mask."""
    return mask_QxP @ values_P if values_P.ndim == 1 else (mask_QxP * values_P).sum(1)


def share(part_Q: np.ndarray, whole_Q: np.ndarray, absent: float) -> Float64[np.ndarray, " Q"]:
    """part / whole, and `absent` if the whole is 0."""
    return np.where(whole_Q > 0, part_Q / np.maximum(whole_Q, 1), absent)
