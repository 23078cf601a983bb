"""Market analysis: versions, and a table for the results of each analysis."""

from __future__ import annotations

from alembic import op

revision = "0019"
down_revision = "0018"

_RESULTS = {
    "sales": "level text NOT NULL, series text NOT NULL, week date NOT NULL, units float8 NOT NULL,"
    " revenue float8 NOT NULL",
    "forecasts": "level text NOT NULL, series text NOT NULL, title text NOT NULL, week date NOT NULL,"
    " mean float8 NOT NULL, low80 float8 NOT NULL, high80 float8 NOT NULL, low95 float8 NOT NULL,"
    " high95 float8 NOT NULL",
    "trends": "level text NOT NULL, series text NOT NULL, title text NOT NULL, category text, units float8 NOT NULL,"
    " units_before float8 NOT NULL, revenue float8 NOT NULL, direction text NOT NULL, slope float8 NOT NULL,"
    " slope_low float8 NOT NULL, slope_high float8 NOT NULL, p_value float8 NOT NULL, changed_on date,"
    " level_before float8, level_after float8, recent float8[] NOT NULL",
    "baskets": "item_id text NOT NULL, title text NOT NULL, partner_id text NOT NULL, partner_title text NOT NULL,"
    " baskets bigint NOT NULL, support float8 NOT NULL, confidence float8 NOT NULL, lift float8 NOT NULL,"
    " lift_low float8 NOT NULL, p_value float8 NOT NULL",
    "segments": "method text NOT NULL, segment text NOT NULL, description text NOT NULL, customers bigint NOT NULL,"
    " share float8 NOT NULL, revenue_share float8, orders float8, amount float8, days_since float8",
    "cohorts": "cohort date NOT NULL, age integer NOT NULL, customers bigint NOT NULL, active bigint NOT NULL,"
    " retention float8 NOT NULL, low float8 NOT NULL, high float8 NOT NULL",
    "queries": "query text NOT NULL, reason text NOT NULL, searches bigint NOT NULL, shoppers bigint NOT NULL,"
    " clicked float8 NOT NULL, found bigint, recent bigint NOT NULL, growth float8 NOT NULL, p_value float8 NOT NULL",
    "stock_risks": "item_id text NOT NULL, title text NOT NULL, category text, stock bigint NOT NULL,"
    " weekly_demand float8 NOT NULL, weeks_left float8, out_in_2_weeks float8 NOT NULL,"
    ' out_in_4_weeks float8 NOT NULL, out_in_8_weeks float8 NOT NULL, "order" float8 NOT NULL',
    "responses": "item_id text NOT NULL, title text NOT NULL, category text, price float8 NOT NULL,"
    " weeks bigint NOT NULL, elasticity float8 NOT NULL, elasticity_low float8 NOT NULL,"
    " elasticity_high float8 NOT NULL, promoted_weeks bigint NOT NULL, uplift float8, uplift_low float8,"
    " uplift_high float8",
}


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE market_versions (
            version bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            state text NOT NULL DEFAULT 'running',
            started_at timestamptz NOT NULL DEFAULT now(),
            finished_at timestamptz,
            through timestamptz,
            currency text,
            notes jsonb NOT NULL DEFAULT '[]'::jsonb,
            error text
        )
        """
    )
    for name, columns in _RESULTS.items():
        op.execute(
            f"""
            CREATE TABLE market_{name} (
                version bigint NOT NULL REFERENCES market_versions ON DELETE CASCADE,
                place integer NOT NULL,
                {columns},
                PRIMARY KEY (version, place)
            )
            """
        )


def downgrade() -> None:
    for name in _RESULTS:
        op.execute(f"DROP TABLE market_{name}")
    op.execute("DROP TABLE market_versions")
