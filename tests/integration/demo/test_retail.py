"""The main job on a small file of the same form: load, learn, rank every customer, report, publish."""

from __future__ import annotations

import io
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from rich.console import Console
from sqlalchemy import Engine

from demo import evaluation, retail
from model.catalogue import Item
from model.recommend.events import Interactions
from storage.registry import models
from workers.recommend.training.data import TrainingData
from workers.settings import Settings

CUSTOMERS = 40


def _file(folder: Path) -> Path:
    chance = random.Random(1)
    lines = ["InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"]
    for customer in range(CUSTOMERS):
        for basket in range(1 if customer == 0 else 4):
            at = datetime(2011, 1, 1, tzinfo=UTC) + timedelta(days=7 * basket, minutes=customer)
            for _ in range(3):
                code = 10000 + customer % 2 + 2 * chance.randrange(15)
                lines.append(f"{customer}{basket},{code},MUG {code},1,{at:%Y-%m-%d %H:%M:%S},2.5,{customer},EIRE")
    lines.append("C1,10000,MUG,-1,2011-01-01 00:00:00,2.5,1,EIRE")
    path = folder / "retail.csv"
    path.write_text("\n".join(lines))
    return path


def test_the_demo_ranks_every_customer_and_serves(database: Engine, database_url: str, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, database_url=database_url, preset="tiny")
    console = Console(file=io.StringIO(), width=150)
    report = retail.run(settings, _file(tmp_path), console, minutes=0.03)
    assert (report.loaded.reading.read, report.loaded.reading.kept) == (472, 471)
    assert (report.customers, report.scored) == (CUSTOMERS, CUSTOMERS - 1)
    assert set(report.figures) == {evaluation.NEW, evaluation.ALL}
    assert all(0 <= figures["reshelf"]["hit_rate@10"] <= 1 for figures in report.figures.values())
    with database.connect() as connection:
        live = models.live(connection)
    assert live is not None
    assert live.version == report.trained.version
    printed = console.file.getvalue()  # type: ignore[attr-defined]  # a StringIO
    assert "Protocol: each customer's last basket is hidden" in printed


def test_nothing_of_the_last_basket_is_known() -> None:
    events = Interactions(
        users_E=np.array([0, 0, 0, 1, 2, 2]), items_E=np.array([0, 1, 0, 2, 3, 3]), kinds_E=np.full(6, 5),
        at_E=np.array([1.0, 2.0, 2.0, 5.0, 2.0, 1.0]),
    )  # fmt: skip
    items = [Item(str(n), title=str(n)) for n in range(4)]
    hidden = evaluation.hide_last_baskets(TrainingData(items, ["a", "b", "c"], events))
    assert hidden.known.interactions.at_E.tolist() == [1.0, 5.0, 1.0]
    assert [truth.tolist() for truth in hidden.holdout.truth] == [[0, 1], [], [3]]
    assert [seen.tolist() for seen in hidden.seen] == [[0], [2], [3]]
