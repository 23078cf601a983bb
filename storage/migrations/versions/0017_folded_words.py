"""Words are found in any spelling, in suggestions and where Postgres searches: folded as by `model.text.folding`."""

from __future__ import annotations

import sys
import unicodedata

from alembic import op

revision = "0017"
down_revision = "0016"

# Chinese, kana, hangul, Thai, Lao, Khmer and Burmese: each character is a word of its own, and a run is a phrase.
_RUNS = (
    r"\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
    r"\u3041-\u3096\u30a1-\u30fa\u30fc-\u30fe\u31f0-\u31ff\u1100-\u11ff\uac00-\ud7a3\u0e01-\u0e3a\u0e40-\u0e4e"
    r"\u0e81-\u0ece\u0edc-\u0edf\u1780-\u17d3\u17dd\u1000-\u103f\u1050-\u108f\u109a-\u109d\uaa60-\uaa7f"
)

# By script, and only where a text has one of them: one letter for another.
_LATIN = ("øđðłħŧıŋĸəƒɓɗƙɛɔςґғқңөұүһәҗ", "oddlhtinkefbdkeoσггкноуухаж")
_SIGNS = ("’‘ʼ׳“”״٫٬‐‑‒–—―−×", "''''\"\"\".,-------x")
_SEMITIC = ("ךםןףץٱةۃہەھىیېےکڪڤ", "כמנפצاهههههييييككف")
_INDIC = ("ँईऊीूऑऒॉॊऍऎॅॆઁঁ", "ंइउिुओओोोएएेेંং")
_HIRAGANA = "".join(map(chr, (*range(0x3041, 0x3097), 0x309D, 0x309E)))
_KANA = (_HIRAGANA, "".join(chr(ord(letter) + 0x60) for letter in _HIRAGANA))
_ANY_DIGITS = "".join(c for c in map(chr, range(0x80, sys.maxunicode + 1)) if unicodedata.category(c) == "Nd")
_DIGITS = (_ANY_DIGITS, "".join(str(unicodedata.decimal(digit)) for digit in _ANY_DIGITS))
_LONGER = {
    "ß": "ss",
    "þ": "th",
    "æ": "ae",
    "œ": "oe",
    "ৎ": "ত্",
    "ൺ": "ണ്",
    "ൻ": "ന്",
    "ർ": "ര്",
    "ൽ": "ല്",
    "ൾ": "ള്",
    "ൿ": "ക്",
}
_GONE = r"[ʻʾʿ\u00ad\u0640\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff]"
_MARKS = (
    r"[\u0300-\u0305\u0307-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]|(?<![иу])\u0306"
    r"|[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7]"
    r"|[\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed]"
    r"|[\u093c\u09bc\u0a3c\u0abc\u0b3c\u0cbc]"
)
_MARKED = r"[\u00c0-\u1fff\u20d0-\u20ff\ufe20-\ufe2f]"


def _alike(letters: tuple[str, str]) -> str:
    """The statement that takes letters for those at the same place of the other text, where there is one."""
    froms, tos = (side.replace("'", "''") for side in letters)
    return f"IF found ~ '[{froms}]' THEN found := translate(found, '{froms}', '{tos}'); END IF;"


def _letters() -> str:
    """The statements that take letters for others."""
    longer = (f"found := replace(found, '{letter}', '{letters}');" for letter, letters in _LONGER.items())
    replaced, some = "".join(longer), "".join(_LONGER)
    found = [_alike(pairs) for pairs in (_LATIN, _SEMITIC, _INDIC, _KANA)]
    return f"IF found ~ '[{some}]' THEN {replaced} END IF; {' '.join(found)}"


def _nasals() -> str:
    """The statements that write a nasal before a consonant of its row as the dot above, in five scripts of India."""
    statements = []
    for block in (0x0900, 0x0980, 0x0A80, 0x0C00, 0x0C80):
        starts = [block + row for row in (0x15, 0x1A, 0x1F, 0x24, 0x2A)]
        rows = "|".join(f"{chr(s + 4)}{chr(block + 0x4D)}(?=[{chr(s)}-{chr(s + 3)}])" for s in starts)
        statements.append(f"found := regexp_replace(found, '{rows}', '{chr(block + 2)}', 'g');")
    return " ".join(statements)


_FOLDED = rf"""
    CREATE FUNCTION folded(given text) RETURNS text LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE STRICT AS $$
    DECLARE found text;
    BEGIN
        IF given !~ '[^\u0001-\u007f]' THEN RETURN lower(given); END IF;
        found := lower(normalize(given, NFKC));
        IF found ~ '{_GONE}' THEN found := regexp_replace(found, '{_GONE}', '', 'g'); END IF;
        {_alike(_SIGNS)} {_alike(_DIGITS)}
        {_letters()}
        IF found ~ '{_MARKED}' THEN
            found := normalize(found, NFD);
            {_letters()}
            found := normalize(regexp_replace(found, '{_MARKS}', '', 'g'), NFC);
            IF found ~ '[\u0900-\u0dff]' THEN {_nasals()} END IF;
        END IF;
        RETURN found;
    END $$
"""

# Letters and digits side by side, and what stands between parts of a code, are parted: `WH-1000XM4` is wh 1000 xm 4.
_PARTED = r"""
    regexp_replace(regexp_replace(folded({0}), '(?<=\w)[-/._](?=\w)', ' ', 'g'),
        '(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])', ' ', 'g')
"""
_SPACED = rf"regexp_replace({_PARTED}, '([{_RUNS}])', ' \1 ', 'g')"
_LABELS = "coalesce(item_id, '') || ' ; ' || coalesce(brand, '') || ' ; ' || coalesce(category, '')"
_SUGGESTED = """
    SELECT s.phrase FROM suggestions AS s WHERE left(s.key, {0}) = left(start, {0}) AND starts_with(s.key, start)
    ORDER BY s.weight DESC, s.key LIMIT most
"""

# Bodies that are parsed when they are made: a dump is restored without a search path.
_STATEMENTS = (
    _FOLDED,
    rf"""
    CREATE FUNCTION item_words(item_id text, title text, brand text, category text, description text) RETURNS tsvector
    LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
        setweight(to_tsvector('pg_catalog.english', {_SPACED.format("coalesce(title, '')")}), 'A')
        || setweight(to_tsvector('pg_catalog.english', {_SPACED.format(_LABELS)}), 'B')
        || setweight(to_tsvector('pg_catalog.english', {_SPACED.format("left(description, 1000)")}), 'D')
    """,
    # The words of a query, and runs without spaces as they stand; in `pieces`, runs as their pairs of neighbours.
    rf"""
    CREATE FUNCTION query_words(query text, pieces boolean) RETURNS SETOF tsquery
    LANGUAGE sql IMMUTABLE PARALLEL SAFE BEGIN ATOMIC
        SELECT words
        FROM regexp_matches(folded(query), '[{_RUNS}]+|[^\s{_RUNS}]+', 'g') AS part,
            generate_series(1, CASE WHEN pieces AND part[1] ~ '[{_RUNS}]' THEN greatest(length(part[1]) - 1, 1)
                ELSE 1 END) AS start,
            phraseto_tsquery('pg_catalog.english', {
        _SPACED.format(f"CASE WHEN pieces AND part[1] ~ '[{_RUNS}]' THEN substr(part[1], start, 2) ELSE part[1] END")
    }) AS words
        WHERE numnode(words) > 0;
    END
    """,
    """
    ALTER TABLE items ADD COLUMN words tsvector NOT NULL
        GENERATED ALWAYS AS (item_words(item_id, title, brand, category, text)) STORED
    """,
    "CREATE INDEX items_words ON items USING gin (words)",
    # The index of as many first characters as were typed, up to three, holds the phrases by weight.
    f"""
    CREATE FUNCTION completions(typed text, most integer) RETURNS TABLE (phrase text) LANGUAGE plpgsql STABLE AS $$
    DECLARE start text := folded(typed);
    BEGIN
        IF length(start) >= 3 THEN RETURN QUERY {_SUGGESTED.format(3)};
        ELSIF length(start) = 2 THEN RETURN QUERY {_SUGGESTED.format(2)};
        ELSIF length(start) = 1 THEN RETURN QUERY {_SUGGESTED.format(1)};
        END IF;
    END $$
    """,
    # What was found by words cut in another way is found anew by the worker that starts.
    "UPDATE search_answers SET horizon = 0",
    "DELETE FROM suggestions AS s USING suggestions AS o WHERE folded(o.key) = folded(s.key) AND o.key > s.key",
    "UPDATE suggestions SET key = folded(key) WHERE key <> folded(key)",
    "UPDATE watermarks SET value = '{}' WHERE name = 'suggestions'",
)


_HAN = r"\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_SPACED_BEFORE = rf"regexp_replace(normalize({{0}}, NFKC), '([{_HAN}])', ' \1 ', 'g')"
_BEFORE = (
    rf"""
    CREATE FUNCTION item_words(title text, brand text, category text, description text) RETURNS tsvector
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
        SELECT setweight(to_tsvector('pg_catalog.english', {_SPACED_BEFORE.format("coalesce(title, '')")}), 'A')
            || setweight(to_tsvector('pg_catalog.english',
                {_SPACED_BEFORE.format("concat_ws(' ; ', brand, category)")}), 'B')
            || setweight(to_tsvector('pg_catalog.english', {_SPACED_BEFORE.format("left(description, 1000)")}), 'D')
    $$
    """,
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
)


def upgrade() -> None:
    op.execute("ALTER TABLE items DROP COLUMN words")
    op.execute("DROP FUNCTION query_words(text, boolean)")
    op.execute("DROP FUNCTION item_words(text, text, text, text)")
    for statement in _STATEMENTS:
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    op.execute("ALTER TABLE items DROP COLUMN words")
    op.execute("DROP FUNCTION completions(text, integer)")
    op.execute("DROP FUNCTION query_words(text, boolean)")
    op.execute("DROP FUNCTION item_words(text, text, text, text, text)")
    op.execute("DROP FUNCTION folded(text)")
    for statement in _BEFORE:
        op.get_bind().exec_driver_sql(statement)
