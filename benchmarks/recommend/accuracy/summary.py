"""Summarise the reports of single runs: mean and spread over the seeds, next to baselines and published figures."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from typing import Any

from benchmarks import machine
from model.recommend import config as configs

# HR@10 and NDCG@10 of the best model found in papers and their repositories, by the strict protocol: SASRec with full
# cross-entropy (256 dimensions, 3 blocks) on Beauty, two models on Sports.
PUBLISHED = {
    "beauty-leave-one-out": {"hit_rate@10": 0.0974, "ndcg@10": 0.0588},
    "sports-leave-one-out": {"hit_rate@10": 0.0569, "ndcg@10": 0.0329},
}
SHOWN = ("hit_rate@10", "ndcg@10", "recall@50", "coverage@10", "roc_auc", "alone", "without")

Report = dict[str, Any]


def build(reports: Mapping[str, Report]) -> dict[str, Any]:
    """Return the summary of reports by `name-seed`."""
    runs: dict[str, list[Report]] = {}
    for name, report in reports.items():
        runs.setdefault(name.rpartition("-")[0], []).append(report)
    devices = sorted({report["device"] for report in reports.values()})
    return machine.describe(", ".join(devices)) | {"runs": {name: _run(name, found) for name, found in runs.items()}}


def _run(name: str, reports: list[Report]) -> dict[str, Any]:
    training = [report["training"] for report in reports if "training" in report]
    return {
        "seeds": sorted(report["seed"] for report in reports),
        "data": {key: reports[0]["data"][key] for key in ("users", "items", "events")},
        "other_options": [_other_options(report["config"]) for report in reports],
        "figures": _figures([report["figures"] for report in reports]),
        "parts": _figures([report.get("parts", {}) for report in reports]),
        "published": PUBLISHED.get(name),
        "training": {
            key: [one[key] for one in training] for key in ("seconds", "epochs", "examples_per_second", "parameters")
        },
    }


def _other_options(config: dict[str, Any]) -> dict[str, Any]:
    """Return the options that are not the current defaults: a report may be older, or of a trial."""
    defaults = configs.to_json(configs.preset())
    return {name: value for name, value in config.items() if value != defaults.get(name)}


def _figures(figures: list[Any]) -> Any:
    """Return the figures of several seeds, which have the same structure, as mean, lowest and highest."""
    if not isinstance(figures[0], dict):
        values = [value for value in figures if value is not None]
        return _spread(values) if values else None
    shown = [key for key in figures[0] if isinstance(figures[0][key], dict) or key in SHOWN]
    return {key: _figures([one[key] for one in figures if key in one]) for key in shown}


def _spread(values: list[float]) -> dict[str, float]:
    return {"mean": round(statistics.mean(values), 5), "lowest": min(values), "highest": max(values)}
