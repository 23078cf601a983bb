"""One small shop, described once, and a detector that was trained on its middle weeks."""

from types import SimpleNamespace

import numpy as np
import pytest

from model.fraud import config
from model.fraud.detector import detector
from model.fraud.evaluation import protocol
from model.fraud.evaluation.protocol import Span
from model.fraud.features import features
from model.fraud.features.orders import DAY
from tests.support import fraud


@pytest.fixture(scope="session")
def simulated():
    """`found` with oddness, `frauds_N`, `known` features, and `split`, a fold of the protocol."""
    made = fraud.shop()
    found, known = features.compute_all(made.found, features.FeatureConfig())
    first = fraud.START // DAY + 18
    split = protocol.fold(found, made.frauds_N, Span(first, first + 10), Span(first + 18, first + 26), delay=7)
    return SimpleNamespace(found=found, frauds_N=made.frauds_N, known=known, split=split)


@pytest.fixture(scope="session")
def tiny():
    return config.preset("tiny", epochs=10, rounds=40)


@pytest.fixture(scope="session")
def trained(simulated, tiny):
    rows = simulated.split.train
    return detector.fit(
        simulated.known.take(rows), simulated.frauds_N[rows], simulated.found.customer_N[rows], tiny, seed=0
    )


@pytest.fixture(scope="session")
def tested(simulated):
    """Features and labels of the orders of the test that count."""
    rows = simulated.split.test[simulated.split.kept]
    return SimpleNamespace(values_NxF=simulated.known.values_NxF[rows], frauds_N=np.asarray(simulated.frauds_N[rows]))
