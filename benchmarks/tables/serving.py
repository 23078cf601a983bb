"""Tables of serving: what an event costs, how fresh shelves are, ranking, swaps."""

from __future__ import annotations

from benchmarks.tables.table import Cell, Row, Table, Value

_COST = "cost-cpu-2cores"
_NAMED = ("worker-intake", "worker-recommend", "worker-background", "postgres", "redis", "flower")


def _used(phase: str, base: str, program: str) -> Cell:
    def cell(value: Value) -> str:
        found = value(f"{base}by_process/{phase}").get(program)
        return "" if found is None else f"{found:.2f}"

    return cell


def _others(phase: str, base: str) -> Cell:
    def cell(value: Value) -> str:
        found = value(f"{base}by_process/{phase}")
        return f"{sum(ms for program, ms in found.items() if program not in _NAMED):.2f}"

    return cell


def _ranked(phase: str, base: str) -> Cell:
    def cell(value: Value) -> str:
        shoppers = value(f"{base}per_reranked_shopper/{phase}/shoppers")
        return f"{shoppers / value(f'{base}events/{phase}'):.2f}"

    return cell


_COLUMNS = (("single", "base/"), ("single", ""), ("batched", "base/"), ("batched", ""))
_PROCESSES = Table(
    name="cost-processes",
    file=_COST,
    titles=(
        "ms of one core for an event",
        "200 events/s, one a message: before",
        "now",
        "1,000 events/s, 50 a message: before",
        "now",
    ),
    rows=(
        *(Row(program, cells=tuple(_used(phase, base, program) for phase, base in _COLUMNS)) for program in _NAMED),
        Row("all others", cells=tuple(_others(phase, base) for phase, base in _COLUMNS)),
        Row("**all**", cells=tuple(f"{{{base}cpu_ms_per_event_{phase}|.2f}}" for phase, base in _COLUMNS)),
        Row("shelves ranked again for an event", cells=tuple(_ranked(phase, base) for phase, base in _COLUMNS)),
    ),
)


def _counted(name: str, form: str) -> tuple[str, ...]:
    return tuple(f"{{{base}per_reranked_shopper/{phase}/{name}|{form}}}" for phase, base in _COLUMNS)


_COUNTS = Table(
    name="cost-counts",
    file=_COST,
    titles=("for each shelf that is ranked again", "200 events/s: before", "now", "1,000 events/s: before", "now"),
    rows=(
        Row("histories encoded", cells=_counted("encodings", ".0f")),
        Row(
            "SQL statements, those of intake included",
            cells=(
                "{base/statements_per_reranked_shopper|.1f}",
                "{statements_per_reranked_shopper|.1f}",
                "–",
                "–",
            ),
        ),
        Row("bytes of write-ahead log", cells=_counted("wal_bytes", ",.0f")),
        Row("tasks sent", cells=_counted("bells", ".3f")),
        Row(
            "idle: everything together, % of one core",
            cells=("{base/idle_percent_of_a_core|.1f}", "{idle_percent_of_a_core|.1f}", "", ""),
        ),
    ),
)

_FRESH = "freshness-cpu-2cores-300s"
_VISIBLE = ("{event_to_visible_p50_ms|.0f}", "{event_to_visible_p99_ms|.0f}", "{busy_percent|.0f} %")
_STEP = ("{p50_ms|,.0f}", "{p99_ms|,.0f}", "{busy_percent|.0f} %")
_FRESHNESS = Table(
    name="freshness",
    file=_FRESH,
    titles=("from enqueue to visible", "p50, ms", "p99, ms", "both cores busy"),
    rows=(
        Row("a click, 200 events/s, one a message, for 300 s", cells=_VISIBLE),
        Row("a click, 100 events/s, beside a training", "beside/training", cells=_VISIBLE),
        Row("a click, 100 events/s, while a swap ranks all shelves again", "beside/swap", cells=_VISIBLE),
        Row(
            "a click, 100 events/s, beside 20 searches and 20 screenings a second",
            "beside/searches_and_screenings",
            cells=_VISIBLE,
        ),
        Row("a new item is on a shelf", cells=("{new_item_p50_ms|.0f}", "{new_item_p99_ms|.0f}", "")),
        Row("a click, 600 events/s, one a message", "steps/1", cells=_STEP),
        Row("a click, 1,500 events/s, 50 a message, beside fine-tuning", "steps_batched/0", cells=_STEP),
        Row(
            "the same where the machine did nothing else (an earlier revision)",
            "steps_batched/0",
            file="freshness-batched-cpu-2cores",
            cells=_STEP,
        ),
    ),
)

_OVERLOAD = Table(
    name="freshness-overload",
    file=_FRESH,
    titles=("a minute above the highest rate", ""),
    rows=(
        Row("events a second that were sent", "overload", cells=("{rate_sent|,.0f}",)),
        Row("events sent, and written", "overload", cells=("{sent|,}, {written|,}",)),
        Row("oldest due shelf, s", "overload", cells=("{oldest_due_shopper_seconds|.1f}",)),
        Row("drain, s", "overload", cells=("{drain_seconds|.1f}",)),
        Row(
            "memory before and at the end, MiB",
            "overload/memory_mib",
            cells=("{before|,}, {at_the_end|,}",),
        ),
        Row("deleted items, and those shown after it", cells=("{deletions|}, {deleted_but_shown|}",)),
    ),
)

_BATCH = ("{cpu_ms_per_shopper|.2f}", "{cpu_ms_per_shopper_with_reasons|.2f}")
_RANKING = Table(
    name="ranking",
    file="ranking-cpu-2cores",
    titles=("shoppers in a batch", "ms of a core for a shopper", "with reasons"),
    rows=(
        *(Row(size, f"batches/{place}", cells=_BATCH) for place, size in enumerate(("1", "4", "8", "32", "128"))),
        Row("the bare arithmetic", cells=("{limit/ms|.2f}", "")),
    ),
)

_SWAPS = Table(
    name="swaps",
    file="swaps-cpu-2cores",
    titles=("500 requests/s", "requests", "p50, ms", "p99, ms", "errors", "answers that mix two versions"),
    rows=(
        Row(
            "in the seconds before a switch",
            "before",
            cells=("{requests|,}", "{p50_ms|.2f}", "{p99_ms|.2f}", "", ""),
        ),
        Row(
            "while all shelves are ranked again",
            "during_swaps",
            cells=("{requests|,}", "{p50_ms|.2f}", "{p99_ms|.2f}", "", ""),
        ),
        Row("in all", cells=("{requests|,}", "", "", "{errors|}", "{mixed_rankings|}")),
    ),
)

TABLES = (_PROCESSES, _COUNTS, _FRESHNESS, _OVERLOAD, _RANKING, _SWAPS)
