"""The artifact of search: encoder, ranker, associations, and items' vectors."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt32

from model.artifact import Artifact
from model.catalogue import Item
from model.errors import ArtifactError
from model.search import config as configs
from model.search.engine import Parts
from model.search.learning import contrastive
from model.search.learning.associations import Associations
from model.search.learning.encoder import Encoder
from model.search.ranking.ranker import TreeRanker, Trees
from model.text import analyser
from model.text.synonyms import Synonyms

KIND = "search"

_ENCODER, _TREES, _ASSOCIATIONS, _VECTORS = "encoder.", "trees.", "associations.", "vectors."


@dataclass(frozen=True)
class Kept:
    """The encoder's vectors of items at its training, and a hash of the text of each item."""

    rows: Mapping[str, int]
    digests_N: UInt32[np.ndarray, " N"]
    vectors_NxD: Float32[np.ndarray, "N D"]

    def encode(self, items: Sequence[Item], encoder: Encoder) -> Float32[np.ndarray, "N D"]:
        """The encoder's vectors of the items; only new or changed ones are computed."""
        vectors_NxD = np.zeros((len(items), encoder.dim), np.float32)
        changed = []
        for place, (item, text) in enumerate(zip(items, contrastive.texts(items), strict=True)):
            row = self.rows.get(item.item_id)
            if row is not None and self.digests_N[row] == _digest(text):
                vectors_NxD[place] = self.vectors_NxD[row]
            else:
                changed.append(place)
        if changed:
            vectors_NxD[changed] = encoder.encode(contrastive.texts([items[place] for place in changed]))
        return vectors_NxD


def pack(parts: Parts, items: Sequence[Item], metrics: Mapping[str, Any]) -> Artifact:
    """The trained parts, with the vectors of the items that they were trained on.

    A published encoder is not included.
    """
    flat: dict[str, np.ndarray] = {}
    if isinstance(parts.encoder, Encoder):
        texts = contrastive.texts(items)
        flat |= {_ENCODER + name: np.asarray(value) for name, value in parts.encoder.params.items()}
        flat[_VECTORS + "rows"] = parts.encoder.encode(texts)
        flat[_VECTORS + "digests"] = np.array([_digest(text) for text in texts], np.uint32)
    if isinstance(parts.ranker, TreeRanker):
        flat |= {_TREES + name: np.asarray(column) for name, column in parts.ranker.trees._asdict().items()}
        flat[_TREES + "depth"] = np.array(parts.ranker.depth, np.int32)
    if parts.associations is not None:
        # In two halves: JAX, which loads the arrays, has no 64-bit integers here.
        keys_P = parts.associations.keys_P
        flat[_ASSOCIATIONS + "words"] = (keys_P >> np.uint64(32)).astype(np.uint32)
        flat[_ASSOCIATIONS + "titles"] = keys_P.astype(np.uint32)
        flat[_ASSOCIATIONS + "told"] = parts.associations.told_P
    return Artifact(KIND, flat, asdict(parts.config), tuple(item.item_id for item in items), metrics)


def unpack(artifact: Artifact, synonyms: Synonyms) -> tuple[Parts, Kept | None]:
    """What `pack` was given, with the shop's `synonyms`, and the items' vectors; None without our own encoder.

    Raises ArtifactError for the artifact of something else, and for one whose terms another analyser made.
    """
    if artifact.kind != KIND:
        raise ArtifactError(f"the folder holds a model for {artifact.kind!r}, not for {KIND!r}; name a search version")
    made_with = configs.analyser_of(artifact.config)
    if made_with != analyser.VERSION:
        raise ArtifactError(
            f"the model learnt words as version {made_with} of the text analyser cuts them, and this is version "
            f"{analyser.VERSION}; train it again with `reshelf train search`"
        )
    config = configs.from_json(artifact.config)
    encoder = _part(artifact, _ENCODER)
    trees = _part(artifact, _TREES)
    told = _part(artifact, _ASSOCIATIONS)
    ranker = None
    if trees:
        depth = int(trees.pop("depth"))
        ranker = TreeRanker(Trees(**trees), depth)
    associations = None
    if told:
        keys_P = told["words"].astype(np.uint64) << np.uint64(32) | told["titles"].astype(np.uint64)
        associations = Associations(keys_P, told["told"])
    ours = Encoder(config, encoder) if encoder else None
    parts = Parts(config, synonyms, encoder=ours, ranker=ranker, associations=associations)
    vectors = _part(artifact, _VECTORS)
    rows = {item_id: row for row, item_id in enumerate(artifact.ids)}
    return parts, Kept(rows, vectors["digests"], vectors["rows"]) if vectors else None


def _part(artifact: Artifact, prefix: str) -> dict[str, np.ndarray]:
    return {
        name.removeprefix(prefix): np.asarray(value)
        for name, value in artifact.params.items()
        if name.startswith(prefix)
    }


def _digest(text: str) -> int:
    return zlib.crc32(text.encode("utf-8", "surrogatepass"))
