"""Plans: the arms that a person asks for, parsed and checked. Pure functions.

Refused     a plan that cannot run; names the field and the fix
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

from storage.experiment.experiments import LIVE, POPULAR, VERSION, Arm, Experiment

MOST_ARMS = 8
MOST_VERSIONS = 2
"""Model versions that a process keeps in addition to the live one."""
MOST_CANARY = 0.5

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_TREATMENTS = f"`{LIVE}`, `{POPULAR}` or `{VERSION}NAME`"


class Refused(ValueError):
    """The experiment cannot be started, changed or found. `field` says what is wrong, `fix` what to do."""

    def __init__(self, field: str, message: str, fix: str) -> None:
        super().__init__(f"{field}: {message}; {fix}")
        self.field = field
        self.fix = fix


def arm(given: str) -> Arm:
    """Return the arm of `NAME=TREATMENT:SHARE`, such as `control=live:0.5`. Raises `Refused`."""
    name, equals, rest = given.partition("=")
    treatment, _, share = rest.rpartition(":")
    if not equals or not treatment:
        raise Refused("arm", f"{given!r} is no arm", "write NAME=TREATMENT:SHARE, e.g. control=live:0.5")
    try:
        return Arm(name, treatment, float(share))
    except ValueError as error:
        fix = f"end it with a share between 0 and 1, e.g. {name}={treatment}:0.5"
        raise Refused("arm", f"the share of {given!r} is no number", fix) from error


def experiment(name: str, arms: Sequence[Arm], *, canary: bool = False, salt: str | None = None) -> Experiment:
    """Return the experiment with these arms, the first of which is the control. Raises `Refused`.

    Without a `salt` its name is the salt, so that two experiments divide the shoppers independently.
    """
    for field, value in (("name", name), ("salt", salt or name)):
        if not _NAME.fullmatch(value):
            raise Refused(field, f"{value!r} is no name", "use 1 to 100 letters, digits, `.`, `_` and `-`")
    if not 2 <= len(arms) <= MOST_ARMS:
        raise Refused("arm", f"{len(arms)} arms were given", f"give 2 to {MOST_ARMS}, the control first")
    for one in arms:
        _check(one)
    _check_together(arms)
    return Experiment(name, salt or name, tuple(arms), canary)


def canary(version: str, share: float, *, number: int = 1) -> Experiment:
    """Return the experiment that gives a version this share of the shoppers. Raises `Refused`.

    The salt depends only on the version, not on `number`: the shoppers of a canary stay in a larger one that follows.
    """
    if not 0 < share <= MOST_CANARY:
        raise Refused("share", f"{share:g} is no share of a canary", f"give more than 0 and at most {MOST_CANARY:g}")
    name = f"canary-{version}" if number == 1 else f"canary-{version}-{number}"
    arms = [Arm("live", LIVE, 1 - share), Arm("canary", f"{VERSION}{version}", share)]
    return experiment(name, arms, canary=True, salt=f"canary-{version}")


def _check(one: Arm) -> None:
    if not _NAME.fullmatch(one.name):
        raise Refused("arm", f"{one.name!r} is no name", "use 1 to 100 letters, digits, `.`, `_` and `-`")
    if not (one.treatment in (LIVE, POPULAR) or (one.version or "").strip()):
        raise Refused("arm", f"{one.name} has the unknown treatment {one.treatment!r}", f"use {_TREATMENTS}")
    if not 0 < one.share < 1:
        raise Refused("arm", f"the share of {one.name} is {one.share:g}", "give more than 0 and less than 1")


def _check_together(arms: Sequence[Arm]) -> None:
    for name, count in Counter(one.name for one in arms).items():
        if count > 1:
            raise Refused("arm", f"{count} arms are named {name}", "give each a name of its own")
    total = math.fsum(one.share for one in arms)
    if abs(total - 1) > 1e-9:
        shares = " + ".join(f"{one.share:g}" for one in arms)
        raise Refused("arm", f"the shares sum to {total:g} ({shares})", "make them sum to 1")
    versions = {one.version for one in arms if one.version is not None}
    if len(versions) > MOST_VERSIONS:
        raise Refused("arm", f"{len(versions)} model versions are named", f"name at most {MOST_VERSIONS} besides live")
