"""Tables of pricing: forecasts of weekly sales, and elasticities."""

from __future__ import annotations

from benchmarks.tables.table import Row, Table

_KINDS = ("constant", "exponential", "linear", "logit", "drifting", "all")

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

_SHOPS = Table(
    name="pricing-shops",
    file="pricing-shops",
    titles=(
        "demand",
        "shops",
        "share of the gain",
        "by quarter",
        "plain Thompson sampling",
        "regret, plain",
        "grows with time to the, plain",
    ),
    cells=(
        "{shops|d}",
        "{reshelf/captured|.3f}",
        " ".join(f"{{reshelf/captured_by_quarter/{n}|.2f}}" for n in range(4)),
        "{plain Thompson sampling/captured|.3f}",
        "{reshelf/regret_days|.1f}, {plain Thompson sampling/regret_days|.1f}",
        "{reshelf/regret_growth|.2f}, {plain Thompson sampling/regret_growth|.2f}",
    ),
    rows=tuple(Row(name, f"kinds/{name}") for name in _KINDS),
)

_MISTAKEN = Table(
    name="pricing-mistaken",
    file="pricing-shops",
    titles=("demand", "off by 10 %", "20 %", "30 %"),
    cells=tuple(f"{{captured_if_elasticities_are_off/{error}|.3f}}" for error in ("10 %", "20 %", "30 %")),
    rows=tuple(Row(name, f"kinds/{name}") for name in _KINDS),
)

_OFFLINE = Table(
    name="pricing-offline",
    file="pricing-shops",
    titles=("estimate", "how many", "hold the truth", "half width", "error"),
    cells=("{estimates|d}", "{covered|.1%}", "{half_width|.1%}", "{error|.1%}"),
    rows=tuple(Row(name, f"offline/{name}") for name in ("inverse propensity", "doubly robust")),
)

_IMAGINED = Table(
    name="pricing-imagined",
    file="pricing-shops",
    titles=("demand", "reshelf, of the mean", "LightGBM", "reshelf, of units", "LightGBM"),
    cells=tuple(
        f"{{{figure}/{name}|.3f}}" for figure in ("wmape", "wmape_of_units") for name in ("reshelf", "LightGBM")
    ),
    rows=tuple(Row(name, f"kinds/{name}") for name in _KINDS),
)

_GUARDRAILS = Table(
    name="pricing-guardrails",
    file="pricing-shops",
    titles=("", "proposals", "changes", "guardrails broken"),
    cells=("{proposals|,d}", "{changes|,d}", "{violations|d}"),
    rows=(Row("all", "guardrails"),),
)

TABLES = (_MODELS, _ELASTICITIES, _SHOPS, _MISTAKEN, _OFFLINE, _IMAGINED, _GUARDRAILS)
