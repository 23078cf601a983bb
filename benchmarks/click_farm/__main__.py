"""`python -m benchmarks.click_farm`: progress on stderr, one JSON object as the last line of stdout."""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from benchmarks import machine
from benchmarks.click_farm import attack as attacks
from benchmarks.click_farm import retail
from benchmarks.click_farm.attack import Attack
from benchmarks.click_farm.shop import Shop, copy
from demo import catalogue, customers
from demo.catalogue import Item
from storage import migrate
from storage.embedded import servers
from workers.learn import service
from workers.settings import Settings


def main() -> None:
    """Measure and print."""
    options = _options()
    result: dict[str, Any] = {"benchmark": "click_farm", **machine.describe("cpu"), "seed": options.seed}
    if options.retail:
        result["online_retail"] = retail.measure(options.retail)
        _say(json.dumps(result["online_retail"]))
    with tempfile.TemporaryDirectory(prefix="reshelf-bench-") as home, servers.running(Path(home)) as running:
        settings = Settings(home=Path(home), database_url=running.database, broker_url=running.broker)
        result |= _simulated(options, settings)
    if options.out:
        options.out.write_text(json.dumps(result, indent=2) + "\n")
    sys.stdout.write(json.dumps(result) + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.click_farm", description=__doc__)
    parser.add_argument("--customers", type=int, default=1000, help="real ones")
    parser.add_argument("--newcomers", type=int, default=150, help="of them came in the last week")
    parser.add_argument("--items", type=int, default=1500)
    parser.add_argument("--fakes", type=int, default=500)
    parser.add_argument("--minutes", type=float, default=1.0, help="train each model for about so long")
    parser.add_argument("--attacks", type=int, nargs="*", help="numbers of the attacks to try, from 0; all by default")
    parser.add_argument("--retail", type=Path, help="the UCI Online Retail file")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, help="file to keep the result in")
    return parser.parse_args()


def _simulated(options: argparse.Namespace, settings: Settings) -> dict[str, Any]:
    now = datetime.now(UTC) - timedelta(minutes=5)
    items = catalogue.make(options.items, seed=options.seed)
    people = customers.make(options.customers, seed=options.seed)
    past = attacks.real(people, items, options.newcomers, until=now, seed=options.seed)
    week = (now - timedelta(days=7)).isoformat()
    migrate.upgrade(str(settings.database_url))
    shop = Shop(settings)
    shop.announce(attacks.announced(items, now - timedelta(days=60)))
    shop.happen([event for event in past if event["at"] <= week])
    _train(shop, options)
    shop.happen([event for event in past if event["at"] > week])
    shop.settle()
    targets = attacks.targets_of(items, shop.counts(), seed=options.seed)
    real = sorted({event["user_id"] for event in past})
    clean = shop.exposure(real, _ids(targets))
    false_alarms = len(shop.look().flagged)
    _say(f"clean: {clean}, {false_alarms} real customers flagged")
    shop.close()
    chosen = [attacks.ATTACKS[n] for n in options.attacks or range(len(attacks.ATTACKS))]
    studies = [
        _study(options, settings, one, (now, items, targets, real, clean), number) for number, one in enumerate(chosen)
    ]
    return {
        "customers": len(real),
        "newcomers": options.newcomers,
        "items": options.items,
        "events": len(past),
        "fakes": options.fakes,
        "targets": len(targets),
        "impressions": 2 * 20 * len(real),
        "exposure_clean": clean,
        "real_flagged_without_an_attack": false_alarms,
        "attacks": studies,
    }


def _study(options: argparse.Namespace, settings: Settings, attack: Attack, world: Any, number: int) -> dict[str, Any]:
    now, items, targets, real, clean = world
    url = copy(str(settings.database_url), f"attack_{number}")
    shop = Shop(msgspec.structs.replace(settings, database_url=url))
    fake = attacks.events(attack, targets, items, users=options.fakes, until=now, seed=options.seed)
    shop.happen(fake)
    shop.settle()
    without = shop.exposure(real, _ids(targets))
    started = time.perf_counter()
    found = shop.look()
    seconds = time.perf_counter() - started
    shop.settle()
    fakes = [name for name in found.flagged if name.startswith(attacks.PREFIX)]
    exposed = shop.exposure(real, _ids(targets))
    result = {
        "attack": attack.name,
        "fake_events": len(fake),
        "without": without,
        "with": exposed,
        "rise_without": _rise(without, clean),
        "rise_with": _rise(exposed, clean),
        "fakes_flagged": retail.share(len(fakes), options.fakes),
        "real_flagged": len(found.flagged) - len(fakes),
        "alerts": found.alerts,
        "look_seconds": round(seconds, 2),
    }
    _say(json.dumps(result))
    shop.close()
    return result


def _train(shop: Shop, options: argparse.Namespace) -> None:
    report = service.train(
        shop.engine, shop.settings, service.Training(preset="small", seed=options.seed, minutes=options.minutes)
    )
    assert report.published, report.reasons


def _rise(exposed: dict[str, int], clean: dict[str, int]) -> dict[str, float | None]:
    return {name: round(exposed[name] / clean[name] - 1, 4) if clean[name] else None for name in clean}


def _ids(items: list[Item]) -> list[str]:
    return [item.item_id for item in items]


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    random.seed(0)
    main()
