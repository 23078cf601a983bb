"""compose.yaml: valid by the published schema, and every command in it is one that `reshelf` has."""

from __future__ import annotations

import json
import re
import subprocess
from importlib import resources
from pathlib import Path
from typing import Any

import click
import jsonschema
import pytest
import yaml

from workers import cli, exposure
from workers import settings as configuration
from workers.supervisor import processes

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
GPU = yaml.safe_load((ROOT / "compose.gpu.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"].startswith("reshelf:")}


def parse(words: list[str]) -> click.Context:
    """Parse a `reshelf` command line down to its last option; raises `click.UsageError`."""
    with click.Context(cli.main) as group:
        name, command, rest = cli.main.resolve_command(group, list(words))
        assert command is not None
        return command.make_context(name, rest, parent=group)


@pytest.mark.parametrize("document", [COMPOSE, GPU], ids=["compose.yaml", "compose.gpu.yaml"])
def test_it_is_valid_compose(document: dict[str, Any]) -> None:
    # The schema of the Compose Specification (Apache-2.0), as check-jsonschema ships it.
    schema = resources.files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json"
    jsonschema.validate(document, json.loads(schema.read_text()))


def test_it_runs_the_programs_that_up_runs() -> None:
    assert set(SERVICES) == {*processes.NAMES, "migrate"}


@pytest.mark.parametrize("name", OURS)
def test_every_command_and_health_check_is_a_reshelf_command(name: str) -> None:
    service = OURS[name]
    assert parse(service["command"]).info_name == service["command"][0]
    if name == "migrate":
        return
    kind, program, *words = service["healthcheck"]["test"]
    assert (kind, program) == ("CMD", "reshelf")
    assert parse(words).params["program"] == name


def test_a_command_that_does_not_exist_would_be_noticed() -> None:
    with pytest.raises(click.UsageError):
        parse(["worker", "accounting"])


@pytest.mark.parametrize("name", [name for name in SERVICES if name != "migrate"])
def test_every_service_comes_back_and_says_whether_it_is_healthy(name: str) -> None:
    service = SERVICES[name]
    assert service["restart"] == "unless-stopped"
    assert service["healthcheck"]["test"]
    assert service["stop_grace_period"]


@pytest.mark.parametrize("name", [name for name in OURS if name != "migrate"])
def test_programs_start_after_the_migrations_on_healthy_servers(name: str) -> None:
    conditions = {other: wait["condition"] for other, wait in OURS[name]["depends_on"].items()}
    assert conditions == {
        "migrate": "service_completed_successfully",
        "postgres": "service_healthy",
        "redis": "service_healthy",
    }


@pytest.mark.parametrize("name", OURS)
def test_every_variable_is_a_setting(name: str) -> None:
    configuration.load({key: "1" for key in OURS[name]["environment"] if not key.endswith("_HOST")})


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_on_loopback(name: str) -> None:
    published = "${RESHELF_PUBLISH:-127.0.0.1}:" if name in ("gateway", "flower") else "127.0.0.1:"
    assert all(port.startswith(published) for port in SERVICES[name].get("ports", []))


def _default(name: str) -> str:
    """Return what a variable of the environment is while nothing is set."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", str(COMPOSE["x-environment"][name]))


def _settings(**others: str) -> configuration.Settings:
    return configuration.load({name: _default(name) for name in COMPOSE["x-environment"]} | others)


OWN = {
    "RESHELF_DATABASE_URL": "postgresql://postgres:own@postgres/reshelf",
    "RESHELF_BROKER_URL": "redis://:own@redis:6379/0",
    "RESHELF_API_KEYS": "own",
    "RESHELF_FLOWER_BASIC_AUTH": "reshelf:own",
}


@pytest.mark.parametrize("name", OWN)
def test_a_default_secret_is_refused_beyond_loopback(name: str) -> None:
    exposure.check_secrets(_settings())
    exposure.check_secrets(_settings(RESHELF_PUBLISH="0.0.0.0", **OWN))
    one_left = {variable: value for variable, value in OWN.items() if variable != name}
    with pytest.raises(configuration.SettingsError, match="RESHELF_PUBLISH=0.0.0.0"):
        exposure.check_secrets(_settings(RESHELF_PUBLISH="0.0.0.0", **one_left))


def test_make_env_writes_secrets_that_only_their_owner_reads(tmp_path: Path) -> None:
    made = ["make", "--silent", "-f", str(ROOT / "Makefile"), "env"]
    subprocess.run(made, cwd=tmp_path, check=True, timeout=60)
    file = tmp_path / ".env"
    assert file.stat().st_mode & 0o777 == 0o600
    values = dict(line.split("=", 1) for line in file.read_text().splitlines())
    assert set(values) == {"POSTGRES_PASSWORD", "REDIS_PASSWORD", "RESHELF_API_KEYS", "RESHELF_FLOWER_BASIC_AUTH"}
    assert len({value.rpartition(":")[2] for value in values.values()}) == 4
    assert subprocess.run(made, cwd=tmp_path, timeout=60, stderr=subprocess.DEVNULL).returncode != 0


def test_there_is_no_secret_that_cannot_be_set_from_outside() -> None:
    text = (ROOT / "compose.yaml").read_text()
    for line in text.splitlines():
        if re.search(r"PASSWORD|AUTH:|API_KEYS|requirepass", line) and not line.lstrip().startswith("#"):
            assert "${" in line or "$$" in line, line


def test_the_gpu_override_only_changes_the_workers_that_run_models() -> None:
    assert set(GPU["services"]) == {"worker-background", "worker-recommend", "worker-train"}


def test_the_image_is_built_from_what_the_build_context_has() -> None:
    """Every COPY in the Dockerfile exists and is let through by .dockerignore; it runs as an ordinary user."""
    dockerfile = (ROOT / "Dockerfile").read_text()
    admitted = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = [
        source
        for line in dockerfile.splitlines()
        if line.startswith("COPY ") and "--from" not in line
        for source in line.split()[1:-1]
    ]
    assert set(copied) == admitted
    assert all((ROOT / source).exists() for source in copied)
    assert re.search(r"^USER (?!root)", dockerfile, re.MULTILINE)
    assert 'ENTRYPOINT ["reshelf"]' in dockerfile
