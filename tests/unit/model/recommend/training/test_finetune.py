"""Incremental updates: new items get a place, old ones are not forgotten, and a killed update ends the same."""

import dataclasses

import jax
import numpy as np
import pytest

from model import artifact
from model.catalogue import Item
from model.checkpoints import Checkpoints
from model.errors import DataError
from model.recommend import blend, neighbours, split, transitions
from model.recommend import config as configs
from model.recommend import events as event_arrays
from model.recommend.evaluation import evaluate
from model.recommend.events import Interactions
from model.recommend.split import Holdout
from model.recommend.training import finetune, rehearsal, step, train


class Killed(Exception):
    pass


@pytest.fixture(name="stream", scope="module")
def _stream(shop):
    """Events of which the last users', a quarter, are new, and name four items of a new category."""
    made = shop.events()
    late = made.users_E >= 120
    novel = np.where(late & (np.arange(len(late)) % 2 == 0), 40 + made.users_E % 4, made.items_E).astype(np.int32)
    at_E = np.where(late, made.at_E + 1e8, made.at_E)
    catalogue = [
        *shop.items(),
        *(Item(f"i{n}", f"sofa number {n}", category="sofas", price=9.0) for n in range(40, 44)),
    ]
    return event_arrays.ordered(made._replace(items_E=novel, at_E=at_E)), catalogue


def _first(stream, config):
    events, catalogue = stream
    cut = float(events.at_E.min() + 5e7)
    before = event_arrays.take(events, events.at_E < cut)
    features = train.features_of(catalogue, np.unique(before.items_E), config)
    parts = split.by_time(before, config, cut=cut)
    return finetune.from_trial(train.learn(parts, features, config)), events, events.at_E >= cut, features


@pytest.fixture(name="first", scope="module")
def _module_first(stream, shop):
    return _first(
        stream, configs.replace(shop.config, finetune_epochs=6, finetune_half=1.0, replay=1.0, distillation=0.3)
    )


def _with(learned, **options):
    config = configs.replace(learned.scorer.config, **options)
    return dataclasses.replace(learned, scorer=dataclasses.replace(learned.scorer, config=config))


def test_new_items_get_rows_and_are_found_afterwards(first, stream):
    learned, events, new_E, features = first
    made = finetune.update(learned, events, new_E, features).learned
    rows_N = made.scorer.features.rows_N
    assert (rows_N[40:] > 0).all()
    assert len(set(rows_N.tolist())) == 44
    np.testing.assert_array_equal(rows_N[:40], learned.scorer.features.rows_N[:40])
    cases = split.in_window(events, learned.scorer.config, since=float(events.at_E[new_E].min()), until=np.inf)
    nothing = [np.zeros(0, np.int32)] * len(cases.truth)
    before, after = (
        evaluate.evaluate_holdout(
            evaluate.rank_holdout(model.scorer, events, cases, excluded=nothing), cases.truth, catalogue=44
        )["ndcg@10"]
        for model in (learned, made)
    )
    assert after > before + 0.1


def test_what_an_update_does_not_name_it_does_not_push_away(first):
    learned, events, new_E, features = first
    scorer = _with(learned, replay=0.0, distillation=0.0).scorer
    fresh = finetune.Learned(scorer, step.optimizer(scorer.config).init(scorer.params))
    alone_E = new_E & (events.users_E == events.users_E[new_E][0])
    made = finetune.update(fresh, events, alone_E, features).learned.scorer
    named = made.features.rows_N[np.unique(events.items_E[alone_E])]
    table_T = np.asarray(made.params["items.ids"])[: len(scorer.params["items.ids"])]
    moved = np.flatnonzero((table_T != np.asarray(scorer.params["items.ids"])).any(1))
    assert len(moved)
    assert set(moved.tolist()) <= set(named.tolist())


def test_the_model_before_stays_as_it_was(first):
    learned, events, new_E, features = first
    before = {name: np.array(value) for name, value in learned.scorer.params.items()}
    finetune.update(learned, events, new_E, features)
    for name, value in before.items():
        np.testing.assert_array_equal(value, learned.scorer.params[name])


def test_the_optimizer_goes_on_where_it_stood(first):
    learned, events, new_E, features = first
    made = finetune.update(learned, events, new_E, features)
    steps = [leaf for leaf in jax.tree.leaves(learned.optimizer) if np.ndim(leaf) == 0]
    later = [leaf for leaf in jax.tree.leaves(made.learned.optimizer) if np.ndim(leaf) == 0]
    assert later[0] > steps[0] > 0
    moments = [leaf for leaf in jax.tree.leaves(made.learned.optimizer) if np.shape(leaf)[:1] > (40,)]
    assert moments, "the moments of the id table grew with it"


def test_the_weights_end_between_those_before_and_those_trained(first):
    learned, events, new_E, features = first
    ends = {}
    for share in (0.0, 0.25, 1.0):
        ends[share] = finetune.update(
            _with(learned, finetune_share=share), events, new_E, features
        ).learned.scorer.params
    for name, before in learned.scorer.params.items():
        old = np.zeros(ends[0.0][name].shape, before.dtype)
        old[tuple(slice(size) for size in before.shape)] = before
        np.testing.assert_array_equal(ends[0.0][name], old)
        np.testing.assert_allclose(ends[0.25][name], 0.75 * old + 0.25 * ends[1.0][name], atol=1e-6)
    assert any(np.abs(ends[1.0][name] - ends[0.0][name]).max() > 1e-3 for name in ends[1.0])


def test_the_more_is_new_the_farther_the_weights_go(first):
    learned, events, new_E, features = first
    count = float(new_E.sum())
    moved = {}
    for times in (1.0, 3.0):
        asked = _with(learned, finetune_half=times * count, finetune_epochs=1)
        after = finetune.update(asked, events, new_E, features).learned.scorer.params
        before = learned.scorer.params
        moved[times] = {name: np.asarray(after[name])[: len(before[name])] - before[name] for name in before}
    for name, half in moved[1.0].items():
        np.testing.assert_allclose(moved[3.0][name], half / 2, atol=1e-6)
    assert any(np.abs(half).max() > 1e-3 for half in moved[1.0].values())


def test_the_blend_moves_with_the_number_of_items_that_the_new_baskets_want(first):
    learned, events, new_E, features = first
    learned = _with(learned, finetune_epochs=1)
    since = float(events.at_E[new_E].min())

    def moved(until):
        known = event_arrays.take(events, events.at_E < until)
        return _moved(learned, finetune.update(learned, known, known.at_E >= since, features).learned)

    assert moved(np.nextafter(since, np.inf)) == 0.0, "the first event alone is no basket of a user with a history"
    assert 0.0 < moved(since + 86_400.0) < 0.5 * moved(np.inf)


def _moved(before, after):
    pairs = zip(after.scorer.blend, before.scorer.blend, strict=True)
    return max(float(np.abs(now - then).max()) for now, then in pairs)


def test_the_blend_is_a_mean_over_what_baskets_wanted_and_remembers_so_much(first):
    learned, events, new_E, features = first
    learned = _with(learned, finetune_epochs=1)
    made = finetune.update(learned, events, new_E, features).learned
    wanted = made.blended - learned.blended
    assert 100 < wanted <= new_E.sum()
    settled = dataclasses.replace(learned, blended=9 * (learned.blended + wanted))
    later = finetune.update(settled, events, new_E, features).learned
    assert _moved(settled, later) < 0.3 * _moved(learned, made)
    short = _with(learned, blend_memory=wanted + 1)
    assert finetune.update(short, events, new_E, features).learned.blended == wanted + 1


def test_distillation_keeps_the_network_nearer_to_what_it_was(stream, shop):
    moved = {}
    for weight in (0.0, 30.0):
        options = {"distillation": weight, "replay": 0.0, "finetune_epochs": 6, "finetune_rate": 0.3}
        config = configs.replace(shop.config, epochs=3, **options)
        learned, events, new_E, features = _first(stream, config)
        cases = Holdout(*event_arrays.spans(events), [np.zeros(0, np.int32)] * 160)
        made = finetune.update(learned, events, new_E, features)
        scores = [
            np.stack(list(evaluate.full_scores(_network_alone(model.scorer), events, cases)))[:, :40]
            for model in (learned, made.learned)
        ]
        moved[weight] = np.abs(scores[1] - scores[0]).mean()
    assert moved[30.0] < 0.7 * moved[0.0]


def _network_alone(scorer):
    catalogue = len(scorer.features.rows_N)
    return dataclasses.replace(
        scorer,
        blend=blend.default(),
        transitions=transitions.empty(catalogue, 0),
        neighbours=neighbours.empty(catalogue, 0),
    )


def test_a_killed_update_goes_on_and_ends_the_same(first, tmp_path):
    learned, events, new_E, features = first
    whole = finetune.update(learned, events, new_E, features)

    def kill(progress):
        if progress.epoch == 3:
            raise Killed

    checkpoint = Checkpoints(tmp_path / "state")
    with pytest.raises(Killed):
        finetune.update(learned, events, new_E, features, report=kill, checkpoint=checkpoint)
    resumed = finetune.update(learned, events, new_E, features, checkpoint=checkpoint)
    assert resumed.run.history == whole.run.history
    for name, value in whole.learned.scorer.params.items():
        np.testing.assert_array_equal(resumed.learned.scorer.params[name], value)


def test_exemplars_take_turns_by_item_and_keep_to_their_budget():
    random = np.random.default_rng(0)
    items_E = random.permutation(np.concatenate([np.repeat(7, 500), np.arange(40)])).astype(np.int32)
    events = Interactions(np.repeat(np.arange(108), 5), items_E, np.zeros(540, np.int32), np.zeros(540))
    start_S, end_S = event_arrays.spans(events)

    def choose(budget):
        return rehearsal.exemplars(events, start_S, end_S, budget=budget, half_life=21.0, seed=0)

    chosen = choose(100)
    held = np.concatenate([items_E[start_S[s] : end_S[s]] for s in chosen])
    assert 100 <= len(held) < 105
    by_chance = np.mean([len(np.unique(items_E.reshape(-1, 5)[random.choice(108, 20, False)])) for _ in range(50)])
    assert len(set(held.tolist())) > 1.5 * by_chance
    assert not len(choose(0))
    np.testing.assert_array_equal(choose(10_000), np.arange(108))


def test_exemplars_are_recent_rather_than_old():
    windows = 400
    items_E = np.random.default_rng(0).integers(0, 10, 5 * windows).astype(np.int32)
    day_S = np.arange(windows) % 100
    events = Interactions(
        np.repeat(np.arange(windows), 5), items_E, np.zeros(5 * windows, np.int32), np.repeat(day_S * 86_400.0, 5)
    )
    start_S, end_S = event_arrays.spans(events)
    chosen = rehearsal.exemplars(events, start_S, end_S, budget=200, half_life=10.0, seed=0)
    assert (day_S[chosen] >= 80).mean() > 0.5  # of all windows a fifth, and of the weight three quarters
    evenly = rehearsal.exemplars(events, start_S, end_S, budget=200, half_life=1e6, seed=0)
    assert (day_S[evenly] >= 80).mean() < 0.4


def test_a_saved_model_learns_on_as_if_it_had_never_been_saved(first, stream, tmp_path):
    learned, events, new_E, features = first
    _, catalogue = stream
    artifact.save(tmp_path / "model", finetune.saved(learned, catalogue, {}))
    shuffled = [catalogue[n] for n in np.random.default_rng(0).permutation(len(catalogue))]
    loaded = finetune.restored(artifact.load(tmp_path / "model"), catalogue, finetune.moments_of(learned))
    np.testing.assert_array_equal(loaded.scorer.features.rows_N, learned.scorer.features.rows_N)
    for one, other in zip(jax.tree.leaves(loaded.optimizer), jax.tree.leaves(learned.optimizer), strict=True):
        np.testing.assert_array_equal(one, other)
    whole = finetune.update(learned, events, new_E, features).learned
    again = finetune.update(loaded, events, new_E, features).learned
    assert again.blended == whole.blended > learned.blended
    for name, value in whole.scorer.params.items():
        np.testing.assert_array_equal(again.scorer.params[name], value)
    assert finetune.saved(again, catalogue, {}).ids == finetune.saved(whole, catalogue, {}).ids
    moved = finetune.restored(artifact.load(tmp_path / "model"), shuffled)
    kept = finetune.saved(moved, shuffled, {})
    for name, value in finetune.saved(learned, catalogue, {}).params.items():
        np.testing.assert_array_equal(kept.params[name], value, err_msg=name)


def test_a_catalogue_without_a_trained_item_is_refused(first, stream):
    learned, *_ = first
    _, catalogue = stream
    with pytest.raises(DataError, match="lacks 1 trained items, such as 'i000'"):
        finetune.restored(finetune.saved(learned, catalogue, {}), catalogue[1:])
    with pytest.raises(DataError, match="moments are of another model"):
        finetune.restored(finetune.saved(learned, catalogue, {}), catalogue, {"0": np.zeros(3)})
