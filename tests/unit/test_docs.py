"""The documents: their examples are messages, every task and field is described, and links lead somewhere."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pytest

from reshelf import catalogue, events, orders, parsing, tasks

ROOT = Path(__file__).parents[2]
PAGES = [*sorted((ROOT / "docs").rglob("*.md")), ROOT / "README.md", ROOT / "CHANGELOG.md"]
MESSAGES = (ROOT / "docs" / "messages.md").read_text("utf-8")
NOW = datetime(2026, 11, 1, tzinfo=UTC)

CHANGES: tuple[Any, ...] = get_args(catalogue.Change)
TASKS = [value for name, value in vars(tasks).items() if name.isupper() and str(value).startswith("reshelf.")]
MESSAGES_OF = (events.Event, orders.Order, orders.Line, orders.Label, *CHANGES)
FIELDS = sorted({field for kind in MESSAGES_OF for field in kind.__struct_fields__} | {"kind"})
CHANGE_KINDS = [kind.__struct_config__.tag for kind in CHANGES]

_OTHER_IDS = {"event_id", "change_id", "label_id"}
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE_CODE = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")


def _blocks(language: str) -> list[str]:
    return [text for found, text in _FENCE.findall(MESSAGES) if found == language]


def _rows() -> Iterator[dict[str, Any]]:
    """Yield every row of every JSON example: single, in a list, or in a list with a name. Answers are none."""
    for block in _blocks("json"):
        example = json.loads(block)
        if isinstance(example, dict):
            if "rejected" in example:
                continue
            example = example.get("events") or example.get("changes") or [example]
        yield from example


def test_the_examples_are_messages() -> None:
    rows = list(_rows())
    parsed_events = parsing.parse_events([row for row in rows if "event_id" in row], now=NOW)
    parsed_changes = parsing.parse_changes([row for row in rows if "change_id" in row], now=NOW)
    parsed_labels = parsing.parse_labels([row for row in rows if "label_id" in row], now=NOW)
    parsed_orders = parsing.parse_orders([row for row in rows if not row.keys() & _OTHER_IDS], now=NOW)
    parsed = (parsed_events, parsed_changes, parsed_labels, parsed_orders)
    assert [one.bad for one in parsed] == [[]] * 4
    assert {type(change) for change in parsed_changes.good} == set(CHANGES)
    assert len(parsed_events.good) >= 3
    assert len(parsed_orders.good) == len(parsed_labels.good) == 1
    ids = [row.get("event_id") or row.get("change_id") or row.get("label_id") or row["order_id"] for row in rows]
    assert len(set(ids)) == len(ids)


def test_the_rows_in_commands_are_messages() -> None:
    [body] = [body for block in _blocks("sh") for body in re.findall(r"-d '(.*?)'", block, re.DOTALL)]
    assert not parsing.parse_events(json.loads(body), now=NOW).bad


def test_the_python_examples_are_python() -> None:
    examples = _blocks("python")
    assert examples
    for number, example in enumerate(examples):
        compile(example, f"messages.md, example {number}", "exec")


@pytest.mark.parametrize("task", TASKS)
def test_every_task_is_described(task: str) -> None:
    assert f"`{task}`" in MESSAGES


@pytest.mark.parametrize(
    "name", [*FIELDS, *parsing.Rejection.__struct_fields__, *events.KINDS, *orders.LABEL_KINDS, *CHANGE_KINDS]
)
def test_every_field_and_kind_is_described(name: str) -> None:
    assert f"`{name}`" in MESSAGES


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_to_files_that_are_there(page: Path) -> None:
    text = _INLINE_CODE.sub("", _FENCE.sub("", page.read_text("utf-8")))
    targets = (link.partition("#")[0] for link in _LINK.findall(text) if "://" not in link and "mailto:" not in link)
    missing = [target for target in targets if target and not (page.parent / target).exists()]
    assert not missing
