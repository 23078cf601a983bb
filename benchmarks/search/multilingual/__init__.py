"""How well queries of fifteen languages find their products, beside bm25s and SQLite's FTS5."""
