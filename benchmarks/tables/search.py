"""Tables of search: Home Depot, the Chinese shop, personal order, serving, costs, and published encoders."""

from __future__ import annotations

from benchmarks.tables.table import Cell, Row, Table, Value

_DEPOT = "search-home-depot"
_MINILM = "search-home-depot-minilm"


def _typo(ranker: str) -> Cell:
    def cell(value: Value) -> str:
        clean, edited = value(f"/figures/{ranker}/ndcg@10"), value(f"/one_typo_in_every_query/{ranker}/ndcg@10")
        return f"{edited:.4f} ({edited / clean - 1:+.0%})"

    return cell


def _judged(ranker: str, *, timed: bool = True) -> tuple[Cell, ...]:
    """Return the cells of one ranker; milliseconds are left out where the file's note says that they say nothing."""
    found = f"figures/{ranker}"
    return (
        f"{{{found}/ndcg@10|.4f}}",
        f"{{{found}/recall@100|.4f}}",
        f"{{{found}/mrr|.4f}}",
        _typo(ranker),
        f"{{{found}/p50_ms|.1f}}" if timed else "on a busy core",
    )


_HOME_DEPOT = Table(
    name="search-home-depot",
    file=_DEPOT,
    titles=(
        "1,887 queries, 54,667 titles",
        "NDCG@10",
        "recall@100",
        "MRR",
        "NDCG@10 with a typing error in every query",
        "ms a query, p50",
    ),
    rows=(
        Row("bm25s, English stemmer", cells=_judged("bm25s")),
        Row("`lexical`: words alone", cells=_judged("lexical")),
        Row("`fused`: words and the encoder", cells=_judged("fused")),
        Row("`fused`, with MiniLM's vectors beside ours (`--unjudged`)", file=_MINILM, cells=_judged("fused")),
        Row("`learnt`: encoder and ranker taught by the other queries", cells=_judged("learnt", timed=False)),
    ),
)

_KINDS = ("plain", "synonym", "trap", "mixed", "traditional", "unit")
_ZH = Table(
    name="search-zh",
    file="search-zh-bars",
    titles=(
        "way",
        "NDCG@10",
        "recall@10",
        "plain",
        "another word",
        "a trap",
        "mixed script",
        "traditional script",
        "a unit",
    ),
    cells=("{all/ndcg@10|.3f}", "{all/recall@10|.3f}", *(f"{{{kind}/ndcg@10|.3f}}" for kind in _KINDS)),
    rows=(
        Row("BM25 of bigrams, titles", "ways/bm25 of bigrams, titles"),
        Row("… titles with category and brand", "ways/bm25 of bigrams, titles with category and brand"),
        Row("BM25 of characters and bigrams, titles", "ways/bm25 of characters and bigrams, titles"),
        Row("… titles with category and brand", "ways/bm25 of characters and bigrams, titles with category and brand"),
        Row("MiniLM, which knows no Chinese, titles", "ways/encoder, titles"),
        Row("… titles with category and brand", "ways/encoder, titles with category and brand"),
    ),
)

_MULTILINGUAL = Table(
    name="search-multilingual",
    file="search-multilingual",
    titles=("210 queries, 210 titles", "recall@10", "MRR@10", "first half, recall@10", "second half, recall@10"),
    cells=("{all/recall@10|.3f}", "{all/mrr@10|.3f}", "{first/recall@10|.3f}", "{second/recall@10|.3f}"),
    rows=(
        Row("reshelf, words alone", "ways/reshelf, lexical"),
        Row("bm25s, English stemmer", "ways/bm25s"),
        Row("SQLite's FTS5, `unicode61 remove_diacritics 2`", "ways/fts5, unicode61"),
        Row("SQLite's FTS5, `trigram`", "ways/fts5, trigram"),
    ),
)
_HARD = ("accents", "part", "form", "code", "glued", "spaced")
_MULTILINGUAL_KINDS = Table(
    name="search-multilingual-kinds",
    file="search-multilingual",
    titles=("recall@10", "without accents", "part of a word", "another form", "a code", "glued", "spaced"),
    cells=tuple(f"{{{kind}/recall@10|.2f}}" for kind in _HARD),
    rows=_MULTILINGUAL.rows,
)

_OWN = "the customer's, by weight/0.05"
_PERSONAL = Table(
    name="search-personal",
    file="search-personal-cpu-2cores",
    titles=(
        "seed",
        "mean rank, same for all",
        "own order",
        "ranks gained (95 %)",
        "MRR, same for all",
        "own order",
        "MRR gained (95 %)",
        "better",
        "worse",
    ),
    cells=(
        "{everybody's/mean_rank|.1f}",
        f"{{{_OWN}/mean_rank|.1f}}",
        f"{{{_OWN}/ranks_gained/mean|.1f}} ({{{_OWN}/ranks_gained/low|.1f}} to {{{_OWN}/ranks_gained/high|.1f}})",
        "{everybody's/mrr|.3f}",
        f"{{{_OWN}/mrr|.3f}}",
        f"{{{_OWN}/mrr_gained/mean|+.3f}} ({{{_OWN}/mrr_gained/low|+.3f}} to {{{_OWN}/mrr_gained/high|+.3f}})",
        f"{{{_OWN}/improved|.0%}}",
        f"{{{_OWN}/worsened|.0%}}",
    ),
    rows=(
        Row("1 (the weight was chosen on it)", "seeds/1"),
        *(Row(str(seed), f"seeds/{seed}") for seed in range(2, 6)),
    ),
)


def _late(value: Value) -> str:
    fallbacks = value("").get("fallbacks", {})
    return f"{fallbacks.get('lexical', 0) / value('requests'):.0%}"


_SERVING = Table(
    name="search-serving",
    file="search-serving-cpu-2cores",
    titles=(
        "50,000 items",
        "requests/s",
        "p50, ms",
        "p95, ms",
        "p99, ms",
        "answered by PostgreSQL alone, late",
        "not answered",
    ),
    cells=("{rate|}", "{p50_ms|.1f}", "{p95_ms|.1f}", "{p99_ms|.1f}", _late, "{not_answered|}"),
    rows=(
        Row("known query", "stages/known"),
        Row("known query, just after 50,000 items were sent and two models trained", "stages/known_just_loaded"),
        Row("unknown query, in the shopper's own order", "stages/unknown"),
        Row("completions", "stages/suggest"),
        Row("unknown query while items come and go", "stages/while_items_come"),
        Row("unknown query, worker killed", "stages/worker_killed"),
    ),
)

_NEW_ITEMS = Table(
    name="search-new-items",
    file="search-serving-cpu-2cores",
    titles=("while 50 unknown queries a second are answered", "probed", "found after, p50, ms", "p99, ms"),
    rows=(
        Row(
            "a new item",
            "new_items",
            cells=("{probed|}", "{searchable_p50_ms|.0f}", "{searchable_p99_ms|,.0f}"),
        ),
        Row(
            "a sold-out item",
            "new_items",
            cells=("{sold_out|}", "shown after it: {sold_out_but_shown|}", ""),
        ),
    ),
)

_TIMES = Table(
    name="search-times",
    file="search-times-cpu-2cores",
    titles=("processor time at 54,667 items", "p50, ms", "p99, ms"),
    cells=("{processor_ms_p50|.3f}", "{processor_ms_p99|.3f}"),
    rows=(
        Row("a query, words alone", "lexical/query"),
        Row("a changed item, words alone", "lexical/change_of_one_item"),
        Row("a deleted item, words alone", "lexical/deletion_of_one_item"),
        Row("a query, words and the encoder", "fused/query"),
        Row("a changed item, words and the encoder", "fused/change_of_one_item"),
        Row("a deleted item, words and the encoder", "fused/deletion_of_one_item"),
        Row("a completion", "suggest"),
    ),
)


def _milliseconds(value: Value) -> str:
    return f"{1000 / value('queries_per_second/of_processor_time'):.1f}"


_ENCODER = Table(
    name="encoder-speed",
    file="encoder-cpu-1thread",
    titles=("MiniLM on 912 titles of the Home Depot catalogue, one thread", "reshelf"),
    rows=(
        Row("titles a second of processor time", cells=("{titles_per_second/of_processor_time|.0f}",)),
        Row("one query, ms of processor time", cells=(_milliseconds,)),
    ),
)

TABLES = (_HOME_DEPOT, _ZH, _MULTILINGUAL, _MULTILINGUAL_KINDS, _PERSONAL, _SERVING, _NEW_ITEMS, _TIMES, _ENCODER)
