"""The gate: the candidate and the live version rank the same new baskets, which neither has learnt from."""

from __future__ import annotations

import math
import zlib
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import Row

from model import metrics
from model.artifact import Artifact
from model.catalogue import Item
from model.recommend import events as event_arrays
from model.recommend import split
from model.recommend.config import RecommendConfig
from model.recommend.evaluation import baselines
from model.recommend.events import Ranked, RankRequest
from model.recommend.serving.serve import Ranker
from model.recommend.split import Holdout
from workers.recommend.training import rank_requests
from workers.recommend.training.data import TrainingData
from workers.registry import verdict
from workers.registry.verdict import Measured, Verdict

MOST_CASES = 2000
"""Most users whose newest basket is kept for the gate."""
# At most this share of the users with such a basket are cases: the newest events of the others are learnt from.
_SHARE = 0.2
_SHOWN = 10
# Items of a ranking whose scores are checked.
_DEPTH = 100


class Cases(NamedTuple):
    """New baskets to predict, and `rest`: the data without them, ordered by user and time, to learn from.

    `truth[s]` are the items of the basket after the history of `requests[s]`, without items of that history.
    """

    rest: TrainingData
    golden: list[RankRequest]
    requests: list[RankRequest]
    truth: list[frozenset[str]]

    @property
    def items(self) -> list[Item]:
        """The catalogue that is ranked."""
        return self.rest.items


class Case(NamedTuple):
    """A basket to predict: the items `truth` after the user's events `start:end`."""

    start: int
    end: int
    truth: frozenset[str]
    user: str


def known_until(live: Row[Any] | None) -> float:
    """Return the time up to which `live` has learnt, in unix seconds: -inf without a version, inf if not known."""
    if live is None:
        return -math.inf
    return math.inf if live.learnt_through is None else float(live.learnt_through.timestamp())


def cases(known: TrainingData, until: float, config: RecommendConfig, *, most: int = MOST_CASES) -> Cases:
    """Choose the newest baskets after `until` (the result of `known_until`) of a sample of users.

    A fifth of the users with such a basket are sampled, at least 50 and at most `most`, always the same ones. With
    fewer than 50 there are no cases, and all events can be learnt from.
    """
    known = known._replace(interactions=event_arrays.ordered(known.interactions))
    # The live version knows the events at exactly that time.
    baskets = split.by_time(known.interactions, config, cut=math.nextafter(until, math.inf)).test
    chosen = _sample(predictable(known, baskets, config), most)
    if len(chosen) < verdict.LEAST_CASES:
        return Cases(known, rank_requests.golden(known), [], [])
    users_E = known.interactions.users_E
    hidden_E = np.zeros(len(users_E), bool)
    for case in chosen:
        hidden_E[case.end : np.searchsorted(users_E, users_E[case.start], "right")] = True
    seen = config.filter_seen
    asked = [
        rank_requests.before(known, case.start, case.end, length=config.history, hide_seen=seen) for case in chosen
    ]
    rest = known.without(hidden_E)
    return Cases(rest, rank_requests.golden(rest), asked, [case.truth for case in chosen])


def judge(
    ranker: Ranker, candidate: Artifact, given: Cases, live: Artifact | None, *, name: str | None, notes: Sequence[str]
) -> Verdict:
    """Return the gate's verdict on `candidate`, which `ranker` ranks with; `live` is the live model, called `name`.

    Without cases, only the checks that need none are made, and a note says so.
    """
    broken = _not_finite(candidate)
    if broken:
        return verdict.decide(Measured(problems=[broken]), None, name=None, notes=notes)
    measured = measure(ranker, given)
    if not given.requests:
        few = f"compared with nothing: fewer than {verdict.LEAST_CASES} users have a new basket to test on"
        return verdict.decide(measured, None, name=None, notes=[*notes, few])
    if live is None:
        return verdict.decide(measured, _popular(given), name=verdict.POPULARITY, notes=notes)
    return verdict.decide(measured, measure(loaded(live, given.items), given), name=name, notes=notes)


def loaded(weights: Artifact, items: Sequence[Item]) -> Ranker:
    """Return a ranker of the whole catalogue."""
    ranker = Ranker(weights, expected_items=len(items))
    ranker.upsert(items)
    return ranker


def measure(ranker: Ranker, given: Cases) -> Measured:
    """Rank the cases, or the golden requests if there are none."""
    asked = given.requests or given.golden
    answers = ranker.rank(asked, k=min(_DEPTH, ranker.config.candidates))
    spreads = [max(a.scores) - min(a.scores) for a in answers if len(a.scores) > 1]
    sizes = [max(map(abs, a.scores)) for a in answers if a.scores]
    shown = {item_id for answer in answers for item_id in answer.item_ids[:_SHOWN]}
    return Measured(
        ndcg_S=_ndcg([answer.item_ids for answer in answers], given.truth) if given.requests else np.zeros(0),
        coverage=len(shown) / max(len(ranker), 1),
        spread=float(np.median(spreads)) if spreads else math.nan,
        size=float(np.median(sizes)) if sizes else 0.0,
        problems=_unranked(asked, answers, given.items, ranker.config.candidates),
    )


def _popular(given: Cases) -> Measured:
    """The result of showing the most popular items to everyone."""
    counts_N = baselines.popularity(given.rest.interactions.items_E, len(given.items))
    open_N = np.array([item.available for item in given.items])
    order = [given.items[n].item_id for n in np.argsort(-counts_N, kind="stable") if open_N[n]]
    ranked = []
    for request in given.requests:
        head = order[: _SHOWN + len(request.excluded)]
        ranked.append([item_id for item_id in head if item_id not in request.excluded][:_SHOWN])
    shown = {item_id for ids in ranked for item_id in ids}
    return Measured(_ndcg(ranked, given.truth), coverage=len(shown) / max(len(order), 1))


def _ndcg(ranked: Sequence[Sequence[str]], truth: Sequence[Collection[str]]) -> np.ndarray:
    hits_SxK = metrics.hits(ranked, truth, _SHOWN)
    return metrics.ndcg(hits_SxK, _SHOWN, np.array([len(true) for true in truth]))


def _not_finite(candidate: Artifact) -> str | None:
    bad = [
        name
        for name, value in sorted(candidate.params.items())
        if np.issubdtype(value.dtype, np.floating) and not np.isfinite(value).all()
    ]
    if not bad:
        return None
    return f"{len(bad)} of {len(candidate.params)} arrays of weights hold values that are not finite, such as {bad[0]}"


def _unranked(
    asked: Sequence[RankRequest], answers: Sequence[Ranked], items: Sequence[Item], candidates: int
) -> list[str]:
    """A ranking leaves out items without a finite score, so it is too short if there are any."""
    on_offer = {item.item_id for item in items if item.available}
    short = 0
    for request, answer in zip(asked, answers, strict=True):
        most = min(_DEPTH, candidates, len(on_offer - set(request.excluded)))
        short += len(answer.item_ids) < most or not all(map(math.isfinite, answer.scores))
    return [f"{short} of {len(answers)} rankings hold scores that are not finite"] if short else []


def predictable(known: TrainingData, baskets: Holdout, config: RecommendConfig) -> list[Case]:
    """Return the baskets with an item that can be shown: available, and not hidden because the history holds it."""
    items, users_E, items_E = known.items, known.interactions.users_E, known.interactions.items_E
    found = []
    for start, end, basket in zip(baskets.start_S.tolist(), baskets.end_S.tolist(), baskets.truth, strict=True):
        old = set(items_E[start:end].tolist()) if config.filter_seen else set()
        truth = frozenset(items[n].item_id for n in basket.tolist() if n not in old and items[n].available)
        if truth:
            found.append(Case(start, end, truth, known.users[users_E[start]]))
    return found


def _sample(found: list[Case], most: int) -> list[Case]:
    """Return a stable sample of the cases: the users with the lowest hashes, in the order of the events."""
    count = min(max(math.ceil(_SHARE * len(found)), verdict.LEAST_CASES), most)
    lowest = sorted(found, key=lambda case: (zlib.crc32(case.user.encode()), case.user))[:count]
    return sorted(lowest)
