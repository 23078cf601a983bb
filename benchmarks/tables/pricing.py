"""Tables of pricing: forecasts of weekly sales, and elasticities."""

from __future__ import annotations

from benchmarks.tables.table import Row, Table

_MODELS = Table(
    name="pricing-models",
    file="pricing-orange-juice",
    titles=("model", "WMAPE", "units fall if the price rises"),
    cells=("{wmape|.4f}", "{sign_accuracy|.4f}"),
    rows=tuple(
        Row(label, f"models/{label}") for label in ("reshelf", "LightGBM", "log-log by item", "double machine learning")
    ),
)

_ELASTICITIES = Table(
    name="pricing-elasticities",
    file="pricing-orange-juice",
    titles=("item", "own-price elasticity", "80 % interval"),
    cells=("{0|.2f}", "{1|.2f} to {2|.2f}"),
    rows=tuple(Row(f"oj-{n}", f"own_price_elasticity/oj-{n}") for n in range(1, 12)),
)

TABLES = (_MODELS, _ELASTICITIES)
