"""Detects bots by their behaviour: too fast, too regular, or in lockstep on items that regular customers leave alone.

Limits come from the shop's own distribution, by the median and the median absolute deviation of logarithms: a third of
the shoppers may be fake and hardly change them. Spending money counts for a shopper: a shopper who has bought needs one
more sign to be flagged, and one who has bought anything but what a group promotes is not part of the group.

Lockstep is after CopyCatch (Beutel et al. 2013, WWW: near-bipartite cores of users and pages within a window of time,
found by alternating between the two): newcomers who share more items than chance explains, on items that more newcomers
touch than the interest of regulars explains. As in FRAUDAR (Hooi et al. 2016, KDD) an item counts more the less it is
touched otherwise, so that mixing in popular items hides nothing. Only touches of regulars count as such interest: an
attack does not raise it.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int, Int64

VELOCITY, LOCKSTEP, GAPS, REPEATS, UNSEEN = "velocity", "lockstep", "regular gaps", "repeats", "unseen clicks"
WEIGHTS = {VELOCITY: 1.0, LOCKSTEP: 1.0, GAPS: 0.5, REPEATS: 0.5, UNSEEN: 0.5}
"""The weight of each sign; a shopper whose signs weigh 1 or more is flagged."""
CREDIT = 0.5
"""Subtracted from the weight of a shopper who has bought."""

MOST_SHARE = 0.5
"""At most this share of the active shoppers is flagged: beyond it, medians mean nothing."""
MOST_REGULARS = 0.01
"""At most this share of the regulars, and of the buyers, is flagged at once."""

LEAST_REGULARS = 50
"""With fewer regulars than this, nobody can be compared with them."""
GROUP, SHARED = 10, 3
"""Least shoppers of a group, and least items that each of them shares with it."""

_MINUTE, _HOUR, _PAUSE = 60.0, 3600.0, 1800.0
_LEAST_A_MINUTE, _LEAST_AN_HOUR, _LEAST_REPEATS = 30.0, 200.0, 20.0
_LEAST_GAPS, _LEAST_UNSEEN = 20, 20
_REGULAR = 0.2
# Limits in robust standard deviations of the logarithm (two of them), and the least value of such a deviation.
_FAR, _FAR_ITEM, _LEAST_DEVIATION = 5.0, 3.0, 0.3
_TIMES_AS_MANY = 4.0
# The least odds that a newcomer is a member of the group.
_SURE = 99.0
# How many times as much as the regulars a genuine fan may want an item.
_AFFINITY = 3.0
_MOST_PUSHED, _ROUNDS = 200, 10
# A marketing campaign brings newcomers who buy; a click farm does not.
_BUYERS, _OF_USUAL = 3, 0.5


class Acts(NamedTuple):
    """What shoppers did with items in a window, by shopper and time: dense numbers, seconds, and purchase or not."""

    actors_E: Int64[np.ndarray, " E"]
    items_E: Int64[np.ndarray, " E"]
    at_E: Float64[np.ndarray, " E"]
    paid_E: Bool[np.ndarray, " E"]


class Actors(NamedTuple):
    """What is known of each shopper.

    Impressions in the window; whether they did anything before it (`known`), bought anything before it, or by its end;
    and whether they were cleared lately (`spared`): then they are in no group.
    """

    impressions_A: Int64[np.ndarray, " A"]
    known_A: Bool[np.ndarray, " A"]
    bought_before_A: Bool[np.ndarray, " A"]
    bought_A: Bool[np.ndarray, " A"]
    spared_A: Bool[np.ndarray, " A"]


class Sign(NamedTuple):
    """One sign against a shopper: the observed value, and the limit in this shop."""

    reason: str
    value: float
    limit: float


class Group(NamedTuple):
    """Shoppers in lockstep, the items that they share, and how many times as often as explained each item is touched.

    There are no members if items are pushed but the bots cannot be told from newcomers who like these items.
    """

    members_M: Int[np.ndarray, " M"]
    items_G: Int[np.ndarray, " G"]
    excess_G: Float64[np.ndarray, " G"]


class Judged(NamedTuple):
    """The signs against each shopper to be flagged, the group in lockstep if items are pushed, and warnings."""

    signs: dict[int, list[Sign]]
    group: Group | None
    alerts: list[str]


def judge(acts: Acts, actors: Actors, items: int) -> Judged:
    """Which shoppers to flag. `items` is the number of dense item numbers."""
    signs: dict[int, list[Sign]] = {}
    folded = _folded(acts)
    for reason, value_A, limit in _shapes(folded, actors):
        for actor in np.flatnonzero(value_A > limit):
            signs.setdefault(int(actor), []).append(Sign(reason, float(value_A[actor]), limit))
    group, alerts = _lockstep(acts, actors, items)
    for actor in () if group is None else group.members_M:
        signs.setdefault(int(actor), []).append(Sign(LOCKSTEP, float(len(group.members_M)), float(GROUP)))
    guilty = {actor: found for actor, found in signs.items() if _score(found, bool(actors.bought_A[actor])) >= 1}
    return _capped(Judged(guilty, group, alerts), folded, actors)


def _score(signs: list[Sign], bought: bool) -> float:
    together = any(sign.reason == LOCKSTEP for sign in signs)  # members have bought nothing but the group's items
    return sum(WEIGHTS[sign.reason] for sign in signs) - CREDIT * (bought and not together)


def _capped(judged: Judged, acts: Acts, actors: Actors) -> Judged:
    """The same without what is too much to be plausible, with an alert instead."""
    active_A = np.bincount(acts.actors_E, minlength=len(actors.known_A)) > 0
    regular_A = _regulars(actors) | actors.bought_A
    if judged.group is not None:
        regular_A[judged.group.members_M] = False
    signs, alerts = judged.signs, list(judged.alerts)
    regulars = [actor for actor in signs if regular_A[actor]]
    if len(regulars) > max(1.0, MOST_REGULARS * int((active_A & regular_A).sum())):
        alerts.append(f"{len(regulars)} regulars look like bad actors at once: none of them was flagged")
        signs = {actor: found for actor, found in signs.items() if not regular_A[actor]}
    if len(signs) > MOST_SHARE * int(active_A.sum()):
        alerts.append(f"{len(signs)} of {int(active_A.sum())} active actors look bad: none of them was flagged")
        signs = {}
    return Judged(signs, judged.group, alerts)


def _folded(acts: Acts) -> Acts:
    """The same with every basket as one act: lines of it within a minute of the previous one."""
    paid = np.flatnonzero(acts.paid_E)
    actors, at = acts.actors_E[paid], acts.at_E[paid]
    again = paid[1:][(actors[1:] == actors[:-1]) & (at[1:] - at[:-1] < _MINUTE)]
    kept_E = np.ones(len(acts.at_E), bool)
    kept_E[again] = False
    return Acts(*(column[kept_E] for column in acts))


def _shapes(acts: Acts, actors: Actors) -> list[tuple[str, np.ndarray, float]]:
    """For each sign of a single shopper, every shopper's value and the limit."""
    count = len(actors.known_A)
    acts_A = np.bincount(acts.actors_E, minlength=count).astype(np.float64)
    repeats_A = _repeats(acts, count)
    found = [
        (VELOCITY, _velocity(acts, count), 1.0),
        (REPEATS, repeats_A, _limit(repeats_A, _LEAST_REPEATS)),
        (GAPS, *_regularity(acts, count)),
    ]
    if np.median(actors.impressions_A[acts_A > 0] > 0) == 1:  # the shop sends impressions
        found.append((UNSEEN, np.where(actors.impressions_A == 0, acts_A, 0.0), float(_LEAST_UNSEEN - 1)))
    return found


def _velocity(acts: Acts, count: int) -> np.ndarray:
    """The acts of each shopper's busiest minute or hour, as a multiple of the limit."""
    velocity_A = np.zeros(count)
    for seconds, least in ((_MINUTE, _LEAST_A_MINUTE), (_HOUR, _LEAST_AN_HOUR)):
        busiest_A = _busiest(acts, count, seconds)
        velocity_A = np.maximum(velocity_A, busiest_A / _limit(busiest_A, least))
    return velocity_A


def _limit(values_A: np.ndarray, least: float) -> float:
    """A limit far above what the shop's shoppers do, and never below `least`."""
    logs = np.log1p(values_A[values_A > 0])
    return max(least, math.expm1(_far(logs, _FAR))) if len(logs) else least


def _far(logs: np.ndarray, deviations: float) -> float:
    middle = float(np.median(logs))
    deviation = 1.4826 * float(np.median(np.abs(logs - middle)))
    return middle + deviations * max(deviation, _LEAST_DEVIATION)


def _busiest(acts: Acts, count: int, seconds: float) -> np.ndarray:
    """The most acts of each shopper within `seconds`."""
    busiest_A = np.zeros(count)
    if not len(acts.at_E):
        return busiest_A
    at_E = acts.at_E - acts.at_E.min()
    key_E = acts.actors_E * (at_E.max() + 2 * seconds) + at_E
    within_E = np.arange(1, len(key_E) + 1) - np.searchsorted(key_E, key_E - seconds, side="right")
    np.maximum.at(busiest_A, acts.actors_E, within_E)
    return busiest_A


def _repeats(acts: Acts, count: int) -> np.ndarray:
    """The most acts of each shopper on one item, without purchases."""
    free_E = ~acts.paid_E
    pairs, times = np.unique(np.stack([acts.actors_E[free_E], acts.items_E[free_E]]), axis=1, return_counts=True)
    repeats_A = np.zeros(count)
    np.maximum.at(repeats_A, pairs[0], times)
    return repeats_A


def _regularity(acts: Acts, count: int) -> tuple[np.ndarray, float]:
    """How regular the gaps between each shopper's acts are (mean / standard deviation, 0 if few), and the limit."""
    gaps_E = np.diff(acts.at_E)
    within_E = (np.diff(acts.actors_E) == 0) & (gaps_E < _PAUSE) & (gaps_E > 0)
    actors, gaps = acts.actors_E[1:][within_E], gaps_E[within_E]
    n_A = np.bincount(actors, minlength=count)
    mean_A = np.bincount(actors, gaps, minlength=count) / np.maximum(n_A, 1)
    square_A = np.bincount(actors, (gaps - mean_A[actors]) ** 2, minlength=count) / np.maximum(n_A, 1)
    ratio_A = np.sqrt(square_A) / np.maximum(mean_A, 1e-9)
    some = ratio_A[n_A >= _LEAST_GAPS // 4]
    usual = float(np.median(some)) if len(some) else 1.0
    regularity_A = np.where(n_A >= _LEAST_GAPS, 1 / np.maximum(ratio_A, 1e-3), 0.0)
    return regularity_A, 1 / min(_REGULAR, max(usual / 4, 1e-2))


def _lockstep(acts: Acts, actors: Actors, items: int) -> tuple[Group | None, list[str]]:
    """The newcomers who move together, if any do, and warnings."""
    actor_P, item_P = np.unique(np.stack([acts.actors_E, acts.items_E]), axis=1)
    regular_A = _regulars(actors)
    newcomer_A = ~regular_A & ~actors.spared_A
    if int(regular_A[np.unique(actor_P)].sum()) < LEAST_REGULARS:
        return None, []
    excess_N, chance_N = _excess(actor_P, item_P, regular_A, newcomer_A & ~actors.bought_A, items)
    items_G = np.flatnonzero(excess_N > 0)
    if len(items_G) < SHARED:
        return None, []
    items_G = np.sort(items_G[np.argsort(-excess_N[items_G], kind="stable")][:_MOST_PUSHED])
    touched_AxG = _touched(actor_P, item_P, items_G, len(regular_A))
    touches_A = np.bincount(actor_P, minlength=len(regular_A))
    suspect_A = newcomer_A & ~_bought_elsewhere(acts, actors, items_G)
    members_A = _members(touched_AxG, touches_A, chance_N[items_G], regular_A, suspect_A) & suspect_A
    if int(members_A.sum()) < GROUP:
        return Group(np.empty(0, np.int64), items_G, np.exp(excess_N[items_G])), []
    share_G = touched_AxG[members_A].mean(0)
    shared = np.flatnonzero(share_G * members_A.sum() >= GROUP)
    group = Group(np.flatnonzero(members_A), items_G[shared], np.exp(excess_N[items_G[shared]]))
    if _is_campaign(members_A, actors.bought_A, newcomer_A & (touches_A > 0)):
        seen = f"{int(members_A.sum())} newcomers came for the same {len(shared)} items, and buy as others do"
        return None, [f"{seen}: taken for a campaign, none of them was flagged"]
    return group, []


def _bought_elsewhere(acts: Acts, actors: Actors, items_G: np.ndarray) -> Bool[np.ndarray, " A"]:
    """Who bought anything but these items: buying the promoted items is part of promoting them."""
    elsewhere_E = acts.paid_E & ~np.isin(acts.items_E, items_G)
    bought_A = actors.bought_before_A.copy()
    bought_A[acts.actors_E[elsewhere_E]] = True
    return bought_A


def _regulars(actors: Actors) -> Bool[np.ndarray, " A"]:
    """Whom newcomers are compared with: earlier buyers; if the shop sends no purchases, earlier shoppers."""
    bought_A = actors.bought_before_A & ~actors.spared_A
    known_A = actors.known_A & ~actors.spared_A
    return bought_A if bought_A.sum() >= 0.01 * known_A.sum() and bought_A.any() else known_A


def _excess(
    actor_P: np.ndarray, item_P: np.ndarray, regular_A: np.ndarray, suspect_A: np.ndarray, items: int
) -> tuple[Float64[np.ndarray, " N"], Float64[np.ndarray, " N"]]:
    """How much more newcomers touched each item than expected, and the chance that a touch of a regular is on it.

    The first is the logarithm of touches / touches explained by the interest of regulars, 0 if that is not unusual in
    this shop.
    """
    theirs_N = np.bincount(item_P[regular_A[actor_P]], minlength=items)
    ours_N = np.bincount(item_P[suspect_A[actor_P]], minlength=items)
    some_N = theirs_N >= 5
    ratio = float(np.median(ours_N[some_N] / theirs_N[some_N])) if some_N.any() else 0.0
    if ratio == 0:
        ratio = float(ours_N.sum()) / max(float(theirs_N.sum()), 1.0)
    excess_N = np.log((ours_N + 1) / (ratio * (theirs_N + 1) + 1))
    usual = excess_N[theirs_N + ours_N >= 5]
    limit = max(math.log(_TIMES_AS_MANY), _far(usual, _FAR_ITEM) if len(usual) else 0.0)
    pushed_N = (ours_N >= GROUP) & (excess_N > limit)
    return np.where(pushed_N, excess_N, 0.0), (theirs_N + 1) / (theirs_N + 1).sum()


def _touched(actor_P: np.ndarray, item_P: np.ndarray, items_G: np.ndarray, count: int) -> Bool[np.ndarray, "A G"]:
    place_P = np.minimum(np.searchsorted(items_G, item_P), len(items_G) - 1)
    here_P = items_G[place_P] == item_P
    touched_AxG = np.zeros((count, len(items_G)), bool)
    touched_AxG[actor_P[here_P], place_P[here_P]] = True
    return touched_AxG


def _members(
    touched_AxG: np.ndarray, touches_A: np.ndarray, chance_G: np.ndarray, regular_A: np.ndarray, suspect_A: np.ndarray
) -> Bool[np.ndarray, " A"]:
    """Who touches the pushed items like the group, rather than as explained by the interest of regulars.

    A mixture of two kinds of newcomers, with independent items: the group's habits and size are estimated from its
    members, and the members from both, until nothing changes. No member is more similar to a regular than one regular
    in a hundred is to the members.
    """
    enough_A = touched_AxG.sum(1) >= SHARED
    genuine_AxG = np.minimum(_AFFINITY * touches_A[:, None] * chance_G, 0.5)
    like_A = members_A = enough_A & suspect_A
    for _ in range(_ROUNDS):
        if not members_A.any():
            break
        habit_G = np.clip(touched_AxG[members_A].mean(0), 0.01, 0.95)
        touched = np.where(touched_AxG, np.log(habit_G / genuine_AxG), np.log((1 - habit_G) / (1 - genuine_AxG)))
        ratio_A = np.where(touches_A > 0, touched.sum(1), -np.inf)
        genuine, members = int((suspect_A & (touches_A > 0)).sum()), int(members_A.sum())
        odds = math.log(_SURE * max(genuine / members - 1, 1.0))
        limit = max(odds, float(np.quantile(ratio_A[regular_A & (touches_A > 0)], 0.99)))
        like_A = enough_A & (ratio_A > limit)
        before_A, members_A = members_A, like_A & suspect_A
        if np.array_equal(before_A, members_A):
            break
    return like_A


def _is_campaign(members_A: np.ndarray, bought_A: np.ndarray, newcomers_A: np.ndarray) -> bool:
    """Whether the newcomers who move together buy about as often as the others."""
    others_A = newcomers_A & ~members_A
    usual = float(bought_A[others_A].mean()) if others_A.any() else 0.0
    return int(bought_A[members_A].sum()) >= _BUYERS and float(bought_A[members_A].mean()) >= _OF_USUAL * usual
