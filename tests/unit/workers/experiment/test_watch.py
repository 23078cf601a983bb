"""The decisions over a canary, as a table."""

from __future__ import annotations

import pytest

from storage.experiment.experiments import Outcome
from storage.registry.health import Health
from workers.experiment import plan, watch

WELL = Health(batches=100, failures=1, seconds=5.0)
CANARY = plan.canary("recommend-1", 0.1)


@pytest.mark.parametrize(
    ("canary", "live", "trouble"),
    [
        (Health(), WELL, None),
        (Health(4, 4, 40.0), WELL, None),  # too few to tell
        (Health(5, 1, 0.2), WELL, None),  # a fifth
        (Health(5, 2, 0.2), WELL, "2 of 5 batches failed, 1% with the live version"),
        (Health(5, 2, 0.2), Health(10, 5, 0.2), None),  # the live one fails more
        (Health(10, 6, 0.2), Health(10, 5, 0.2), "6 of 10 batches failed, 50% with the live version"),
        (Health(5, 2, 0.2), Health(), "2 of 5 batches failed, 0% with the live version"),
        (Health(10, 0, 5.1), WELL, "a batch takes 0.51 s, 0.05 s with the live version"),
        (Health(10, 0, 4.9), WELL, None),  # ten times as slow, and quick enough
        (Health(10, 0, 20.0), Health(10, 0, 7.0), None),  # not three times as slow
        (Health(10, 0, 22.0), Health(10, 0, 7.0), "a batch takes 2.20 s, 0.70 s with the live version"),
        (Health(10, 0, 50.0), Health(), None),  # nothing to compare with
    ],
)
def test_a_canary_that_ranks_badly_is_in_trouble(canary: Health, live: Health, trouble: str | None) -> None:
    assert watch.sickness(canary, live) == trouble


@pytest.mark.parametrize(("seconds", "rests"), [(0.0, 0.0), (0.1, 0.3), (5.0, 15.0), (7.0, 20.0), (60.0, 20.0)])
def test_counting_rests_three_times_as_long_as_it_took_but_not_for_long(seconds: float, rests: float) -> None:
    assert watch.rest(seconds) == pytest.approx(rests)


@pytest.mark.parametrize(
    ("canary", "trouble"),
    [
        (Outcome(exposed=0), None),
        (Outcome(exposed=90), None),  # too few to tell
        (Outcome(exposed=500, clicked=100, purchased=25), None),
        (Outcome(exposed=500, clicked=150, purchased=60), None),  # better
        (Outcome(exposed=500, clicked=50, purchased=25), "click rate 10.00% of 500 shoppers, 20.00% with the live"),
        (Outcome(exposed=500, clicked=100, purchased=2), "purchase rate 0.40% of 500 shoppers, 5.00% with the live"),
        (Outcome(exposed=500, clicked=100, carted=0, purchased=25), None),  # the cart is not watched
    ],
)
def test_a_canary_that_sells_less_does_harm(canary: Outcome, trouble: str | None) -> None:
    live = Outcome(exposed=5000, clicked=1000, carted=500, purchased=250)
    found = watch.harm(CANARY, {"live": live, "canary": canary})
    assert found is None if trouble is None else (found or "").startswith(trouble)
