"""Named presets of frozen configs, with options overridden by name."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from model.errors import ConfigError

C = TypeVar("C")


def named(config: type[C], presets: Mapping[str, Mapping[str, Any]], name: str, overrides: Mapping[str, Any]) -> C:
    """The preset `name` of a config class, with single options replaced.

    Raises ConfigError for an unknown preset or option, naming the nearest known one.
    """
    if name not in presets:
        raise unknown("preset", name, presets)
    return replaced(config(**presets[name]), overrides)


def replaced(config: C, overrides: Mapping[str, Any]) -> C:
    """`config`, an instance of a dataclass, with options replaced. Raises ConfigError for an unknown option."""
    types = {field.name: field.type for field in dataclasses.fields(config)}  # type: ignore[arg-type]  # a dataclass
    for option in overrides:
        if option not in types:
            raise unknown("option", option, types)
    # A whole number for an option that is a float is one.
    given = {n: float(v) if types[n] == "float" and type(v) is int else v for n, v in overrides.items()}
    return dataclasses.replace(config, **given)  # type: ignore[type-var]  # a dataclass


def unknown(what: str, name: str, known: Iterable[str]) -> ConfigError:
    """The error for an unknown name; it names the nearest one and all known ones."""
    known = list(known)
    nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.0)
    return ConfigError(f"unknown {what} {name!r}; did you mean {nearest[0]!r}? Known: {', '.join(known)}")
