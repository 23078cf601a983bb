"""Arrays of numbers as parameters of a statement, in PostgreSQL's own format: no element becomes an object, or text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.adapt import Dumper, PyFormat
from psycopg.pq import Format

if TYPE_CHECKING:  # whoever only reads needs no NumPy
    import numpy as np


@dataclass(frozen=True)
class Packed:
    """An array of one dimension: the name of its elements' type, and the array as `array_recv` takes it."""

    type: str
    content: bytes


def integers(parts: Sequence[np.ndarray]) -> Packed:
    """Return arrays of integers, one after another, as one array of PostgreSQL's `int4`."""
    return _packed("int4", ">i4", parts)


def floats(parts: Sequence[np.ndarray]) -> Packed:
    """Return arrays of numbers, one after another, as one array of PostgreSQL's `float4`."""
    return _packed("float4", ">f4", parts)


def _packed(name: str, form: str, parts: Sequence[np.ndarray]) -> Packed:
    import numpy as np

    count = sum(map(len, parts))
    # Dimensions, whether there are nulls, the elements' type, their number, the index of the first.
    head = np.array([1, 0, psycopg.adapters.types[name].oid, count, 1], ">i4")
    elements = np.empty(count, [("bytes", ">i4"), ("value", form)])
    elements["bytes"] = 4
    elements["value"] = np.concatenate(parts)
    return Packed(name, head.tobytes() + elements.tobytes())


class _PackedDumper(Dumper):
    format = Format.BINARY

    def get_key(self, obj: Packed, format: PyFormat) -> Any:
        return (self.cls, obj.type)

    def upgrade(self, obj: Packed, format: PyFormat) -> Dumper:
        made = type(self)(self.cls)
        made.oid = psycopg.adapters.types[obj.type].array_oid
        return made

    def dump(self, obj: Packed) -> bytes:
        return obj.content


def install() -> None:
    """Let the connections of engines made from now on take packed arrays."""
    psycopg.adapters.register_dumper(Packed, _PackedDumper)
