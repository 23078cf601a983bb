"""Plots of the training curve."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from model.recommend.protocols.prequential import Outcome
from model.recommend.training.loop import Progress


def draw(history: Sequence[Progress], path: Path) -> None:
    """Write loss and validation NDCG@10 by epoch; the name's ending chooses the format (.png, .svg, .pdf)."""
    from matplotlib.figure import Figure  # takes most of a second to import

    figure = Figure(figsize=(7, 4), layout="constrained")
    loss = figure.add_subplot(xlabel="epoch", ylabel="loss")
    epochs = range(1, len(history) + 1)
    loss.plot(epochs, [report.loss for report in history], color="tab:blue", label="loss")
    refit = [epoch for epoch, report in zip(epochs, history, strict=True) if report.phase == "refit"]
    if refit:
        loss.axvspan(refit[0] - 0.5, refit[-1] + 0.5, color="0.9", label="refit on all events")
    measured = [(epoch, r.ndcg) for epoch, r in zip(epochs, history, strict=True) if r.ndcg is not None]
    if measured:
        ndcg = loss.twinx()
        ndcg.set_ylabel("validation NDCG@10")
        ndcg.plot(*zip(*measured, strict=True), color="tab:orange", label="validation NDCG@10")
        best = max(measured, key=lambda point: point[1])
        ndcg.plot(*best, marker="o", color="tab:orange", label=f"best: {best[1]:.4f} at epoch {best[0]}")
    figure.legend(loc="outside upper center", ncols=4, frameon=False)
    figure.savefig(path, dpi=120)


def draw_arms(outcome: Outcome, path: Path) -> None:
    """Write NDCG@10 of every arm by window; the name's ending chooses the format (.png, .svg, .pdf)."""
    from matplotlib.figure import Figure  # takes most of a second to import

    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.add_subplot(xlabel="window", ylabel="NDCG@10")
    for arm in outcome.retention:
        scores = outcome.for_arm(arm)
        days = np.array([int(score.since) for score in scores], np.int64).astype("datetime64[s]")
        label = f"{arm}: {outcome.total(arm)['ndcg@10']:.4f}"
        axes.plot(days, [score.ndcg for score in scores], marker=".", label=label)
    axes.set_ylim(bottom=0)
    figure.autofmt_xdate()
    figure.legend(loc="outside upper center", ncols=4, frameon=False)
    figure.savefig(path, dpi=120)
