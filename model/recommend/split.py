"""Who is tested on what: each user's last basket is the test, the one before it the validation."""

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
    """Events by user and time: user u's are `start_U[u]:end_U[u]`, for training `:train_end_U[u]`."""

    events: Interactions
    start_U: Int[np.ndarray, " U"]
    train_end_U: Int[np.ndarray, " U"]
    end_U: Int[np.ndarray, " U"]
    validation: Holdout
    test: Holdout


def leave_last_out(events: Interactions, config: RecommendConfig) -> Split:
    """Holds out each user's last two baskets of events worth predicting; users with fewer than three only train.

    A basket is a user's events of one moment; where every event has its own time, this is leave-one-out.
    Events are worth predicting when their kind weighs at least `config.target_weight`. The training events of
    a user all precede the validation basket, and a case's history ends before its basket begins.
    """
    events = event_arrays.ordered(events)
    worth_E = np.asarray(config.kind_weights)[events.kinds_E] >= config.target_weight
    start_U, end_U = _bounds(events.users_E)
    train_end_U = end_U.copy()
    validation, test = [], []
    for user, (start, end) in enumerate(zip(start_U, end_U, strict=True)):
        worth = np.flatnonzero(worth_E[start:end]) + start
        moments = np.unique(events.at_E[worth])
        if len(moments) < 3:
            continue
        for moment, cases in ((moments[-1], test), (moments[-2], validation)):
            basket = worth[events.at_E[worth] == moment]
            first = start + np.searchsorted(events.at_E[start:end], moment, "left")
            cases.append((start, first, np.unique(events.items_E[basket])))
        train_end_U[user] = validation[-1][1]
    return Split(events, start_U, train_end_U, end_U, _holdout(validation), _holdout(test))


def training_mask(split: Split) -> Bool[np.ndarray, " E"]:
    """True at the events that may be learned from when the held-out ones are to be predicted."""
    mask_E = np.zeros(len(split.events.users_E), bool)
    for start, end in zip(split.start_U, split.train_end_U, strict=True):
        mask_E[start:end] = True
    return mask_E


def _bounds(users_E: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    start_U = np.flatnonzero(np.diff(users_E, prepend=users_E[:1] - 1)) if len(users_E) else np.zeros(0, np.int64)
    return start_U, np.append(start_U[1:], len(users_E)).astype(np.int64)


def _holdout(cases: list[tuple[int, int, np.ndarray]]) -> Holdout:
    starts = np.array([case[0] for case in cases], np.int64)
    ends = np.array([case[1] for case in cases], np.int64)
    return Holdout(starts, ends, [case[2] for case in cases])
