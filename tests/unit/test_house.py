"""The house keeps its measures: short functions, files that can be read at once, folders that can be overlooked."""

from __future__ import annotations

from pathlib import Path

from benchmarks import house


def test_functions_files_and_folders_stay_small() -> None:
    found = house.measured(Path(__file__).parents[2])
    assert found["function_lines_median"] <= 8
    assert found["function_lines_p90"] <= 20
    assert found["files_over_350_lines"] == []
    assert found["folders_over_15_files"] == []
