"""The recommender's configuration: a frozen config with named presets."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from model import presets
from model.errors import ConfigError

BLOCK_KINDS = ("sasrec", "ligr", "hstu")
"""Kinds of blocks of the history encoder."""

KINDS = ("impression", "view", "click", "add_to_cart", "wishlist", "purchase", "rating", "dismiss", "search")

# How much one event says about a taste: a purchase as much as ten views. An impression says almost nothing, a
# search names no item, a dismissal is negative.
_DEFAULT_WEIGHTS = {
    "impression": 0.05,
    "view": 0.3,
    "click": 0.5,
    "add_to_cart": 1.5,
    "wishlist": 1.0,
    "purchase": 3.0,
    "rating": 1.0,
    "dismiss": -1.0,
    "search": 0.0,
}


@dataclass(frozen=True)
class RecommendConfig:
    """Shapes, regularisation, training and serving of one recommender. Make one with `preset`."""

    dim: int = 64
    block: str = "ligr"  # "sasrec", "ligr" or "hstu"
    blocks: int = 2
    heads: int = 2
    history: int = 50  # last events of a user that are used; longer histories are cut
    text_width: int = 16
    attribute_width: int = 8
    hash_buckets: int = 65536
    successors: int = 32  # the strongest counted transitions kept for each item; 0 leaves them out of the score
    neighbours: int = 32  # the strongest weights of the linear part kept for each item; 0 leaves it out of the score
    trend_days: float = 3.0  # half-life of an event in recent popularity; 0 leaves that out of the score
    # Aligned with KINDS.
    kind_weights: tuple[float, ...] = tuple(_DEFAULT_WEIGHTS[kind] for kind in KINDS)
    target_weight: float = 0.3  # kinds of at least this weight are worth predicting

    dropout: float = 0.2
    id_dropout: float = 0.3  # share of items whose id embedding is hidden in a step, so that content learns
    learning_rate: float = 2e-3
    weight_decay: float = 0.0
    id_decay: float = 0.0  # the same, only for the id embeddings
    row: int = 64  # events in a packed training row
    batch_rows: int = 64
    negatives: int = 1024  # shared by a batch; 0 is the full softmax
    adversarial: float = 0.0  # weight of the loss under perturbed embeddings; 0 leaves it out
    adversarial_radius: float = 0.1  # length of the perturbation of each embedding
    bfloat16: bool | None = None  # products of the loss in bfloat16; None is on an accelerator only
    epochs: int = 30
    patience: int = 8  # epochs without a better validation NDCG@10 before training stops
    refit_epochs: int = 3  # epochs over all events, held-out ones included, after the metrics were taken
    validation_users: int = 5000
    finetune_epochs: int = 8  # epochs of an incremental update
    finetune_rate: float = 1.0  # as a share of the learning rate
    finetune_share: float = 1.0  # largest step of the weights from the old ones to those an update trained, 0..1
    finetune_half: float = 4000.0  # new events with which an update makes half of that step
    blend_memory: float = 15_000.0  # most items in new baskets that the blend's running mean covers
    replay: float = 0.0  # older events replayed in an update for each new one
    replay_days: float = 21.0  # half-life of an event's chance to be replayed
    distillation: float = 0.0  # weight of the divergence from the version before the update; 0 leaves it out
    filter_seen: bool = True  # metrics: an item of the history is neither ranked nor counted as true

    candidates: int = 256  # the best by score, among which diversity re-ranks; the largest k
    diversity: float = 0.1  # penalty for repeating a category, in standard deviations of the candidates' scores

    def __post_init__(self) -> None:
        if self.block not in BLOCK_KINDS:
            raise presets.unknown("block", self.block, BLOCK_KINDS)
        if self.dim % self.heads:
            raise ConfigError(f"dim {self.dim} must be a multiple of heads {self.heads}")
        if len(self.kind_weights) != len(KINDS) or max(self.kind_weights) <= 0:
            raise ConfigError(f"kind_weights needs a weight for each of {KINDS}, at least one above 0")
        if self.history >= self.row:
            raise ConfigError(f"row {self.row} must exceed history {self.history}: a whole history fits in a row")
        if min(self.finetune_half, self.blend_memory) < 1:
            raise ConfigError(
                f"finetune_half {self.finetune_half} and blend_memory {self.blend_memory} must be 1 at least"
            )
        if self.replay_days <= 0:
            raise ConfigError(
                f"replay_days {self.replay_days} must be above 0; a long half-life replays all times alike"
            )
        if not 1 <= self.candidates <= 1024:
            raise ConfigError(f"candidates {self.candidates} must be in 1..1024, the smallest catalogue capacity")


_PRESETS: Mapping[str, Mapping[str, Any]] = {
    "tiny": {
        "dim": 16,
        "blocks": 1,
        "history": 12,
        "row": 16,
        "batch_rows": 16,
        "text_width": 8,
        "attribute_width": 4,
        "hash_buckets": 512,
        "negatives": 0,
        "learning_rate": 1e-2,
        "id_dropout": 0.1,
        "successors": 8,
        "neighbours": 8,
        "candidates": 32,
    },
    "small": {},
    "base": {"dim": 128, "blocks": 3, "heads": 4, "dropout": 0.3, "negatives": 2048},
    "large": {"dim": 256, "blocks": 4, "heads": 4, "dropout": 0.3, "negatives": 8192, "hash_buckets": 262_144},
}


def preset(name: str = "small", **overrides: Any) -> RecommendConfig:
    """The preset "tiny" (for tests), "small" (the default), "base" or "large", with single options replaced.

    `kind_weights` may be a mapping of only the kinds to change. Raises ConfigError for an unknown preset, option or
    kind, naming the nearest known one.
    """
    return replace(presets.named(RecommendConfig, _PRESETS, name, {}), **overrides)


def replace(config: RecommendConfig, **overrides: Any) -> RecommendConfig:
    """`config` with single options replaced; the rules and errors are those of `preset`."""
    weights = overrides.get("kind_weights")
    if weights is not None:
        overrides["kind_weights"] = _merged(config.kind_weights, weights)
    return presets.replaced(config, overrides)


def _merged(standing: Sequence[float], weights: Mapping[str, float] | Sequence[float]) -> tuple[float, ...]:
    if not isinstance(weights, Mapping):
        return tuple(float(weight) for weight in weights)
    for kind in weights:
        if kind not in KINDS:
            raise presets.unknown("event kind", kind, KINDS)
    merged = dict(zip(KINDS, standing, strict=True)) | dict(weights)
    return tuple(float(merged[kind]) for kind in KINDS)


def gains(config: RecommendConfig) -> dict[str, float]:
    """How much a transition to an event of each kind counts: 1 for the strongest; other kinds are left out."""
    most = max(config.kind_weights)
    return {kind: weight / most for kind, weight in zip(KINDS, config.kind_weights, strict=True) if weight > 0}


def to_json(config: RecommendConfig) -> dict[str, Any]:
    """A JSON object that `from_json` reads; the weights carry the names of their kinds."""
    return dataclasses.asdict(config) | {"kind_weights": dict(zip(KINDS, config.kind_weights, strict=True))}


def from_json(options: Mapping[str, Any]) -> RecommendConfig:
    """The config that `to_json` described. Missing options get their defaults."""
    return replace(RecommendConfig(), **options)
