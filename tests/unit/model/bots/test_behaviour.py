"""Behaviour: whom each sign finds in a made-up shop, and whom it leaves alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pytest

from model.bots import behaviour
from model.bots.behaviour import Actors, Acts, Judged

ITEMS = 300
WEEK = 7 * 86_400.0
REGULARS = 200
TARGETS = np.arange(280, 300)


class Doing(NamedTuple):
    """What one actor did, and what is known of them."""

    items: Sequence[int]
    at: Sequence[float]
    paid: Sequence[bool] = ()
    known: bool = False
    bought_before: bool = False
    bought: bool = False
    spared: bool = False
    impressions: int = 0


@pytest.fixture
def draw() -> np.random.Generator:
    return np.random.default_rng(1)


def person(draw: np.random.Generator, items: Sequence[int] | None = None, **known: Any) -> Doing:
    """A visit of some items by popularity, with the pauses of a person."""
    chosen = draw.geometric(0.02, int(draw.integers(4, 16))) % 280 if items is None else np.asarray(items)
    return Doing(chosen.tolist(), pauses(draw, len(chosen)), **known)


def pauses(draw: np.random.Generator, count: int) -> list[float]:
    return (draw.random() * 6 * 86_400 + np.cumsum(draw.lognormal(3.5, 1.0, count))).tolist()


def crowd(draw: np.random.Generator, *more: Doing, impressions: int = 0) -> list[Doing]:
    """Regulars, newcomers, and others after them."""
    regulars = [
        person(draw, known=True, bought_before=True, bought=True, impressions=impressions) for _ in range(REGULARS)
    ]
    return [*regulars, *(person(draw, impressions=impressions) for _ in range(60)), *more]


def judge(everyone: Sequence[Doing]) -> Judged:
    acts = Acts(
        np.repeat(np.arange(len(everyone)), [len(one.items) for one in everyone]),
        np.concatenate([one.items for one in everyone]).astype(np.int64),
        np.concatenate([one.at for one in everyone]),
        np.concatenate([one.paid or [False] * len(one.items) for one in everyone]).astype(bool),
    )
    columns = {f"{name}_A": np.array([getattr(one, name) for one in everyone]) for name in Doing._fields[3:]}
    return behaviour.judge(acts, Actors(**columns), ITEMS)


def reasons(judged: Judged, actor: int) -> list[str]:
    return sorted(sign.reason for sign in judged.signs.get(actor, []))


def farm(draw: np.random.Generator, members: int, *, targets: int, others: int, **known: Any) -> list[Doing]:
    """Fakes who touch some of the targets, and others by popularity."""
    made = []
    for _ in range(members):
        items = np.concatenate([draw.choice(TARGETS, targets, replace=False), draw.geometric(0.02, others) % 280])
        made.append(person(draw, draw.permutation(items).tolist(), **known))
    return made


def test_nobody_is_flagged_in_a_shop_without_bad_actors(draw: np.random.Generator) -> None:
    assert judge(crowd(draw)) == Judged({}, None, [])


@pytest.mark.parametrize(
    ("doing", "found"),
    [
        (Doing(np.arange(250).tolist(), np.linspace(0, 3000, 250).tolist()), ["regular gaps", "velocity"]),
        (Doing([7] * 60, np.arange(60) * 20.0), ["regular gaps", "repeats"]),
        (Doing([7] * 60, np.arange(60) * 20.0, bought=True), []),  # bought: one more sign is needed
        (Doing(list(range(60)), np.arange(60) * 20.0), []),  # regular, and nothing else
    ],
)
def test_an_actor_alone_is_judged_by_their_shape(draw: np.random.Generator, doing: Doing, found: list[str]) -> None:
    everyone = crowd(draw, doing)
    judged = judge(everyone)
    assert set(judged.signs) <= {len(everyone) - 1}
    assert reasons(judged, len(everyone) - 1) == found


def test_clicks_on_what_was_never_shown_count_where_the_shop_tells_what_it_shows(draw: np.random.Generator) -> None:
    doing = Doing([7] * 60, pauses(draw, 60))
    told, silent = (crowd(draw, doing, impressions=shown) for shown in (30, 0))
    assert reasons(judge(told), len(told) - 1) == ["repeats", "unseen clicks"]
    assert reasons(judge(silent), len(silent) - 1) == []


def test_a_basket_is_one_act(draw: np.random.Generator) -> None:
    """A wholesaler buys hundreds of things in a moment."""
    basket = Doing([n % 280 for n in range(400)], [5.0] * 400, paid=[True] * 400, bought=True)
    assert judge(crowd(draw, basket)).signs == {}
    without_paying = basket._replace(paid=[False] * 400)
    assert len(judge(crowd(draw, without_paying)).signs) == 0  # bought: velocity alone does not do
    assert reasons(judge(crowd(draw, without_paying._replace(bought=False))), REGULARS + 60) == ["velocity"]


@pytest.mark.parametrize(
    ("targets", "others", "least"), [(20, 0, 100), (20, 20, 100), (20, 60, 100), (5, 5, 95), (3, 0, 80)]
)
def test_a_farm_is_found_and_nobody_else(draw: np.random.Generator, targets: int, others: int, least: int) -> None:
    judged = judge(crowd(draw, *farm(draw, 100, targets=targets, others=others)))
    assert set(judged.signs) <= set(range(REGULARS + 60, REGULARS + 160))
    assert len(judged.signs) >= least
    assert judged.group is not None
    assert set(judged.group.items_G) <= set(TARGETS)
    assert judged.alerts == []


@pytest.mark.parametrize(
    ("made", "targets", "known"),
    [
        (40, 1, {}),  # one item that everybody talks about
        (9, 20, {}),  # too few for a group
        (60, 20, {"known": True, "bought_before": True, "bought": True}),  # regulars who want the same
        (60, 20, {"spared": True}),  # somebody cleared them
        (60, 20, {"bought": True}),  # newcomers who all buy: a campaign
    ],
)
def test_who_is_no_farm_is_left_alone(
    draw: np.random.Generator, made: int, targets: int, known: dict[str, Any]
) -> None:
    assert judge(crowd(draw, *farm(draw, made, targets=targets, others=2, **known))).signs == {}


def test_items_that_are_pushed_by_nobody_who_can_be_told_are_named(draw: np.random.Generator) -> None:
    judged = judge(crowd(draw, *farm(draw, 200, targets=1, others=1)))
    assert judged.signs == {}
    assert judged.group is not None
    assert len(judged.group.members_M) == 0
    assert set(judged.group.items_G) <= set(TARGETS)
    assert len(judged.group.items_G) > 5


def test_a_campaign_brings_newcomers_who_buy_and_is_an_alert(draw: np.random.Generator) -> None:
    came = [*farm(draw, 60, targets=8, others=2), *farm(draw, 6, targets=8, others=2, bought=True)]
    usual = [person(draw, bought=n < 6) for n in range(60)]
    judged = judge(crowd(draw, *usual, *came))
    assert judged.signs == {}
    assert [alert.partition(" newcomers")[0] for alert in judged.alerts] == ["66"]


@pytest.mark.parametrize(("item", "found"), [(TARGETS[0], 100), (7, 90)])
def test_buying_what_one_promotes_helps_nobody(draw: np.random.Generator, item: int, found: int) -> None:
    members = farm(draw, 100, targets=20, others=5)
    for n in range(10):
        one = members[n]
        items, at = [*one.items, int(item)], [*one.at, one.at[-1] + 30]
        members[n] = Doing(items, at, paid=[False] * len(one.items) + [True], bought=True)
    usual = [person(draw, bought=True) for _ in range(60)]
    assert len(judge(crowd(draw, *usual, *members)).signs) == found


def test_too_many_at_once_are_an_alert_and_not_flagged(draw: np.random.Generator) -> None:
    judged = judge(crowd(draw, *farm(draw, 300, targets=20, others=5)))
    assert judged.signs == {}
    assert judged.alerts == ["300 of 560 active actors look bad: none of them was flagged"]


def test_too_many_regulars_at_once_are_an_alert_and_the_others_are_flagged(draw: np.random.Generator) -> None:
    fast = Doing(np.arange(250).tolist(), np.linspace(0, 3000, 250).tolist())
    judged = judge(crowd(draw, *[fast._replace(known=True, bought_before=True, bought=True)] * 5, fast))
    assert set(judged.signs) == {REGULARS + 65}
    assert judged.alerts == ["5 regulars look like bad actors at once: none of them was flagged"]


def test_without_regulars_nobody_can_be_held_against_them(draw: np.random.Generator) -> None:
    assert judge([*(person(draw) for _ in range(200)), *farm(draw, 100, targets=20, others=5)]).group is None
