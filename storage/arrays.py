"""Arrays as parameters of a statement, in PostgreSQL's binary format.

psycopg would look up the type of each element and write it as text. None of these arrays may hold a null.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.adapt import Dumper, PyFormat
from psycopg.pq import Format

if TYPE_CHECKING:  # a process that only reads needs no NumPy
    import numpy as np


_HEAD = struct.Struct(">5i")
_size = struct.Struct(">i").pack
_big = struct.Struct(">iq").pack


@dataclass(frozen=True)
class Packed:
    """A one-dimensional array: the type name of its elements, and the bytes that PostgreSQL's `array_recv` reads."""

    type: str
    content: bytes


def texts(values: Iterable[str]) -> Packed:
    """Return texts as one array of PostgreSQL's `text`."""
    encoded = [value.encode() for value in values]
    return _packed("text", len(encoded), b"".join([part for text in encoded for part in (_size(len(text)), text)]))


def marks(values: Sequence[int]) -> Packed:
    """Return whole numbers as one array of PostgreSQL's `int8`."""
    return _packed("int8", len(values), b"".join([_big(8, value) for value in values]))


def integers(parts: Sequence[np.ndarray]) -> Packed:
    """Return arrays of integers, one after another, as one array of PostgreSQL's `int4`."""
    return _numbers("int4", ">i4", parts)


def floats(parts: Sequence[np.ndarray]) -> Packed:
    """Return arrays of numbers, one after another, as one array of PostgreSQL's `float4`."""
    return _numbers("float4", ">f4", parts)


def _numbers(name: str, form: str, parts: Sequence[np.ndarray]) -> Packed:
    import numpy as np

    elements = np.empty(sum(map(len, parts)), [("bytes", ">i4"), ("value", form)])
    elements["bytes"] = 4
    elements["value"] = np.concatenate(parts)
    return _packed(name, len(elements), elements.tobytes())


def _packed(name: str, count: int, elements: bytes) -> Packed:
    # Number of dimensions, flag for nulls, element type, number of elements, index of the first.
    return Packed(name, _HEAD.pack(1, 0, psycopg.adapters.types[name].oid, count, 1) + elements)


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
    """Register packed arrays as parameters for the connections of engines made from now on."""
    psycopg.adapters.register_dumper(Packed, _PackedDumper)
