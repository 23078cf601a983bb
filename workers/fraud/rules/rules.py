"""Rules: thresholds, lists and velocities, as data. Pure: the gateway judges by them when the model cannot be asked.

    [thresholds]                      # of the model's probability
    review = 0.3
    decline = 0.8

    [lists]
    blocked = ["d-17", "d-99"]        # named in a rule as device = { in = "@blocked" }

    [[rules]]
    name = "busy-device"
    decision = "decline"
    reason = "more than five orders from this device within an hour"
    when = { device_orders_1h = { above = 5 }, amount = { at_least = 20 } }

All conditions of a rule have to hold. A rule that declines wins over one that approves, that over the model's
thresholds, and what is stricter wins among the rest. Nothing in a file is ever executed.
"""

from __future__ import annotations

import difflib
import hashlib
import tomllib
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from workers.fraud.rules import facts
from workers.fraud.rules.facts import FLAG, NUMBER, TEXT, Fact

Decision = Literal["approve", "review", "decline"]

APPROVE: Decision = "approve"
REVIEW: Decision = "review"
DECLINE: Decision = "decline"
DECISIONS = (APPROVE, REVIEW, DECLINE)
"""From the mildest to the strictest."""

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
Value = float | str | bool

_ANY = (NUMBER, TEXT, FLAG)
_COMPARE: dict[str, tuple[Callable[[Any, Any], bool], tuple[str, ...]]] = {
    "above": (lambda fact, value: fact > value, (NUMBER,)),
    "at_least": (lambda fact, value: fact >= value, (NUMBER,)),
    "below": (lambda fact, value: fact < value, (NUMBER,)),
    "at_most": (lambda fact, value: fact <= value, (NUMBER,)),
    # A text equals several: what an operator typed, and the form in which orders have it.
    "equals": (lambda fact, value: fact in value if isinstance(value, frozenset) else fact == value, _ANY),
    "in": (lambda fact, value: fact in value, (TEXT,)),
    "not_in": (lambda fact, value: fact not in value, (TEXT,)),
}
_AMONG = ("in", "not_in")


class RulesError(ValueError):
    """A rules file that cannot be used; says where, what is wrong, and the nearest valid name."""


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    pass


class Thresholds(_Part, frozen=True):
    """The probabilities from which the model reviews or declines; a threshold above 1 is never reached."""

    review: Annotated[float, msgspec.Meta(ge=0)] = 0.3
    decline: Annotated[float, msgspec.Meta(ge=0)] = 0.8
    novelty: Annotated[float, msgspec.Meta(ge=0)] = 0.999
    """Before there are labels: review an order that is more unusual than this share of past orders."""


class Rule(_Part, frozen=True, kw_only=True):
    """One rule. `when` maps facts to conditions: {"amount": {"above": 100}}."""

    name: Name
    decision: Decision
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    when: Annotated[dict[str, dict[str, Value | list[str]]], msgspec.Meta(min_length=1)]


class RuleSet(_Part, frozen=True, kw_only=True, dict=True):
    """All that decides beside the model."""

    thresholds: Thresholds = Thresholds()
    lists: dict[Name, list[str]] = {}
    rules: list[Rule] = []

    @property
    def version(self) -> str:
        """A name that is a hash of the content: the same content has the same name."""
        return f"rules-{hashlib.sha256(msgspec.json.encode(self, order='deterministic')).hexdigest()[:12]}"

    def among(self, fact: str, values: str | list[str]) -> frozenset[str]:
        """Return the texts of a list, or of one that is named ("@blocked"): as typed, and as orders have them."""
        key = (fact, values if isinstance(values, str) else tuple(values))
        if key not in self._among:
            typed = self.texts(values)
            self._among[key] = frozenset(typed) | {_form(fact, one) or one for one in typed}
        return self._among[key]

    def texts(self, values: str | list[str]) -> list[str]:
        """Return the texts of a list, or of one that is named, as typed."""
        return self.lists[values.removeprefix("@")] if isinstance(values, str) else values

    @cached_property
    def _among(self) -> dict[tuple[str, str | tuple[str, ...]], frozenset[str]]:
        return {}


class Reason(msgspec.Struct, frozen=True, omit_defaults=True):
    """One reason of a decision: from a `rule`, or from the `model`; `value` is that of the named feature."""

    source: Literal["rule", "model"]
    name: str
    text: str
    value: float | None = None


class Verdict(msgspec.Struct, frozen=True):
    """What the rules say, and why; `rested` are rules that need a fact that is unknown for this order."""

    decision: Decision
    reasons: list[Reason]
    fired: list[str]
    rested: list[str]


DEFAULT = RuleSet()
"""The rules until a set is activated: only the thresholds."""


def read(path: Path) -> RuleSet:
    """Return the rules of a TOML file. Raises `RulesError`."""
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise RulesError(f"{path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RulesError(f"{path} is no TOML: {error}") from error
    return from_json(content)


def from_json(content: Any) -> RuleSet:
    """Return checked rules. Raises `RulesError`, which names the rule, the condition and the nearest valid name."""
    try:
        found = msgspec.convert(content, RuleSet)
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at `$")
        raise RulesError(f"{path.rstrip('`').lstrip('.') or 'the file'}: {reason}") from error
    _check(found)
    return found


def to_json(found: RuleSet) -> dict[str, Any]:
    """Return the JSON value that `from_json` reads."""
    content: dict[str, Any] = msgspec.to_builtins(found)
    return content


def decision(name: str) -> Decision:
    """Return the decision of this name. Raises `RulesError`."""
    if name not in DECISIONS:
        raise RulesError(f"{name!r} is no decision: it is one of {', '.join(DECISIONS)}")
    found: Decision = msgspec.convert(name, Decision)
    return found


def velocities(found: RuleSet) -> frozenset[str]:
    """Return the velocities that the rules use."""
    return frozenset(fact for rule in found.rules for fact in rule.when if fact in facts.VELOCITIES)


def unreadable(found: RuleSet) -> list[str]:
    """Return what to say of values that no order can have: an address that is none, a country that nobody knows."""
    said = []
    for rule in found.rules:
        conditions: Mapping[str, Mapping[str, Any]] = rule.when
        for fact, condition in conditions.items():
            typed = [one for name, values in condition.items() if name in _AMONG for one in found.texts(values)]
            typed += [value for name, value in condition.items() if name == "equals" and isinstance(value, str)]
            said += [f"rule {rule.name!r}: no order has the {fact} {one!r}" for one in typed if not _form(fact, one)]
    return said


def decide(found: RuleSet, known: Mapping[str, Fact], *, otherwise: Decision = APPROVE) -> Verdict:
    """Return the decision for an order with these known facts; `otherwise` if neither rules nor model say anything."""
    fired, rested = [], []
    for rule in found.rules:
        if not rule.when.keys() <= known.keys():
            rested.append(rule.name)
        elif all(_holds(found, fact, known[fact], condition) for fact, condition in rule.when.items()):
            fired.append(rule)
    said: list[tuple[Decision, Reason]] = [(rule.decision, Reason("rule", rule.name, rule.reason)) for rule in fired]
    decisions = {decision for decision, _ in said}
    if not decisions & {APPROVE, DECLINE}:
        said += _by_model(found.thresholds, known)
    names = [rule.name for rule in fired]
    if not said:
        return Verdict(otherwise, [], names, rested)
    decision = _winner([decision for decision, _ in said])
    return Verdict(decision, [reason for own, reason in said if own == decision], names, rested)


def _form(fact: str, typed: str) -> str | None:
    """Return what was typed in the form in which orders have it, None where no order has it."""
    try:
        return facts.form(fact, typed)
    except ValueError:
        return None


def _winner(said: Iterable[Decision]) -> Decision:
    """A rule that approves is an exception from a review, but not from a decline."""
    found = set(said)
    return next(decision for decision in (DECLINE, APPROVE, REVIEW) if decision in found)


def _by_model(thresholds: Thresholds, known: Mapping[str, Fact]) -> list[tuple[Decision, Reason]]:
    probability, novelty = known.get("probability"), known.get("novelty")
    if probability is not None:
        for decision, least in ((DECLINE, thresholds.decline), (REVIEW, thresholds.review)):
            if float(probability) >= least:
                text = f"the probability of fraud is {float(probability):.3f}, from {least:g} on: {decision}"
                return [(decision, Reason("model", "probability", text, float(probability)))]
        return []
    if novelty is not None and float(novelty) >= thresholds.novelty:
        text = f"stranger than {float(novelty):.2%} of past orders"
        return [(REVIEW, Reason("model", "novelty", text, float(novelty)))]
    return []


def _holds(found: RuleSet, fact: str, given: Fact, condition: Mapping[str, Any]) -> bool:
    if facts.KNOWN[fact] != TEXT:
        return all(_COMPARE[name][0](given, value) for name, value in condition.items())
    return all(
        _COMPARE[name][0](given, found.among(fact, value if name in _AMONG else [value]))
        for name, value in condition.items()
    )


def _check(found: RuleSet) -> None:
    names = [rule.name for rule in found.rules]
    for name in names:
        if names.count(name) > 1:
            raise RulesError(f"two rules are called {name!r}: a name tells which rule decided")
    if found.thresholds.review > found.thresholds.decline:
        raise RulesError(
            f"thresholds: review ({found.thresholds.review:g}) is above decline ({found.thresholds.decline:g})"
        )
    for rule in found.rules:
        for fact, condition in rule.when.items():
            _check_condition(found, rule.name, fact, condition)


def _check_condition(found: RuleSet, rule: str, fact: str, condition: Mapping[str, Any]) -> None:
    if fact not in facts.KNOWN:
        raise RulesError(f"rule {rule!r}: there is no fact {fact!r}; {_nearest(fact, facts.KNOWN)}")
    kind = facts.KNOWN[fact]
    if not condition:
        raise RulesError(f"rule {rule!r}: {fact} has no condition; give one of {', '.join(_COMPARE)}")
    for name, value in condition.items():
        if name not in _COMPARE:
            raise RulesError(f"rule {rule!r}: {fact} has no comparison {name!r}; {_nearest(name, _COMPARE)}")
        if kind not in _COMPARE[name][1]:
            raise RulesError(f"rule {rule!r}: {fact} is {kind}, which {name!r} does not compare")
        _check_value(found, f"rule {rule!r}: {fact} {name}", name, kind, value)


def _check_value(found: RuleSet, where: str, name: str, kind: str, value: Any) -> None:
    if name in _AMONG:
        if isinstance(value, str):
            if value.removeprefix("@") not in found.lists or not value.startswith("@"):
                raise RulesError(f"{where}: {value!r} names no list; {_nearest('@' + value, _named(found))}")
        elif not isinstance(value, list):
            raise RulesError(f"{where}: give a list of texts, or the name of a list such as '@blocked'")
        return
    fits = {NUMBER: isinstance(value, (int, float)) and not isinstance(value, bool), TEXT: isinstance(value, str)}
    if not fits.get(kind, isinstance(value, bool)):
        raise RulesError(f"{where}: {value!r} is not {kind}")


def _named(found: RuleSet) -> list[str]:
    return [f"@{name}" for name in found.lists]


def _nearest(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.0)
    return f"did you mean {close[0]!r}?" if close else "there are none"
