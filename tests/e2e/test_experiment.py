"""An experiment on real processes: its shoppers are ranked by its version, and by the live one when it is over."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

from storage.registry import models
from tests.support import waiting
from tests.support.stack import Stack, running, settings_for
from workers import settings as configuration
from workers.experiment import assignment, service


def another_version(stack: Stack) -> str:
    """Register the weights of the live version under another name, and return that."""
    with stack.database.begin() as connection:
        live = models.live(connection)
        assert live is not None
        version = models.version_name(models.RECOMMEND, datetime.now(UTC), "0ff1ce")
        models.register(
            connection, version, config=live.config, metrics={}, learnt_through=live.learnt_through, digest=live.digest
        )
    home = stack.settings.home
    shutil.copytree(configuration.model_folder(home, live.version), configuration.model_folder(home, version))
    return version


def versions_of(stack: Stack) -> dict[str, str]:
    """Return which version ranked each shopper's shelf."""
    return dict(stack.query("SELECT owner, model_version FROM rankings WHERE surface = 'home'"))  # type: ignore[arg-type]


def test_arms_of_a_version_are_ranked_by_it_for_as_long_as_it_runs(
    database_url: str, broker_url: str, tmp_path: Path
) -> None:
    names = ("intake", "recommend", "background", "beat", "gateway")
    with running(settings_for(tmp_path, database_url, broker_url), *names) as stack:
        waiting.wait_until(stack.is_idle, what="the first shelves")
        shelves = versions_of(stack)
        [live] = set(shelves.values())
        version = another_version(stack)
        canary, due = service.canary(stack.database, version, 0.5)
        wanted = {shopper: assignment.version_of(shopper, canary, live) for shopper in shelves}
        assert due == list(wanted.values()).count(version) > 0
        waiting.wait_until(lambda: versions_of(stack) == wanted, what="each arm has the shelves of its version")
        shopper = next(shopper for shopper, ranked_by in wanted.items() if ranked_by == version)
        path = f"/v1/users/{shopper}/recommendations"
        waiting.wait_until(lambda: stack.get(path)["arm"] == "canary", what="the gateway knows the experiment")
        answer = stack.get(path)
        assert (answer["model_version"], answer["experiment"], answer["arm"]) == (version, canary.name, "canary")
        health = "SELECT coalesce(sum(batches), 0), coalesce(sum(failures), 0) FROM version_health WHERE version = :v"
        waiting.wait_until(lambda: stack.query(health, v=version)[0][0] > 0, what="what the canary ranked is told")
        assert stack.query(health, v=version)[0][1] == 0

        service.stop(stack.database, canary.name)
        everyone_live = dict.fromkeys(shelves, live)
        waiting.wait_until(lambda: versions_of(stack) == everyone_live, what="everyone is back at the live version")
