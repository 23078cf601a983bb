"""Assignment: which arm a shopper is in. Pure functions, with the same result in every process."""

from __future__ import annotations

from bisect import bisect_right
from hashlib import sha256

from storage.experiment.experiments import Arm, Experiment

_DIGITS = 13
_PLACES = float(16**_DIGITS)


def place(salt: str, shopper: str) -> float:
    """Return the shopper's place in [0, 1): the first 52 bits of SHA-256 of `salt:shopper`, which a double holds."""
    return int(sha256(f"{salt}:{shopper}".encode()).hexdigest()[:_DIGITS], 16) / _PLACES


def arm_of(experiment: Experiment, shopper: str) -> Arm:
    """Return the arm of the shopper; `shopper` is the key of `reshelf.events.shopper_key`."""
    stretches = experiment.stretches
    ends = [end for end, _ in stretches[:-1]]
    return stretches[bisect_right(ends, place(experiment.salt, shopper))][1]


def version_of(shopper: str, experiment: Experiment | None, live: str) -> str:
    """Return the model version that ranks for the shopper: that of their arm, else the `live` one."""
    if experiment is None:
        return live
    return arm_of(experiment, shopper).version or live
