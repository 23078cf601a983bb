"""A small shop with three kinds of fraud, after the Fraud-Detection-Handbook's simulator, for tests."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from model.fraud.features import orders
from model.fraud.features.orders import DAY, NEVER, Orders

START = 17_000 * DAY
DELAY = 7


class Simulated(NamedTuple):
    """Orders in order of time, and which of them are fraud."""

    found: Orders
    frauds_N: np.ndarray


def shop(*, customers: int = 120, terminals: int = 150, days: int = 45, seed: int = 0) -> Simulated:
    """Impossible amounts, terminals compromised for a fortnight, stolen cards that pay five times the usual."""
    random = np.random.default_rng(seed)
    mean_C = random.uniform(10, 90, customers)
    count = customers * days * 2
    customer_N = random.integers(0, customers, count)
    day_N = random.integers(0, days, count)
    terminal_N = (7 * customer_N + random.integers(0, 25, count)) % terminals
    amount_N = np.abs(random.normal(mean_C[customer_N], mean_C[customer_N] / 2)) + 0.01
    stolen_C = random.integers(-20, 3 * days, customers)
    stolen_N = (day_N >= stolen_C[customer_N]) & (day_N < stolen_C[customer_N] + 14) & (random.random(count) < 0.4)
    amount_N = np.where(stolen_N, 5 * amount_N, amount_N)
    skimmed_T = random.integers(-20, 6 * days, terminals)
    skimmed_N = (day_N >= skimmed_T[terminal_N]) & (day_N < skimmed_T[terminal_N] + 14)
    frauds_N = stolen_N | skimmed_N | (amount_N > 220)
    at_N = START + day_N * DAY + random.integers(0, DAY, count)
    found = orders.empty(count)._replace(
        at_N=at_N,
        tie_N=orders.digests(str(n) for n in range(count)),
        customer_N=customer_N,
        terminal_N=terminal_N,
        cents_N=np.round(100 * amount_N).astype(np.int64),
        fraud_at_N=np.where(frauds_N, at_N + DELAY * DAY, NEVER),
    )
    order_N = orders.in_order(found)
    return Simulated(found.take(order_N), frauds_N[order_N])


def write(path: Path, made: Simulated, *more: str) -> Path:
    """Write the orders as a file of transactions, and more lines."""
    found = made.found
    times = np.datetime_as_string(found.at_N.astype("datetime64[s]"))
    rows = zip(times, found.customer_N, found.terminal_N, found.cents_N / 100, made.frauds_N, strict=True)
    lines = [f"t{n},{at},{card},{till},{paid},{int(guilty)}" for n, (at, card, till, paid, guilty) in enumerate(rows)]
    header = "TRANSACTION_ID,TX_DATETIME,CUSTOMER_ID,TERMINAL_ID,TX_AMOUNT,TX_FRAUD"
    path.write_text("\n".join([header, *lines, *more]) + "\n")
    return path
