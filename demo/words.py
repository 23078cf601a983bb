"""The words that the made-up shop's titles are put together from: `departments.toml`, read once."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources

import msgspec


@dataclass(frozen=True)
class Department:
    """A department: its kinds of products with price ranges in euro, its brands, and the attributes of its items."""

    name: str
    brands: tuple[str, ...]
    kinds: dict[str, tuple[float, float]]
    axes: dict[str, tuple[str, ...]]
    pattern: str = "{brand} {first} {noun}, {second}"


def _read() -> tuple[Department, ...]:
    file = resources.files("demo") / "departments.toml"
    return msgspec.toml.decode(file.read_bytes(), type=dict[str, tuple[Department, ...]])["departments"]


DEPARTMENTS = _read()
