"""Real data: which customers of Online Retail would have been flagged, and which bots of a farm among them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl

from model.bots import behaviour
from workers.bots import reading
from workers.load import service

WEEK = timedelta(days=7)
_BETWEEN_LINES = 20_000_000
_FAKES, _TARGETS, _OTHERS = 100, 20, 20


def measure(path: Path) -> dict[str, Any]:
    """Judge every week of the file: as it is, as if nobody had paid, and with a farm among them."""
    events = service.read(path, format="retail").events.select("shopper", "item_id", "at").sort("shopper", "at")
    first, last = events["at"].min(), events["at"].max()
    assert isinstance(first, datetime)
    assert isinstance(last, datetime)
    starts = [first + n * WEEK for n in range(4, (last - first) // WEEK)]
    weeks = [_week(events, start, start + WEEK, seed=n) for n, start in enumerate(starts)]
    sums = {name: sum(week[name] for week in weeks) for name in weeks[0]}
    return {"weeks": len(weeks), "customers": events["shopper"].n_unique(), "lines": events.height, **sums}


def _week(events: pl.DataFrame, since: datetime, until: datetime, *, seed: int) -> dict[str, int]:
    before = set(events.filter(pl.col("at") <= since)["shopper"])
    week = events.filter((pl.col("at") > since) & (pl.col("at") <= until))
    real = sorted(set(week["shopper"]))
    paid = _acts(week).with_columns(paid=pl.lit(1, pl.Int64))
    # Each line is a separate click, one after the other: a harder case than in any shop.
    clicks = _acts(week).with_columns(at=pl.col("at") + _BETWEEN_LINES * pl.int_range(pl.len()).over("shopper"))
    farm = _farm(week, since, random.Random(seed))
    mixed = pl.concat([clicks, farm]).sort("shopper", "at")
    fakes = sorted(set(farm["shopper"]))
    alone = _flagged(clicks, real, before, bought=before)
    attacked = _flagged(mixed, [*fakes, *real], before, bought=before)
    return {
        "customer_weeks": len(real),
        "newcomer_weeks": len(set(real) - before),
        "flagged": len(_flagged(paid, real, before, bought={*before, *real})),
        "flagged_as_if_nobody_paid": len(alone),
        "fakes": len(fakes),
        "fakes_flagged": len(attacked & set(fakes)),
        "flagged_beside_fakes_as_if_nobody_paid": len(attacked - set(fakes)),
    }


def _acts(week: pl.DataFrame) -> pl.DataFrame:
    return week.select("shopper", "item_id", pl.col("at").dt.epoch("us"), paid=pl.lit(0, pl.Int64))


def _flagged(acts: pl.DataFrame, shoppers: Sequence[str], before: set[str], *, bought: set[str]) -> set[str]:
    profiles: list[Any] = [
        SimpleNamespace(
            shopper=shopper,
            impressions=0,
            known=shopper in before,
            bought_before=shopper in before,
            bought=shopper in bought,
            spared=False,
        )
        for shopper in shoppers
    ]
    lately = reading.from_acts(acts, profiles)
    judged = behaviour.judge(lately.acts, lately.actors, len(lately.items))
    return {lately.shoppers[actor] for actor in judged.signs}


def _farm(week: pl.DataFrame, since: datetime, rng: random.Random) -> pl.DataFrame:
    """Bots that click the same unpopular items, and other items by popularity."""
    items = week["item_id"].to_list()
    rare = week.group_by("item_id").len().sort("len", "item_id")["item_id"].to_list()
    targets = rng.sample(rare[: len(rare) // 2], _TARGETS)
    rows = []
    for number in range(_FAKES):
        touched = targets + rng.choices(items, k=_OTHERS)
        rng.shuffle(touched)
        at = int(since.timestamp() * 1e6) + rng.randrange(6 * 86_400) * 1_000_000
        for item in touched:
            rows.append((f"fake-{number}", item, at, 0))
            at += int(1e6 * min(rng.lognormvariate(3.5, 1), 600))
    types = {"shopper": pl.String, "item_id": pl.String, "at": pl.Int64, "paid": pl.Int64}
    return pl.DataFrame(rows, schema=types, orient="row")


def share(part: int, whole: int) -> float:
    """Return a share, rounded."""
    return round(float(np.divide(part, max(whole, 1))), 4)
