"""Experiments at the gateway: the popular arm, answers that name their arm, and reports."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jsonschema
import pytest
from sqlalchemy import Engine, text

from api_gateway.experiment import service as following
from storage.events import intake
from storage.experiment import experiments
from storage.experiment.experiments import Arm, Experiment
from workers.experiment import assignment

HALVES = Experiment("halves", "salt", (Arm("control", "live", 0.5), Arm("crowd", "popular", 0.5)))
LIVE = next(f"user{n}" for n in range(99) if assignment.arm_of(HALVES, f"user{n}").name == "control")
CROWD = next(f"user{n}" for n in range(99) if assignment.arm_of(HALVES, f"user{n}").name == "crowd")
CROWD_SESSION = next(f"v{n}" for n in range(99) if assignment.arm_of(HALVES, f"session:v{n}").name == "crowd")


def start(database: Engine, experiment: Experiment = HALVES) -> None:
    with database.begin() as connection:
        experiments.start(connection, experiment)


def answer(gateway: Any, path: str) -> dict[str, Any]:
    found: dict[str, Any] = gateway.get(path).json()
    return found


def names(found: dict[str, Any]) -> tuple[str | None, str | None]:
    return found["experiment"], found["arm"]


def until(condition: Callable[[], bool]) -> None:
    """Return once the gateway has looked again; fail where it does not."""
    end = time.monotonic() + 20 * following.FOLLOWED_EVERY
    while not condition():
        assert time.monotonic() < end, "the gateway does not follow"
        time.sleep(0.05)


def stocked(shop: Any) -> None:
    """Five items, of which the shelves of everyone, of two users and of a session hold others."""
    shop.stock(5)
    shop.rank("popular", "", ["i005"], version="popularity")
    for owner in (LIVE, CROWD, f"session:{CROWD_SESSION}", "session:s"):
        shop.rank("home", owner, ["i001", "i002"])


def test_an_arm_that_is_shown_what_is_popular_has_no_personal_and_no_session_shelf(shop: Any, serve: Any) -> None:
    stocked(shop)
    start(shop.database)
    gateway = serve()
    shown = answer(gateway, f"/v1/users/{CROWD}/recommendations?session_id=s&limit=2")
    assert (shown["source"], [item["source"] for item in shown["items"]]) == ("popular", ["popular", "newest"])
    assert names(shown) == ("halves", "crowd")
    later = answer(gateway, f"/v1/users/{CROWD}/recommendations?limit=2&cursor={shown['next_cursor']}")
    assert names(later) == ("halves", "crowd")
    session = answer(gateway, f"/v1/recommendations?session_id={CROWD_SESSION}")
    assert (session["source"], *names(session)) == ("popular", "halves", "crowd")
    shown = answer(gateway, f"/v1/users/{LIVE}/recommendations")
    assert (shown["source"], *names(shown)) == ("personal", "halves", "control")


def test_what_was_bought_stays_off_the_popular_arm(shop: Any, serve: Any, ids: Any) -> None:
    stocked(shop)
    shop.event("purchase", "i005", user_id=CROWD)
    start(shop.database)
    assert "i005" not in ids(answer(serve(), f"/v1/users/{CROWD}/recommendations"))


def test_other_shelves_and_other_times_are_in_no_experiment(shop: Any, serve: Any) -> None:
    stocked(shop)
    gateway = serve()
    home = f"/v1/users/{CROWD}/recommendations"
    assert (answer(gateway, home)["source"], *names(answer(gateway, home))) == ("personal", None, None)
    start(shop.database)
    until(lambda: names(answer(gateway, home)) == ("halves", "crowd"))
    for path in ("/v1/popular", "/v1/new", "/v1/items/i001/similar", "/v1/items/i001/bought-together"):
        assert names(answer(gateway, path)) == (None, None)
    with shop.database.begin() as connection:
        experiments.stop(connection, "halves", "enough")
    until(lambda: names(answer(gateway, home)) == (None, None))
    assert answer(gateway, home)["source"] == "personal"


def test_a_row_that_cannot_be_read_stops_nobody_from_being_served(shop: Any, serve: Any) -> None:
    stocked(shop)
    start(shop.database)
    with shop.database.begin() as connection:
        connection.execute(text("""UPDATE experiments SET arms = '[{"name": "a", "of_tomorrow": 1}]'"""))
    found = answer(serve(), f"/v1/users/{CROWD}/recommendations")
    assert (found["source"], *names(found)) == ("personal", None, None)


def filled(shop: Any) -> None:
    """An experiment in which fewer of the crowd click: 300 shoppers each, 150 and 60 of whom click."""
    start(shop.database)
    with shop.database.connect() as connection:
        running = experiments.running(connection)
    assert running is not None
    assert running.started_at is not None
    row: dict[str, Any] = dict.fromkeys(("value", "session_id", "request_id", "query"))
    row |= {"at": running.started_at + timedelta(seconds=1), "surface": "home", "quantity": 1.0, "context": {}}
    clicking = {"control": 150, "crowd": 60}
    rows: list[dict[str, Any]] = []
    for arm, clicks in clicking.items():
        every = (f"s{n}" for n in range(2000) if assignment.arm_of(running, f"s{n}").name == arm)
        for place, shopper in zip(range(300), every, strict=False):
            kinds = ("impression", "click") if place < clicks else ("impression",)
            rows += [row | {"event_id": f"{shopper}-{k}", "shopper": shopper, "kind": k, "item_id": "a"} for k in kinds]
    with shop.database.begin() as connection:
        intake.write_events(connection, rows, writer="test")


def test_a_report_has_rates_differences_and_a_verdict(shop: Any, gateway: Any) -> None:
    filled(shop)
    found = answer(gateway, "/v1/experiments/halves")
    assert found["experiment"]["running"] is True
    assert (found["primary"], found["confidence"]) == ("click", 0.95)
    control, crowd = found["arms"]
    assert (control["name"], control["exposed"], control["rates"]["click"]["rate"]) == ("control", 300, 0.5)
    assert (crowd["click_through"], crowd["rates"]["click"]["shoppers"]) == (60 / 300, 60)
    click = found["differences"][0]
    assert (click["arm"], click["metric"], click["primary"], click["verdict"]) == ("crowd", "click", True, "worse")
    assert click["difference"] == pytest.approx(-0.3)
    assert click["difference_high"] < 0


def test_the_list_has_the_last_one_first(shop: Any, gateway: Any) -> None:
    assert answer(gateway, "/v1/experiments") == {"experiments": []}
    start(shop.database)
    with shop.database.begin() as connection:
        experiments.stop(connection, "halves", "enough")
    start(shop.database, Experiment("more", "salt", HALVES.arms))
    listed = answer(gateway, "/v1/experiments")["experiments"]
    assert [(one["name"], one["running"], one["stopped_because"]) for one in listed] == [
        ("more", True, None),
        ("halves", False, "enough"),
    ]
    assert listed[0]["arms"][1] == {"name": "crowd", "treatment": "popular", "share": 0.5}


def test_an_experiment_that_is_none_is_named(gateway: Any) -> None:
    found = gateway.get("/v1/experiments/nonesuch")
    assert found.status_code == 404
    assert found.json()["error"] == {
        "code": "not_found",
        "message": "there is no experiment 'nonesuch'",
        "field": "name",
        "fix": "GET /v1/experiments lists the experiments",
    }


def test_the_document_says_what_is_answered(shop: Any, gateway: Any) -> None:
    filled(shop)
    document = gateway.get("/schema/openapi.json").json()
    for path in ("/v1/experiments", "/v1/experiments/{name}"):
        operation = document["paths"][path]["get"]
        schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
        value = answer(gateway, path.format(name="halves"))
        jsonschema.Draft202012Validator(schema | {"components": document["components"]}).validate(value)
    assert "404" in document["paths"]["/v1/experiments/{name}"]["get"]["responses"]
