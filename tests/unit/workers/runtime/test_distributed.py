"""The group that settings name: complete or none, and each mistake names the variable and the fix."""

from __future__ import annotations

from typing import Any

import pytest

from workers.runtime import distributed
from workers.settings import Settings, SettingsError


def test_without_a_coordinator_a_process_is_alone() -> None:
    assert distributed.from_settings(Settings()) is None
    with distributed.joined(Settings()):
        pass


def test_a_complete_group() -> None:
    settings = Settings(coordinator="trainer-0:7000", processes=4, process=3, process_timeout=20)
    assert distributed.from_settings(settings) == distributed.Group("trainer-0:7000", 4, 3, 20)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"processes": 2}, "need RESHELF_COORDINATOR"),
        ({"process": 1}, "need RESHELF_COORDINATOR"),
        ({"coordinator": "trainer-0", "processes": 2}, "RESHELF_COORDINATOR='trainer-0': .*HOST:PORT"),
        ({"coordinator": "trainer-0:7000"}, "RESHELF_PROCESSES=1: a group has at least 2"),
        ({"coordinator": "trainer-0:7000", "processes": 2, "process": 2}, "RESHELF_PROCESS=2: number .* which is 1"),
        ({"coordinator": "trainer-0:7000", "processes": 2, "process": -1}, "RESHELF_PROCESS=-1"),
        ({"coordinator": "trainer-0:7000", "processes": 2, "process_timeout": 0}, "RESHELF_PROCESS_TIMEOUT=0"),
    ],
)
def test_what_is_wrong_names_the_variable(given: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        distributed.from_settings(Settings(**given))
