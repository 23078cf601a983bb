"""Tables of the market analysis: forecasts of weekly demand."""

from __future__ import annotations

from benchmarks.tables.table import Row, Table

_LEVELS = ("item", "category", "total")
_MODELS = ("reshelf", "seasonal-naive", "AutoETS", "Theta", "LightGBM")


def _models(level: str) -> Table:
    return Table(
        name=f"forecast-{level}",
        file=f"forecast-online-retail-{level}",
        titles=("model", "WAPE", "WRMSSE"),
        cells=("{wape|.4f}", "{wrmsse|.4f}"),
        rows=tuple(Row(label, f"models/{label}") for label in _MODELS),
    )


_COVERAGE = Table(
    name="forecast-coverage",
    file="forecast-online-retail-item",
    titles=("level", "80 % interval", "95 % interval"),
    cells=("{80|.3f}", "{95|.3f}"),
    rows=tuple(Row(level, "coverage", file=f"forecast-online-retail-{level}") for level in _LEVELS),
)

TABLES = (*map(_models, _LEVELS), _COVERAGE)
