"""The ledger as a readable table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.serving.cost import ledger


def lines(figures: Mapping[str, Any]) -> list[str]:
    """Return the ledger of one revision, line by line: programs with what they use, then the counts."""
    idle, single, batched = (figures["by_process"][name] for name in ("idle", *ledger.PHASES))
    names = sorted({*idle, *single, *batched}, key=lambda name: -single.get(name, 0.0))
    total = (figures["idle_percent_of_a_core"], *(figures[f"cpu_ms_per_event_{name}"] for name in ledger.PHASES))
    sender = figures["sender_ms_per_event"]
    return [
        f"commit {figures['commit']}",
        _row("program", "idle, % of a core", "single, ms/event", "batched, ms/event"),
        *(_row(name, idle.get(name), single.get(name), batched.get(name)) for name in names),
        _row("all", *total),
        _row("(sender)", None, *(sender[name] for name in ledger.PHASES)),
        "",
        _row("per re-ranked shopper", "", *ledger.PHASES),
        *(_counted(figures, name) for name in ("wal_bytes", "bells", "encodings")),
        _row("statements", None, figures["statements_per_reranked_shopper"], None),
        "",
        *_whole(figures),
    ]


def compared(ratio: Mapping[str, Any]) -> list[str]:
    """Return this / base, line by line."""
    single, batched = (ratio["by_process"][name] for name in ledger.PHASES)
    names = sorted({*single, *batched})
    return [
        _row("this / base", "", *ledger.PHASES),
        *(_row(name, "", single.get(name), batched.get(name)) for name in names),
        _row("all", "", *(ratio[name] for name in ledger.PHASES)),
    ]


def _whole(figures: Mapping[str, Any]) -> list[str]:
    """Return the counts of whole phases."""
    per, sizes = figures["per_reranked_shopper"], figures["rankings_bytes"]
    return [
        _row("in all", "", *ledger.PHASES),
        _row("events", "", *(figures["events"][name] for name in ledger.PHASES)),
        _row("re-ranked shoppers", "", *(per[name]["shoppers"] for name in ledger.PHASES)),
        _row("rankings, bytes before", "", *(sizes[name]["before"] for name in ledger.PHASES)),
        _row("rankings, bytes after", "", *(sizes[name]["after"] for name in ledger.PHASES)),
        _row("drain, s", "", *(figures["drain_seconds"][name] for name in ledger.PHASES)),
    ]


def _counted(figures: Mapping[str, Any], name: str) -> str:
    per = figures["per_reranked_shopper"]
    return _row(name, "", *(per[phase][name] for phase in ledger.PHASES))


def _row(name: str, *values: object) -> str:
    return "".join([f"{name:<24}", *(f"{_text(value):>20}" for value in values)])


def _text(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:,.3f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
