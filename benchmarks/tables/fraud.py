"""Tables of fraud: the detector, labels that come late, evasion, replay, screening; and of bots: the click farm."""

from __future__ import annotations

from benchmarks.tables.table import Cell, Row, Table, Value


def _spread(measure: str, digits: int = 3) -> str:
    form = f".{digits}f"
    parts = (f"{{{measure}/{part}|{form}}}" for part in ("mean", "over_folds", "over_seeds"))
    return " ± ".join(parts)


_MEASURES = ("roc_auc", "average_precision", "card_precision@100")
_CEILING = (*(f"{{{measure}|.3f}}" for measure in _MEASURES), "")

_DETECTOR = Table(
    name="fraud-detector",
    file="fraud-cpu-2cores",
    titles=("classifier", "AUC ROC", "average precision", "card precision@100", "calibration error"),
    cells=(*(_spread(measure) for measure in _MEASURES), "{calibration_error/mean|.4f}"),
    rows=(
        Row("detector", "figures/detector"),
        Row("LightGBM, handbook's features", "figures/lightgbm"),
        Row("random forest, handbook's features", "figures/random_forest"),
        Row("logistic regression, handbook's features", "figures/logistic_regression"),
        Row("a ranking that knew the answers (below)", "means", file="fraud-ceiling", cells=_CEILING),
    ),
)

_ARMS = ("frozen, blind", "frozen", "incremental", "retrained")
_WEEKS = Table(
    name="fraud-weeks",
    file="fraud-weeks",
    titles=("average precision, test from", *_ARMS),
    cells=tuple(f"{{{arm}/average_precision|.3f}}" for arm in _ARMS),
    rows=(
        *(
            Row(day, f"weeks/{week}")
            for week, day in enumerate(
                ("2018-07-04", "2018-07-11", "2018-07-18", "2018-07-25", "2018-08-01", "2018-08-08")
            )
        ),
        Row("mean after the first", "means_after_the_first"),
    ),
)

_EVASION = Table(
    name="fraud-evasion",
    file="fraud-evasion",
    titles=("average precision", "default", "`adversarial=2`"),
    rows=tuple(
        Row(
            label,
            "average_precision",
            cells=(f"{{as it is/{attack}|.3f}}", f"{{adversarial/{attack}|.3f}}"),
        )
        for label, attack in (
            ("no attack", "no attack"),
            ("up to 20 % less, or 2 hours later", "small"),
            ("up to 30 % less, or 6 hours later (as trained against)", "as trained against"),
            ("up to 50 % less, or 12 hours later", "large"),
        )
    ),
)

_REPLAY = Table(
    name="fraud-replay",
    file="fraud-replay",
    titles=(
        "orders fed one by one",
        "came after a later one",
        "have other features once late orders came",
        "differ from offline as they arrived",
        "differ once all have come",
        "µs of a core an order",
    ),
    cells=(
        "{came_after_a_later_one|,}",
        "{changed_by_orders_that_came_late|,}",
        "{differ_from_offline_as_arrived|,}",
        "{differ_from_offline_in_order_once_settled|,}",
        "{cpu_microseconds_per_order|}",
    ),
    rows=(Row("in order", "in_order"), Row("shuffled by up to an hour", "shuffled_by_an_hour")),
)


def _by_model(value: Value) -> str:
    return f"{value('by').get('model', 0) / value('orders'):.1%}"


_SCREENING = Table(
    name="screening",
    file="screening-cpu-2cores",
    titles=("200 orders/s, 1,000,000 past orders", "p50, ms", "p95, ms", "p99, ms", "decided by the model"),
    cells=("{p50_ms|.0f}", "{p95_ms|.0f}", "{p99_ms|.0f}", _by_model),
    rows=(Row("served", "served"), Row("worker killed: rules alone", "model_process_killed")),
)


def _attack(value: Value) -> str:
    text: str = value("attack")
    return text


def _moved(shelf: str) -> Cell:
    return f"{{without/{shelf}|,}} → {{with/{shelf}|,}}"


_ORDER = (0, 1, 2, 3, 4, 5, 6, 8, 9, 11, 7, 12, 10)
_FARM = Table(
    name="click-farm",
    file="click-farm-cpu-2cores",
    titles=(
        "",
        "attack by 500 fakes",
        "fakes found",
        "real customers flagged",
        "places on own shelves, without defence → with",
        "places on the popular shelf, without → with",
    ),
    cells=(_attack, "{fakes_flagged|.0%}", "{real_flagged|}", _moved("home"), _moved("popular")),
    rows=(
        Row(
            "0",
            "exposure_clean",
            cells=("none", "", "{/real_flagged_without_an_attack|}", "{home|,}", "{popular|,}"),
        ),
        *(Row(str(number), f"attacks/{attack}") for number, attack in enumerate(_ORDER, 1)),
    ),
)

_FARM_SIZES = Table(
    name="click-farm-sizes",
    file="click-farm-cpu-2cores",
    titles=("size of the farm", *(str(size) for size in (5, 10, 15, 25, 50, 100))),
    rows=(
        Row("fakes found", "smaller", cells=tuple(f"{{{place}/fakes_flagged|.0%}}" for place in range(6))),
        Row("real customers flagged", "smaller", cells=tuple(f"{{{place}/real_flagged|}}" for place in range(6))),
    ),
)

TABLES = (_DETECTOR, _WEEKS, _EVASION, _REPLAY, _SCREENING, _FARM, _FARM_SIZES)
