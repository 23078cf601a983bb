import numpy as np
import pytest

from model import metrics
from model.errors import DataError
from model.fraud.evaluation import baselines, protocol
from model.fraud.evaluation.protocol import Span
from model.fraud.features import handbook, orders
from model.fraud.features.features import FeatureConfig
from model.fraud.features.orders import DAY
from tests.support import fraud


def made(*rows):
    """Orders from (day, customer), and which are fraud from a third value."""
    found = orders.empty(len(rows))._replace(
        at_N=np.array([day * DAY + 5 for day, _, _ in rows]), customer_N=np.array([customer for _, customer, _ in rows])
    )
    return found, np.array([bool(guilty) for _, _, guilty in rows])


def test_cards_are_left_out_from_the_day_after_their_fraud_is_known():
    found, frauds_N = made(
        (0, 1, 1), (1, 2, 0), (3, 3, 1), (4, 4, 1), (6, 5, 1),
        (10, 1, 0), (10, 3, 0), (10, 4, 0), (11, 4, 0), (11, 5, 0),
    )  # fmt: skip
    split = protocol.fold(found, frauds_N, Span(0, 2), Span(10, 11), delay=6)
    counted = split.test[split.kept]
    assert [(int(found.at_N[row] // DAY), int(found.customer_N[row])) for row in counted] == [(10, 4), (11, 5)]
    assert len(split.test) == 5


@pytest.mark.parametrize(
    ("train", "test", "message"),
    [
        (Span(0, 2), Span(9, 9), "begin it at least 8 days after"),
        (Span(0, 2), Span(90, 99), "no orders on the test days: the file goes from 1970-01-01"),
        (Span(1, 2), Span(10, 11), "both frauds and genuine"),
    ],
)
def test_folds_that_cannot_be_are_refused(train, test, message):
    found, frauds_N = made((0, 1, 1), (1, 2, 0), (10, 1, 0))
    with pytest.raises(DataError, match=message):
        protocol.fold(found, frauds_N, train, test, delay=7)


def test_a_card_counts_once_a_day_and_is_gone_once_found():
    day_N, card_N = np.array([0, 0, 0, 1, 1, 1]), np.array([1, 1, 2, 1, 2, 3])
    labels_N = np.array([True, False, False, True, True, False])
    scores_N = np.array([0.9, 0.8, 0.1, 0.9, 0.5, 0.6])
    assert metrics.card_precision(day_N, card_N, labels_N, scores_N, k=2) == 0.5
    assert metrics.card_precision(day_N, card_N, labels_N, -scores_N, k=1) == 0.5


def test_the_handbooks_features_follow_its_windows():
    shop = fraud.shop(customers=15, terminals=12, days=40)
    found, row = shop.found, len(shop.found.at_N) - 1
    values_F = handbook.compute_all(found, FeatureConfig())[row]
    ago_N = found.at_N[row] - found.at_N
    own_N = (found.customer_N == found.customer_N[row]) & (ago_N < 7 * DAY)
    there_N = (found.terminal_N == found.terminal_N[row]) & (ago_N >= 7 * DAY) & (ago_N < 37 * DAY)
    assert values_F[5] == own_N.sum()
    assert values_F[6] == pytest.approx(found.cents_N[own_N].mean() / 100)
    assert values_F[13] == there_N.sum()
    assert values_F[14] == pytest.approx(shop.frauds_N[there_N].mean())


@pytest.mark.parametrize("name", baselines.ALL)
def test_every_baseline_learns(simulated, tested, name):
    rows = simulated.split.train
    scores_N = baselines.scores(
        name, simulated.known.values_NxF[rows], simulated.frauds_N[rows], tested.values_NxF, seed=0
    )
    assert metrics.average_precision(tested.frauds_N, scores_N) > 2 * tested.frauds_N.mean()
