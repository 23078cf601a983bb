"""Training search: the encoder on the catalogue, and encoder and ranker on judged queries."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from model.catalogue import Item
from model.errors import DataError
from model.recommend.training.loop import Progress
from model.search.engine import Engine, Parts
from model.search.index import query
from model.search.learning import associations, contrastive, encoder
from model.search.learning.associations import Right
from model.search.learning.contrastive import Pairs
from model.search.learning.encoder import Encoder
from model.search.learning.judgements import Judged
from model.search.ranking import features, ranker
from model.search.ranking.ranker import Examples

Report = Callable[[Progress], None]


def with_encoder(parts: Parts, items: Sequence[Item], *, seed: int = 0, report: Report = lambda _: None) -> Parts:
    """`parts` with an encoder trained on the catalogue."""
    params = contrastive.pretrain(items, parts.config, seed=seed, report=report)
    return dataclasses.replace(parts, encoder=Encoder(parts.config, params))


def with_ranker(
    parts: Parts, items: Sequence[Item], known: Judged, *, seed: int = 0, report: Report = lambda _: None
) -> Parts:
    """`parts` with a ranker, and the encoder if it is ours, trained on judged queries (items by index in `items`).

    The ranker learns from candidates as in serving: the features of each query are computed by an encoder that has not
    seen that query (cross-fitting; Wolpert 1992, "Stacked generalization").
    """
    engine = Engine(parts)
    engine.build(items)
    fold_Q = np.random.default_rng(seed).integers(parts.config.folds, size=len(known.queries))
    examples: list[Examples] = []
    for fold in range(parts.config.folds):
        mine, others = (known.pick(np.flatnonzero(chosen).tolist()) for chosen in (fold_Q == fold, fold_Q != fold))
        taught = engine.taught(_encoder(items, others, engine, seed, report), _associations(others, engine))
        examples.extend(_examples(taught, mine))
        report(Progress("features", fold + 1, parts.config.folds, float("nan"), None))
    if not examples:
        raise DataError(
            "no judged query has a right item among its candidates: there is nothing to learn an order from"
        )
    return dataclasses.replace(
        parts,
        encoder=_encoder(items, known, engine, seed, report),
        associations=_associations(known, engine),
        ranker=ranker.train(examples, parts.config, seed=seed),
    )


def _encoder(
    items: Sequence[Item], known: Judged, engine: Engine, seed: int, report: Report
) -> encoder.TextVectors | None:
    """Our encoder, further trained on the queries; another one, or None, unchanged."""
    ours = engine.parts.encoder
    if not isinstance(ours, Encoder):
        return ours
    items_NxT = encoder.terms_of(contrastive.texts(items), ours.config)
    pairs = _pairs(known, engine)
    return Encoder(
        ours.config, contrastive.finetune(ours.params, pairs, items_NxT, ours.config, seed=seed, report=report)
    )


def _pairs(known: Judged, engine: Engine) -> Pairs:
    """Each query with its relevant items; a misspelt query is corrected."""
    meant = [engine.understand(text).meant or text for text in known.queries]
    terms_QxT = encoder.terms_of(meant, engine.parts.config)
    rows = [(q, item, gain) for q, right in _right(known) if terms_QxT[q].any() for item, gain in right.items()]
    items_P = np.array([item for _, item, _ in rows], np.int32)
    return Pairs(terms_QxT[[q for q, _, _ in rows]], items_P, np.array([gain for _, _, gain in rows], np.float32))


def _associations(known: Judged, engine: Engine) -> associations.Associations:
    """The associations of the queries' words with the words of their relevant titles."""
    hashed_NxT = engine.lexicon.hashed_NxT
    rights = []
    for q, right in _right(known):
        words = query.main_words(engine.understand(known.queries[q]), engine.lexicon)
        titles = [hashed_NxT[item][hashed_NxT[item] > 0] for item in right]
        rights.append(Right(associations.hashed(words), titles, list(right.values())))
    return associations.learn(rights)


def _right(known: Judged) -> Iterator[tuple[int, dict[int, float]]]:
    """Yield each query, by its index, with its items that have at least half of the greatest gain of all."""
    gains = [known.gains(q) for q in range(len(known.queries))]
    greatest = max((gain for of_item in gains for gain in of_item.values()), default=0.0)
    for q, of_item in enumerate(gains):
        yield q, {item: gain for item, gain in of_item.items() if gain > 0 and gain >= greatest / 2}


def _examples(engine: Engine, known: Judged) -> list[Examples]:
    """The candidates of each query with their features and gains; none for a query without a relevant candidate."""
    examples = []
    for q, text in enumerate(known.queries):
        asked, fused_N = engine.ask(text)
        slots_K = engine.candidates(asked, fused_N, engine.collection.open_N)
        gains = known.gains(q)
        gain_K = np.array([gains.get(slot, 0.0) for slot in slots_K.tolist()], np.float32)
        if gain_K.any():
            examples.append(Examples(features.compute(asked, slots_K, engine.shelf()), gain_K))
    return examples
