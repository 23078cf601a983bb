"""The gate on a real database: what it asks for, and candidates that must never serve."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from redis import Redis
from sqlalchemy import Engine, Row, update

from model import artifact
from model.artifact import Artifact
from model.recommend import config as configs
from model.recommend.training import train as model_train
from reshelf import parsing
from storage import due
from storage.events import intake
from storage.registry import models
from storage.tables import model_versions
from tests.support import shop as shops
from workers import rows
from workers.cli import main
from workers.recommend.training import data, full_training, gate, publish, tasks
from workers.recommend.training.data import TrainingData
from workers.recommend.training.gate import Cases
from workers.registry import verdict, versions
from workers.registry.publishing import Outcome
from workers.runtime import bootstrap
from workers.settings import Settings

SHOPPERS = 120
CONFIG = configs.preset("tiny")


@dataclass(frozen=True)
class Shop:
    """A database with a live model, and what happened since that was trained."""

    database: Engine
    home: Path
    known: TrainingData
    live: Row[Any]
    cases: Cases

    def publish(self, candidate: Artifact) -> Outcome:
        made = publish.Candidate(candidate, learnt_from=self.known.since, learnt_through=self.known.through)
        return publish.publish(self.database, self.home, made, self.live, self.cases)

    def fit(self, known: TrainingData) -> Artifact:
        return model_train.fit(known.interactions, known.items, CONFIG).artifact

    def serving(self) -> str:
        with self.database.connect() as connection:
            live = models.live(connection)
        assert live is not None
        return str(live.version)


def _write(database: Engine, events: list[dict[str, Any]]) -> None:
    parsed = parsing.parse_events(events)
    assert not parsed.bad
    with database.begin() as connection:
        intake.write_events(connection, [rows.event_row(event) for event in parsed.good], writer="test")


@pytest.fixture(name="shop")
def _shop(database: Engine, tmp_path: Path) -> Shop:
    announced = parsing.parse_changes([shops.item(n) for n in range(shops.ITEMS)])
    with database.begin() as connection:
        intake.write_changes(connection, [rows.change_row(change) for change in announced.good], writer="test")
    happened = list(shops.history("ann", shoppers=SHOPPERS, each=10))
    _write(database, happened[: 7 * SHOPPERS])
    report = full_training.train(database, Settings(home=tmp_path), full_training.Training(preset="tiny"))
    assert report.published, report.reasons
    assert report.gate["compared_with"] == "popularity"
    _write(database, happened[7 * SHOPPERS :])
    known = data.read(database)
    with database.connect() as connection:
        live = models.live(connection)
    assert live is not None
    return Shop(database, tmp_path, known, live, gate.cases(known, gate.known_until(live), CONFIG))


def test_the_cases_are_new_and_nobody_learns_them(shop: Shop) -> None:
    cases = shop.cases
    assert len(cases.requests) == 50
    left_out = len(shop.known.interactions.users_E) - len(cases.rest.interactions.users_E)
    assert left_out == 50  # each has one event a moment
    for request, truth in zip(cases.requests, cases.truth, strict=True):
        assert request.history[-1].at < shop.known.through.timestamp()  # type: ignore[union-attr]  # it was read
        assert not truth & set(request.excluded)
    newest = {request.history[-1].at for request in cases.requests}
    assert min(newest) > shop.live.learnt_through.timestamp()  # two more came after what the live one knew
    again = gate.cases(shop.known, gate.known_until(shop.live), CONFIG)
    assert again.truth == cases.truth


@pytest.mark.parametrize("noted", [True, False])
def test_too_few_cases_leave_everything_to_learn(shop: Shop, noted: bool) -> None:
    """The live version has learnt all there is, or may have: nobody noted what."""
    with shop.database.begin() as connection:
        learnt = shop.known.through if noted else None
        connection.execute(update(model_versions).values(learnt_through=learnt))
        live = models.live(connection)
    cases = gate.cases(shop.known, gate.known_until(live), CONFIG)
    assert (cases.requests, cases.truth) == ([], [])
    assert len(cases.rest.interactions.users_E) == len(shop.known.interactions.users_E)
    assert len(cases.golden) > 1


def test_a_good_candidate_serves_and_its_origin_is_kept(shop: Shop) -> None:
    outcome = shop.publish(shop.fit(shop.cases.rest))
    assert outcome.published, outcome.reasons
    assert shop.serving() == outcome.version
    with shop.database.connect() as connection:
        kept = models.get(connection, outcome.version)
        [first, *_] = models.switches(connection)
    assert (kept.parent, kept.how) == (shop.live.version, "full")
    assert (kept.learnt_from, kept.learnt_through) == (shop.known.since, shop.known.through)
    assert kept.digest == artifact.load(outcome.folder).digest
    assert kept.code.startswith("0.")
    assert kept.gate["passed"]
    assert kept.gate["compared_with"] == shop.live.version
    assert set(kept.gate["figures"]) == {"candidate", shop.live.version}
    assert (first.version, first.previous, first.why) == (outcome.version, shop.live.version, "published")


def _not_a_number(shop: Shop) -> Artifact:
    good = artifact.load(shop.home / "models" / shop.live.version)
    weights = dict(good.params)
    weights["items.ids"] = weights["items.ids"].copy()
    weights["items.ids"][3, 0] = np.nan
    return dataclasses.replace(good, params=weights)


def _shuffled_labels(shop: Shop) -> Artifact:
    known = shop.cases.rest.interactions
    shuffled_E = np.random.default_rng(0).permutation(known.items_E)
    return shop.fit(shop.cases.rest._replace(interactions=known._replace(items_E=shuffled_E)))


def _constant(shop: Shop) -> Artifact:
    good = artifact.load(shop.home / "models" / shop.live.version)
    nothing = {
        name: np.zeros_like(value)
        for name, value in good.params.items()
        if np.issubdtype(value.dtype, np.floating) and not name.startswith("blend.")
    }
    return dataclasses.replace(good, params={**good.params, **nothing})


def _exploded(shop: Shop) -> Artifact:
    good = artifact.load(shop.home / "models" / shop.live.version)
    louder = {"blend.log_gain": good.params["blend.log_gain"] + np.float32(5)}
    return dataclasses.replace(good, params={**good.params, **louder})


@pytest.mark.parametrize(
    ("poison", "reason"),
    [
        (_not_a_number, "hold values that are not finite, such as items.ids"),
        (_shuffled_labels, "on the same 50 new baskets, which is more than chance"),
        (_constant, "constant scores"),
        (_exploded, "exploded scores"),
    ],
    ids=["nan", "shuffled", "constant", "exploded"],
)
def test_a_poisoned_candidate_never_serves(shop: Shop, poison: Callable[[Shop], Artifact], reason: str) -> None:
    with shop.database.begin() as connection:
        waiting = due.claim(connection, due.SHOPPER, limit=1000, lease=60)
        due.clear(connection, due.SHOPPER, waiting)
    outcome = shop.publish(poison(shop))
    assert not outcome.published
    assert reason in "; ".join(outcome.reasons)
    assert shop.serving() == shop.live.version
    with shop.database.connect() as connection:
        kept = models.get(connection, outcome.version)
        assert len(models.switches(connection)) == 1
        assert due.SHOPPER not in {backlog.kind for backlog in due.summary(connection)}
    assert kept.gate["reasons"] == outcome.reasons
    assert artifact.load(outcome.folder).digest == kept.digest  # kept, to be looked at


def test_a_candidate_that_was_tested_against_a_past_version_does_not_replace_the_present_one(shop: Shop) -> None:
    good = shop.fit(shop.cases.rest)
    present = shop.publish(good)
    assert present.published
    late = shop.publish(good)
    assert not late.published
    assert late.verdict.passed
    assert f"but {present.version} serves by now" in late.reasons[0]
    assert shop.serving() == present.version


def test_a_live_version_that_is_damaged_is_compared_with_no_more(shop: Shop) -> None:
    (shop.home / "models" / shop.live.version / "manifest.json").unlink()
    outcome = shop.publish(shop.fit(shop.cases.rest))
    assert outcome.published, outcome.reasons
    assert outcome.verdict.compared_with == "popularity"
    assert "is damaged" in outcome.verdict.notes[0]


def test_nothing_stays_of_a_candidate_that_fails_its_verification(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    other = artifact.load(shop.home / "models" / shop.live.version)
    turned = {name: value[::-1] if name == "items.ids" else value for name, value in other.params.items()}
    monkeypatch.setattr(artifact, "load", lambda folder: dataclasses.replace(other, params=turned))  # a disk that lies
    with pytest.raises(versions.VerificationFailed):
        shop.publish(other)
    assert [path.name for path in (shop.home / "models").glob(".*")] == []
    assert shop.serving() == shop.live.version


def test_a_rejected_training_says_why_and_the_live_version_serves_on(
    shop: Shop, database_url: str, broker_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verdict, "LEAST_COVERAGE", 100.0)  # more than there can be
    environ = {"RESHELF_DATABASE_URL": database_url, "RESHELF_BROKER_URL": broker_url, "RESHELF_HOME": str(shop.home)}
    done = CliRunner().invoke(main, ["train", "--preset", "tiny"], env=environ | {"COLUMNS": "200"})
    assert done.exit_code == 1
    assert "Why: coverage@10 shrank to" in done.stdout
    assert "not serving" in done.stdout
    assert f"{shop.live.version} " in done.stdout  # what it was compared with
    assert shop.serving() == shop.live.version

    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    bootstrap.services.cache_clear()
    try:
        answer = tasks.train(preset="tiny")
    finally:
        bootstrap.services().engine.dispose()
        bootstrap.services().bell.close()
        bootstrap.services.cache_clear()
    assert answer["published"] is False
    assert answer["reasons"] == answer["gate"]["reasons"] != []
    with Redis.from_url(broker_url) as redis:
        assert redis.keys("reshelf:doorbell:*") == []  # nothing is new, so nobody is told
    assert shop.serving() == shop.live.version
