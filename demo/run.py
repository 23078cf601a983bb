"""The demo from start to end: start, fill, train, open the shop, report, stop."""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from demo import catalogue, customers, history, screen, searches, stories
from demo import prober as probers
from demo.catalogue import Item
from demo.customers import HOME, Customer
from demo.gateway import Gateway
from demo.prober import Prober
from demo.report import Outcome
from demo.screen import View
from demo.shop import Shop
from demo.tally import Tally
from reshelf.producer import Producer
from workers.supervisor.installation import Installation, InstallationError

PRESET = "small"
TRAIN_MINUTES = 0.33
"""Most of it is compiling; with less, a busy machine would stop after the first epoch."""
BATCH = 500
STATUS_SECONDS = 10.0
FILL_SECONDS = 60.0
SERVE_SECONDS = 90.0


@dataclass(frozen=True)
class Size:
    """The size of the demo, and the seed of all random numbers."""

    customers: int = 600
    items: int = 1500
    seconds: float = 60.0
    seed: int = 1


@dataclass(frozen=True)
class World:
    """The simulated shop: its items, its customers and the events of the weeks before."""

    items: list[Item]
    customers: list[Customer]
    past: list[dict[str, Any]]


def make(size: Size) -> World:
    """Return the world of this size; the same seed gives the same one, except for the date."""
    items = catalogue.make(size.items, seed=size.seed)
    people = customers.make(size.customers, seed=size.seed)
    return World(items, people, history.make(people, items, until=datetime.now(UTC), seed=size.seed))


def play(installation: Installation, size: Size, console: Console, kept: Path | None = None) -> Outcome:
    """Run the whole demo on a new installation, which keeps running, and leave the market report in the folder `kept`,
    or in a temporary one that stays. Raises `InstallationError`.
    """
    with ThreadPoolExecutor(1) as pool:
        made = pool.submit(make, size)
        with screen.step(console, "started PostgreSQL, Redis, workers and gateway"):
            installation.start()
        world = made.result()
    with screen.step(
        console, f"sent {len(world.items):,} items and {len(world.past):,} events of {history.WEEKS} weeks"
    ):
        asyncio.run(_fill(installation, world))
    with screen.step(console, f"trained the {PRESET} model"):
        options = ("--preset", PRESET, "--minutes", str(TRAIN_MINUTES), "--seed", str(size.seed))
        installation.reshelf("train", *options)
    outcome = asyncio.run(_live(installation, world, size, console))
    with screen.step(console, "analysed the market"):
        outcome.report = _analysed(installation, kept)
    outcome.dead_letters = installation.dead_letters()
    return outcome


def _analysed(installation: Installation, kept: Path | None) -> Path:
    """Analyse the market and return where its report is. A temporary home is deleted, and the report is not in it."""
    folder = kept or Path(tempfile.mkdtemp(prefix="reshelf-report-"))
    report = folder.resolve() / "report.html"
    installation.reshelf("market", "refresh")
    installation.reshelf("report", "--out", str(report))
    return report


async def _live(installation: Installation, world: World, size: Size, console: Console) -> Outcome:
    """Open the shop once every customer has a shelf, then run the stories."""
    rng = random.Random(f"shop:{size.seed}")
    items = {item.item_id: item for item in world.items}
    async with Gateway(installation.gateway_url, key=installation.api_key) as gateway:
        with screen.step(console, "ranked every customer's shelf"):
            await _wait_until_personal(gateway, world.customers)
        with Producer(installation.broker_url) as producer:
            shop = Shop(gateway, producer, world.customers, items, Tally(), rng)
            await _open(shop, installation, size.seconds, console)
            with screen.step(console, "let three customers turn to something new"):
                told = await stories.tell(shop, world.customers, rng)
            with screen.step(console, "searched in English and in Chinese"):
                searched = await searches.tell(shop, world.customers)
            report = await asyncio.to_thread(producer.close)
    return Outcome(shop.tally, told, report.undelivered, searches=searched)


async def _fill(installation: Installation, world: World) -> None:
    """Send the catalogue by message and the past events over HTTP, and return when all of it is in the database."""
    now = datetime.now(UTC)
    with Producer(installation.broker_url) as producer:
        for item in world.items:
            producer.change(**catalogue.change(item, now))
        async with Gateway(installation.gateway_url, key=installation.api_key) as gateway:
            for start in range(0, len(world.past), BATCH):
                await gateway.send(world.past[start : start + BATCH])
    deadline = time.monotonic() + FILL_SECONDS
    # Without a model every new item stays due, so the backlog says how many have arrived.
    while installation.due("item") < len(world.items):
        if time.monotonic() > deadline:
            raise InstallationError(f"the catalogue had not arrived after {FILL_SECONDS:.0f} s")


async def _wait_until_personal(gateway: Gateway, people: Sequence[Customer]) -> None:
    """Return when every customer who will be shown `home` has a shelf of their own."""
    deadline = time.monotonic() + SERVE_SECONDS
    for customer in people:
        while customer.group == HOME and not (await gateway.home(customer.customer_id, limit=1)).is_personal:
            if time.monotonic() > deadline:
                raise InstallationError(f"{customer.customer_id} had no ranked shelf after {SERVE_SECONDS:.0f} s")
            await asyncio.sleep(0.1)


async def _open(shop: Shop, installation: Installation, seconds: float, console: Console) -> None:
    """Run the shop and the prober at the same time, and show the progress."""
    view = View(shop.tally, time.monotonic() + seconds)
    rng = random.Random(shop.rng.random())
    prober = Prober(shop, probers.strangers(rng), list(shop.items.values()), rng)
    watching = [asyncio.create_task(screen.show(console, view)), asyncio.create_task(_follow(installation, view))]
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(shop.open(seconds))
            group.create_task(prober.run(seconds))
    finally:
        for task in watching:
            await screen.end(task)


async def _follow(installation: Installation, view: View) -> None:
    """Run `reshelf status` now and then: it is a separate process, and takes a second of a core."""
    while True:
        view.status = await asyncio.to_thread(installation.status)
        await asyncio.sleep(STATUS_SECONDS)
