"""`python -m benchmarks.house`: how long functions and files are, and how full folders, as one JSON object.

The lines of a function include its docstring. A folder's Python files are those directly in it;
`storage/migrations/versions` grows with the schema, and is left out.
"""

from __future__ import annotations

import ast
import json
import statistics
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

PACKAGES = ("reshelf", "workers", "model", "storage", "api_gateway")
MOST_LINES = 350
MOST_FILES = 15
_GROWS = Path("storage/migrations/versions")


def measured(root: Path) -> dict[str, Any]:
    """Return the measures of the files under `root` that git tracks."""
    listed = subprocess.run(["git", "ls-files", *PACKAGES], cwd=root, capture_output=True, text=True, check=True).stdout
    files = [Path(name) for name in listed.splitlines() if name.endswith(".py") and (root / name).exists()]
    texts = {file: (root / file).read_text() for file in files}
    functions = sorted(length for text in texts.values() for length in _functions(text))
    folders = Counter(file.parent for file in files if file.parent != _GROWS and file.name != "__init__.py")
    return {
        "files": len(files),
        "functions": len(functions),
        "function_lines_median": statistics.median(functions),
        "function_lines_p90": statistics.quantiles(functions, n=10)[-1],
        "function_lines_most": functions[-1],
        "files_over_350_lines": sorted(
            str(file) for file, text in texts.items() if len(text.splitlines()) > MOST_LINES
        ),
        "folders_over_15_files": sorted(str(folder) for folder, count in folders.items() if count > MOST_FILES),
    }


def _functions(text: str) -> list[int]:
    nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return [(node.end_lineno or node.lineno) - node.body[0].lineno + 1 for node in nodes]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measured(Path(__file__).parents[1])) + "\n")
