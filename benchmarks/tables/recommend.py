"""Tables of the recommender: how good it is, cold start, peers, large catalogues, attacks, several devices."""

from __future__ import annotations

import statistics

from benchmarks.tables.table import Cell, Row, Table, Value

_FILE = "recommend-cpu-2cores"


def _gain(value: Value) -> str:
    ours, counted = value("figures/model/ndcg@10/mean"), value("figures/cooccurrence/ndcg@10/mean")
    return f"{counted:.4f} ({ours / counted - 1:+.0%})"


def _minutes(value: Value) -> str:
    return f"{statistics.median(value('training/seconds')) / 60:.0f} min"


def _published(value: Value) -> str:
    found = value("published")
    return f"{found['hit_rate@10']:.4f} / {found['ndcg@10']:.4f}" if found else ""


_ACCURACY = Table(
    name="recommend-accuracy",
    file=_FILE,
    titles=(
        "data, protocol",
        "HR@10",
        "NDCG@10, mean (lowest to highest)",
        "co-occurrence NDCG@10 (gain)",
        "item cosine NDCG@10",
        "popularity NDCG@10",
        "best published HR@10 / NDCG@10",
        "training, median",
    ),
    cells=(
        "{figures/model/hit_rate@10/mean|.4f}",
        "{figures/model/ndcg@10/mean|.4f} ({figures/model/ndcg@10/lowest|.4f} to {figures/model/ndcg@10/highest|.4f})",
        _gain,
        "{figures/item_cosine/ndcg@10/mean|.4f}",
        "{figures/popularity/ndcg@10/mean|.4f}",
        _published,
        _minutes,
    ),
    rows=(
        Row("Beauty, `leave-one-out`", "runs/beauty-leave-one-out"),
        Row("Beauty, `leave-one-out-full`", "runs/beauty-leave-one-out-full"),
        Row("Sports, `leave-one-out`", "runs/sports-leave-one-out"),
        Row("Sports, `leave-one-out-full`", "runs/sports-leave-one-out-full"),
        Row("Online Retail, `time-split`, last month", "runs/online_retail-time-split"),
    ),
)

_PARTS_OF_SCORE = ("network", "transitions", "neighbours", "recent_popularity")


def _best_baseline(value: Value) -> str:
    figures = value("figures")
    name = max((one for one in figures if one != "model"), key=lambda one: figures[one]["ndcg@10"]["mean"])
    return f"{name} {figures[name]['ndcg@10']['mean']:.4f}"


def _part(name: str) -> Cell:
    def cell(value: Value) -> str:
        one = value("parts").get(name)
        return "" if one is None else f"{one['alone']['mean']:.4f} / {one['without']['mean']:.4f}"

    return cell


_PARTS = Table(
    name="recommend-parts",
    file="recommend-parts-cpu-2cores",
    titles=(
        "NDCG@10: a part alone / the rest without it",
        "together",
        "network",
        "transitions",
        "neighbours",
        "recent popularity",
        "best baseline",
    ),
    cells=("{figures/model/ndcg@10/mean|.4f}", *(_part(name) for name in _PARTS_OF_SCORE), _best_baseline),
    rows=(
        Row("Online Retail, `time-split`, last month", "runs/online_retail-time-split"),
        Row("Beauty, `leave-one-out`, by ids alone", "runs/beauty-leave-one-out-ids"),
    ),
)

_COLD_ITEMS = Table(
    name="recommend-cold-items",
    file=_FILE,
    titles=("recall@50 of cold items, among all items", "model", "random", "popularity in the category"),
    cells=(
        "{model/recall@50/mean|.4f}",
        "{random/recall@50/mean|.4f}",
        "{popularity_in_category/recall@50/mean|.4f}",
    ),
    rows=(
        Row("Beauty", "runs/beauty-cold-start/figures/cold_items"),
        Row("Sports, 16 epochs", "runs/sports-cold-start/figures/cold_items"),
    ),
)


def _cold_user(ranker: str) -> tuple[str, ...]:
    return tuple(f"{{users_of_{events}_events/{ranker}/ndcg@10/mean|.4f}}" for events in (1, 2, 3))


_COLD_USERS = Table(
    name="recommend-cold-users",
    file=_FILE,
    titles=("NDCG@10 of new users", "after one event", "two events", "three events"),
    rows=(
        Row("Beauty, model", "runs/beauty-cold-start/figures", cells=_cold_user("model")),
        Row("Beauty, co-occurrence", "runs/beauty-cold-start/figures", cells=_cold_user("cooccurrence")),
        Row("Beauty, popularity", "runs/beauty-cold-start/figures", cells=_cold_user("popularity")),
        Row("Sports, model", "runs/sports-cold-start/figures", cells=_cold_user("model")),
        Row("Sports, co-occurrence", "runs/sports-cold-start/figures", cells=_cold_user("cooccurrence")),
        Row("Sports, popularity", "runs/sports-cold-start/figures", cells=_cold_user("popularity")),
    ),
)

_OURS = (
    "{ours/training/epochs|}",
    "{ours/training/seconds_per_epoch|.2f}",
    "{ours/training/seconds|,.0f}",
    "{ours/figures/model/ndcg@10|.4f}",
)
_PEER = (
    "{peer/epochs|}",
    "{peer/seconds_per_epoch|.2f}",
    "{peer/train_seconds|,.0f}",
    "{peer/best/ndcg@10|.4f}",
)
_PEER_HALFWAY = (
    "{peer/curve/0/0|}",
    "{peer/seconds_per_epoch|.2f}",
    "{peer/curve/0/1|,.0f}",
    "{peer/curve/0/3|.4f}",
)
_PEERS = Table(
    name="recommend-rectools",
    file="rectools-cpu-2cores",
    titles=("by ids alone, Beauty, one block, 64 dimensions", "epochs", "s an epoch", "s in all", "NDCG@10"),
    rows=(
        Row("reshelf", cells=_OURS),
        Row("RecTools SASRec", cells=_PEER),
        Row("reshelf, on a busy machine", file="rectools-10-epochs-cpu-2cores", cells=_OURS),
        Row("RecTools SASRec, on that machine, halfway", file="rectools-10-epochs-cpu-2cores", cells=_PEER_HALFWAY),
        Row("RecTools SASRec, on that machine, at the end", file="rectools-10-epochs-cpu-2cores", cells=_PEER),
    ),
)


def _way(way: str) -> tuple[str, ...]:
    """Return the cells of one way to find the best: two catalogues, users a second, and recall where it is below 1."""
    small, large = "catalogues/0/", "catalogues/1/"
    return (
        f"{{{small}{way}/search/users_per_s|,}}",
        f"{{{small}{way}/encode_and_rank/users_per_s|,}}",
        _recall(f"{small}{way}"),
        f"{{{large}{way}/search/users_per_s|,}}",
        f"{{{large}{way}/encode_and_rank/users_per_s|,}}",
        _recall(f"{large}{way}"),
    )


def _recall(way: str) -> Cell:
    def cell(value: Value) -> str:
        found = value(way).get("recall")
        return "1" if found is None else f"{found['at_100']:.3f}"

    return cell


_RETRIEVAL = Table(
    name="retrieval",
    file="retrieval-cpu-2cores",
    titles=(
        "way",
        "100,000 items, users/s",
        "encoded too",
        "recall@100",
        "1,000,000 items, users/s",
        "encoded too",
        "recall@100",
    ),
    rows=(
        Row("products, then `lax.top_k`", cells=_way("plain")),
        Row("by blocks and chunks, float32", cells=_way("exact")),
        Row("by blocks and chunks, int8, float32 scores of the best", cells=_way("int8_rescored")),
        Row("int8 alone, a quarter of the memory", cells=_way("int8")),
        Row("index: 4-bit codes in lists, float32 scores of 800 candidates", cells=_way("index")),
    ),
)

_ATTACK = Table(
    name="recommend-attack",
    file="robustness-beauty-cpu-2cores",
    titles=(
        "Beauty, one fake user for a hundred real ones",
        "NDCG@10 clean",
        "attacked",
        "real users shown a target, clean",
        "attacked",
        "lists alike, clean and attacked",
        "lists alike, two seeds, both clean",
    ),
    cells=(
        "{clean/ndcg@10|.4f}",
        "{attacked/ndcg@10|.4f}",
        "{clean/exposure/users|.2%}",
        "{attacked/exposure/users|.2%}",
        "{overlap@10/clean_and_attacked|.0%}",
        "{overlap@10/two_clean_of_different_seeds|.0%}",
    ),
    rows=(Row("default", "adversarial/0"), Row("`adversarial=1.0`", "adversarial/1")),
)

_COMPRESSION = Table(
    name="recommend-compression",
    file="robustness-beauty-cpu-2cores",
    titles=("item vectors, 12,100 items", "NDCG@10", "bytes an item", "ms a user, exact"),
    cells=("{ndcg@10|.4f}", "{bytes_per_item|}", "{seconds_per_1000_users|.2f}"),
    rows=(Row("float32, the default", "compression/float32"), Row("int8", "compression/int8")),
)

_DISTRIBUTED = Table(
    name="distributed",
    file="distributed-cpu-2cores",
    titles=("preset `small`, 40,000 events of 2,000 shoppers", "examples/s", "loss after four epochs"),
    cells=("{examples_per_second|,}", "{losses/3|.5f}"),
    rows=(
        Row("one device", "ways/one device"),
        Row("eight forced devices of one process", "ways/eight devices"),
        Row("two processes, Gloo", "ways/two processes"),
    ),
)

TABLES = (
    _ACCURACY,
    _PARTS,
    _COLD_ITEMS,
    _COLD_USERS,
    _PEERS,
    _RETRIEVAL,
    _ATTACK,
    _COMPRESSION,
    _DISTRIBUTED,
)
