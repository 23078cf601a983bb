"""Starting and stopping: one at a time, and whoever gets another shelf is due."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import text

from storage import due
from storage.experiment import experiments
from storage.experiment.experiments import Arm
from workers.experiment import assignment, plan, service
from workers.experiment.plan import Refused

SHOPPERS = [f"s{number}" for number in range(200)]


def due_shoppers(shop: Any) -> set[str]:
    with shop.database.connect() as connection:
        return set(connection.execute(text("SELECT key FROM due WHERE kind = 'shopper'")).scalars())


def clear(shop: Any) -> None:
    with shop.database.begin() as connection:
        connection.execute(text("DELETE FROM due"))


def test_the_shoppers_of_a_version_are_due_when_it_starts_and_when_it_stops(shop: Any) -> None:
    shop.shelves(SHOPPERS)
    arms = [Arm("control", "live", 0.5), Arm("new", f"version:{shop.next}", 0.3), Arm("crowd", "popular", 0.2)]
    asked = plan.experiment("spring", arms)
    new = {shopper for shopper in SHOPPERS if assignment.arm_of(asked, shopper).name == "new"}
    assert service.start(shop.database, asked) == len(new)
    assert due_shoppers(shop) == new
    clear(shop)
    assert service.stop(shop.database, "spring") == len(new)
    assert due_shoppers(shop) == new


def test_arms_without_a_version_make_nobody_due(shop: Any) -> None:
    shop.shelves(SHOPPERS)
    arms = [Arm("control", "live", 0.5), Arm("crowd", "popular", 0.5)]
    assert service.start(shop.database, plan.experiment("crowd", arms)) == 0
    assert service.stop(shop.database, "crowd") == 0
    assert due_shoppers(shop) == set()


def test_a_shopper_whom_the_version_failed_starts_anew(shop: Any) -> None:
    shop.shelves(SHOPPERS)
    canary, _ = service.canary(shop.database, shop.next, 0.5)
    with shop.database.begin() as connection:
        for _ in range(4):
            connection.execute(text("UPDATE due SET claimed_until = NULL, attempts = attempts + 1"))
    service.stop(shop.database, canary.name)
    with shop.database.begin() as connection:
        claims = due.claim(connection, due.SHOPPER, limit=200, lease=30)
    assert claims
    assert {claim.attempts for claim in claims} == {1}


def test_a_larger_canary_of_the_same_version_goes_on_with_its_shoppers(shop: Any) -> None:
    shop.shelves(SHOPPERS)
    small, few = service.canary(shop.database, shop.next, 0.05)
    clear(shop)
    large, many = service.canary(shop.database, shop.next, 0.3)
    assert (small.name, large.name) == (f"canary-{shop.next}", f"canary-{shop.next}-2")
    assert 0 < few < many == len(due_shoppers(shop))
    canaries = [one for one in SHOPPERS if assignment.version_of(one, small, shop.live) == shop.next]
    assert len(canaries) == few
    assert {assignment.version_of(one, large, shop.live) for one in canaries} == {shop.next}
    with shop.database.connect() as connection:
        assert experiments.running(connection) is not None
        before = experiments.named(connection, small.name)
    assert before is not None
    assert before.stopped_because == f"{large.name} goes on with a share of 0.3"


def test_what_cannot_be_started_or_stopped_names_the_field_and_the_fix(shop: Any) -> None:
    halves = [Arm("control", "live", 0.5), Arm("crowd", "popular", 0.5)]
    service.start(shop.database, plan.experiment("one", halves))
    with pytest.raises(Refused, match="name: one runs, .*`reshelf experiment stop one`"):
        service.start(shop.database, plan.experiment("two", halves))
    with pytest.raises(Refused, match="name: one runs"):
        service.canary(shop.database, shop.next, 0.1)
    service.stop(shop.database, "one")
    with pytest.raises(Refused, match="name: one does not run: stopped by hand"):
        service.stop(shop.database, "one")
    with pytest.raises(Refused, match="name: there was an experiment one before; choose another name"):
        service.start(shop.database, plan.experiment("one", halves))
    with pytest.raises(Refused, match="name: there is no experiment 'three'; known are one"):
        service.stop(shop.database, "three")
    unknown = [Arm("control", "live", 0.5), Arm("new", "version:nonesuch", 0.5)]
    with pytest.raises(Refused, match=f"arm: there is no model version 'nonesuch'; registered are .*{shop.live}"):
        service.start(shop.database, plan.experiment("three", unknown))
    canary, _ = service.canary(shop.database, shop.next, 0.1)
    with pytest.raises(Refused, match=f"name: {canary.name} runs"):
        service.canary(shop.database, shop.live, 0.1)
    service.stop(shop.database, canary.name)
    with pytest.raises(Refused, match="arm: there is no model version 'nonesuch'"):
        service.canary(shop.database, "nonesuch", 0.1)
    with pytest.raises(Refused, match=f"version: {shop.live} is live and serves everyone; try one that is not"):
        service.canary(shop.database, shop.live, 0.1)


def test_of_many_who_start_at_once_one_does(shop: Any) -> None:
    halves = [Arm("control", "live", 0.5), Arm("crowd", "popular", 0.5)]

    def start(number: int) -> str:
        try:
            service.start(shop.database, plan.experiment(f"e{number}", halves))
        except Refused as refused:
            return refused.field
        return "started"

    with ThreadPoolExecutor(8) as threads:
        ends = list(threads.map(start, range(8)))
    assert sorted(ends) == ["name"] * 7 + ["started"]
