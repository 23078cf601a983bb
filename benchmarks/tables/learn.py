"""Tables of learning while serving, and of experiments."""

from __future__ import annotations

from benchmarks.tables.table import Row, Table

_WEEK = "learn-online-retail"
_ARM = (
    "{ndcg@10|.4f}",
    "{new_item_recall@10|.3f}",
    "{retention_then|.4f}",
    "{retention_now|.4f}",
    "{retention_change|+.1%}",
    "{cells|,.0f}",
)

_ARMS = Table(
    name="learn-arms",
    file=_WEEK,
    titles=(
        "arm",
        "NDCG@10",
        "recall@10 of new items",
        "NDCG@10 of old baskets, after their window",
        "by the last model",
        "change",
        "cells",
    ),
    cells=_ARM,
    rows=(
        Row("`frozen`", "figures/frozen"),
        Row("`naive`", "figures/naive"),
        Row("`incremental`", "figures/incremental"),
        Row("`retrained`", "figures/retrained", file="learn-online-retail-retrained"),
    ),
)

_OFTEN = Table(
    name="learn-often",
    file=_WEEK,
    titles=("an update every", "NDCG@10", "recall@10 of new items", "change of old baskets", "cells"),
    cells=("{ndcg@10|.4f}", "{new_item_recall@10|.3f}", "{retention_change|+.1%}", "{cells|,.0f}"),
    rows=(
        Row("never (`frozen`)", "figures/frozen"),
        Row("month", "figures/incremental", file="learn-online-retail-month"),
        Row("week", "figures/incremental"),
        Row("day, with the options of an earlier revision", "figures/incremental", file="learn-online-retail-day"),
    ),
)

_EQUAL = Table(
    name="experiments-equal",
    file="experiments",
    titles=("1,000 experiments of equal arms", "a look every", "wrong verdicts here", "of a z-test at 5 %"),
    cells=("{look_every|} shoppers", "{false_alarms|.1%}", "{false_alarms_of_a_z_test|.1%}"),
    rows=(
        Row("10 % click, halves", "equal_arms/0"),
        Row("1 % click, halves", "equal_arms/1"),
        Row("10 % click, a canary of 5 %", "equal_arms/2"),
    ),
)

_SIZES = ("10000", "20000", "50000", "100000")
_FOUND = (*(f"{{found_by/{size}|.0%}}" for size in _SIZES), "{median_shoppers|,.0f}")
_ONE_LOOK = (*(f"{{found_by_a_z_test_in_one_look/{size}|.0%}}" for size in _SIZES), "")

_UNEQUAL = Table(
    name="experiments-unequal",
    file="experiments",
    titles=(
        "10 % click; found by so many shoppers of both arms",
        *(f"{int(size):,}" for size in _SIZES),
        "median",
    ),
    rows=(
        Row("halves, a lift of 10 %", "unequal_arms/0", cells=_FOUND),
        Row("one z-test at exactly that size", "unequal_arms/0", cells=_ONE_LOOK),
        Row("halves, a lift of 20 %", "unequal_arms/1", cells=_FOUND),
        Row("one z-test at exactly that size", "unequal_arms/1", cells=_ONE_LOOK),
        Row("a canary of 5 % that halves the clicks", "unequal_arms/2", cells=_FOUND),
        Row("one z-test at exactly that size", "unequal_arms/2", cells=_ONE_LOOK),
    ),
)

TABLES = (_ARMS, _OFTEN, _EQUAL, _UNEQUAL)
