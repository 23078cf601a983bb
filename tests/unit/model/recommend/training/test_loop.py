"""The training loop: what a killed run goes on with, when it stops, and how long the rate falls."""

import dataclasses

import numpy as np
import pytest

from model.checkpoints import Checkpoints
from model.recommend import config as configs
from model.recommend import items, split
from model.recommend.training import loop, step, train
from model.recommend.training.loop import Progress


class Killed(Exception):
    pass


def learned(shop, folder, *, kill_after=None, seen=None, epochs=6, **options):
    config = configs.replace(shop.config, epochs=epochs, **options)
    parts = split.leave_last_out(shop.events(), config)
    features = items.features(shop.items(), {f"i{n:03}": n + 1 for n in range(40)}, config)
    checkpoint = Checkpoints(folder / "state")

    def report(progress):
        if seen is not None:
            seen.append(progress)
        if progress.epoch == kill_after:
            raise Killed

    return train.learn(parts, features, config, progress=report, checkpoint=checkpoint)


@pytest.mark.parametrize("kill_after", [1, 4, 6])
def test_a_killed_training_goes_on_and_ends_the_same(shop, tmp_path, kill_after):
    whole = learned(shop, tmp_path / "whole")
    with pytest.raises(Killed):
        learned(shop, tmp_path / "part", kill_after=kill_after)
    resumed = learned(shop, tmp_path / "part")
    assert resumed.run.history == whole.run.history
    for name, value in whole.scorer.params.items():
        np.testing.assert_array_equal(resumed.scorer.params[name], value)


# Orbax reads all arrays at once; when one cannot be read, the answers about the others find nobody.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_training_whose_last_checkpoint_is_damaged_goes_on_from_the_one_before(shop, tmp_path):
    whole = learned(shop, tmp_path / "whole")
    with pytest.raises(Killed):
        learned(shop, tmp_path / "part", kill_after=4)
    (tmp_path / "part" / "state" / "4" / "arrays" / "_METADATA").write_text("{")
    seen = []
    resumed = learned(shop, tmp_path / "part", seen=seen)
    assert [progress.epoch for progress in seen] == [4, 5, 6]
    assert resumed.run.history == whole.run.history
    for name, value in whole.scorer.params.items():
        np.testing.assert_array_equal(resumed.scorer.params[name], value)


@pytest.mark.parametrize(
    ("ndcgs", "stale"),
    [([], False), ([None] * 9, False), ([0.1, 0.2], False), ([0.3, 0.2, 0.2], True), ([0.1, 0.3, 0.2], False)],
)
def test_training_stops_after_the_patience_without_a_better_epoch(ndcgs, stale):
    history = [Progress("train", n, 9, 1.0, ndcg) for n, ndcg in enumerate(ndcgs, 1)]
    assert loop._is_stale(history, patience=2) is stale


def test_the_rate_rises_then_falls_to_a_tenth(shop):
    config = dataclasses.replace(shop.config, learning_rate=1.0)
    rates = np.concatenate([step.rates(config, first, 50, 400) for first in range(0, 400, 50)])
    assert rates[0] == pytest.approx(0.1)
    assert rates.argmax() == 20
    assert (np.diff(rates[20:]) < 0).all()
    assert rates[-1] == pytest.approx(0.1, abs=0.01)


def test_the_refit_learns_what_the_validation_kept_back(shop):
    config = configs.replace(shop.config, epochs=2)
    parts = split.leave_last_out_full(shop.events(), config)
    features = items.features(shop.items(), {f"i{n:03}": n + 1 for n in range(40)}, config)
    trial = train.learn(parts, features, config)
    finished = train.refit(trial, features, parts.refit_end_U)
    assert finished.run.examples > trial.run.examples
    assert finished.scorer.transitions.totals_N.sum() > trial.scorer.transitions.totals_N.sum()
