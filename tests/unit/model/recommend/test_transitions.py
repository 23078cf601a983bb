from dataclasses import replace

import numpy as np
import pytest

from model.recommend import blend, config, events, transitions
from model.recommend.events import Interaction, RankRequest
from model.recommend.serving.serve import Ranker
from model.recommend.transitions import NOTHING

VIEW, PURCHASE, DISMISS = (config.KINDS.index(kind) for kind in ("view", "purchase", "dismiss"))


def interactions(users, items, kinds):
    return events.Interactions(np.array(users), np.array(items), np.array(kinds), np.arange(float(len(users))))


def test_a_count_is_the_kinds_gain_over_the_distance_and_dismissals_do_not_count():
    made = interactions([0, 0, 0, 0], [0, 3, 1, 2], [VIEW, DISMISS, VIEW, PURCHASE])
    gains_K = blend.strengths(config.preset("tiny")) ** 2
    table = transitions.count(made, np.ones(4, bool), 4, gains_K=gains_K)
    kept = transitions.strongest(table, 2)
    assert kept.to_NxW.tolist() == [[2, 1], [2, NOTHING], [NOTHING, NOTHING], [NOTHING, NOTHING]]
    assert kept.counts_NxW[0].tolist() == pytest.approx([0.5, 0.1])
    assert kept.totals_N.tolist() == pytest.approx([0.6, 1.0, 0.0, 0.0])


def test_only_the_strongest_are_kept_and_the_total_is_of_all():
    made = interactions([0, 0, 1, 1, 2, 2, 3, 3], [0, 1, 0, 2, 0, 3, 0, 3], [PURCHASE] * 8)
    kept = transitions.strongest(transitions.count(made, np.ones(8, bool), 4), 2)
    assert kept.to_NxW[0].tolist() == [3, 1]
    assert kept.totals_N[0] == 4.0


def asked(*item_ids):
    return RankRequest([Interaction(item_id, "purchase", 60.0 * n) for n, item_id in enumerate(item_ids)], item_ids)


@pytest.fixture
def eager(fitted):
    """A model that trusts transitions more than anything; those of the shop are chance, so the fit does not."""
    params = {**fitted.artifact.params, "blend.log_weight": np.float32(3.0)}
    return replace(fitted.artifact, params=params)


def test_a_new_transition_lifts_the_successor(eager, shop):
    ranker = Ranker(eager)
    ranker.upsert(shop.items())
    elsewhere = ranker.rank([asked("i001")], k=5)
    before = ranker.rank([asked("i000")], k=32)[0]
    lifted = before.item_ids[20]
    ranker.add_transitions({"i000": {lifted: 50.0, "unknown": 3.0}, "unknown": {lifted: 1.0}})
    after = ranker.rank([asked("i000")], k=32)[0]
    assert after.item_ids.index(lifted) < 5
    assert after.scores[after.item_ids.index(lifted)] > before.scores[20]
    assert ranker.rank([asked("i001")], k=5) == elsewhere


def test_an_item_outside_the_networks_best_is_found_by_its_transition(eager, shop):
    """More items than candidates: only the transition can bring the last one in."""
    ranker = Ranker(eager)
    ranker.upsert(shop.items(200))
    everyone = [item.item_id for item in shop.items(200)]
    shown = set(ranker.rank([asked("i000")], k=ranker.config.candidates)[0].item_ids)
    hidden = next(item_id for item_id in reversed(everyone) if item_id not in shown and item_id != "i000")
    ranker.add_transitions({"i000": {hidden: 1e4}})
    assert ranker.rank([asked("i000")], k=1)[0].item_ids == [hidden]


def test_transitions_survive_growth_and_leave_with_the_slot(eager, shop):
    ranker = Ranker(eager)
    catalogue = shop.items(1100)
    ranker.upsert(catalogue[:1000])
    ranker.add_transitions({"i000": {"i999": 1e4}})
    assert ranker.rank([asked("i000")], k=1)[0].item_ids == ["i999"]
    ranker.remove(["i999"])
    assert "i999" not in ranker.rank([asked("i000")], k=30)[0].item_ids
    ranker.upsert(catalogue[1000:1025])  # one more than there are fresh slots: the removed one is taken over
    assert ranker.capacity == 1024
    assert "i1024" not in ranker.rank([asked("i000")], k=1)[0].item_ids
    ranker.add_transitions({"i000": {"i1024": 1e4}})
    ranker.upsert(catalogue[1025:])
    assert ranker.capacity == 2048
    assert ranker.rank([asked("i000")], k=1)[0].item_ids == ["i1024"]


def test_trained_and_new_counts_add_up(fitted, shop):
    ranker = Ranker(fitted.artifact)
    ranker.upsert(shop.items())
    before = np.array(ranker._tables.tables.transitions.totals_N)
    ranker.add_transitions({"i000": {"i001": 2.0}})
    ranker.add_transitions({"i000": {"i001": 3.0}})
    after = np.asarray(ranker._tables.tables.transitions.totals_N)
    changed = np.flatnonzero(after != before)
    assert changed.tolist() == [ranker._catalogue.slots["i000"]]
    assert after[changed] - before[changed] == pytest.approx([3.0])


def test_rows_land_where_they_belong_patched_or_built(fitted, shop):
    """Of several items at once, in slots that are not the numbers of the trained ones."""
    newer = {"i009": {"i001": 2.0}, "i003": {"i002": 3.0, "i004": 1.0}}
    patched, built = Ranker(fitted.artifact), Ranker(fitted.artifact)
    for ranker in (patched, built):
        ranker.upsert(shop.items()[::-1])
    before = np.array(patched._tables.tables.transitions.totals_N)
    patched.add_transitions(newer)
    built.add_transitions(newer)
    for column, same in zip(patched._tables.tables.transitions, built._tables.tables.transitions, strict=True):
        np.testing.assert_array_equal(np.asarray(column), np.asarray(same))
    added = np.asarray(patched._tables.tables.transitions.totals_N) - before
    slots = patched._catalogue.slots
    assert {n: added[n] for n in np.flatnonzero(added)} == pytest.approx({slots["i009"]: 2.0, slots["i003"]: 4.0})


def by_hand(trained, newer):
    """The strongest successors of a slot, greatest count first, and the sum of all: in plain Python."""
    counts = {to: count for to, count in zip(*map(np.ndarray.tolist, trained[:2]), strict=True) if to != NOTHING}
    for to, count in newer.items():
        counts[to] = np.float32(counts.get(to, 0.0) + count)
    best = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[: len(trained[0])]
    return best, np.float32(trained[2] + sum(newer.values()))


def test_rows_are_the_same_in_whatever_steps_they_were_counted(fitted, shop):
    """Counts that rise, tie and fall, of more successors than a row holds, in one step and in many."""
    random = np.random.default_rng(8)
    stepwise, at_once = Ranker(fitted.artifact), Ranker(fitted.artifact)
    for ranker in (stepwise, at_once):
        ranker.upsert(shop.items(200))
    trained = [np.array(column) for column in stepwise._tables.tables.transitions]
    names = list(stepwise._catalogue.slots)
    counts: dict[str, dict[str, float]] = {}
    for _ in range(60):
        step: dict[str, dict[str, float]] = {}
        for before in random.choice(names[:8], 3, replace=False):
            row = counts.setdefault(before, {})
            for after in random.choice(names, 9, replace=False):
                change = float(random.choice([-1, 0.5, 1, 2]))
                step.setdefault(before, {})[after] = max(row.get(after, 0.0) + change, 0.0)
            row |= step[before]
        stepwise.add_transitions(step)
    at_once.add_transitions({before: dict(reversed(row.items())) for before, row in counts.items()})
    for column, same in zip(stepwise._tables.tables.transitions, at_once._tables.tables.transitions, strict=True):
        np.testing.assert_array_equal(np.asarray(column), np.asarray(same))
    slots = stepwise._catalogue.slots
    for before, row in counts.items():
        to_W, counts_W, total = (np.asarray(column)[slots[before]] for column in stepwise._tables.tables.transitions)
        best, expected = by_hand(
            [column[slots[before]] for column in trained], {slots[after]: count for after, count in row.items()}
        )
        kept = [(to, count) for to, count in zip(to_W.tolist(), counts_W, strict=True) if to != NOTHING]
        assert len(row) > len(to_W)
        assert kept == best
        assert total == pytest.approx(expected)


def test_what_was_counted_can_be_forgotten(fitted, shop):
    ranker = Ranker(fitted.artifact)
    ranker.upsert(shop.items())
    before = [np.array(column) for column in ranker._tables.tables.transitions]
    ranker.add_transitions({"i000": {"i001": 2.0}, "i003": {"i009": 1.0}})
    ranker.forget_transitions()
    for column, same in zip(before, ranker._tables.tables.transitions, strict=True):
        np.testing.assert_array_equal(column, np.asarray(same))
