"""The demo on a real shop's file: load, train and rank every customer, then serve, and show some shelves."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
from rich.console import Console

from demo import retail, screen
from demo.catalogue import Item
from demo.customers import Customer
from demo.gateway import Gateway
from demo.prober import Prober
from demo.retail import RetailReport
from demo.screen import View
from demo.shop import Shop
from demo.tally import Tally
from demo.taste import Taste
from model.errors import ModelError
from reshelf.producer import Producer
from storage.registry.training import TrainingRuns
from workers.load.errors import LoadError
from workers.registry.errors import NotEnoughData
from workers.supervisor.installation import Installation, InstallationError

SHOWN_CUSTOMERS = 3
SHOWN_ITEMS = 5
VISITORS = 200
MOST_VISIT_SECONDS = 20.0
RANK_SECONDS = 180.0


@dataclass(frozen=True)
class Portrait:
    """One real customer: titles of the last purchases, newest first, and of the current shelf."""

    customer_id: str
    bought: list[str]
    shelf: list[str]
    is_personal: bool


@dataclass
class RealOutcome:
    """The outcome of a run on a real file."""

    report: RetailReport
    tally: Tally
    portraits: list[Portrait]
    undelivered: int
    dead_letters: int = 0
    places: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    def problems(self) -> list[str]:
        """Return what did not work, one line each."""
        found = [f"{count} requests failed: {reason}" for reason, count in self.tally.failures.most_common(3)]
        found += [f"{one.customer_id} has no shelf of their own" for one in self.portraits if not one.is_personal]
        if self.tally.unseen or not self.tally.probes():
            found.append(
                f"{self.tally.unseen} of {self.tally.unseen + self.tally.probes()} clicks never became visible"
            )
        if self.undelivered or self.dead_letters:
            found.append(f"{self.undelivered} events were not delivered, {self.dead_letters} rows are dead letters")
        return found


def play(installation: Installation, path: Path, seconds: float, console: Console) -> RealOutcome:
    """Load and learn the file and serve its customers. Raises `InstallationError`."""
    with screen.step(console, "started PostgreSQL, Redis, workers and gateway"):
        installation.start()
    try:
        report = retail.run(installation.settings, path, console)
    except (LoadError, NotEnoughData, TrainingRuns, ModelError, retail.NotPublished) as error:
        raise InstallationError(str(error)) from error
    with screen.step(console, f"the workers ranked all {report.customers:,} customers' shelves"):
        _wait_until_ranked(installation)
    outcome = asyncio.run(_serve(installation, report, min(seconds, MOST_VISIT_SECONDS), console))
    outcome.dead_letters = installation.dead_letters()
    return outcome


def _wait_until_ranked(installation: Installation) -> None:
    deadline = time.monotonic() + RANK_SECONDS
    while left := installation.due("shopper"):
        if time.monotonic() > deadline:
            raise InstallationError(f"{left} shelves were not ranked after {RANK_SECONDS:.0f} s")
        time.sleep(0.5)


async def _serve(installation: Installation, report: RetailReport, seconds: float, console: Console) -> RealOutcome:
    """Show a few customers, then let others click, and measure how soon their shelves change."""
    events, titles = report.loaded.reading.events, _titles(report)
    regulars = _regulars(events)
    async with Gateway(installation.gateway_url, key=installation.api_key) as gateway:
        portraits = [await _portrait(gateway, events, titles, one) for one in regulars[:SHOWN_CUSTOMERS]]
        with Producer(installation.broker_url) as producer:
            rng = random.Random(0)
            items = {item_id: _item(item_id, title) for item_id, title in titles.items()}
            shop = Shop(gateway, producer, [], items, Tally(), rng)
            visitors = [_customer(one) for one in regulars[SHOWN_CUSTOMERS : SHOWN_CUSTOMERS + VISITORS]]
            prober = Prober(shop, visitors or [_customer("visitor")], list(items.values()), rng)
            view = View(shop.tally, time.monotonic() + seconds)
            showing = asyncio.create_task(screen.show(console, view, draw=screen.visits_panel, say=screen.visits_line))
            await prober.run(seconds)
            await screen.end(showing)
            delivered = await asyncio.to_thread(producer.close)
    return RealOutcome(report, shop.tally, portraits, delivered.undelivered)


async def _portrait(gateway: Gateway, events: pl.DataFrame, titles: dict[str, str], customer_id: str) -> Portrait:
    mine = events.filter(pl.col("shopper") == customer_id).sort("at", descending=True, maintain_order=True)
    shelf = await gateway.home(customer_id, limit=SHOWN_ITEMS)
    bought = [titles.get(item_id, item_id) for item_id in mine["item_id"].unique(maintain_order=True)]
    return Portrait(customer_id, bought[:SHOWN_ITEMS], shelf.titles, shelf.is_personal)


def _regulars(events: pl.DataFrame) -> list[str]:
    """Return the customers with three baskets or more who came last, in a stable order."""
    baskets = events.group_by("shopper").agg(pl.col("session_id").n_unique().alias("baskets"), pl.col("at").max())
    several = baskets.filter(pl.col("baskets") >= 3)
    chosen = several if several.height else baskets
    return chosen.sort(["at", "shopper"], descending=[True, False])["shopper"].to_list()


def _titles(report: RetailReport) -> dict[str, str]:
    titles: dict[str, str] = {}
    for change in report.loaded.reading.changes:
        fields = change["fields"]
        if isinstance(fields, dict) and fields.get("title"):
            titles[str(change["item_id"])] = str(fields["title"])
    return titles


def _customer(customer_id: str) -> Customer:
    """Return a visitor without a taste of their own: it is not used."""
    return Customer(customer_id, "", Taste({}, frozenset(), frozenset(), 0.5))


def _item(item_id: str, title: str) -> Item:
    return Item(item_id, title, "", "", "", 0.0, 0.5, {}, 1.0)
