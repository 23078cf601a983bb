"""Requests for rankings, made from the events of the training data."""

from __future__ import annotations

from collections.abc import Sequence

from model.recommend import config as configs
from model.recommend.events import Interaction, RankRequest
from workers.recommend.training.data import TrainingData

_GOLDEN = 16


def golden(known: TrainingData) -> list[RankRequest]:
    """Return a few real histories, spread over the users, and an empty one."""
    users = range(0, len(known.users), max(len(known.users) // _GOLDEN, 1))
    return [RankRequest(), *(RankRequest(history) for history in histories(known, list(users)[:_GOLDEN]))]


def histories(known: TrainingData, users: Sequence[int]) -> list[list[Interaction]]:
    """Return the events of these users (dense ids), oldest first."""
    wanted: dict[int, list[Interaction]] = {user: [] for user in users}
    columns = (column.tolist() for column in known.interactions)
    for user, item, kind, at in zip(*columns, strict=True):
        if user in wanted:
            wanted[user].append(Interaction(known.items[item].item_id, configs.KINDS[kind], at))
    return list(wanted.values())


def before(known: TrainingData, start: int, end: int, *, length: int, hide_seen: bool) -> RankRequest:
    """Return the request of the user with the events `start:end`, with the last `length` of them as its history.

    With `hide_seen`, the items of all these events are hidden.
    """
    last = slice(max(start, end - length), end)
    columns = zip(*(column[last].tolist() for column in known.interactions[1:]), strict=True)
    history = [Interaction(known.items[item].item_id, configs.KINDS[kind], at) for item, kind, at in columns]
    seen = {known.items[item].item_id for item in known.interactions.items_E[start:end].tolist()} if hide_seen else ()
    return RankRequest(history, frozenset(seen))
