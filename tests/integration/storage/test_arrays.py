"""Packed arrays arrive as they were sent, whatever their parts, beside parameters of every other kind."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from sqlalchemy import Engine, text

from storage import arrays

INTEGERS: list[list[list[int]]] = [
    [[]],
    [[], []],
    [[7]],
    [[1, 2, 3], [], [4], [5, 6]],
    [[0, -1, 2**31 - 1], [-(2**31)]],
    [list(range(5_000)), list(range(5_000, 0, -1))],
]
FLOATS: list[list[list[float]]] = [
    [[]],
    [[0.1, -0.0, 1e-45], [], [3.4028235e38]],
    [[float("inf")], [float("-inf"), float("nan")]],
    [[1 / (n + 1) for n in range(5_000)], [0.5]],
]


@pytest.mark.parametrize("parts", INTEGERS)
@pytest.mark.parametrize("kind", [np.int32, np.int64])
def test_integers(database: Engine, parts: Sequence[Sequence[int]], kind: type[np.integer]) -> None:
    packed = arrays.integers([np.array(part, kind) for part in parts])
    with database.connect() as connection:
        found, name = connection.execute(text("SELECT :packed, pg_typeof(:packed)::text"), {"packed": packed}).one()
    assert (found, name) == ([number for part in parts for number in part], "integer[]")


@pytest.mark.parametrize("parts", FLOATS)
def test_floats_bit_for_bit(database: Engine, parts: Sequence[Sequence[float]]) -> None:
    given = [np.array(part, np.float32) for part in parts]
    with database.connect() as connection:
        found, name = connection.execute(
            text("SELECT :packed, pg_typeof(:packed)::text"), {"packed": arrays.floats(given)}
        ).one()
    assert name == "real[]"
    assert np.array(found, np.float32).tobytes() == np.concatenate(given).tobytes()


def test_both_beside_others_in_one_statement_again_and_again(database: Engine) -> None:
    """Often enough for the driver to prepare the statement, and with null and other lengths in between."""
    statement = text("""
    SELECT (CAST(:numbers AS int4[]))[2:3], (CAST(:scores AS float4[]))[2:], CAST(:names AS text[]), :nothing
    """)
    with database.connect() as connection:
        for count in (3, 0, 5, 4, 3, 1, 3, 3, 3):
            numbers_N, scores_N = np.arange(count), np.arange(count, dtype=np.float32) / 2
            parameters = {"numbers": arrays.integers([numbers_N]), "scores": arrays.floats([scores_N])}
            found = connection.execute(statement, parameters | {"names": ["a", "é"], "nothing": None}).one()
            assert tuple(found) == (numbers_N[1:3].tolist(), scores_N[1:].tolist(), ["a", "é"], None)
