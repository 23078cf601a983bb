"""The tutorial, step by step as a newcomer does it: every command works, and prints what the page says."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "start" / "tutorial.md"
PORT = 8080
"""The gateway's port on the page."""

_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SAVED = re.compile(r"Save this as `([\w.]+)`")
_ELLIPSIS = "…"


class Step(NamedTuple):
    """One fenced block of the page, and the text between it and the block before."""

    language: str
    text: str
    before: str


def steps(page: str) -> Iterator[Step]:
    """Yield the blocks of a page in order."""
    end = 0
    for found in _FENCE.finditer(page):
        yield Step(found[1], found[2], page[end : found.start()])
        end = found.end()


def matches(expected: str, output: str) -> bool:
    """Return whether the output holds the expected text, in which an ellipsis stands for anything."""
    parts = [re.escape(part.strip("\n")) for part in expected.split(_ELLIPSIS)]
    return re.search(".*?".join(parts), output, re.DOTALL) is not None


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


class Shell:
    """A newcomer's shell: it keeps its folder from step to step."""

    def __init__(self, folder: Path) -> None:
        commands = folder / "bin"
        commands.mkdir()
        # `reshelf` and `python` of this checkout, whatever is installed beside it.
        for name, command in (("python", ""), ("reshelf", " -m workers.cli")):
            (commands / name).write_text(f'#!/bin/sh\nexec "{sys.executable}"{command} "$@"\n')
            (commands / name).chmod(0o755)
        self.port = _free_port()
        self.folder = folder
        # The workers that the page does not need are left out where a setting allows it: the machine is shared.
        given = {"RESHELF_GATEWAY_PORT": str(self.port), "RESHELF_FRAUD": "false", "JAX_PLATFORMS": "cpu"}
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RESHELF_")}
        self.environment = kept | given | {"PATH": f"{commands}:{os.environ['PATH']}"}

    def run(self, commands: str) -> str:
        """Run the commands of a block, and return what they print. Fails with it where one of them does."""
        script = f"set -e -o pipefail\n{commands}\npwd > '{self.folder}/where'"
        where = (self.folder / "where").read_text().strip() if (self.folder / "where").exists() else self.folder
        run = subprocess.run(
            ["bash", "-c", script.replace(f":{PORT}", f":{self.port}")],
            cwd=where,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
        )
        assert run.returncode == 0, f"{commands}\n{run.stdout}"
        return run.stdout

    def save(self, name: str, text: str) -> None:
        """Save a file in the folder where the shell is."""
        (Path((self.folder / "where").read_text().strip()) / name).write_text(text)


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    shell = Shell(tmp_path)
    try:
        yield shell
    finally:
        if (tmp_path / "shop" / ".reshelf").exists():
            subprocess.run(["reshelf", "down"], cwd=tmp_path / "shop", env=shell.environment, timeout=200)


@pytest.mark.timeout(700)
def test_every_step_of_the_tutorial_works_and_prints_what_the_page_says(shell: Shell) -> None:
    output = ""
    found = list(steps(PAGE.read_text("utf-8")))
    for step in found:
        if step.language == "sh":
            output = shell.run(step.text)
        elif step.language == "python":
            [name] = _SAVED.findall(step.before)
            shell.save(name, step.text)
        else:
            assert matches(step.text, output), f"expected:\n{step.text}\nprinted:\n{output}"
    assert [step.language for step in found].count("sh") >= 8
