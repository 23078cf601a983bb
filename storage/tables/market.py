"""Versions of the market analysis, and its results. Their columns are the fields of `storage/market/rows.py`."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ARRAY, BigInteger, Column, Date, Double, ForeignKey, Identity, Integer, Table, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB

from storage.tables.base import metadata, time

# A run of the analysis. Readers take the newest one that is `finished`. `through` is the time of the newest purchase
# that it saw; `notes` is an array of texts for whoever reads the results.
market_versions = Table(
    "market_versions",
    metadata,
    Column("version", BigInteger, Identity(always=True), primary_key=True),
    Column("state", Text, nullable=False, server_default=text("'running'")),
    time("started_at", nullable=False, server_default=func.now()),
    time("finished_at"),
    time("through"),
    Column("currency", Text),
    Column("notes", JSONB, nullable=False, server_default=text("'[]'::jsonb")),
    Column("error", Text),
)

_TYPES = {"text": Text, "number": Double, "count": BigInteger, "month": Integer, "date": Date}


def _results(name: str, **columns: str) -> Table:
    """Return a table of results: columns by their type, which ends in `?` where they may be NULL."""
    made: list[Column[Any]] = [
        Column(column, ARRAY(Double) if kind == "numbers" else _TYPES[kind.rstrip("?")], nullable=kind.endswith("?"))
        for column, kind in columns.items()
    ]
    version = Column("version", BigInteger, ForeignKey("market_versions.version", ondelete="CASCADE"), primary_key=True)
    return Table(name, metadata, version, Column("place", Integer, primary_key=True, autoincrement=False), *made)


market_sales = _results("market_sales", level="text", series="text", week="date", units="number", revenue="number")

market_forecasts = _results(
    "market_forecasts", level="text", series="text", title="text", week="date", mean="number", low80="number",
    high80="number", low95="number", high95="number",
)  # fmt: skip

market_trends = _results(
    "market_trends", level="text", series="text", title="text", category="text?", units="number",
    units_before="number", revenue="number", direction="text", slope="number", slope_low="number",
    slope_high="number", p_value="number", changed_on="date?", level_before="number?", level_after="number?",
    recent="numbers",
)  # fmt: skip

market_baskets = _results(
    "market_baskets", item_id="text", title="text", partner_id="text", partner_title="text", baskets="count",
    support="number", confidence="number", lift="number", lift_low="number", p_value="number",
)  # fmt: skip

market_segments = _results(
    "market_segments", method="text", segment="text", description="text", customers="count", share="number",
    revenue_share="number?", orders="number?", amount="number?", days_since="number?",
)  # fmt: skip

market_cohorts = _results(
    "market_cohorts", cohort="date", age="month", customers="count", active="count", retention="number", low="number",
    high="number",
)  # fmt: skip

market_queries = _results(
    "market_queries", query="text", reason="text", searches="count", shoppers="count", clicked="number",
    found="count?", recent="count", growth="number", p_value="number",
)  # fmt: skip

market_stock_risks = _results(
    "market_stock_risks", item_id="text", title="text", category="text?", stock="count", weekly_demand="number",
    weeks_left="number?", out_in_2_weeks="number", out_in_4_weeks="number", out_in_8_weeks="number", order="number",
)  # fmt: skip

market_responses = _results(
    "market_responses", item_id="text", title="text", category="text?", price="number", weeks="count",
    elasticity="number", elasticity_low="number", elasticity_high="number", promoted_weeks="count", uplift="number?",
    uplift_low="number?", uplift_high="number?",
)  # fmt: skip
