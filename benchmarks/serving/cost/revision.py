"""The sources to measure: those of this checkout, or those of another revision in a temporary folder."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parents[3]
"""The folder of this checkout."""


@contextmanager
def checked_out(name: str) -> Iterator[Path]:
    """Yield a temporary folder with the sources of the revision `name`; it is deleted afterwards.

    Raises CalledProcessError if git does not know the revision.
    """
    with tempfile.TemporaryDirectory(prefix="reshelf-cost-base-") as folder:
        root = Path(folder) / "tree"
        _git("worktree", "add", "--quiet", "--detach", str(root), name)
        try:
            yield root
        finally:
            _git("worktree", "remove", "--force", str(root))


def described(root: Path) -> str:
    """Return the commit of the sources in `root`, with `-dirty` if they differ from it."""
    return _git("describe", "--always", "--dirty", folder=root)


def _git(*arguments: str, folder: Path = HERE) -> str:
    run = subprocess.run(["git", *arguments], cwd=folder, stdout=subprocess.PIPE, text=True, check=True)
    return run.stdout.strip()
