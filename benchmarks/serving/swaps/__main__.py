"""`python -m benchmarks.serving.swaps`: progress on stderr, one JSON object as the last line of stdout.

Two trained versions are swapped under load, then rolled back. Before, each has ranked every shelf once: an answer is
wrong unless its items and scores are those that the version it names has ranked. Latencies during the switches are
compared with those in the seconds before each of them.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from sqlalchemy import Engine, text

from benchmarks import access, figures, machine, progress, shop
from benchmarks.serving.swaps.traffic import Found, Traffic
from storage import due
from storage import engine as engines
from storage.registry import models
from workers import capabilities
from workers.doorbell import Doorbell
from workers.registry import promotion
from workers.settings import Settings
from workers.supervisor import installation as installations
from workers.supervisor.installation import Installation

_PATIENCE = 300.0
# Each look takes some ms of CPU from the requests.
_LOOK_SECONDS = 1.0

Shelves = Mapping[str, tuple[list[str], list[float]]]
Window = tuple[float, float]


def main() -> None:
    """Measure and print."""
    options = _options()
    with installations.temporary(access.environ(), shown=True) as installation:
        engine = engines.connect(installation.database_url)
        try:
            result = _measure(options, installation, engine)
        finally:
            engine.dispose()
    figures.tell(result, options.out)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.serving.swaps", description=__doc__)
    parser.add_argument("--users", type=int, default=5_000)
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--preset", default="small")
    parser.add_argument("--minutes", type=float, default=0.5, help="of each training")
    parser.add_argument("--rate", type=int, default=500, help="requests a second")
    parser.add_argument("--seconds", type=float, default=15, help="of requests before each switch, to compare with")
    parser.add_argument("--rest", type=float, default=5, help="seconds after a switch that count neither way")
    parser.add_argument("--swaps", type=int, default=10)
    parser.add_argument("--rollbacks", type=int, default=2)
    parser.add_argument("--out", help="file to keep the result in")
    return parser.parse_args()


def _measure(options: argparse.Namespace, installation: Installation, engine: Engine) -> dict[str, Any]:
    settings = installation.settings
    progress.say(f"sending {options.items} items and the history of {options.users} users")
    shop.seed(str(settings.broker_url), users=options.users, items=options.items, per_user=20)
    installation.wait_until_idle()
    pair = [_train(options, installation, seed) for seed in (0, 1)]
    expected = {}
    for version in (pair[1], pair[0]):
        _promote(settings, engine, version)
        installation.wait_until_idle()
        expected[version] = _shelves(engine)
    traffic = Traffic(settings.gateway_port, rate=options.rate, users=sorted(expected[pair[0]]))
    traffic.start()
    progress.say(f"{options.rate} requests/s, {options.swaps} swaps, {options.rollbacks} rollbacks")
    before, during = _swap_and_roll_back(options, settings, engine, pair)
    found = traffic.stop()
    return {
        "benchmark": "swaps",
        **machine.describe("cpu"),
        "users": options.users,
        "items": options.items,
        "preset": options.preset,
        "rate": options.rate,
        "swaps": options.swaps,
        "rollbacks": options.rollbacks,
        **_summary(found, before, during),
        **_checked(found, expected),
        "compilations_after_warm_up": installation.metric("reshelf_compilations_after_warm_up", of="recommend"),
    }


def _train(options: argparse.Namespace, installation: Installation, seed: int) -> str:
    """Return a version that is not live yet. The gate's verdict does not matter here: it will be forced."""
    arguments = ("--preset", options.preset, "--minutes", str(options.minutes), "--seed", str(seed))
    return str(json.loads(installation.reshelf("train", *arguments, "--no-publish", "--json", check=False))["version"])


def _swap_and_roll_back(
    options: argparse.Namespace, settings: Settings, engine: Engine, pair: Sequence[str]
) -> tuple[list[Window], list[Window]]:
    """Return the quiet seconds before each switch, and the interval in which it kept the workers busy.

    The latter is from the switch until the last shelf was ranked again.
    """
    before, during = [], []
    for n in range(options.swaps + options.rollbacks):
        time.sleep(options.rest)  # first, connections are opened and caches are filled
        began = time.time()
        time.sleep(options.seconds)
        before.append((began, time.time()))
        if n < options.swaps:
            during.append(_promote(settings, engine, pair[(n + 1) % 2]))
        else:
            during.append(_switch(settings, engine, lambda: promotion.rollback(engine, settings.home)))
        progress.say(f"switch {n + 1}: {during[-1][1] - during[-1][0]:.1f} s until every shelf was ranked again")
    return before, during


def _promote(settings: Settings, engine: Engine, version: str) -> Window:
    return _switch(settings, engine, lambda: promotion.promote(engine, settings.home, version, force=True))


def _switch(settings: Settings, engine: Engine, switch: Callable[[], object]) -> Window:
    start = time.time()
    switch()
    bell = Doorbell(str(settings.broker_url), capabilities.RINGS)
    bell.ring(due.ITEM, due.SHOPPER)
    bell.close()
    while _stale(engine):
        if time.time() - start > _PATIENCE:
            raise TimeoutError(f"{_stale(engine)} shelves are not ranked by the live version after {_PATIENCE:.0f} s")
        time.sleep(_LOOK_SECONDS)
    return start, time.time()


def _stale(engine: Engine) -> int:
    query = text("SELECT count(*) FROM rankings WHERE surface = 'home' AND model_version <> :version")
    with engine.connect() as connection:
        live = models.live(connection)
        return 0 if live is None else int(connection.execute(query, {"version": live.version}).scalar_one())


def _shelves(engine: Engine) -> Shelves:
    """Return each user's current shelf: the items, and the scores as the gateway writes them."""
    query = text(
        "SELECT owner, ARRAY(SELECT item_id FROM unnest(item_nos) WITH ORDINALITY AS ranked(item_no, n) "
        "JOIN items USING (item_no) ORDER BY n) AS item_ids, scores FROM rankings WHERE surface = 'home'"
    )
    with engine.connect() as connection:
        return {
            row.owner: (row.item_ids, [_as_answered(score) for score in row.scores])
            for row in connection.execute(query)
        }


def _as_answered(score: float) -> float:
    """The gateway rounds the row's 32-bit float; this driver returns its shortest text."""
    return float(f"{float(np.float32(score)):.6g}")


def _checked(found: Found, expected: Mapping[str, Shelves]) -> dict[str, Any]:
    """Count answers that differ from what the version they name has ranked, and those not from an own shelf."""
    wrong: Counter[str] = Counter()
    fallback = 0
    for (user, version, items, scores), count in found.shown.items():
        shelf = expected.get(version or "", {}).get(user)
        if not items:
            fallback += count
        elif shelf is None or (list(items), list(scores)) != (shelf[0][: len(items)], shelf[1][: len(items)]):
            wrong[f"{user} by {version}: {list(zip(items, scores, strict=True))[:3]}, ranked was {shelf}"[:400]] += (
                count
            )
    return {
        "answers_checked": sum(found.shown.values()),
        "mixed_rankings": sum(wrong.values()),
        "first_mixed": [line for line, _ in wrong.most_common(3)],
        "from_no_own_shelf": fallback,
    }


def _summary(found: Found, before: Sequence[Window], during: Sequence[Window]) -> dict[str, Any]:
    quiet, swapping = _within(found, before), _within(found, during)
    p99 = figures.percentile(quiet, 99, digits=2), figures.percentile(swapping, 99, digits=2)
    first, last = found.times[0][0], found.times[-1][0]
    return {
        "requests": len(found.times),
        "rate_asked": round(len(found.times) / max(last - first, 1e-9), 1),
        "errors": sum(found.errors.values()),
        "first_errors": dict(found.errors.most_common(3)),
        "before": {"requests": len(quiet), "p50_ms": figures.percentile(quiet, 50, digits=2), "p99_ms": p99[0]},
        "during_swaps": {
            "requests": len(swapping),
            "p50_ms": figures.percentile(swapping, 50, digits=2),
            "p99_ms": p99[1],
        },
        "p99_during_over_before": round(p99[1] / p99[0], 2) if p99[0] and p99[1] else None,
        "p99_ms_of_each": [
            [figures.percentile(_within(found, [window]), 99, digits=1) for window in pair]
            for pair in zip(before, during, strict=True)
        ],
        "seconds_until_all_ranked_anew": [round(end - start, 1) for start, end in during],
    }


def _within(found: Found, windows: Sequence[Window]) -> list[float]:
    """Return the latencies of the requests that were due in one of these windows."""
    return [seconds for due_at, seconds in found.times if any(start <= due_at < end for start, end in windows)]


if __name__ == "__main__":
    main()
