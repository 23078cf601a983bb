"""Settings: from the environment, over what a running `reshelf up` chose; mistakes are named."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import msgspec
import pytest

from workers import settings
from workers.settings import Settings, SettingsError

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "settings.md"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


def load(home: Path, **values: str) -> Settings:
    return settings.load({"RESHELF_HOME": str(home)} | {f"RESHELF_{name}": text for name, text in values.items()})


def run_file(home: Path, **values: object) -> None:
    (home / settings.RUN_FILE).write_text(json.dumps(values))


def test_without_an_environment_the_defaults_stand(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert settings.load({}) == Settings()


def test_values_are_converted(home: Path) -> None:
    loaded = load(home, GATEWAY_PORT="9000", LEASE="2.5", PRESET="tiny")
    assert (loaded.gateway_port, loaded.lease, loaded.preset, loaded.home) == (9000, 2.5, "tiny", home)


def test_an_empty_variable_counts_as_unset(home: Path) -> None:
    assert load(home, DATABASE_URL="").database_url is None


def test_an_unknown_variable_names_the_nearest_one(home: Path) -> None:
    with pytest.raises(SettingsError, match="RESHELF_DATABSE_URL: did you mean RESHELF_DATABASE_URL"):
        load(home, DATABSE_URL="postgresql://")


def test_other_programs_variables_are_none_of_our_business(home: Path) -> None:
    settings.load({"RESHELF_HOME": str(home), "DATABASE_URL": "x", "SHELF": "y"})


def test_a_value_of_the_wrong_type_names_the_variable(home: Path) -> None:
    with pytest.raises(SettingsError, match="RESHELF_GATEWAY_PORT='eighty'"):
        load(home, GATEWAY_PORT="eighty")


def test_a_running_up_is_found_and_the_environment_wins(home: Path) -> None:
    run_file(home, pid=os.getpid(), gateway_port=8081, flower_port=5556, socket="not a setting")
    loaded = load(home, FLOWER_PORT="7777")
    assert (loaded.gateway_port, loaded.flower_port) == (8081, 7777)


def test_what_a_dead_up_chose_is_ignored(home: Path) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    run_file(home, pid=ended.pid, database_url="postgresql://gone")
    assert load(home).database_url is None


def test_a_damaged_run_file_says_what_to_do(home: Path) -> None:
    (home / settings.RUN_FILE).write_text("{")
    with pytest.raises(SettingsError, match="delete it"):
        load(home)


def test_a_child_loads_exactly_the_same_settings(home: Path) -> None:
    chosen = load(home, BROKER_URL="redis://:p%40ss@host/0", GATEWAY_PORT="8088", POPULAR_WINDOW_DAYS="30")
    assert settings.load(settings.to_environ(chosen)) == chosen


def test_kind_weights_are_a_json_object_of_numbers(home: Path) -> None:
    assert settings.weights(load(home)) == {}
    assert settings.weights(load(home, KIND_WEIGHTS='{"purchase": 3, "view": 0.5}')) == {"purchase": 3.0, "view": 0.5}
    with pytest.raises(SettingsError, match="RESHELF_KIND_WEIGHTS"):
        settings.weights(load(home, KIND_WEIGHTS="purchase=3"))


def test_the_documentation_lists_every_setting_with_its_default() -> None:
    listed = dict(re.findall(r"^\| `(RESHELF_\w+)` \| (.*?) \|", PAGE.read_text(), re.MULTILINE))
    defaults = msgspec.to_builtins(Settings(), enc_hook=str)
    expected = {f"RESHELF_{name.upper()}": "" if value is None else f"`{value}`" for name, value in defaults.items()}
    assert listed == expected
