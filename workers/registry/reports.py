"""What the registry knows of versions: why one was rejected, how good it is, and how two differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, Row

from storage.registry import models


class Difference(NamedTuple):
    """One line of a comparison: a name, and the value of each version; None if a version has none."""

    name: str
    one: Any
    other: Any

    @property
    def change(self) -> float | None:
        """By how much the other's value is larger; None unless both are numbers."""
        numbers = [value for value in (self.one, self.other) if isinstance(value, (int, float))]
        return None if len(numbers) < 2 else numbers[1] - numbers[0]


def reasons(row: Row[Any]) -> list[str]:
    """Return why the gate rejected a version; empty if it passed, or if there was no gate."""
    gate: Mapping[str, Any] = row.gate or {}
    return [] if gate.get("passed", True) else [str(reason) for reason in gate["reasons"]]


def ndcg(row: Row[Any]) -> float | None:
    """Return the NDCG@10 of the version's own held-out test; None if it has none."""
    figures = row.metrics.get("model")
    value = figures.get("ndcg@10") if isinstance(figures, Mapping) else None
    return None if value is None else float(value)


def compare(engine: Engine, one: str, other: str) -> dict[str, list[Difference]]:
    """Return every metric of two versions side by side, and where origin and config differ. Raises `UnknownVersion`."""
    with engine.connect() as connection:
        rows = [_known(connection, version) for version in (one, other)]
    sides = [{part: dict(_flat(values)) for part, values in _described(row).items()} for row in rows]
    pairs = {
        part: [
            Difference(name, *(side[part].get(name) for side in sides)) for name in {**sides[0][part], **sides[1][part]}
        ]
        for part in sides[0]
    }
    return {
        part: [line for line in lines if part == "metrics" or line.one != line.other] for part, lines in pairs.items()
    }


def _known(connection: Connection, version: str) -> Row[Any]:
    """Return a version's row; a version whose weights were deleted can still be compared."""
    found = [row for row in models.versions(connection) if row.version == version]
    return found[0] if found else models.get(connection, version)


def _described(row: Row[Any]) -> dict[str, Mapping[str, Any]]:
    origin = {
        "parent": row.parent,
        "how": row.how,
        "learnt_from": row.learnt_from,
        "learnt_through": row.learnt_through,
    }
    origin |= {"code": row.code, "digest": row.digest}
    return {"metrics": row.metrics, "origin": origin, "config": row.config}


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
