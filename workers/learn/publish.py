"""Publishing: fresh folder, reload, golden batch, register, one pointer switched, everyone due."""

from __future__ import annotations

import math
import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine

from model import artifact
from model.artifact import Artifact
from model.recommend.events import RankRequest
from model.recommend.items import Item
from model.recommend.serve import Ranker
from storage import models, training, transitions


class VerificationFailed(RuntimeError):
    """The saved model, loaded again, does not rank as it should; it was not published."""


def save(folder: Path, fitted: Artifact, items: Sequence[Item], golden: Sequence[RankRequest]) -> None:
    """Save the weights in the fresh `folder`, and prove on a golden batch that what was saved can serve.

    Raises `VerificationFailed`, and leaves no folder then.
    """
    artifact.save(folder, fitted)
    try:
        verify(artifact.load(folder), fitted, items, golden)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def verify(saved: Artifact, fitted: Artifact, items: Sequence[Item], golden: Sequence[RankRequest]) -> None:
    """Raise `VerificationFailed` unless the saved model answers the golden batch, finitely, and as the fitted one."""
    answers = []
    for weights in (saved, fitted):
        ranker = Ranker(weights, expected_items=len(items))
        ranker.upsert(items)
        answers.append(ranker.rank(golden, k=min(10, ranker.config.candidates)))
    for number, (found, expected) in enumerate(zip(*answers, strict=True)):
        if not found.item_ids or not all(map(math.isfinite, found.scores)):
            raise VerificationFailed(f"golden request {number} got no finite ranking: {found}")
        if found != expected:
            raise VerificationFailed(f"golden request {number} got {found}, but {expected} before saving")


def register(engine: Engine, version: str, fitted: Artifact, *, learnt_through: datetime | None) -> None:
    """Keep the version beside those before it; it does not serve yet. Events after `learnt_through` are new to it."""
    with engine.begin() as connection:
        before = models.live(connection, models.RECOMMEND)
        models.register(
            connection,
            version,
            config=fitted.config,
            metrics=fitted.metrics,
            parent=before.version if before is not None else None,
            learnt_through=learnt_through,
        )


def switch(engine: Engine, version: str) -> str | None:
    """Let the version serve, mark every shopper and item due, and return the version that served before.

    What was counted for that one is forgotten; the refresh of each shopper counts what is new to this one.
    """
    with engine.begin() as connection:
        before = models.switch(connection, version)
        transitions.clear(connection)  # after the switch, which waits for those who count
        training.mark_shoppers(connection)
    # Apart, since intake takes rows of several kinds in another order.
    with engine.begin() as connection:
        training.mark_items(connection)
    return before
