"""Search: answers that are kept, phrases that complete what is typed, words of items, and ranks of what was shown."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"

_HAN = r"\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"

# English words are stemmed; each Chinese character is a word of its own, and a run of them is found as a phrase, so
# that no word has to be cut. The bodies name functions of Postgres alone: a dump is restored without a search path.
_SPACED = rf"regexp_replace(normalize({{0}}, NFKC), '([{_HAN}])', ' \1 ', 'g')"

_STATEMENTS = (
    rf"""
    CREATE FUNCTION item_words(title text, brand text, category text, description text) RETURNS tsvector
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
        SELECT setweight(to_tsvector('pg_catalog.english', {_SPACED.format("coalesce(title, '')")}), 'A')
            || setweight(to_tsvector('pg_catalog.english',
                {_SPACED.format("concat_ws(' ; ', brand, category)")}), 'B')
            || setweight(to_tsvector('pg_catalog.english', {_SPACED.format("left(description, 1000)")}), 'D')
    $$
    """,
    # The words of a query, and runs of Chinese as they stand; in `pieces`, runs as their pairs of neighbours.
    rf"""
    CREATE FUNCTION query_words(query text, pieces boolean) RETURNS SETOF tsquery
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
        SELECT words
        FROM regexp_matches(normalize(query, NFKC), '[{_HAN}]+|[^\s{_HAN}]+', 'g') AS part,
            generate_series(1, CASE WHEN pieces AND part[1] ~ '[{_HAN}]' THEN greatest(length(part[1]) - 1, 1)
                ELSE 1 END) AS start,
            phraseto_tsquery('pg_catalog.english', regexp_replace(
                CASE WHEN pieces AND part[1] ~ '[{_HAN}]' THEN substr(part[1], start, 2) ELSE part[1] END,
                '([{_HAN}])', ' \1 ', 'g')) AS words
        WHERE numnode(words) > 0
    $$
    """,
    """
    ALTER TABLE items ADD COLUMN words tsvector NOT NULL
        GENERATED ALWAYS AS (item_words(title, brand, category, text)) STORED
    """,
    "CREATE INDEX items_words ON items USING gin (words)",
    "ALTER TABLE events ADD COLUMN rank integer",
    "CREATE INDEX events_search ON events (at) WHERE kind = 'search'",
    """
    CREATE TABLE search_answers (
        key text PRIMARY KEY,
        question jsonb NOT NULL,
        shopper text,
        item_nos bigint[],
        scores real[],
        total bigint NOT NULL DEFAULT 0,
        facets jsonb,
        meant text,
        source text,
        why jsonb,
        model_version text,
        terms text[] NOT NULL DEFAULT '{}',
        horizon bigint NOT NULL DEFAULT 0,
        through timestamptz,
        personal boolean NOT NULL DEFAULT false,
        generated_at timestamptz,
        stale_since timestamptz,
        times bigint NOT NULL DEFAULT 1,
        asked_at timestamptz NOT NULL DEFAULT now()
    ) WITH (fillfactor = 80)
    """,
    # `times` and `asked_at` stand in no index, so that to count a question rewrites none.
    "CREATE INDEX search_answers_terms ON search_answers USING gin (terms)",
    "CREATE TABLE suggestions (key text PRIMARY KEY, phrase text NOT NULL, weight real NOT NULL)",
    *(
        f"CREATE INDEX suggestions_{length} ON suggestions (left(key, {length}), weight DESC, key)"
        for length in (1, 2, 3)
    ),
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE suggestions")
    op.execute("DROP TABLE search_answers")
    op.execute("DROP INDEX events_search")
    op.execute("ALTER TABLE events DROP COLUMN rank")
    op.execute("ALTER TABLE items DROP COLUMN words")
    op.execute("DROP FUNCTION query_words(text, boolean)")
    op.execute("DROP FUNCTION item_words(text, text, text, text)")
