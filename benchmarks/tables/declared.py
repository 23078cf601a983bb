"""All tables that are declared."""

from __future__ import annotations

from benchmarks.tables import fraud, learn, market, overview, pricing, recommend, search, serving
from benchmarks.tables.table import Table

ALL: dict[str, Table] = {
    table.name: table
    for room in (overview, recommend, learn, search, fraud, pricing, market, serving)
    for table in room.TABLES
}
