"""`python -m benchmarks`: every benchmark with what it measures, as the docstring of its package says it."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

HERE = Path(__file__).parent


def listed() -> dict[str, str]:
    """Return the first line of the docstring of every benchmark by the module that runs it. Nothing is imported."""
    folders = sorted(file.parent for file in HERE.glob("*/*/__main__.py"))
    return {".".join(("benchmarks", *folder.relative_to(HERE).parts)): _said(folder) for folder in folders}


def _said(folder: Path) -> str:
    said = ast.get_docstring(ast.parse((folder / "__init__.py").read_text("utf-8"))) or ""
    return said.partition("\n")[0]


if __name__ == "__main__":
    found = listed()
    width = max(map(len, found))
    for module, line in found.items():
        sys.stdout.write(f"python -m {module:{width}}  {line}\n")
