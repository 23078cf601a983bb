"""Splits: protocols that hold out baskets, each with the events that may be learned from."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int

from model.recommend import events as event_arrays
from model.recommend.config import RecommendConfig
from model.recommend.events import Interactions


class Holdout(NamedTuple):
    """Cases to predict: the items `truth[s]` after the events `start_S[s]:end_S[s]` of the ordered events."""

    start_S: Int[np.ndarray, " S"]
    end_S: Int[np.ndarray, " S"]
    truth: list[np.ndarray]


class Split(NamedTuple):
    """Events by user and time: user u's are `start_U[u]:end_U[u]`, for training `:train_end_U[u]`.

    After the validation, the protocol allows learning up to `refit_end_U[u]`.
    """

    events: Interactions
    start_U: Int[np.ndarray, " U"]
    train_end_U: Int[np.ndarray, " U"]
    refit_end_U: Int[np.ndarray, " U"]
    end_U: Int[np.ndarray, " U"]
    validation: Holdout
    test: Holdout


def leave_last_out(events: Interactions, config: RecommendConfig) -> Split:
    """Holds out each user's last two baskets of events worth predicting; users with fewer than three only train.

    A basket is a user's events of the same time; if every event has its own time, this is leave-one-out. Events are
    worth predicting if their kind weighs at least `config.target_weight`. The training events of a user all precede the
    validation basket, and a case's history ends before its basket begins.
    """
    events = event_arrays.ordered(events)
    baskets = _baskets(events, config)
    last_C = baskets.end_U[baskets.counts_U >= 3] - 1
    made = _split(events, baskets, validation_C=last_C - 1, test_C=last_C)
    return made._replace(refit_end_U=made.train_end_U)


def leave_last_out_full(events: Interactions, config: RecommendConfig, *, seed: int = 0) -> Split:
    """Holds out only each user's last basket, and the one before it for `config.validation_users` users.

    Training has what a live system knows when the test baskets begin, except for the few events that choose the epoch.
    """
    events = event_arrays.ordered(events)
    baskets = _baskets(events, config)
    last_C = baskets.end_U[baskets.counts_U >= 3] - 1
    return _split(events, baskets, validation_C=_some(last_C - 1, config.validation_users, seed), test_C=last_C)


def by_time(events: Interactions, config: RecommendConfig, *, cut: float, seed: int = 0) -> Split:
    """Learns from the events before the time `cut` (unix seconds), tests on each user's last basket from then on.

    A test case's history is everything before its basket, including events after the cut; no event from the cut on is
    learned from. For `config.validation_users` users with two baskets before the cut, the last of those is the
    validation. The protocol is the global temporal split with the last target of Gusak et al. 2025 (RecSys).
    """
    events = event_arrays.ordered(events)
    baskets = _baskets(events, config)
    some_U = baskets.counts_U > 0
    last_C = baskets.end_U[some_U] - 1
    has_history_C = baskets.first_G[last_C] > event_arrays.spans(events)[0][some_U]
    test_C = last_C[(baskets.at_G[last_C] >= cut) & has_history_C]
    early_G = np.append(0, np.cumsum(baskets.at_G < cut))
    early_U = early_G[baskets.end_U] - early_G[baskets.end_U - baskets.counts_U]
    validation_C = (baskets.end_U - baskets.counts_U + early_U - 1)[early_U >= 2]
    validation_C = _some(validation_C, config.validation_users, seed)
    made = _split(events, baskets, validation_C=validation_C, test_C=test_C)
    early_E = np.append(0, np.cumsum(events.at_E < cut))
    before_U = made.start_U + early_E[made.end_U] - early_E[made.start_U]
    return made._replace(train_end_U=np.minimum(made.train_end_U, before_U), refit_end_U=before_U)


def in_window(events: Interactions, config: RecommendConfig, *, since: float, until: float) -> Holdout:
    """Every basket from the time `since` to before `until` of a user with a history, with everything before it.

    `events` are by user and time. These are test cases for a model trained before `since`; nothing is learned from
    them.
    """
    baskets = _baskets(events, config)
    start_U, _ = event_arrays.spans(events)
    start_G = start_U[baskets.user_G]
    chosen_G = (baskets.at_G >= since) & (baskets.at_G < until) & (baskets.first_G > start_G)
    items = [baskets.items(basket) for basket in np.flatnonzero(chosen_G).tolist()]
    return Holdout(start_G[chosen_G], baskets.first_G[chosen_G], items)


def training_mask(split: Split) -> Bool[np.ndarray, " E"]:
    """True at the events that may be learned from when the held-out ones are to be predicted."""
    return mask_until(split, split.train_end_U)


def mask_until(split: Split, end_U: Int[np.ndarray, " U"]) -> Bool[np.ndarray, " E"]:
    """True at each user's events before `end_U`."""
    mask_E = np.zeros(len(split.events.users_E), bool)
    for start, end in zip(split.start_U, end_U, strict=True):
        mask_E[start:end] = True
    return mask_E


class _Baskets(NamedTuple):
    """Every time at which a user did something worth predicting, by user and time."""

    at_G: np.ndarray
    user_G: np.ndarray  # counted from 0 in the order of the events
    first_G: np.ndarray  # the user's first event of that time, of any kind
    start_G: np.ndarray  # where the items of the basket start in `items_W`
    items_W: np.ndarray
    end_U: np.ndarray  # where each user's baskets end
    counts_U: np.ndarray

    def items(self, basket: int) -> np.ndarray:
        """The distinct items of a basket."""
        end = self.start_G[basket + 1] if basket + 1 < len(self.start_G) else len(self.items_W)
        return np.unique(self.items_W[self.start_G[basket] : end])


def _baskets(events: Interactions, config: RecommendConfig) -> _Baskets:
    """`events` are ordered."""
    users_E = np.cumsum(np.diff(events.users_E, prepend=events.users_E[:1]) != 0)
    new_E = np.append(True, (np.diff(users_E) != 0) | (np.diff(events.at_E) != 0))[: len(users_E)]
    moments_E = np.cumsum(new_E) - 1
    worth_W = np.flatnonzero(np.asarray(config.kind_weights)[events.kinds_E] >= config.target_weight)
    moment_G, start_G = np.unique(moments_E[worth_W], return_index=True)
    first_G = np.flatnonzero(new_E)[moment_G]
    counts_U = np.bincount(users_E[first_G], minlength=users_E[-1] + 1 if len(users_E) else 0)
    return _Baskets(
        at_G=events.at_E[first_G],
        user_G=users_E[first_G],
        first_G=first_G,
        start_G=start_G,
        items_W=events.items_E[worth_W],
        end_U=np.cumsum(counts_U),
        counts_U=counts_U,
    )


def _split(events: Interactions, baskets: _Baskets, *, validation_C: np.ndarray, test_C: np.ndarray) -> Split:
    """Holds out the numbered baskets; a user's training ends before the first of them."""
    start_U, end_U = event_arrays.spans(events)
    refit_end_U = end_U.copy()
    refit_end_U[baskets.user_G[test_C]] = baskets.first_G[test_C]
    train_end_U = refit_end_U.copy()
    train_end_U[baskets.user_G[validation_C]] = baskets.first_G[validation_C]

    def holdout(chosen_C: np.ndarray) -> Holdout:
        items = [baskets.items(basket) for basket in chosen_C.tolist()]
        return Holdout(start_U[baskets.user_G[chosen_C]], baskets.first_G[chosen_C], items)

    return Split(events, start_U, train_end_U, refit_end_U, end_U, holdout(validation_C), holdout(test_C))


def _some(baskets_C: np.ndarray, most: int, seed: int) -> np.ndarray:
    if len(baskets_C) <= most:
        return baskets_C
    return np.sort(np.random.default_rng(seed).choice(baskets_C, most, replace=False))
