"""Train search: read the tables, fit, test on queries that were set aside, publish. One at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
from sqlalchemy import Engine as Database

from model.catalogue import Item
from model.recommend.training.loop import Progress
from model.search import config as configs
from model.search import training as search_training
from model.search import weights
from model.search.config import SearchConfig
from model.search.engine import Engine, Parts
from model.search.learning import judgements
from model.search.learning.judgements import Judged
from model.text import analyser
from storage.registry import models, training
from storage.search import search_log
from workers.catalogue import to_item
from workers.registry import schedule
from workers.registry.errors import NotEnoughData
from workers.runtime import device
from workers.search import clicked, publish, synonyms
from workers.settings import Settings

LEAST_QUERIES = 200
"""From this many queries with a click on, the ranker is trained."""
HELD_OUT = 0.2
_TITLES = 300
_TOLERANCE = 0.02
"""How much NDCG@10 a version may lose against words only, since figures of few queries vary by chance."""

Tell = Callable[[Progress], None]


@dataclass(frozen=True)
class Report:
    """A finished training: its items, its queries with clicks, and the figures on the held-out queries.

    `figures` are by ranker: `lexical`, only words; `fused`, with the encoder; `learnt`, with the ranker trained on
    clicks. `reasons` say why the version is not live although it was to be published.
    """

    version: str
    path: str
    items: int
    queries: int
    seconds: float
    held_out: str
    figures: dict[str, dict[str, float]] = field(default_factory=dict)
    published: bool = False
    previous: str | None = None
    reasons: list[str] = field(default_factory=list)


class _Fitted(NamedTuple):
    parts: Parts
    figures: dict[str, dict[str, float]]
    reasons: list[str]
    held_out: str


def train(
    database: Database,
    settings: Settings,
    *,
    preset: str = "small",
    seed: int = 0,
    serve: bool = True,
    progress: Tell = lambda _: None,
) -> Report:
    """Train on the catalogue and on clicks, and publish the new version unless searching by words only is better.

    Raises `NotEnoughData`, `TrainingRuns`, `ConfigError` for an unknown preset, and `VerificationFailed`.
    """
    with training.exclusive(database, models.SEARCH):
        return _train(database, settings, configs.preset(preset), seed=seed, serve=serve, progress=progress)


def update(database: Database, settings: Settings, progress: Tell = lambda _: None) -> Report:
    """Train again with the options of the live version, which has to exist. Raises the same errors as `train`.

    The attempt is counted before the work, and the count is reset when there is a result.
    """
    with training.exclusive(database, models.SEARCH):
        with database.connect() as connection:
            live = models.live(connection, models.SEARCH)
        if live is None:
            raise NotEnoughData("no version of search serves yet: train the first one with `reshelf train search`")
        with schedule.attempt(database, live):
            config = configs.from_json(live.config)
            return _train(database, settings, config, seed=0, serve=True, progress=progress)


def _train(
    database: Database, settings: Settings, config: SearchConfig, *, seed: int, serve: bool, progress: Tell
) -> Report:
    started, at = time.monotonic(), datetime.now(UTC)
    device.prepare(settings.home)
    items, known = _read(database)
    parts = Parts(config, synonyms.read(settings.search_synonyms))
    fitted = _fit(parts, items, known, seed, progress)
    candidate = publish.Candidate(weights.pack(fitted.parts, items, fitted.figures), at, fitted.reasons)
    outcome = publish.publish(database, settings.home, candidate, fitted.parts, items, serve=serve)
    return Report(
        version=outcome.version,
        path=str(outcome.folder),
        items=len(items),
        queries=len(known.queries),
        seconds=round(time.monotonic() - started, 1),
        held_out=fitted.held_out,
        figures=fitted.figures,
        published=outcome.published,
        previous=outcome.previous,
        reasons=outcome.reasons if serve else [],
    )


def _read(database: Database) -> tuple[list[Item], Judged]:
    with training.reading(database) as connection:
        rows = [row for row in training.items(connection) if row.title is not None and row.deleted_at is None]
        items = [to_item(row) for row in rows]
        if len(items) < 2:
            raise NotEnoughData(
                "there is no catalogue to learn from: send catalogue changes, or `reshelf load --items`"
            )
        return items, clicked.judged(search_log.shown(connection), items)


def _fit(parts: Parts, items: Sequence[Item], known: Judged, seed: int, progress: Tell) -> _Fitted:
    """Return the tested parts: with a ranker if there are enough clicks, and if it ranks better than without."""
    fused = search_training.with_encoder(parts, items, seed=seed, report=progress)
    if len(known.queries) < LEAST_QUERIES:
        cases = _titles(items, seed)
        figures = {"lexical": _figures(parts, items, cases), "fused": _figures(fused, items, cases)}
        held_out = f"{len(cases.queries)} parts of titles, which have to find their item"
        return _Fitted(fused, figures, _reasons(figures, "fused"), held_out)
    cases, rest = judgements.split(known, HELD_OUT, seed=seed)
    learnt = search_training.with_ranker(fused, items, rest, seed=seed, report=progress)
    tried = {"lexical": parts, "fused": fused, "learnt": learnt}
    figures = {name: _figures(one, items, cases) for name, one in tried.items()}
    best = "learnt" if figures["learnt"]["ndcg@10"] >= figures["fused"]["ndcg@10"] else "fused"
    final = search_training.with_ranker(fused, items, known, seed=seed, report=progress) if best == "learnt" else fused
    held_out = f"{len(cases.queries)} of {len(known.queries)} queries with clicks; then all of them taught what serves"
    return _Fitted(final, figures, _reasons(figures, best), held_out)


def _figures(parts: Parts, items: Sequence[Item], cases: Judged) -> dict[str, float]:
    engine = Engine(parts)
    engine.build(items)
    ranked = [engine.ranked(query, judgements.DEPTH).tolist() for query in cases.queries]
    found = judgements.figures(cases, ranked)
    return {name: round(value, 5) for name, value in found.items() if np.isfinite(value)}


def _reasons(figures: dict[str, dict[str, float]], best: str) -> list[str]:
    """Return why the best version may not serve: only if searching by words only is better."""
    ours, words = figures[best].get("ndcg@10", 0.0), figures["lexical"].get("ndcg@10", 0.0)
    if ours >= words - _TOLERANCE:
        return []
    return [f"NDCG@10 {ours:.4f} is below {words:.4f}, that of words alone, by more than {_TOLERANCE}"]


def _titles(items: Sequence[Item], seed: int) -> Judged:
    """Return two or three words of some titles as queries, whose item is to be found."""
    chance = np.random.default_rng(seed)
    queries: dict[str, int] = {}
    for place in chance.permutation(len(items))[:_TITLES].tolist():
        words = [
            term.surface for term in analyser.terms(items[place].title) if term.kind in (analyser.WORD, analyser.HAN)
        ]
        if len(words) > 1:
            chosen = sorted(chance.choice(len(words), min(len(words), 3), replace=False).tolist())
            queries.setdefault(" ".join(words[n] for n in chosen), place)
    return Judged(tuple(queries), tuple({place: 3.0} for place in queries.values()))
