"""The simulated shop as known to the rankers, and the wishes that come after."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32

from demo import catalogue, history, taste
from demo import customers as people_of
from demo.customers import Customer
from model.catalogue import Item
from model.recommend import config as configs
from model.recommend.events import Interactions
from model.recommend.serving.serve import Ranker
from model.recommend.training import train as training
from storage.events.histories import History, Touch
from workers.search import tastes

_NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Wish(NamedTuple):
    """What a customer searches for, and the wanted item."""

    customer_id: str
    query: str
    item_id: str


@dataclass(frozen=True)
class Shop:
    """The catalogue, what each customer did in four weeks, oldest first, and the wishes that come after."""

    items: list[Item]
    past: dict[str, list[Touch]]
    wishes: list[Wish]

    @property
    def touches(self) -> list[tuple[str, Touch]]:
        """All events, with their customers."""
        return [(who, touch) for who, touches in self.past.items() for touch in touches]

    def history(self, customer_id: str) -> History:
        """Return the events of a customer that count for the taste."""
        return History(self.past.get(customer_id, [])[-tastes.LENGTH :])

    def met(self, customer_id: str) -> set[str]:
        """Return the items that a customer met."""
        return {touch.item_id for touch in self.past.get(customer_id, [])}


def make(*, items: int, customers: int, wishes: int, seed: int) -> Shop:
    """Return a shop with four weeks of events."""
    wares = catalogue.make(items, seed=seed)
    people = people_of.make(customers, seed=seed)
    past: dict[str, list[Touch]] = defaultdict(list)
    for event in history.make(people, wares, until=_NOW, seed=seed):
        past[event["user_id"]].append(Touch(event["item_id"], event["kind"], event["at"].timestamp()))
    return Shop([_known(item) for item in wares], past, _wishes(people, wares, past, wishes, seed))


def train(
    made: Shop, *, seed: int, epochs: int | None
) -> tuple[dict[str, Float32[np.ndarray, " D"]], Mapping[str, Mapping[str, float]]]:
    """Return a recommender's unit vector of every item, and its held-out figures next to the baselines'."""
    config = configs.preset("small", **({} if epochs is None else {"epochs": epochs}))
    fitted = training.fit(_interactions(made), made.items, config, seed=seed)
    vectors_NxD = np.asarray(Ranker(fitted.artifact, expected_items=len(made.items)).upsert(made.items))
    vectors_NxD = vectors_NxD / np.maximum(np.linalg.norm(vectors_NxD, axis=1, keepdims=True), 1e-6)
    return {item.item_id: vectors_NxD[n] for n, item in enumerate(made.items)}, fitted.metrics


def _known(item: catalogue.Item) -> Item:
    attributes = tuple(f"{name}: {value}" for name, value in ({"type": item.noun} | item.attributes).items())
    return Item(item.item_id, item.title, "", item.department, item.brand, item.price, attributes)


def _wishes(
    people: Sequence[Customer],
    wares: Sequence[catalogue.Item],
    past: Mapping[str, Sequence[Touch]],
    count: int,
    seed: int,
) -> list[Wish]:
    """Draw by the customers' final tastes, among the items that they never met."""
    met = {(who, touch.item_id) for who, touches in past.items() for touch in touches}
    draw = random.Random(f"wishes:{seed}")
    wishes = []
    for _ in range(count):
        customer = draw.choice(people)
        appeals = [
            0.0 if (customer.customer_id, item.item_id) in met else taste.appeal(customer.taste, item) for item in wares
        ]
        [wanted] = draw.choices(wares, appeals)
        wishes.append(Wish(customer.customer_id, wanted.noun, wanted.item_id))
    return wishes


def _interactions(made: Shop) -> Interactions:
    places = {item.item_id: place for place, item in enumerate(made.items)}
    users: dict[str, int] = {}
    return Interactions(
        users_E=np.array([users.setdefault(who, len(users)) for who, _ in made.touches], np.int32),
        items_E=np.array([places[touch.item_id] for _, touch in made.touches], np.int32),
        kinds_E=np.array([configs.KINDS.index(touch.kind) for _, touch in made.touches], np.int32),
        at_E=np.array([touch.at for _, touch in made.touches]),
    )
