"""A push attack: fake users whose profiles mix a few unpopular items, to be pushed, with popular ones as a disguise.

After the bandwagon attack of Burke et al. 2005 (Limited knowledge shilling attacks), for events without ratings: all
fake users share the targets, and each has its own popular items and its own order.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from model.errors import DataError
from model.recommend import events as event_arrays
from model.recommend import split
from model.recommend.config import RecommendConfig
from model.recommend.events import Interactions
from model.recommend.split import Split

TARGETS, FILLERS = 5, 10
DESCRIPTION = (
    f"push: every fake user has one profile, a shuffled mix of the same {TARGETS} target items and {FILLERS} fillers; "
    "targets are drawn from the tenth of the learned items with the fewest training events, fillers by popularity; "
    "fake users only add training events, nobody validates or tests on them"
)


class Attack(NamedTuple):
    """The items to be pushed, how often each was learned from before, and the events of the fake users."""

    targets_T: Int[np.ndarray, " T"]
    counts_T: Int[np.ndarray, " T"]
    fake: Interactions
    users: int


def push(parts: Split, config: RecommendConfig, *, share: float, seed: int) -> Attack:
    """An attack by `share` x as many users as there are. It knows how popular items are among the training events.

    A fake profile starts with some training event's time and continues in steps of the real users' median. Raises
    DataError for a catalogue that is too small.
    """
    random = np.random.default_rng(seed)
    mask_E = split.training_mask(parts)
    counts_N = np.bincount(parts.events.items_E[mask_E])
    targets_T = _targets(counts_N, random)
    users = max(1, round(share * len(parts.start_U)))
    items_UxL = np.stack([_profile(counts_N, targets_T, random) for _ in range(users)])
    shape = items_UxL.shape
    start_Ux1 = random.choice(parts.events.at_E[mask_E], (users, 1))
    at_UxL = start_Ux1 + _median_step(parts.events) * np.arange(shape[1])
    fake = Interactions(
        users_E=np.repeat(parts.events.users_E.max() + 1 + np.arange(users), shape[1]).astype(np.int32),
        items_E=items_UxL.reshape(-1).astype(np.int32),
        kinds_E=np.full(items_UxL.size, _usual_kind(parts.events, mask_E, config), np.int32),
        at_E=at_UxL.reshape(-1),
    )
    return Attack(targets_T, counts_N[targets_T], fake, users)


def attacked(parts: Split, fake: Interactions) -> Split:
    """The same split with all events of further users to learn from, who are neither validated nor tested on.

    Raises DataError for a user that the split knows already.
    """
    fake = event_arrays.ordered(fake)
    if not len(fake.users_E):
        return parts
    if fake.users_E[0] <= parts.events.users_E[-1]:
        raise DataError(f"fake user {fake.users_E[0]} must be above the last real one, {parts.events.users_E[-1]}")
    both = Interactions(*(np.concatenate(columns) for columns in zip(parts.events, fake, strict=True)))
    offset, size = len(parts.events.users_E), len(fake.users_E)
    start_F = np.unique(fake.users_E, return_index=True)[1]
    end_F = np.append(start_F[1:], size) + offset
    return parts._replace(
        events=both,
        start_U=np.append(parts.start_U, start_F + offset),
        train_end_U=np.append(parts.train_end_U, end_F),
        refit_end_U=np.append(parts.refit_end_U, end_F),
        end_U=np.append(parts.end_U, end_F),
    )


def _targets(counts_N: Int[np.ndarray, " N"], random: np.random.Generator) -> Int[np.ndarray, " T"]:
    """Some of the tenth of the learned items with the fewest events; ties in random order."""
    learned = random.permutation(np.flatnonzero(counts_N))
    tenth = learned[np.argsort(counts_N[learned], kind="stable")][: len(learned) // 10]
    if len(tenth) < TARGETS:
        raise DataError(f"the attack takes {10 * TARGETS} items with training events; there are {len(learned)}")
    return np.sort(random.choice(tenth, TARGETS, replace=False))


def _profile(
    counts_N: Int[np.ndarray, " N"], targets_T: Int[np.ndarray, " T"], random: np.random.Generator
) -> Int[np.ndarray, " L"]:
    chance_N: Float[np.ndarray, " N"] = counts_N.astype(np.float64)
    chance_N[targets_T] = 0.0
    fillers = random.choice(len(chance_N), FILLERS, replace=False, p=chance_N / chance_N.sum())
    return random.permutation(np.append(targets_T, fillers))


def _median_step(events: Interactions) -> float:
    """Seconds between one time of a user and the next."""
    steps_E = np.diff(events.at_E)[np.diff(events.users_E) == 0]
    steps_E = steps_E[steps_E > 0]
    return float(np.median(steps_E)) if len(steps_E) else 1.0


def _usual_kind(events: Interactions, mask_E: Bool[np.ndarray, " E"], config: RecommendConfig) -> int:
    """The most common kind of training event that is worth predicting."""
    worth_E = np.asarray(config.kind_weights)[events.kinds_E] >= config.target_weight
    return int(np.bincount(events.kinds_E[mask_E & worth_E]).argmax())
