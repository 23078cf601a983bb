"""The table of the README: what was measured beside others, on the same data and in the same run where it says so."""

from __future__ import annotations

from benchmarks.tables.table import Row, Table

_RUN = "figures/model/ndcg@10/mean|.4f"

TABLES = (
    Table(
        name="peers",
        file="recommend-cpu-2cores",
        titles=("task and data", "measure", "reshelf", "others on the same data"),
        rows=(
            Row(
                "recommend: Amazon Beauty, next item",
                "runs/beauty-leave-one-out",
                cells=(
                    "NDCG@10",
                    f"{{{_RUN}}}",
                    "best published {published/ndcg@10|.4f}, co-occurrence {figures/cooccurrence/ndcg@10/mean|.4f}",
                ),
            ),
            Row(
                "recommend: Amazon Sports, next item",
                "runs/sports-leave-one-out",
                cells=(
                    "NDCG@10",
                    f"{{{_RUN}}}",
                    "best published {published/ndcg@10|.4f}, co-occurrence {figures/cooccurrence/ndcg@10/mean|.4f}",
                ),
            ),
            Row(
                "recommend: Online Retail, next basket",
                "runs/online_retail-time-split",
                file="recommend-parts-cpu-2cores",
                cells=(
                    "NDCG@10",
                    f"{{{_RUN}}}",
                    "EASE {figures/linear/ndcg@10/mean|.4f}, item cosine {figures/item_cosine/ndcg@10/mean|.4f}, "
                    "co-occurrence {figures/cooccurrence/ndcg@10/mean|.4f}",
                ),
            ),
            Row(
                "recommend: one training epoch of the same size",
                file="rectools-cpu-2cores",
                cells=(
                    "seconds",
                    "{ours/training/seconds_per_epoch|.1f}",
                    "RecTools {peer/peer_version|} SASRec {peer/seconds_per_epoch|.1f}",
                ),
            ),
            Row(
                "search: Home Depot, learnt from other queries",
                file="search-home-depot",
                cells=("NDCG@10", "{figures/learnt/ndcg@10|.4f}", "bm25s {figures/bm25s/ndcg@10|.4f}"),
            ),
            Row(
                "search: the same with a typing error in each query",
                "one_typo_in_every_query",
                file="search-home-depot",
                cells=("NDCG@10", "{learnt/ndcg@10|.4f}", "bm25s {bm25s/ndcg@10|.4f}"),
            ),
            Row(
                "fraud: the handbook's simulated shop",
                "figures",
                file="fraud-cpu-2cores",
                cells=(
                    "average precision",
                    "{detector/average_precision/mean|.3f}",
                    "LightGBM {lightgbm/average_precision/mean|.3f}, "
                    "random forest {random_forest/average_precision/mean|.3f}",
                ),
            ),
            Row(
                "experiments: two equal arms, looked at every 100 shoppers",
                "equal_arms/0",
                file="experiments",
                cells=("false verdicts", "{false_alarms|.1%}", "z-test at 5 % {false_alarms_of_a_z_test|.1%}"),
            ),
        ),
    ),
)
