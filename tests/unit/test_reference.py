"""The reference pages list what the code has: tasks, fields, routes, commands, metrics, tables, benchmarks, facts."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import click
import pytest
from prometheus_client import REGISTRY

from api_gateway.app import create
from api_gateway.http.metrics import Metrics
from benchmarks import __main__ as listing
from reshelf import catalogue, events, orders, parsing, tasks
from storage.tables import metadata
from workers import capabilities, cli
from workers.fraud.rules import facts
from workers.settings import Settings

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]

CHANGES: tuple[Any, ...] = get_args(catalogue.Change)
TASKS = [value for name, value in vars(tasks).items() if name.isupper() and str(value).startswith("reshelf.")]
MESSAGES_OF = (events.Event, orders.Order, orders.Line, orders.Label, *CHANGES)
FIELDS = sorted({field for kind in MESSAGES_OF for field in kind.__struct_fields__} | {"kind"})
CHANGE_KINDS = [kind.__struct_config__.tag for kind in CHANGES]

_CODE = re.compile(r"`([^`\n]+)`")
_FIRST_CELL = re.compile(r"^\| (.*?) \|", re.MULTILINE)
_COMMAND = re.compile(r"\breshelf((?: [a-z][a-z-]*)+)")
_LINE_OF_SHELL = re.compile(r"^(?: {4}|\$ )?(?:[A-Z_]+=\S+ )*(reshelf [^#\n]*)", re.MULTILINE)
_FENCE = re.compile(r"^```(?:sh|)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"(?:^ {4}\S.*\n)+", re.MULTILINE)


def _reference(name: str) -> str:
    return (DOCS / "reference" / f"{name}.md").read_text("utf-8")


def _listed(page: str) -> set[str]:
    """Return what the first cells of a page's tables name."""
    return {name for cell in _FIRST_CELL.findall(page) for name in _CODE.findall(cell)}


@pytest.mark.parametrize("task", TASKS)
def test_every_task_is_described_with_its_queue(task: str) -> None:
    assert f"| `{task}` | `{capabilities.queue_of(task)}` |" in _reference("tasks")


def test_no_task_is_described_that_is_none() -> None:
    assert {name for name in _listed(_reference("tasks")) if name.startswith("reshelf.")} == set(TASKS)


def test_what_the_clock_sends_is_described_with_its_interval() -> None:
    told = dict(re.findall(r"^\| `([\w.]+)` \| (?:`\w+` \()?([\d,]+) s\)? \|$", _reference("tasks"), re.MULTILINE))
    beats = [beat for one in capabilities.ALL for beat in one.beats.values()]
    assert {task: float(every.replace(",", "")) for task, every in told.items()} == {
        beat.task: beat.every(Settings()) for beat in beats
    }


@pytest.mark.parametrize(
    "name", [*FIELDS, *parsing.Rejection.__struct_fields__, *events.KINDS, *orders.LABEL_KINDS, *CHANGE_KINDS]
)
def test_every_field_and_kind_is_described(name: str) -> None:
    assert f"`{name}`" in _reference("messages")


def test_http_describes_every_route_and_no_other() -> None:
    gateway = create(Settings(database_url="postgresql://nobody@127.0.0.1:1/none"))
    routes = {
        f"{method} {route.path_format}"
        for route in gateway.routes
        for method in getattr(route, "methods", ())
        if method not in ("OPTIONS", "HEAD") and not route.path.startswith("/schema")
    }
    told = re.findall(r"`((?:GET|POST|PUT|DELETE) /[^`?]*)[^`]*`", _reference("http"))
    assert set(told) == routes


def _commands(group: click.Group, *before: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield every command with the words that call it; a group counts where it does something by itself."""
    with click.Context(group) as context:
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            assert command is not None
            words = (*before, name)
            if isinstance(command, click.Group):
                yield from _commands(command, *words)
            if not isinstance(command, click.Group) or command.invoke_without_command:
                yield words, command


COMMANDS = dict(_commands(cli.main))


def _called(words: list[str]) -> tuple[str, ...] | None:
    """Return the command that these words begin with, None where there is none."""
    whole = (tuple(words[:length]) for length in range(len(words), 0, -1))
    return next((call for call in whole if call in COMMANDS), None)


def test_the_command_line_lists_every_command() -> None:
    page = _reference("command-line")
    listed = {_called(words.split()) for words in _COMMAND.findall(page)}
    assert set(COMMANDS) - listed == set()


def _shell_lines(page: Path) -> Iterator[str]:
    text = page.read_text("utf-8")
    for block in (*_FENCE.findall(text), *_INDENTED.findall(text)):
        yield from _LINE_OF_SHELL.findall(block.replace("\\\n", " "))


def _is_wrong(line: str) -> bool:
    """Return whether a line of shell calls a command that is none, or one without an option that it gives."""
    words = line.split()[1:]
    call = _called(words)
    if call is None:
        return not words[0].startswith("-")  # options of `reshelf` itself
    known = {"--help", *(name for option in COMMANDS[call].params for name in option.opts)}
    return not {word.partition("=")[0] for word in words if word.startswith("--")} <= known


def test_a_wrong_command_and_a_wrong_option_would_be_noticed() -> None:
    assert _is_wrong("reshelf trian")
    assert _is_wrong("reshelf train --preste tiny")
    assert not _is_wrong("reshelf train search --preset=tiny")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_commands_on_pages_are_there_and_have_these_options(page: Path) -> None:
    assert [line for line in _shell_lines(page) if _is_wrong(line)] == []


def _measured() -> set[str]:
    """Return the names of all metrics of ours, without the endings that Prometheus adds."""
    for gauge in capabilities.gauges():
        importlib.import_module(gauge.partition(":")[0])
    found = {metric.name for registry in (REGISTRY, Metrics().registry) for metric in registry.collect()}
    return {name for name in found if name.startswith("reshelf_")}


def test_metrics_are_listed_and_no_other() -> None:
    assert {name for name in _listed(_reference("metrics")) if name.startswith("reshelf_")} == _measured()


def test_tables_are_listed_and_no_other() -> None:
    assert _listed(_reference("tables")) == set(metadata.tables)


def test_every_benchmark_is_listed() -> None:
    told = {name.removeprefix("python -m ") for name in _listed(_reference("benchmarks"))}
    assert set(listing.listed()) <= told


def test_every_fact_of_rules_is_described() -> None:
    page = (DOCS / "howto" / "write-fraud-rules.md").read_text("utf-8")
    assert [name for name in (*facts.FROM_ORDER, *facts.FROM_MODEL, *facts.COUNTED) if f"`{name}`" not in page] == []
    assert [window for window in facts.WINDOWS if f"_{window}`" not in page] == []
