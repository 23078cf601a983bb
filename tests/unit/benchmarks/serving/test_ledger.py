"""How ledgers of what an event costs are put together and compared."""

from __future__ import annotations

from typing import Any

from benchmarks.serving.cost import ledger


def _ledger(single: float, redis: float, **further: float) -> dict[str, Any]:
    by_process = {"idle": {"redis": 1.0}, "single": {"redis": redis, **further}, "batched": {"redis": redis}}
    return {"cpu_ms_per_event_single": single, "cpu_ms_per_event_batched": 1.0, "by_process": by_process}


def test_rounds_of_one_revision_are_averaged_in_total_and_by_process() -> None:
    mean = ledger.mean([_ledger(3.0, 0.1), _ledger(4.0, 0.3, beat=0.2)])
    assert mean["cpu_ms_per_event_single"] == 3.5
    assert mean["by_process"]["single"] == {"redis": 0.2, "beat": 0.1}
    assert mean["rounds"] == 2


def test_the_ratio_is_of_totals_and_of_what_both_have() -> None:
    ratio = ledger.ratio(_ledger(3.0, 0.2, search=0.1), _ledger(2.0, 0.1))
    assert ratio["single"] == 1.5
    assert ratio["by_process"]["single"] == {"redis": 2.0}
