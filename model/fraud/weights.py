"""A detector as an artifact, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from model.artifact import Artifact
from model.errors import ArtifactError
from model.fraud import config as configs
from model.fraud.detector.detector import Calibration, Detector
from model.fraud.detector.fitting import Fitted
from model.fraud.features import features

KIND = "fraud"
_NETWORK = "network/"
_FOREST = "forest/"
_EDGES = "edges"


def to_artifact(found: Detector, *, metrics: Mapping[str, Any] | None = None) -> Artifact:
    """The detector as an artifact; its feature names are the ids."""
    params: dict[str, np.ndarray] = {}
    if found.network is not None:
        params = {_NETWORK + name: value for name, value in found.network.params.items()}
        params[_EDGES] = found.network.edges_FxK
    for number, text in enumerate(found.forests):
        params[f"{_FOREST}{number:03}"] = np.frombuffer(text.encode(), np.uint8)
    config = {
        "options": configs.to_json(found.config),
        "groups": [list(group) for group in found.groups],
        "calibration": list(found.calibration),
    }
    return Artifact(KIND, params, config, found.names, dict(metrics or {}))


def from_artifact(saved: Artifact, names: Sequence[str] = features.NAMES) -> Detector:
    """The saved detector, for the features `names`.

    Raises `ArtifactError` if it is of another kind or has other features.
    """
    if saved.kind != KIND:
        raise ArtifactError(f"the artifact is of kind {saved.kind!r}, not {KIND!r}; choose a version of the detector")
    if saved.ids != tuple(names):
        changed = sorted(set(saved.ids) ^ set(names))
        raise ArtifactError(f"the detector knows other features than this version ({changed[:3]}); train it again")
    groups = tuple(tuple(group) for group in saved.config["groups"])
    network = None
    if _EDGES in saved.params:
        params = {
            name.removeprefix(_NETWORK): value for name, value in saved.params.items() if name.startswith(_NETWORK)
        }
        network = Fitted(groups, saved.params[_EDGES], params)
    forests = tuple(saved.params[name].tobytes().decode() for name in sorted(saved.params) if name.startswith(_FOREST))
    config = configs.from_json(saved.config["options"])
    return Detector(config, saved.ids, groups, network, forests, Calibration(*saved.config["calibration"]))
