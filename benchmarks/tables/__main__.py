"""Write the tables of figures in README and docs from benchmarks/results: `python -m benchmarks.tables [--check]`."""

from __future__ import annotations

import argparse
import sys

from benchmarks.tables import declared, regions


def main() -> int:
    """Fill every region; with `--check` change nothing, and return 1 where a page or a declaration is out of date."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tables", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 where a region is stale")
    check = parser.parse_args().check
    pages = regions.pages()
    stale = list(regions.stale(declared.ALL, pages))
    for page, text in stale:
        sys.stdout.write(f"{'stale' if check else 'written'}: {page.relative_to(regions.ROOT)}\n")
        if not check:
            page.write_text(text, "utf-8")
    unused = regions.unused(declared.ALL, pages)
    for name in sorted(unused):
        sys.stdout.write(f"shown nowhere: {name}\n")
    return int(bool(unused or (check and stale)))


if __name__ == "__main__":
    sys.exit(main())
