"""What search learns: the encoder from the catalogue, and encoder and ranker from judged queries."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from model.recommend.items import Item
from model.recommend.loop import Progress
from model.search import contrast, encoder, features, ranker
from model.search.contrast import Pairs
from model.search.encoder import Encoder
from model.search.engine import Engine, Parts
from model.search.judged import Judged
from model.search.ranker import Examples

Report = Callable[[Progress], None]


def with_encoder(parts: Parts, items: Sequence[Item], *, seed: int = 0, report: Report = lambda _: None) -> Parts:
    """`parts` with an encoder that knows the catalogue."""
    params = contrast.pretrain(items, parts.config, seed=seed, report=report)
    return dataclasses.replace(parts, encoder=Encoder(parts.config, params))


def with_ranker(
    parts: Parts, items: Sequence[Item], known: Judged, *, seed: int = 0, report: Report = lambda _: None
) -> Parts:
    """`parts` with a ranker, and the encoder if it is ours, taught by judged queries (items by position in `items`).

    The ranker learns from candidates as it will meet them: the features of each query are made by an encoder that has
    not seen that query (cross-fitting; Wolpert 1992, "Stacked generalization").
    """
    engine = Engine(parts)
    engine.build(items)
    fold_Q = np.random.default_rng(seed).integers(parts.config.folds, size=len(known.queries))
    examples: list[Examples] = []
    for fold in range(parts.config.folds):
        mine, others = (known.pick(np.flatnonzero(chosen).tolist()) for chosen in (fold_Q == fold, fold_Q != fold))
        taught = engine.with_encoder(_taught(parts, items, others, engine, seed, report))
        examples.extend(_examples(taught, mine))
        report(Progress("features", fold + 1, parts.config.folds, float("nan"), None))
    learnt = ranker.train(examples, parts.config, seed=seed)
    return dataclasses.replace(parts, encoder=_taught(parts, items, known, engine, seed, report), ranker=learnt)


def _taught(
    parts: Parts, items: Sequence[Item], known: Judged, engine: Engine, seed: int, report: Report
) -> encoder.TextVectors | None:
    """Our encoder, further trained on the queries; another one, or none, as it is."""
    if not isinstance(parts.encoder, Encoder):
        return parts.encoder
    items_NxT = encoder.terms_of(contrast.texts(items), parts.config)
    params = contrast.finetune(
        parts.encoder.params, _pairs(known, engine), items_NxT, parts.config, seed=seed, report=report
    )
    return Encoder(parts.config, params)


def _pairs(known: Judged, engine: Engine) -> Pairs:
    """Each query with its items of at least half of the greatest gain; a query is read as it was probably meant."""
    greatest = max((gain for q in range(len(known.queries)) for gain in known.gains(q).values()), default=0.0)
    rows = [
        (query, item, gain)
        for query in range(len(known.queries))
        for item, gain in known.gains(query).items()
        if gain > 0 and gain >= greatest / 2
    ]
    terms_QxT = encoder.terms_of([engine.meant(text) for text in known.queries], engine.parts.config)
    rows = [row for row in rows if terms_QxT[row[0]].any()]
    queries = [query for query, _, _ in rows]
    items_P = np.array([item for _, item, _ in rows], np.int32)
    return Pairs(terms_QxT[queries], items_P, np.array([gain for _, _, gain in rows], np.float32))


def _examples(engine: Engine, known: Judged) -> list[Examples]:
    """The candidates of each query with their features and gains."""
    examples = []
    for query, text in enumerate(known.queries):
        asked, fused_N = engine.ask(text)
        slots_K = engine.candidates(asked, fused_N, engine.collection.open_N)
        gains = known.gains(query)
        gain_K = np.array([gains.get(slot, 0.0) for slot in slots_K.tolist()], np.float32)
        if gain_K.any():
            examples.append(Examples(features.of(asked, slots_K, engine.shelf()), gain_K))
    return examples
