"""The documents: links lead somewhere, named files are there, no page is lost, and examples are messages."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest

from reshelf import catalogue, parsing
from workers.fraud.rules import rules

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
START = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", DOCS / "README.md")
PAGES = [*sorted(DOCS.rglob("*.md")), *sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("benchmarks/**/*.md"))]
EXAMPLES = [DOCS / "reference" / "messages.md", DOCS / "howto" / "send-events.md"]
RULES = DOCS / "howto" / "write-fraud-rules.md"
NOW = datetime(2026, 11, 1, tzinfo=UTC)

CHANGES: tuple[Any, ...] = get_args(catalogue.Change)

_OTHER_IDS = {"event_id", "change_id", "label_id"}
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE_CODE = re.compile(r"`([^`\n]*)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
_FOLDERS = ("reshelf", "workers", "model", "storage", "api_gateway", "demo", "benchmarks", "tests", "docs")
_PATH = re.compile(rf"(?:{'|'.join(_FOLDERS)})/[\w./-]*\w/?")
_FILE = re.compile(r"[\w/]+\.py")
_PAGE_IN_CODE = re.compile(r"docs/[\w/-]+\.md")
_IMPORTABLE = ("workers", "api_gateway", "storage", "model", "reshelf", "demo", "benchmarks", "tests")


def _of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def _blocks(language: str) -> list[str]:
    return [text for page in EXAMPLES for found, text in _FENCE.findall(page.read_text("utf-8")) if found == language]


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


@pytest.mark.parametrize("page", PAGES, ids=_of)
def test_the_python_examples_are_python(page: Path) -> None:
    for number, (language, example) in enumerate(_FENCE.findall(page.read_text("utf-8"))):
        if language == "python":
            compile(example, f"{page.name}, example {number}", "exec")


def test_the_example_of_rules_is_a_file_of_rules() -> None:
    [example] = [text for language, text in _FENCE.findall(RULES.read_text("utf-8")) if language == "toml"]
    found = rules.from_json(tomllib.loads(example))
    assert [rule.decision for rule in found.rules] == ["decline", "review"]


@cache
def _prose(page: Path) -> str:
    return _FENCE.sub("", page.read_text("utf-8"))


def _targets(page: Path) -> Iterator[tuple[Path, str]]:
    """Yield what the links of a page lead to within the repository: a path, and an anchor or an empty text."""
    for link in _LINK.findall(_INLINE_CODE.sub("", _prose(page))):
        if "://" not in link and "mailto:" not in link:
            path, _, anchor = link.partition("#")
            yield ((page.parent / path).resolve() if path else page), anchor


def _anchors(page: Path) -> set[str]:
    """Return the anchors that a Markdown renderer gives the headings of a page."""
    headings = (re.sub(r"[`*]", "", heading).strip().lower() for heading in _HEADING.findall(_prose(page)))
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=_of)
def test_links_lead_to_files_and_headings_that_are_there(page: Path) -> None:
    missing = [
        f"{_of(target) if target.is_relative_to(ROOT) else target}#{anchor}"
        for target, anchor in _targets(page)
        if not target.exists() or (anchor and anchor not in _anchors(target))
    ]
    assert missing == []


def test_every_page_is_reached_by_links_from_the_start() -> None:
    reached, waiting = set(START), list(START)
    while waiting:
        for target, _ in _targets(waiting.pop()):
            pages = sorted(target.glob("*.md")) if target.is_dir() else [target]
            new = [page for page in pages if page.suffix == ".md" and page not in reached]
            reached.update(new)
            waiting.extend(new)
    assert [_of(page) for page in DOCS.rglob("*.md") if page not in reached] == []


@cache
def _python_files() -> tuple[str, ...]:
    return tuple(_of(file) for folder in _IMPORTABLE for file in (ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "CHANGELOG.md"], ids=_of)
def test_files_that_are_named_are_there(page: Path) -> None:
    """A whole path has to be there; a part of one, such as `training/loss.py`, has to be the end of one that is."""
    named = [name for name in _INLINE_CODE.findall(_prose(page)) if "CAP" not in name]  # stands for any capability
    paths = {name for name in named if _PATH.fullmatch(name)}
    ends = {name for name in named if _FILE.fullmatch(name)} - paths
    missing = {path for path in paths if not (ROOT / path).exists()}
    assert missing | {end for end in ends if not any(file.endswith(f"/{end}") for file in _python_files())} == set()


def test_pages_that_code_names_are_there() -> None:
    named = {page for file in _python_files() for page in _PAGE_IN_CODE.findall((ROOT / file).read_text("utf-8"))}
    assert named
    assert {page for page in named if not (ROOT / page).exists()} == set()
