"""A confounded past and its unconfounded twin: the demand model is not misled."""

from __future__ import annotations

import numpy as np

from model import metrics
from model.pricing.evaluation import counterfactual, simulated


def test_imagined_prices_are_answered_from_a_confounded_past() -> None:
    trial = counterfactual.trial(simulated.CONSTANT, seed=2, items=12)
    assert trial.known.chosen_NxT[:, counterfactual.PAST :].all()
    assert np.isnan(trial.known.units_NxT[:, counterfactual.PAST :]).all()
    standing_NxT = np.repeat(trial.known.units_NxT[:, -56:-28].mean(1)[:, None], counterfactual.AHEAD, axis=1)
    ours, standing = (metrics.wape(trial.mean_NxT, found) for found in (counterfactual.ours(trial), standing_NxT))
    assert ours < 0.8 * standing
