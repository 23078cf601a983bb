"""The gate of detectors: the candidate and the live version judge the same orders, which neither has learnt from."""

from __future__ import annotations

from typing import Any

import numpy as np

from model import drift, metrics
from model.fraud import serve
from model.fraud.serve import Screener
from workers.registry.verdict import Verdict

TOLERATED_LOSS = 0.02
"""Relative loss of average precision that is accepted even if it is certain."""
_DRAWS = 200
_SURE = 0.99


def judge(
    candidate: Screener, live: Screener | None, name: str | None, values_NxF: np.ndarray, frauds_N: np.ndarray
) -> Verdict:
    """Return whether the candidate may serve; without test orders, only the checks that need none are made."""
    broken = _not_finite(candidate)
    if broken:
        return Verdict(False, [broken])
    if not candidate.is_trained:
        reasons = [] if live is None or not live.is_trained else [f"{name} knows labels, and this version does not"]
        return Verdict(not reasons, reasons, ["no labels to learn from: it tells how strange orders are"])
    if not len(frauds_N):
        return Verdict(True, [], ["compared with nothing: too few frauds among the newest orders"])
    own_N = serve.probabilities(candidate, values_NxF)
    figures = {"candidate": _figures(own_N, frauds_N)}
    share = float(frauds_N.mean())
    if figures["candidate"]["average_precision"] <= share:
        reason = f"average precision is {figures['candidate']['average_precision']:.4f}, no better than chance"
        return Verdict(False, [reason], [], None, len(frauds_N), figures)
    if live is None or name is None or not live.is_trained:
        return Verdict(True, [], ["no version serves that knows labels"], None, len(frauds_N), figures)
    other_N = serve.probabilities(live, values_NxF)
    figures[name] = _figures(other_N, frauds_N)
    reasons = _worse(own_N, other_N, frauds_N, figures, name)
    return Verdict(not reasons, reasons, [], name, len(frauds_N), figures)


def _worse(own_N: np.ndarray, other_N: np.ndarray, frauds_N: np.ndarray, figures: Any, name: str) -> list[str]:
    own, other = figures["candidate"]["average_precision"], figures[name]["average_precision"]
    if own >= (1 - TOLERATED_LOSS) * other:
        return []
    random = np.random.default_rng(0)
    lost = 0
    for _ in range(_DRAWS):
        rows = random.integers(0, len(frauds_N), len(frauds_N))
        if not 0 < frauds_N[rows].sum() < len(rows):
            continue
        pair = [metrics.average_precision(frauds_N[rows], scores[rows]) for scores in (own_N, other_N)]
        lost += pair[0] < pair[1]
    if lost < _SURE * _DRAWS:
        return []
    return [
        f"average precision is {own:.4f}, {1 - own / other:.0%} below {name}'s {other:.4f} on the same "
        f"{len(frauds_N):,} orders, which is more than chance"
    ]


def _figures(scores_N: np.ndarray, frauds_N: np.ndarray) -> dict[str, float]:
    said = drift.calibration(scores_N, frauds_N.astype(np.float64))
    return {
        "average_precision": round(metrics.average_precision(frauds_N, scores_N), 6),
        "roc_auc": round(metrics.roc_auc(frauds_N, scores_N), 6),
        "calibration_error": round(said.error, 6),
    }


def _not_finite(candidate: Screener) -> str | None:
    params = serve.to_artifact(candidate).params
    bad = [n for n, v in sorted(params.items()) if np.issubdtype(v.dtype, np.floating) and not np.isfinite(v).all()]
    return f"{len(bad)} arrays of weights hold values that are not finite, such as {bad[0]}" if bad else None
