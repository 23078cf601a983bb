"""`python -m benchmarks.serving.load_fuzz --lines 1000000 --seed 1`: one JSON object on stdout.

Files in 20 dialects and 10 encodings, one for each pair, are made with damage in three of a hundred lines, and read as
`reshelf load` reads them. Of every file: lines read = lines loaded + lines counted under a reason; no error but one
that names what is wrong; every line that was not damaged comes back as it was written. Where no field holds a line
break, the lines read are also counted by their bytes alone.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.serving.load_fuzz import files
from benchmarks.serving.load_fuzz.files import Made
from benchmarks.serving.load_fuzz.forms import DIALECTS, ENCODINGS, Encoding
from workers.load import service
from workers.load.errors import LoadError
from workers.load.reading import Reading

_MOST_EXAMPLES = 5


@dataclass
class Found:
    """What all files came to."""

    files: int = 0
    lines_written: int = 0
    lines_damaged: int = 0
    lines_read: int = 0
    lines_loaded: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    encodings: Counter[str] = field(default_factory=Counter)
    lines_that_do_not_add_up: int = 0
    """Read, but neither loaded nor counted."""
    lines_not_read: int = 0
    """Counted in the bytes of a file, but not read."""
    intact_lines_lost: int = 0
    intact_lines_changed: int = 0
    refused: list[str] = field(default_factory=list)
    tracebacks: list[str] = field(default_factory=list)
    examples: list[str] = field(default_factory=list)
    seconds: float = 0.0


def run(lines: int, seed: int) -> Found:
    """Make and read the files, of about `lines` lines together."""
    found, rng = Found(), random.Random(seed)
    each = max(lines // (len(DIALECTS) * len(ENCODINGS)), 1)
    with tempfile.TemporaryDirectory() as folder:
        for encoding in ENCODINGS:
            for dialect in DIALECTS:
                made = files.make(Path(folder), encoding, dialect, each, rng)
                _read(found, made, encoding)
    return found


def _read(found: Found, made: Made, encoding: Encoding) -> None:
    found.files += 1
    found.lines_written += made.written
    found.lines_damaged += made.damaged
    started = time.monotonic()
    try:
        reading = service.read(made.path)
    except LoadError as error:
        found.refused.append(str(error))
        return
    except Exception:  # noqa: BLE001  what is looked for
        found.tracebacks.append(traceback.format_exc())
        return
    finally:
        found.seconds += time.monotonic() - started
    rows = dict(_rows(reading))
    counted = {one.reason: one.lines for one in reading.rejected}
    loaded = max(reading.events.height, len(reading.changes))
    found.lines_read += reading.read
    found.lines_loaded += loaded
    found.reasons += Counter(counted)
    found.encodings[reading.encoding or ""] += 1
    found.lines_that_do_not_add_up += abs(reading.read - loaded - sum(counted.values()))
    if not made.has_breaks:
        found.lines_not_read += abs(_lines(made.path, encoding) - reading.read)
    for key, said in made.intact.items():
        if key not in rows:
            found.intact_lines_lost += 1
            _note(found, f"lost in {encoding.codec}: {said}")
        elif rows[key] != _expected(reading.format, said):
            found.intact_lines_changed += 1
            _note(found, f"changed in {encoding.codec}: {said} is {rows[key]}")


def _note(found: Found, text: str) -> None:
    if len(found.examples) < _MOST_EXAMPLES:
        found.examples.append(text)


def _rows(reading: Reading) -> Iterator[tuple[str, tuple[Any, ...]]]:
    for change in reading.changes:
        said: Any = change["fields"]
        yield str(change["item_id"]), (said["title"], said.get("text"), said.get("price"))
    for row in reading.events.select("shopper", "item_id", "kind", "value", "query").iter_rows():
        yield row[0], row[1:]


def _expected(format: str, said: tuple[str, ...]) -> tuple[Any, ...]:
    if format == "items":
        return said[1], said[2].strip() or None, float(said[3])
    return said[1], said[2], float(said[4]), said[5].strip()


def _lines(path: Path, encoding: Encoding) -> int:
    """Return the lines below the header that are not empty, by their ends alone."""
    text = path.read_bytes()[len(encoding.mark) :].decode(encoding.codec, "replace")
    return sum(line.strip() not in ("", '""', "''") for line in re.split(r"\r\n|\r|\n", text)) - 1


def main() -> int:
    """Run, print the JSON, and return 1 where something was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    found = run(options.lines, options.seed)
    result = {**machine.describe("cpu"), "seed": options.seed, "dialects": len(DIALECTS), **vars(found)}
    result["lines_per_second"] = round(found.lines_read / found.seconds)
    result["seconds"] = round(found.seconds, 1)
    sys.stdout.write(json.dumps(result, ensure_ascii=False) + "\n")
    lost = found.lines_that_do_not_add_up + found.lines_not_read + found.intact_lines_lost + found.intact_lines_changed
    return int(bool(lost or found.refused or found.tracebacks))


if __name__ == "__main__":
    sys.exit(main())
