"""The fuzz run of the loader, a short one: nothing is lost, nothing is changed, nothing raises."""

from __future__ import annotations

import pytest

from benchmarks.serving.load_fuzz import __main__ as fuzz


@pytest.mark.parametrize("seed", [1, 2])
def test_every_line_of_a_damaged_file_is_loaded_or_counted(seed: int) -> None:
    found = fuzz.run(10_000, seed)
    assert (found.tracebacks, found.refused, found.examples) == ([], [], [])
    assert (found.lines_that_do_not_add_up, found.lines_not_read) == (0, 0)
    assert (found.intact_lines_lost, found.intact_lines_changed) == (0, 0)
    assert found.lines_damaged > 200
    assert len(found.encodings) == 9 + 1
