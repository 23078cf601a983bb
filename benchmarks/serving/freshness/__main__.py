"""`python -m benchmarks.serving.freshness`: progress on stderr, one JSON object as the last line of stdout.

First the given rate, then the highest one that meets the target, in messages of one event and of fifty. With
`--beside`, a lower rate during a training, during a swap that ranks everybody again, and during searches and
screenings; with `--overload`, twice the highest rate, and the drain.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from benchmarks import access, figures, machine, progress, shop
from benchmarks.serving.freshness import beside, overload
from benchmarks.serving.freshness.run import Run
from workers.supervisor import installation as installations
from workers.supervisor.installation import Installation

_TARGET_MS = 1000.0
_TARGET_BATCHED_MS = 2000.0
_BATCH = 50
_COMPILATIONS = "reshelf_compilations_after_warm_up"


def main() -> None:
    """Measure and print."""
    options = _options()
    with installations.temporary(access.environ(), shown=True) as installation:
        result = _measure(options, installation)
    figures.tell(result, options.out)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.serving.freshness", description=__doc__)
    parser.add_argument("--users", type=int, default=5_000)
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--rate", type=int, default=200, help="single-event messages a second")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--steps", type=int, nargs="*", default=[300, 400, 600, 800, 1000], help="rates tried after")
    parser.add_argument(
        "--batched-steps", type=int, nargs="*", default=[1000, 1500, 2000, 3000], help="events a second"
    )
    parser.add_argument("--step-seconds", type=float, default=15)
    parser.add_argument("--beside", action="store_true", help="measure 100/s beside other work, too")
    parser.add_argument("--overload", action="store_true", help="measure a minute of twice the highest rate, too")
    parser.add_argument("--out", help="file to keep the result in")
    return parser.parse_args()


def _measure(options: argparse.Namespace, installation: Installation) -> dict[str, Any]:
    progress.say(f"sending {options.items} items and the history of {options.users} users")
    report = shop.seed(installation.broker_url, users=options.users, items=options.items, per_user=20)
    installation.wait_until_idle()
    installation.reshelf("train", "--minutes", "0.5")
    installation.wait_until_idle()
    compiled = installation.metric(_COMPILATIONS, of="recommend")
    run = Run(options, installation)
    main = run.at(options.rate, options.seconds, everything=True)
    rate_sent = main.pop("rate_sent")
    steps = _climb(run, options.steps, {"rate": options.rate, **main}, options.step_seconds, _TARGET_MS)
    batched = _climb(run, options.batched_steps, None, options.step_seconds, _TARGET_BATCHED_MS, size=_BATCH)
    highest = max((step["rate"] for step in steps if step["holds"]), default=0)
    result = {
        "benchmark": "freshness",
        **machine.describe("cpu"),
        "users": options.users,
        "items": options.items,
        "seeded": report.delivered,
        "rate": options.rate,
        "rate_sent": rate_sent,
        "seconds": options.seconds,
        **main,
        "highest_rate": highest,
        "steps": steps,
        "highest_rate_batched": max((step["rate"] for step in batched if step["holds"]), default=0),
        "steps_batched": batched,
    }
    if options.beside:
        result["beside"] = beside.measured(run)
    if options.overload:
        result["overload"] = overload.measured(run, rate=2 * (highest or options.rate))
    return result | {
        "compilations_after_warm_up": installation.metric(_COMPILATIONS, of="recommend"),
        "compilations_before": compiled,
    }


def _climb(
    run: Run, rates: Sequence[int], first: dict[str, Any] | None, seconds: float, target_ms: float, *, size: int = 1
) -> list[dict[str, Any]]:
    """Raise the rate until p99 passes the target."""
    steps = [] if first is None else [_step(first, target_ms)]
    for rate in rates:
        if steps and not steps[-1]["holds"]:
            break
        run.installation.wait_until_idle()
        steps.append(_step({"rate": rate, **run.at(rate, seconds, size=size)}, target_ms))
    return steps


def _step(summary: dict[str, Any], target_ms: float) -> dict[str, Any]:
    p99 = summary["event_to_visible_p99_ms"]
    step = {"rate": summary["rate"]}
    step |= {name: summary[name] for name in ("rate_sent", "busy_percent") if name in summary}
    return step | {"p50_ms": summary["event_to_visible_p50_ms"], "p99_ms": p99, "holds": p99 <= target_ms}


if __name__ == "__main__":
    main()
