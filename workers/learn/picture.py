"""The curve of a training as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from model.recommend.loop import Progress


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
