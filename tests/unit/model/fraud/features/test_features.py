import numpy as np
import pytest

from benchmarks.fraud.accuracy import order_replay
from model.fraud.features import features, orders
from model.fraud.features.features import FeatureConfig
from model.fraud.features.orders import DAY, NEVER
from tests.support import fraud

CONFIG = FeatureConfig()
NOW = 20_000 * DAY + 12 * 3600


def made(*rows, customer=1, terminal=1):
    """Orders from (days before now, amount, known as fraud since how many days before now or None)."""
    at_N = np.array([NOW - int(ago * DAY) for ago, _, _ in rows], np.int64)
    return orders.empty(len(rows))._replace(
        at_N=at_N,
        tie_N=np.arange(1, len(rows) + 1),
        customer_N=np.full(len(rows), customer),
        terminal_N=np.full(len(rows), terminal),
        cents_N=np.array([round(100 * amount) for _, amount, _ in rows]),
        fraud_at_N=np.array([NEVER if since is None else NOW - int(since * DAY) for _, _, since in rows]),
        odd_N=np.ones(len(rows)),
    )


def asked(amount, past):
    order = made((0, amount, None))._replace(tie_N=np.array([99]))
    found = features.compute_one(order, past, past, CONFIG)
    return dict(zip(found.names, found.values_NxF[0].tolist(), strict=True))


def test_an_amount_is_held_against_what_is_usual_without_outliers():
    found = asked(50.0, made(*((day, 10.0, None) for day in range(10, 20)), (1, 100.0, None)))
    assert found["customer_odd"] == 5.0
    assert found["customer_usual"] == 10.0
    assert found["customer_to_largest"] == 0.5
    assert found["customer_open_outliers"] == 1
    assert found["customer_since_outlier"] == 1.0
    assert found["customer_larger_share"] == 1 / 11


def test_without_a_past_an_order_is_ordinary():
    found = asked(50.0, orders.empty(0))
    assert found["customer_odd"] == found["customer_to_median"] == 1.0
    assert found["customer_known"] == found["terminal_run"] == 0
    assert found["customer_new_terminal"] == 1


def test_a_label_counts_from_the_moment_it_is_known():
    past = [(10.0, 20.0, 3.0), (9.0, 20.0, -0.001)]
    assert asked(20.0, made(*past))["terminal_frauds_28d"] == 1
    past[1] = (9.0, 20.0, 0.0)
    assert asked(20.0, made(*past))["terminal_frauds_28d"] == 2


def test_a_run_is_what_was_fraud_since_the_last_genuine_order():
    past = [(20, 20.0, 13), (15, 20.0, None), (12, 20.0, 5), (10, 20.0, 3), (3, 20.0, None)]
    found = asked(20.0, made(*past))
    assert found["terminal_run"] == 2
    assert found["terminal_run_age"] == 12.0
    assert found["terminal_run_longest"] == 15.0
    assert found["terminal_run_newest"] == 10.0
    past.append((8, 20.0, None))
    assert asked(20.0, made(*past))["terminal_run"] == 0


def test_a_fraud_that_its_amount_explains_says_nothing_of_the_terminal():
    past = made((12, 20.0, 5), (10, 20.0, 3))
    assert asked(20.0, past._replace(odd_N=np.array([1.0, 5.0])))["terminal_run"] == 1


@pytest.mark.parametrize("most", [0, 3600, 6 * 3600])
def test_online_features_are_the_offline_ones_bit_for_bit(most):
    found = fraud.shop(customers=25, terminals=30, days=30, seed=most).found
    arriving = order_replay.shuffled(found, most=most, seed=1)
    _, in_order = features.compute_all(found, CONFIG)
    _, as_arrived = features.compute_all(arriving, CONFIG)
    online = order_replay.run(arriving, CONFIG)
    assert np.array_equal(online.arrived_NxF, as_arrived.values_NxF)
    assert np.array_equal(online.settled_NxF, in_order.values_NxF)
    assert (online.again > 0) == (most > 0)
    assert in_order.values_NxF[:, in_order.names.index("terminal_run")].max() > 3


def test_neither_the_order_of_rows_nor_what_comes_later_matters():
    found = fraud.shop(customers=20, days=30).found
    _, whole = features.compute_all(found, CONFIG)
    rows = np.random.default_rng(0).permutation(len(found.at_N))
    assert np.array_equal(features.compute_all(found.take(rows), CONFIG)[1].values_NxF, whole.values_NxF[rows])
    half = len(rows) // 2
    assert np.array_equal(
        features.compute_all(found.take(slice(0, half)), CONFIG)[1].values_NxF, whole.values_NxF[:half]
    )
    small = features.compute_all(found, FeatureConfig(pairs=100))[1]
    assert np.array_equal(small.values_NxF, whole.values_NxF)


def test_what_is_older_than_the_horizon_is_forgotten():
    assert asked(20.0, made((91, 5.0, None)))["customer_known"] == 0
    assert asked(20.0, made((90, 5.0, None)))["customer_known"] == 1
