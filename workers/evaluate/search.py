"""Evaluate search on files: our rankings and those of bm25s for the same queries, with figures and times."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from model.catalogue import Item
from model.errors import ConfigError
from model.recommend.training.loop import Progress
from model.search import config as configs
from model.search import training as search_training
from model.search.config import SearchConfig
from model.search.engine import Engine, Parts
from model.search.learning import contrastive
from model.search.learning import judgements as learning_judgements
from model.search.learning.encoder import TextVectors
from model.search.learning.judgements import DEPTH, Judged
from model.text.synonyms import Synonyms
from workers import options as command_line
from workers.evaluate import bm25_baseline, reports
from workers.evaluate.search_files import Catalogue, Judgements

Figures = Mapping[str, float]

_PACKAGES = ("jax", "flax", "numpy", "lightgbm", "bm25s", "rjieba", "opencc", "pystemmer", "rapidfuzz")


@dataclass(frozen=True)
class Asked:
    """What to measure. `hold_out` is the share of the queries that is tested; the others may be learnt from."""

    config: SearchConfig
    seed: int = 0
    hold_out: float | None = None
    learn: bool = False
    semantic: bool = True
    synonyms: Synonyms = Synonyms()
    published: TextVectors | None = None


@dataclass(frozen=True)
class Ranked:
    """One ranker's answers: positions in the catalogue, best first, and the seconds that each took."""

    rankings: list[list[int]]
    seconds: list[float]


@dataclass(frozen=True)
class Evaluation:
    """The results. `figures[ranker]` and `typos[ranker]` are for the same queries, the latter with one edit each.

    `rankings` are those of the best ranker; `seconds` are the times of each stage before the first query.
    """

    asked: Asked
    catalogue: Catalogue
    tested: Judged
    learnt: int
    figures: dict[str, Figures]
    typos: dict[str, Figures]
    rankings: list[list[int]]
    seconds: dict[str, float]


def config_of(preset: str, options: Sequence[str]) -> SearchConfig:
    """Return the preset with options given as NAME=VALUE. Raises `ConfigError` for an unknown name or a bad value."""
    return configs.preset(preset, **command_line.read(options, _value))


def _value(name: str, text: str) -> Any:
    try:
        read = json.loads(text)
    except ValueError as error:
        raise ConfigError(f"--set {name}: {text!r} is neither a number nor a list of numbers") from error
    return tuple(read) if isinstance(read, list) else read


def run(
    asked: Asked,
    catalogue: Catalogue,
    judgements: Judgements,
    training: Judgements | None,
    progress: Callable[[Progress], None] = lambda _: None,
) -> Evaluation:
    """Rank every test query by bm25s and by each of our rankers. Raises `DataError` if queries cannot be split."""
    tested, known = judgements.judged, None if training is None else training.judged
    if asked.hold_out is not None:
        tested, known = learning_judgements.split(judgements.judged, asked.hold_out, seed=asked.seed)
    known = known if asked.learn else None
    clock = _Clock()
    figures: dict[str, Figures] = {}
    typos: dict[str, Figures] = {}
    misspelt = tested.respelt(learning_judgements.misspelt(tested.queries, seed=asked.seed))
    rankings: list[list[int]] = []
    for name, rank in _rankers(asked, catalogue.items, known, progress, clock):
        ranked = _ranked(rank, tested.queries)
        figures[name] = learning_judgements.figures(tested, ranked.rankings) | _latency(ranked.seconds)
        typos[name] = learning_judgements.figures(misspelt, _ranked(rank, misspelt.queries).rankings)
        rankings = ranked.rankings
        clock.start()
    learnt = 0 if known is None else len(known.queries)
    return Evaluation(asked, catalogue, tested, learnt, figures, typos, rankings, clock.seconds)


def as_json(evaluation: Evaluation) -> dict[str, Any]:
    """Return everything but the rankings as a JSON object."""
    asked = evaluation.asked
    return {
        "protocol": "search",
        "seed": asked.seed,
        "data": {
            "items": len(evaluation.catalogue.items),
            "queries": len(evaluation.tested.queries),
            "queries_learnt_from": evaluation.learnt,
            "hold_out": asked.hold_out,
        },
        "figures": {name: _rounded(values) for name, values in evaluation.figures.items()},
        "one_typo_in_every_query": {name: _rounded(values) for name, values in evaluation.typos.items()},
        "seconds": {name: round(value, 1) for name, value in evaluation.seconds.items()},
        "config": asdict(asked.config),
        "machine": platform.machine(),
        "versions": reports.versions(_PACKAGES),
    }


def write_predictions(path: Path, evaluation: Evaluation) -> None:
    """Write query, rank (from 1), product_id: the best 100 of every query, gzipped if the name ends in .gz."""
    items = evaluation.catalogue.items
    rows = (
        (query, rank, items[item].item_id)
        for query, ranking in zip(evaluation.tested.queries, evaluation.rankings, strict=True)
        for rank, item in enumerate(ranking[:DEPTH], start=1)
    )
    reports.write_predictions(path, ("query", "rank", "product_id"), rows, errors="replace")


def _rankers(
    asked: Asked,
    items: Sequence[Item],
    known: Judged | None,
    progress: Callable[[Progress], None],
    clock: _Clock,
) -> Iterator[tuple[str, Callable[[str], list[int]]]]:
    """Yield the name and the function of each ranker when it is ready, from the simplest to the best."""
    bm25 = bm25_baseline.bm25s(contrastive.texts(items))
    if bm25 is not None:
        clock.note("bm25s index")
        yield "bm25s", bm25
        clock.start()
    plain = Engine(Parts(asked.config, asked.synonyms))
    plain.build(items)
    clock.note("index")
    yield "lexical", _rank(plain)
    if not asked.semantic and known is None and asked.published is None:
        return
    parts = Parts(asked.config, asked.synonyms, published=asked.published)
    if asked.semantic:
        parts = search_training.with_encoder(parts, items, seed=asked.seed, report=progress)
        clock.note("encoder")
    fused = Engine(parts)
    fused.build(items)
    clock.note("vectors")
    yield "fused", _rank(fused)
    if known is not None:
        learnt = Engine(search_training.with_ranker(parts, items, known, seed=asked.seed, report=progress))
        learnt.build(items)
        clock.note("ranker")
        yield "learnt", _rank(learnt)


def _rank(engine: Engine) -> Callable[[str], list[int]]:
    return lambda query: [int(slot) for slot in engine.ranked(query, DEPTH)]


def _ranked(rank: Callable[[str], list[int]], queries: Sequence[str]) -> Ranked:
    for query in queries[:3]:
        rank(query)  # compiles
    rankings, seconds = [], []
    for query in queries:
        start = time.perf_counter()
        rankings.append(rank(query))
        seconds.append(time.perf_counter() - start)
    return Ranked(rankings, seconds)


class _Clock:
    """The seconds of each stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.start()

    def start(self) -> None:
        """Begin a stage."""
        self._since = time.perf_counter()

    def note(self, stage: str) -> None:
        """End a stage, and begin the next."""
        self.seconds[stage] = time.perf_counter() - self._since
        self.start()


def _latency(seconds: Sequence[float]) -> dict[str, float]:
    return {"p50_ms": float(np.percentile(seconds, 50) * 1e3), "p99_ms": float(np.percentile(seconds, 99) * 1e3)}


def _rounded(values: Figures) -> dict[str, float | None]:
    # JSON has no nan.
    return {name: None if np.isnan(value) else round(value, 5) for name, value in values.items()}
