"""The pure decisions of counting: what an event follows, and which events are new."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from model.recommend import config as configs
from model.recommend import transitions
from model.recommend.events import Interactions
from storage.events.histories import Touch
from storage.recommend.homes import Standing
from storage.registry.models import Live
from workers.recommend import counting

START = datetime(2026, 5, 20, tzinfo=UTC)
GAINS = {"view": 0.5, "purchase": 1.0}


def minute(n: float) -> datetime:
    return START + timedelta(minutes=n)


def history(text: str) -> list[Touch]:
    """Return a history of item, kind (view, purchase, dismiss) and minute, such as `av0 bp1`."""
    kinds = {"v": "view", "p": "purchase", "d": "dismiss"}
    return [Touch(word[0], kinds[word[1]], minute(int(word[2:])).timestamp()) for word in text.split()]


@pytest.mark.parametrize(
    ("touches", "through", "pairs"),
    [
        ("", minute(0), {}),
        ("av1", minute(0), {}),
        ("av1 bp2", minute(0), {"ab": 1.0}),
        ("ap1 bv2", minute(0), {"ab": 0.5}),  # the gain is that of the event that follows
        ("av1 bp2 cp3", minute(0), {"ab": 1.0, "bc": 1.0, "ac": 1 / 2}),
        ("av1 bp2 cp3", minute(2), {"bc": 1.0, "ac": 1 / 2}),  # b is counted already, and followed all the same
        ("av1 bp2 cp3", minute(3), {}),
        ("av1 bp2 cp3", None, {}),
        ("av1 bd2 cp3", minute(0), {"ac": 1.0}),  # a dismissal neither follows nor is followed, and is no distance
        ("av1 ap2 ap3", minute(0), {"aa": 1 + 1 + 1 / 2}),
        ("av1 bp2 cp2", minute(1), {"ab": 1.0, "bc": 1.0, "ac": 1 / 2}),  # a basket is in the order of the history
        ("av1 bp2 cp2", minute(2), {}),
        ("av1 bv2 cv3 dv4 ev5 fv6 gp7", minute(6), {f"{b}g": 1 / d for d, b in enumerate("fedcb", 1)}),
    ],
)
def test_an_event_follows_the_five_before_it_once(
    touches: str, through: datetime | None, pairs: dict[str, float]
) -> None:
    found = counting.new_pairs(history(touches), through, GAINS)
    assert {before + after: count for (before, after), count in found.items()} == pytest.approx(pairs)


def test_counting_bit_by_bit_is_counting_as_training_does() -> None:
    """What two refreshes add, one after the other, is what training counts of the whole history."""
    draw = np.random.default_rng(1)
    config = configs.preset("tiny")
    kinds = [kind for kind in configs.KINDS if kind not in ("impression", "search")]
    touches = [Touch(str(draw.integers(6)), str(draw.choice(kinds)), minute(n).timestamp()) for n in range(40)]
    gains = configs.gains(config)
    assert (gains["purchase"], "dismiss" in gains, "search" in gains) == (1.0, False, False)

    pairs: dict[tuple[str, str], float] = {}
    for upto, through in ((25, minute(-1)), (40, minute(24))):
        for pair, count in counting.new_pairs(touches[:upto], through, gains).items():
            pairs[pair] = pairs.get(pair, 0.0) + count

    events = Interactions(
        users_E=np.zeros(40, np.int32),
        items_E=np.array([int(touch.item_id) for touch in touches], np.int32),
        kinds_E=np.array([configs.KINDS.index(touch.kind) for touch in touches], np.int32),
        at_E=np.array([touch.at for touch in touches]),
    )
    gains_K = np.array([gains.get(kind, 0.0) for kind in configs.KINDS])
    table = transitions.count(events, np.ones(40, bool), 6, gains_K=gains_K)
    rows = np.repeat(np.arange(6), np.diff(table.row_N))
    trained = {(str(a), str(b)): c for a, b, c in zip(rows, table.to_P, table.count_P.tolist(), strict=True)}
    assert pairs == pytest.approx(trained)


LIVE = Live("new", switched_at=minute(100), learnt_through=minute(90))


@pytest.mark.parametrize(
    ("standing", "counted"),
    [
        (Standing("new", minute(110), minute(95), 3), minute(95)),
        (Standing("new", minute(110), minute(80), 3), minute(80)),
        (Standing("new", minute(110), None, 3), minute(90)),  # the shopper had no event yet
        (Standing("old", minute(99), minute(95), 3), minute(90)),  # counted, and forgotten with the old model's counts
        (Standing("old", minute(101), minute(95), 3), minute(90)),  # by a worker that had not heard of the new model
        (Standing("new", minute(50), minute(45), 3), minute(90)),  # it served before, was replaced, and is back
        (Standing(None, minute(110), None, 0), minute(90)),  # there was no shelf
        (Standing("new", minute(110), minute(95), 4), minute(95)),
        (Standing("new", minute(110), minute(95), 5), None),  # a newer refresh was quicker
    ],
)
def test_what_is_counted_shows_in_the_shelf_that_stands(standing: Standing, counted: datetime | None) -> None:
    assert counting.counted_through(standing, LIVE, mark=4) == counted


def test_a_version_that_nobody_knows_the_end_of_counts_from_its_own_shelves_on() -> None:
    live = Live("new", switched_at=minute(100), learnt_through=None)
    assert counting.counted_through(Standing(None, minute(110), None, 0), live, mark=1) is None
    assert counting.counted_through(Standing("new", minute(110), minute(95), 1), live, mark=2) == minute(95)
