"""`python -m benchmarks.fraud.click_farm`: progress on stderr, one JSON object as the last line of stdout."""

from __future__ import annotations

import argparse
import json
import secrets
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from benchmarks import machine
from benchmarks.fraud.click_farm import attack as attacks
from benchmarks.fraud.click_farm import retail
from benchmarks.fraud.click_farm.attack import Attack
from benchmarks.fraud.click_farm.shop import SHOWN, Shop, copy
from demo import catalogue, customers
from demo.catalogue import Item
from storage import migrate
from storage.embedded import servers
from workers.bots.watch import Look
from workers.settings import Settings

_HALF = attacks.ATTACKS[2]


class World(NamedTuple):
    """The shop before the attack, the items to be promoted, and how often real customers are shown them."""

    settings: Settings
    now: datetime
    items: list[Item]
    targets: list[Item]
    real: list[str]
    clean: dict[str, int]
    false_alarms: int


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
    parser = argparse.ArgumentParser(prog="benchmarks.fraud.click_farm", description=__doc__)
    parser.add_argument("--customers", type=int, default=1000, help="real ones")
    parser.add_argument("--newcomers", type=int, default=150, help="of them came in the last week")
    parser.add_argument("--items", type=int, default=1500)
    parser.add_argument("--fakes", type=int, default=500)
    parser.add_argument("--minutes", type=float, default=1.0, help="train each model for about so long")
    parser.add_argument("--attacks", type=int, nargs="*", help="numbers of the attacks to try, from 0; all by default")
    parser.add_argument("--smaller", type=int, nargs="*", default=[5, 10, 15, 25, 50, 100], help="sizes of other farms")
    parser.add_argument("--retrain", action="store_true", help="train models on what an attack leaves, too")
    parser.add_argument("--retail", type=Path, help="the UCI Online Retail file")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, help="file to keep the result in")
    return parser.parse_args()


def _simulated(options: argparse.Namespace, settings: Settings) -> dict[str, Any]:
    world = _world(options, settings)
    chosen = [attacks.ATTACKS[n] for n in options.attacks or range(len(attacks.ATTACKS))]
    result = {
        "customers": len(world.real),
        "newcomers": options.newcomers,
        "items": options.items,
        "fakes": options.fakes,
        "targets": len(world.targets),
        "impressions": 2 * SHOWN * len(world.real),
        "exposure_clean": world.clean,
        "real_flagged_without_an_attack": world.false_alarms,
        "attacks": [_study(options, world, one) for one in chosen],
        "smaller": [_size(options, world, fakes) for fakes in options.smaller],
    }
    return result | ({"trained": _trained(options, world)} if options.retrain else {})


def _world(options: argparse.Namespace, settings: Settings) -> World:
    """Fill a shop, train on all but the last week, and add that week."""
    now = datetime.now(UTC) - timedelta(minutes=5)
    items = catalogue.make(options.items, seed=options.seed)
    people = customers.make(options.customers, seed=options.seed)
    past = attacks.real(people, items, options.newcomers, until=now, seed=options.seed)
    week = (now - timedelta(days=7)).isoformat()
    migrate.upgrade(str(settings.database_url))
    shop = Shop(settings)
    shop.announce(attacks.announced(items, now - timedelta(days=60)))
    shop.happen([event for event in past if event["at"] <= week])
    shop.train(minutes=options.minutes, seed=options.seed)
    shop.happen([event for event in past if event["at"] > week])
    shop.settle()
    targets = attacks.targets_of(items, shop.counts(), seed=options.seed)
    real = sorted({event["user_id"] for event in past})
    clean = shop.exposure(real, _ids(targets))
    false_alarms = len(shop.look().flagged)
    shop.close()
    _say(f"clean: {clean}, {false_alarms} real customers flagged")
    return World(settings, now, items, targets, real, clean, false_alarms)


@contextmanager
def _attacked(options: argparse.Namespace, world: World, attack: Attack | None, fakes: int) -> Iterator[Shop]:
    """Yield a copy of the shop, attacked."""
    url = copy(str(world.settings.database_url), f"attacked_{secrets.token_hex(4)}")
    shop = Shop(msgspec.structs.replace(world.settings, database_url=url))
    if attack is not None:
        shop.happen(attacks.events(attack, world.targets, world.items, users=fakes, until=world.now, seed=options.seed))
    yield shop
    shop.close()


def _study(options: argparse.Namespace, world: World, attack: Attack) -> dict[str, Any]:
    with _attacked(options, world, attack, options.fakes) as shop:
        shop.settle()
        without = shop.exposure(world.real, _ids(world.targets))
        started = time.perf_counter()
        found = shop.look()
        seconds = time.perf_counter() - started
        shop.settle()
        exposed = shop.exposure(world.real, _ids(world.targets))
    result = {
        "attack": attack.name,
        "without": without,
        "with": exposed,
        "rise_without": _rise(without, world.clean),
        "rise_with": _rise(exposed, world.clean),
        **_caught(found, options.fakes),
        "look_seconds": round(seconds, 2),
    }
    _say(json.dumps(result))
    return result


def _size(options: argparse.Namespace, world: World, fakes: int) -> dict[str, Any]:
    """How many bots of a smaller farm are found."""
    with _attacked(options, world, _HALF, fakes) as shop:
        return {"fakes": fakes, **_caught(shop.look(), fakes)}


def _trained(options: argparse.Namespace, world: World) -> dict[str, Any]:
    """Exposure after a full training: without an attack, under one, and under one with bot detection."""
    found = {}
    for name, attack in (("clean", None), ("without", _HALF), ("with", _HALF)):
        with _attacked(options, world, attack, options.fakes) as shop:
            if name == "with":
                shop.look()
            shop.train(minutes=options.minutes, seed=options.seed)
            shop.settle()
            found[name] = shop.exposure(world.real, _ids(world.targets))
            _say(f"trained, {name}: {found[name]}")
    rises = {f"rise_{name}": _rise(found[name], found["clean"]) for name in ("without", "with")}
    return {"attack": _HALF.name, **found, **rises}


def _caught(found: Look, fakes: int) -> dict[str, Any]:
    caught = sum(name.startswith(attacks.PREFIX) for name in found.flagged)
    return {
        "fakes_flagged": retail.share(caught, fakes),
        "real_flagged": len(found.flagged) - caught,
        "alerts": found.alerts,
    }


def _rise(exposed: dict[str, int], clean: dict[str, int]) -> dict[str, float | None]:
    return {name: round(exposed[name] / clean[name] - 1, 4) if clean[name] else None for name in clean}


def _ids(items: list[Item]) -> list[str]:
    return [item.item_id for item in items]


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
