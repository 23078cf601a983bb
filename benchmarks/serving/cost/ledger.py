"""The ledger: the figures of one revision's phases, and the comparison of two ledgers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from benchmarks.serving.cost.phases import Phase

PHASES = ("single", "batched")


def figures(idle: Mapping[str, float], measured: Mapping[str, Phase], logged: Phase, said: int) -> dict[str, Any]:
    """Return the figures of one revision as JSON values.

    `idle` is CPU seconds per second by program, `measured` the phases named in `PHASES`, `logged` the phase in which
    Postgres logged its statements, and `said` their number. Sums are gross: idle time is not subtracted.
    """
    by_process = {name: _ms_per_event(phase) for name, phase in measured.items()}
    every = {**measured, "statements": logged}
    return {
        "cpu_ms_per_event_single": round(sum(by_process["single"].values()), 3),
        "cpu_ms_per_event_batched": round(sum(by_process["batched"].values()), 3),
        "idle_percent_of_a_core": round(100 * sum(idle.values()), 2),
        "by_process": {
            "idle": {name: round(100 * share, 2) for name, share in idle.items()},
            **{phase: {name: round(ms, 4) for name, ms in by.items()} for phase, by in by_process.items()},
        },
        "sender_ms_per_event": {
            name: round(1000 * phase.sent.cpu / phase.sent.events, 3) for name, phase in measured.items()
        },
        "per_reranked_shopper": {name: _per_shopper(phase) for name, phase in measured.items()},
        "statements_per_reranked_shopper": _per(said, logged.shoppers),
        "rankings_bytes": {
            name: {"before": phase.before.rankings_bytes, "after": phase.after.rankings_bytes}
            for name, phase in measured.items()
        },
        "rate_sent": {name: round(phase.sent.events / phase.sent.seconds, 1) for name, phase in measured.items()},
        "drain_seconds": {name: round(phase.drain, 1) for name, phase in measured.items()},
        "events": {name: phase.sent.events for name, phase in every.items()},
        "counted": {name: phase.counted for name, phase in every.items()},
    }


def mean(measured: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the last ledger of one revision, with the mean of all of them for processor time."""
    totals = {key: fmean(one[key] for one in measured) for key in (f"cpu_ms_per_event_{phase}" for phase in PHASES)}
    by = {
        phase: {
            name: round(fmean(one["by_process"][phase].get(name, 0.0) for one in measured), 4) for name in processes
        }
        for phase, processes in measured[-1]["by_process"].items()
    }
    rounded = {key: round(value, 3) for key, value in totals.items()}
    return {**measured[-1], **rounded, "by_process": by, "rounds": len(measured)}


def ratio(this: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    """Return this / base, in total and by process if both have it; smaller is better."""
    by = {
        phase: {
            name: round(ms / base["by_process"][phase][name], 3)
            for name, ms in this["by_process"][phase].items()
            if base["by_process"][phase].get(name)
        }
        for phase in PHASES
    }
    total = {phase: _per(this[key := f"cpu_ms_per_event_{phase}"], base[key]) for phase in PHASES}
    return {**total, "by_process": by}


def _ms_per_event(phase: Phase) -> dict[str, float]:
    return {name: 1000 * seconds / phase.sent.events for name, seconds in phase.used.items()}


def _per_shopper(phase: Phase) -> dict[str, Any]:
    """Return the cost per shopper's shelf; None if this revision does not count it, or ranked none."""
    before, after = phase.before.encodings, phase.after.encodings
    encoded = None if after is None else after - (before or 0)
    return {
        "wal_bytes": _per(phase.after.wal_bytes - phase.before.wal_bytes, phase.shoppers),
        "bells": _per(phase.bells, phase.shoppers),
        "encodings": None if encoded is None else _per(encoded, phase.shoppers),
        "shoppers": phase.shoppers,
    }


def _per(amount: float, count: float) -> float | None:
    return round(amount / count, 3) if count else None
