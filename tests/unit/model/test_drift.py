import math

import numpy as np
import pytest

from model import drift


def test_a_histogram_has_about_as_many_values_in_each_bin():
    found = drift.histogram(np.arange(100.0))
    assert found.counts_B.tolist() == [10] * 10
    assert found.edges_I == pytest.approx([9.9, 19.8, 29.7, 39.6, 49.5, 59.4, 69.3, 79.2, 89.1])
    assert drift.counts(found.edges_I, np.array([-5.0, 9.8, 10.0, 1000.0])).tolist() == [2, 1, 0, 0, 0, 0, 0, 0, 0, 1]


def test_values_that_repeat_leave_fewer_bins():
    found = drift.histogram(np.array([1.0, 1.0, 1.0, 1.0, 2.0]), bins=4)
    assert found.edges_I.tolist() == [1.0]
    assert found.counts_B.tolist() == [0, 5]
    with pytest.raises(ValueError, match="at least one value"):
        drift.histogram(np.zeros(0))


def test_psi_is_the_sum_over_the_bins():
    reference, now = np.array([49.5, 49.5]), np.array([24.5, 74.5])  # with half a value more: 50, 50 and 25, 75
    by_hand = (0.25 - 0.5) * math.log(0.25 / 0.5) + (0.75 - 0.5) * math.log(0.75 / 0.5)
    assert by_hand == pytest.approx(0.27465, abs=1e-5)
    assert drift.psi(reference, now) == pytest.approx(by_hand)
    assert drift.psi(now, reference) == pytest.approx(by_hand)
    assert drift.psi(now, now) == 0


def test_an_empty_bin_gives_no_infinity():
    found = drift.psi(np.array([0, 9]), np.array([9, 0]))
    assert found == pytest.approx(2 * (0.95 - 0.05) * math.log(0.95 / 0.05))


def test_chance_alone_hardly_exceeds_its_bound():
    assert drift.psi_by_chance(10, 500, 500) == pytest.approx((9 + 3 * math.sqrt(18)) / 250)
    chance = np.random.default_rng(0)
    found = []
    for _ in range(1000):
        first = drift.histogram(chance.normal(size=200))
        found.append(drift.psi(first.counts_B, drift.counts(first.edges_I, chance.normal(size=200))))
    assert np.mean(np.array(found) > drift.psi_by_chance(10, 200, 200)) < 0.02
    # The first sample's own quantiles bound the bins: half of the chance is gone.
    assert np.mean(found) == pytest.approx(9 * (1 / 200 + 1 / 200), rel=0.2)


def test_calibration_by_hand():
    probabilities = np.array([0.15, 0.15, 0.62, 0.68, 1.0])
    outcomes = np.array([0.0, 1.0, 1.0, 0.5, 1.0])
    found = drift.calibration(probabilities, outcomes)
    # Bins .1 to .2: means .15 and .5; .6 to .7: .65 and .75; the last one: 1 and 1.
    assert found.error == pytest.approx((2 * 0.35 + 2 * 0.1 + 0) / 5)
    assert found.ratio == pytest.approx(3.5 / 2.6)
    variance = 2 * 0.15 * 0.85 + 0.62 * 0.38 + 0.68 * 0.32
    assert found.ratio_error == pytest.approx(math.sqrt(variance) / 2.6)


def test_right_probabilities_are_calibrated_and_doubled_ones_are_not():
    chance = np.random.default_rng(1)
    true = chance.random(4000) / 2
    outcomes = (chance.random(4000) < true).astype(float)
    right, doubled = drift.calibration(true, outcomes), drift.calibration(2 * true, outcomes)
    assert right.error < 0.03
    assert abs(right.ratio - 1) < 3 * right.ratio_error
    assert doubled.error > 0.2
    assert doubled.ratio == pytest.approx(right.ratio / 2)


def test_nothing_expected_gives_no_ratio():
    assert drift.calibration(np.zeros(3), np.array([0.0, 0.0, 1.0])) == (pytest.approx(1 / 3), None, None)
    with pytest.raises(ValueError, match="at least one case"):
        drift.calibration(np.zeros(0), np.zeros(0))
