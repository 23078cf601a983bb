"""`python -m benchmarks.serving.cost`: a table on stderr, one JSON object as the last line of stdout.

With `--base REVISION` that revision is measured first, in the same way, and then this one. Of two equal revisions the
second was 3 % dearer here, so `--rounds 2` measures them in the order base, this, this, base, and compares the means.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from pathlib import Path
from typing import Any

from benchmarks import figures, machine, progress, shop
from benchmarks.serving.cost import ledger, phases, revision, statements, system, table
from benchmarks.serving.cost.phases import Meter
from benchmarks.serving.cost.system import System
from benchmarks.serving.cost.traffic import Load

_PER_USER = 20
_TRAIN_MINUTES = "0.3"
_IDLE_SECONDS = 10.0
_WARM_UP_SECONDS = 2.0
_STATEMENTS_SECONDS = 5.0
# Events per second, and events per message.
_SINGLE = {"rate": 200, "batch": 1}
_BATCHED = {"rate": 1000, "batch": 50}


def main() -> None:
    """Measure and print."""
    # Ends the installation, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    options = _options()
    if not options.base:
        figures.tell(_measured(options, revision.HERE), options.out)
        return
    with revision.checked_out(options.base) as root:
        base, result = _in_turn(options, root)
    compared = ledger.ratio(result, base)
    _show(table.compared(compared))
    figures.tell(result | {"base": base, "ratio": compared}, options.out)


def _in_turn(options: argparse.Namespace, base: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the ledgers of the base and of this revision, whose order changes with every round."""
    bases, these = [], []
    for turn in range(options.rounds):
        pair = [(base, bases), (revision.HERE, these)]
        for root, found in pair if turn % 2 == 0 else reversed(pair):
            found.append(_measured(options, root))
    return ledger.mean(bases), ledger.mean(these)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.serving.cost", description=__doc__)
    parser.add_argument("--users", type=int, default=2_000, help="the second half of them is sent events of")
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=30, help="of traffic in each of the two phases")
    parser.add_argument("--base", help="revision to compare with; empty: none")
    parser.add_argument("--rounds", type=int, default=1, help="how often each is measured, with --base")
    parser.add_argument("--out", help="file to keep the result in")
    options = parser.parse_args()
    if options.users < 2 * _BATCHED["batch"]:
        parser.error(f"--users must be {2 * _BATCHED['batch']} or more: a batch has as many shoppers as events")
    return options


def _measured(options: argparse.Namespace, root: Path) -> dict[str, Any]:
    """Run the sources in `root` and return their ledger, with the sizes and the machine."""
    with system.running(root) as running:
        seeded = _prepare(options, running)
        with phases.metering(running) as meter:
            found = _ledger(options, meter)
    result = {
        "benchmark": "cost",
        **machine.describe("cpu"),
        "commit": revision.described(root),
        "users": options.users,
        "items": options.items,
        "seconds": options.seconds,
        "seeded": seeded,
        "single": _SINGLE,
        "batched": _BATCHED,
        **found,
    }
    _show(table.lines(result))
    return result


def _prepare(options: argparse.Namespace, running: System) -> int:
    """Fill the shop, train, and wait until every shelf is ranked; return how many rows were sent."""
    progress.say(f"sending {options.items} items and the history of {options.users} users")
    report = shop.seed(running.broker_url, users=options.users, items=options.items, per_user=_PER_USER)
    running.wait_until_idle()
    progress.say("training, and ranking every shelf")
    # The gate's verdict on so short a training does not matter here: a poor model takes as long to rank.
    trained = json.loads(running.reshelf("train", "--minutes", _TRAIN_MINUTES, "--no-publish", "--json", check=False))
    running.reshelf("models", "promote", str(trained["version"]), "--force")
    running.wait_until_idle()
    return report.delivered


def _ledger(options: argparse.Namespace, meter: Meter) -> dict[str, Any]:
    """Measure idle, single, batched and statements, in this order."""

    def load(name: str, seconds: float, *, rate: int, batch: int) -> Load:
        progress.say(f"{name}: {rate} events/s in messages of {batch} for {seconds:g} s")
        shoppers = {"first_user": options.users // 2, "users": options.users, "items": options.items}
        return Load(phases.prefix(name), rate=rate, batch=batch, seconds=seconds, **shoppers)

    meter.traffic(load("warm-up", _WARM_UP_SECONDS, **_SINGLE))
    progress.say(f"idle: {_IDLE_SECONDS:g} s")
    idle = meter.idle(_IDLE_SECONDS)
    single = meter.traffic(load("single", options.seconds, **_SINGLE))
    batched = meter.traffic(load("batched", options.seconds, **_BATCHED))
    with statements.logged(meter.database):
        before = statements.count(meter.logs)
        logged = meter.traffic(load("statements", _STATEMENTS_SECONDS, **_SINGLE))
        said = statements.count(meter.logs) - before
    return ledger.figures(idle, {"single": single, "batched": batched}, logged, said)


def _show(lines: list[str]) -> None:
    for line in ["", *lines, ""]:
        progress.say(line)


if __name__ == "__main__":
    main()
