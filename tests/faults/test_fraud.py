"""Screening with real processes: a killed worker leaves no order without a decision, and its model comes back."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from celery import Celery
from sqlalchemy import Engine

from reshelf import tasks
from tests.support import screening as tests
from tests.support import stack as stacks
from tests.support import waiting
from tests.support.stack import Stack
from workers.fraud.training import learning


@pytest.fixture(name="stack")
def _stack(tmp_path: Path, database: Engine, database_url: str, broker_url: str) -> Iterator[Stack]:
    settings = stacks.settings_for(tmp_path, database_url, broker_url, fraud_preset="tiny", screen_deadline_ms=1_500)
    tests.load_past(database, tmp_path)
    assert learning.train(database, settings).published
    stack = Stack(settings, database)
    try:
        for name in ("fraud", "intake", "beat"):  # beat and intake look for what was left
            stack.start(name, *([name] if name == "beat" else ["worker", name]))
        stack.start("gateway", "gateway")
        waiting.wait_until(lambda: _answers(stack), what="a decision of the model")
        yield stack
    finally:
        stack.stop()


def _answers(stack: Stack) -> bool:
    try:
        return bool(_screen(stack, _new())["by"] == "model")
    except httpx.HTTPError:  # the gateway has not started yet
        return False


def _new(**given: Any) -> dict[str, Any]:
    now = datetime.now(UTC)
    return tests.order(int(now.timestamp() * 1e6), now, **given)


def _screen(stack: Stack, order: dict[str, Any]) -> dict[str, Any]:
    return stack.post("/v1/orders/screen", order)


def test_orders_are_decided_while_the_worker_is_dead_and_by_the_model_once_it_is_back(stack: Stack) -> None:
    made = [_new(order_id=f"burst-{n}") for n in range(60)]
    with ThreadPoolExecutor(12) as pool:
        asked = [pool.submit(_screen, stack, order) for order in made]
        asked[5].result()
        stack.kill("fraud")
        answers = [one.result() for one in asked]
    assert {answer["order_id"] for answer in answers} == {order["order_id"] for order in made}
    late = [answer for answer in answers if answer["by"] == "rules"]
    assert late
    assert all(answer["decided_at"] is not None for answer in answers)
    assert all(answer["why"] for answer in late)
    assert answers[0] == _screen(stack, made[0])

    stack.start("fraud", "worker", "fraud")
    waiting.wait_until(lambda: _answers(stack), what="a decision of the model that came back")
    waiting.wait_until(stack.is_idle, what="the orders that were left")
    assert stack.query("SELECT count(*) FROM orders WHERE place = 0") == [(0,)]
    noted = stack.query("SELECT order_id FROM screening_log WHERE what = 'judged late'")
    assert {answer["order_id"] for answer in late} <= {order_id for (order_id,) in noted}
    assert [_screen(stack, order) for order in made] == answers
    assert stack.query("SELECT count(*) FROM dead_letters") == [(0,)]

    _ask_by_name(stack)


def _ask_by_name(stack: Stack) -> None:
    """A shop without HTTP sends the task by its name, and gets the decisions as its result."""
    broker = str(stack.settings.broker_url)
    ask = partial(
        Celery("shop", broker=broker, backend=broker, set_as_current=False).send_task, queue=tasks.FRAUD_QUEUE
    )
    good, bad = _new(order_id="by-name"), _new(order_id="bad", amount=-1)
    found = ask("reshelf.fraud.screen", args=[[good, bad]]).get(timeout=60)
    [decided] = found["screenings"]
    assert (decided["order_id"], decided["by"]) == ("by-name", "model")
    assert decided["probability"] is not None
    [rejected] = found["rejected"]
    assert (rejected["index"], rejected["id"], rejected["field"]) == (1, "bad", "amount")
    again = ask("reshelf.fraud.screen", args=[[good | {"amount": good["amount"] + 1}]]).get(timeout=60)
    assert again["screenings"] == []
    assert again["rejected"][0]["field"] == "amount"
    assert _screen(stack, good)["probability"] == decided["probability"]
