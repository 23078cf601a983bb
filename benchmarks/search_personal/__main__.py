"""`python -m benchmarks.search_personal`: progress on stderr, one JSON object as the last line of stdout.

A customer wants one item, the more likely the more it appeals to the hidden taste, and searches for what kind of thing
it is. The rank of the wanted item is compared between the order that is everybody's and the customer's own, through the
gateway, and for several weights of the taste in this process.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import numpy as np
from sqlalchemy import Engine as Database

from benchmarks import installation, machine
from benchmarks.freshness.probes import Gateway
from demo import catalogue, customers, history, taste
from demo.catalogue import Item
from demo.customers import Customer
from demo.gateway import Gateway as DemoGateway
from demo.run import BATCH
from model.text.synonyms import Synonyms
from storage import engine as engines
from workers.contract.producer import Producer
from workers.runtime import supervise
from workers.search import tastes
from workers.search.serving import Serving
from workers.settings import Settings

_DEPTH = 100


class Wish(NamedTuple):
    """What a customer searches for, and the item that this is about."""

    customer_id: str
    query: str
    item_id: str


def main() -> None:
    """Measure and print."""
    options = _options()
    os.environ["RESHELF_SEARCH_DEADLINE_MS"] = "5000"  # the order is measured here, not the time
    items = catalogue.make(options.items, seed=options.seed)
    people = customers.make(options.customers, seed=options.seed)
    wishes = _wishes(people, items, options.wishes, options.seed)
    with installation.running() as settings:
        asyncio.run(_fill(settings, items, people, options.seed))
        installation.wait_until_idle()
        installation.reshelf("train", "--minutes", str(options.minutes))
        if options.encoder:
            installation.reshelf("train", "search")
        installation.wait_until_idle()
        result = {
            "benchmark": "search_personal",
            **machine.describe("cpu"),
            "items": options.items,
            "customers": options.customers,
            "wishes": len(wishes),
            "search_version": options.encoder,
            "gateway": _through_the_gateway(settings, wishes),
            "weights": _by_weight(settings, wishes, options.weights),
        }
    if options.out:
        Path(options.out).write_text(json.dumps(result, indent=2) + "\n")
    sys.stdout.write(json.dumps(result) + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.search_personal", description=__doc__)
    parser.add_argument("--items", type=int, default=1500)
    parser.add_argument("--customers", type=int, default=600)
    parser.add_argument("--wishes", type=int, default=1000)
    parser.add_argument("--minutes", type=float, default=0.5, help="to train the recommender for")
    parser.add_argument("--encoder", action="store_true", help="train a version of search, too")
    parser.add_argument("--weights", type=float, nargs="*", default=[0.0, 0.1, 0.2, 0.3, 0.5, 1.0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", help="file to keep the result in")
    return parser.parse_args()


async def _fill(settings: Settings, items: Sequence[Item], people: Sequence[Customer], seed: int) -> None:
    now = datetime.now(UTC)
    past = history.make(people, items, until=now, seed=seed)
    installation.say(f"sending {len(items)} items and {len(past)} events")
    with Producer(str(settings.broker_url)) as producer:
        for item in items:
            producer.change(**catalogue.change(item, now))
    async with DemoGateway(supervise.gateway_url(settings)) as gateway:
        for start in range(0, len(past), BATCH):
            await gateway.send(past[start : start + BATCH])


def _wishes(people: Sequence[Customer], items: Sequence[Item], count: int, seed: int) -> list[Wish]:
    draw = random.Random(f"wishes:{seed}")
    wishes = []
    for _ in range(count):
        customer = draw.choice(people)
        [wanted] = draw.choices(items, [taste.appeal(customer.taste, item) for item in items])
        wishes.append(Wish(customer.customer_id, wanted.noun, wanted.item_id))
    return wishes


def _through_the_gateway(settings: Settings, wishes: Sequence[Wish]) -> dict[str, Any]:
    gateway = Gateway(settings.gateway_port)
    ranks: dict[str, list[int]] = {"everybody's": [], "the customer's": []}
    personal = 0
    for wish in wishes:
        path = f"/v1/search?q={quote(wish.query)}&limit={_DEPTH}"
        ranks["everybody's"].append(_rank([i["item_id"] for i in gateway.get(path)["items"]], wish))
        own = gateway.get(f"{path}&user_id={wish.customer_id}")
        ranks["the customer's"].append(_rank([i["item_id"] for i in own["items"]], wish))
        personal += own["personal"]
    return {name: _figures(found) for name, found in ranks.items()} | {"personal": personal}


def _by_weight(settings: Settings, wishes: Sequence[Wish], weights: Sequence[float]) -> dict[str, Any]:
    database = engines.connect(str(settings.database_url))
    serving = Serving(database, settings.home, synonyms=Synonyms())
    serving.follow()
    found = {f"{weight:g}": _figures(_ranks(database, serving, wishes, weight)) for weight in weights}
    database.dispose()
    return found


def _ranks(database: Database, serving: Serving, wishes: Sequence[Wish], weight: float) -> list[int]:
    engine, vectors = serving.engine, tastes.Vectors()
    engine.parts = replace(engine.parts, config=replace(engine.parts.config, affinity_weight=weight))
    ranks = []
    with database.connect() as connection:
        vectors.follow(connection)
        known = tastes.read(connection, sorted({wish.customer_id for wish in wishes}))
        for wish in wishes:
            affinity = tastes.affinity(connection, vectors, known[wish.customer_id])
            found = engine.find(wish.query, k=_DEPTH, affinity=affinity)
            ranks.append(_rank([engine.collection.items[slot].item_id for slot in found.slots_K], wish))
    return ranks


def _rank(item_ids: Sequence[str], wish: Wish) -> int:
    """The rank of the wanted item, from 1; one more than there are where it is not among them."""
    return item_ids.index(wish.item_id) + 1 if wish.item_id in item_ids else len(item_ids) + 1


def _figures(ranks: Sequence[int]) -> dict[str, float]:
    rank_W = np.array(ranks)
    return {
        "mean_rank": round(float(rank_W.mean()), 2),
        "standard_error": round(float(rank_W.std() / len(rank_W) ** 0.5), 2),
        "mrr": round(float((1 / rank_W).mean()), 4),
        "in_first_ten": round(float((rank_W <= 10).mean()), 4),
    }


if __name__ == "__main__":
    main()
