"""An array with a row per slot, which grows by doubling."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


class Column:
    """Rows of one shape and type; rows never written hold `fill`."""

    def __init__(self, dtype: npt.DTypeLike, *, width: int | None = None, fill: Any = 0) -> None:
        self._width = () if width is None else (width,)
        self._fill = fill
        self._rows = np.full((16, *self._width), fill, dtype)

    def set(self, slot: int, value: Any) -> None:
        """Write one row, at any slot from 0."""
        if slot >= len(self._rows):
            grown = np.full((max(slot + 1, 2 * len(self._rows), 16), *self._width), self._fill, self._rows.dtype)
            grown[: len(self._rows)] = self._rows
            self._rows = grown
        self._rows[slot] = value

    def fill(self, rows: np.ndarray) -> None:
        """Set the first rows at once, in a column without written rows."""
        self._rows = np.array(rows, self._rows.dtype)

    def change(self, slot: int, by: Any) -> None:
        """Add to one row that was written."""
        self._rows[slot] += by

    def at(self, slot: int) -> Any:
        """One row that was written."""
        return self._rows[slot]

    def first(self, count: int) -> np.ndarray:
        """The first `count` rows: a view, to be read before the next row is written."""
        return self._rows[:count]
