"""The parts of a score, and which of them a shop is better off without.

A blend is fitted by cross-entropy, which rewards order far down the list too. On few events a part may earn a weight
there and still spoil the first ten items.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from model.recommend import blend
from model.recommend.evaluation import evaluate
from model.recommend.evaluation.evaluate import Scorer
from model.recommend.events import Interactions
from model.recommend.split import Holdout

RECENT_POPULARITY = "recent_popularity"
PARTS = (*blend.WEIGHTS, RECENT_POPULARITY)


def of(scorer: Scorer) -> list[str]:
    """The parts that `scorer` ranks with; recent popularity is not always one of them."""
    return [name for name in PARTS if name in blend.WEIGHTS or scorer.faded_N.any()]


def without(scorer: Scorer, left_out: Collection[str]) -> Scorer:
    """The scorer without these parts; a fit of its blend leaves them out, too."""
    closed = replace(scorer, blend=blend.without(scorer.blend, [name for name in left_out if name in blend.WEIGHTS]))
    return closed.timeless() if RECENT_POPULARITY in left_out else closed


def better_left_out(events: Interactions, cases: Holdout, scorer: Scorer) -> list[str]:
    """The parts without which the blend of `scorer` ranks the cases better: one of them, or all but one; or none.

    Of these choices, it is the one with the greatest NDCG@10, if its mean gain over all parts is above one standard
    error of the gain by case. The cases must be held out from everything that `scorer` knows.
    """
    if not any(len(true) for true in cases.truth):
        return []
    parts = of(scorer)
    choices = [[name] for name in parts] + [[other for other in parts if other != name] for name in parts]
    together = _ndcg(events, cases, scorer)
    gains = [_ndcg(events, cases, without(scorer, left_out)) - together for left_out in choices]
    best = int(np.argmax([gain.mean() for gain in gains]))
    error = gains[best].std() / np.sqrt(len(together))
    return choices[best] if gains[best].mean() > error else []


def _ndcg(events: Interactions, cases: Holdout, scorer: Scorer) -> Float[np.ndarray, " C"]:
    old = evaluate.excluded(events, cases, scorer.config)
    truth = evaluate.unseen_truth(cases.truth, old)
    return evaluate.ndcg_of_cases(evaluate.rank_holdout(scorer, events, cases, excluded=old), truth)
