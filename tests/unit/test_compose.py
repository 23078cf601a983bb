"""compose.yaml: valid by the published schema, and every command in it is one that `reshelf` has."""

from __future__ import annotations

import json
import re
from importlib import resources
from pathlib import Path
from typing import Any

import click
import jsonschema
import pytest
import yaml

from workers import cli
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
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))


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
