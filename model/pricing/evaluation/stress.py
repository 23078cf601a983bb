"""Proposals in random states under random guardrails, each checked by who shares no arithmetic with the policy."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from model.pricing import guardrails, money, policy
from model.pricing.guardrails import Guardrails, Present
from model.pricing.policy import Choice, Question
from model.pricing.response import BENDS, Draws

_BLOCK = 64
_DRAWS = 24
_FAMILY = 4
_ENDINGS = tuple(money.ending(text) for text in (".99", ".49", "8", ".50"))


class Checked(NamedTuple):
    """How many proposals were made, how many of them change a price, and how often each limit was broken."""

    proposals: int
    changes: int
    violations: dict[str, int]


def check(proposals: int, *, seed: int) -> Checked:
    """Propose at least so many prices and check every one of them."""
    random = np.random.default_rng(seed)
    done, changes, broken = 0, 0, Counter[str]()
    while done < proposals:
        present = _in_families([_present(random) for _ in range(_BLOCK)], random)
        asked = [_question(each, random) for each in present]
        questions = [question for question, _ in asked]
        chosen = policy.choose(questions, _draws(random), seed=int(random.integers(2**31)), caution=3)
        for (question, rails), choice in zip(asked, chosen, strict=True):
            if choice.price != question.present.price:
                changes += 1
                broken.update(guardrails.violations(question.present, choice.price, rails))
        broken.update(_disordered([question.present.price for question in questions], chosen, random))
        done += _BLOCK
    return Checked(done, changes, dict(broken))


def _in_families(items: list[Present], random: np.random.Generator) -> list[Present]:
    """Return the items as families of `_FAMILY` each, of nearby prices, most of which rise with the size."""
    found: list[Present] = []
    for at in range(0, len(items), _FAMILY):
        price_N = np.maximum(items[at].price * random.uniform(0.8, 1.25, _FAMILY), 2.0).round()
        if random.random() < 0.8:
            price_N.sort()
        for n, each in enumerate(items[at : at + _FAMILY]):
            below, above = price_N[:n], price_N[n + 1 :]
            found.append(
                dataclasses.replace(
                    each,
                    price=int(price_N[n]),
                    below=int(below.max()) if n else None,
                    above=int(above.min()) if len(above) else None,
                )
            )
    return found


def _disordered(price_N: Sequence[int], chosen: Sequence[Choice], random: np.random.Generator) -> dict[str, int]:
    """Return how many families lose their order when some of the choices are applied, and others not."""
    is_applied_N = random.random(len(chosen)) < 0.7
    after_N = [each.price if is_applied else price
               for each, price, is_applied in zip(chosen, price_N, is_applied_N, strict=True)]  # fmt: skip
    families = [slice(at, at + _FAMILY) for at in range(0, len(chosen), _FAMILY)]
    ranks = range(_FAMILY)
    lost = sum(
        guardrails.in_order(price_N[each], ranks) and not guardrails.in_order(after_N[each], ranks) for each in families
    )
    return {guardrails.FAMILY: lost} if lost else {}


def _question(present: Present, random: np.random.Generator) -> tuple[Question, Guardrails]:
    rails = _rails(random)
    objective = policy.OBJECTIVES[random.integers(len(policy.OBJECTIVES))]
    if objective == policy.MARGIN and present.cost is None:
        objective = policy.REVENUE
    stock = float(random.integers(500)) if objective == policy.CLEAR else None
    allowed = guardrails.allowed(present, rails)
    return Question(present, allowed, present.price, objective, stock=stock, periods=int(random.integers(1, 30))), rails


def _present(random: np.random.Generator) -> Present:
    price = int(np.exp(random.uniform(np.log(20), np.log(200_000))))
    known = random.random(3) < 0.8
    return Present(
        price,
        max(round(price * random.uniform(0.2, 1.2)), 1) if known[0] else None,
        max(round(price * random.uniform(0.5, 2.0)), 1) if known[1] else None,
        float(random.uniform(0.0, 400.0)) if known[2] else None,
    )


def _rails(random: np.random.Generator) -> Guardrails:
    """Return each limit with a chance of a half; some of them contradict each other, or the present price."""
    has = iter(random.random(8) < 0.5)
    floor = int(np.exp(random.uniform(np.log(10), np.log(20_000))))
    count = int(random.integers(1, len(_ENDINGS) + 1))
    return Guardrails(
        floor=floor if next(has) else None,
        ceiling=int(floor * random.uniform(0.9, 50.0)) if next(has) else None,
        margin=float(random.uniform(0.0, 0.5)) if next(has) else None,
        needs_cost=bool(random.random() < 0.2),
        step=float(random.uniform(0.01, 0.6)) if next(has) else None,
        cooldown_hours=float(random.uniform(0.0, 200.0)) if next(has) else 0.0,
        competitor=(
            float(random.uniform(0.3, 1.0)) if next(has) else None,
            float(random.uniform(0.9, 3.0)) if next(has) else None,
        ),
        endings=tuple(_ENDINGS[n] for n in random.permutation(len(_ENDINGS))[:count]) if next(has) else (),
        frozen=bool(random.random() < 0.02),
    )


def _draws(random: np.random.Generator) -> Draws:
    shape = (_DRAWS, _BLOCK)
    return Draws(
        random.normal(1.0, 1.0, shape),
        np.exp(random.normal(0.9, 0.5, shape)),
        np.asarray(BENDS)[random.integers(len(BENDS), size=shape)],
        np.zeros((*shape, 0)),
    )
