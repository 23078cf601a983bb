"""`reshelf evaluate search` on small files: its figures, its predictions, and what it says of bad input."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from workers.cli import main

COLOURS = ("red", "blue", "green", "white", "black", "grey")
THINGS = ("hammer drill", "ceiling fan", "wool rug", "desk lamp", "智能手机", "手机壳")


@pytest.fixture(name="files")
def _files(tmp_path: Path) -> Path:
    """A product of each colour and kind; queries name both, and judge the kind's other colours as half right."""
    products = [(f"p{n:02}", f"{THINGS[n % 6]} {COLOURS[n // 6]} number{n}", n) for n in range(36)]
    lines = ["product_id,title", *(f"{product},{title}" for product, title, _ in products)]
    (tmp_path / "catalogue.csv").write_text("\n".join(lines), "utf-8")
    judged = ["query,product_id,relevance"]
    for _, _, n in products:
        query = f"{COLOURS[n // 6]} {THINGS[n % 6]}"
        judged += [f"{query},{other},{3 if m == n else 2}" for other, _, m in products if m % 6 == n % 6]
    (tmp_path / "judgements.csv").write_text("\n".join(judged), "utf-8")
    return tmp_path


def _run(files: Path, *options: str) -> Result:
    given = ["--catalogue", str(files / "catalogue.csv"), "--judgements", str(files / "judgements.csv")]
    small = ["--preset", "tiny", "--set", "trees=10", "--set", "least_in_leaf=5", "--set", "folds=2"]
    environ = {"RESHELF_HOME": str(files / "home")}
    return CliRunner().invoke(main, ["evaluate", "search", *given, *small, *options], env=environ)


def test_without_judgements_nothing_but_the_catalogue_is_learnt(files: Path) -> None:
    result = _run(files, "--json", str(files / "out.json"), "--predictions", str(files / "ranked.csv.gz"))
    assert result.exit_code == 0, result.output
    report = json.loads((files / "out.json").read_text())
    assert list(report["figures"]) == ["bm25s", "lexical", "fused"]
    assert report["data"] == {"items": 36, "queries": 36, "queries_learnt_from": 0, "hold_out": None}
    for name in ("lexical", "fused"):
        assert report["figures"][name]["ndcg@10"] > 0.95
        assert report["figures"][name]["p99_ms"] >= report["figures"][name]["p50_ms"] > 0
        assert report["one_typo_in_every_query"][name]["queries"] == 36
    with gzip.open(files / "ranked.csv.gz", "rt", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert {row["query"] for row in rows} == {f"{colour} {thing}" for colour in COLOURS for thing in THINGS}
    first = [row["product_id"] for row in rows if row["query"] == "red hammer drill"]
    assert first[0] == "p00"
    assert len(first) == len(set(first)) == 36
    assert [int(row["rank"]) for row in rows[:36]] == list(range(1, 37))


def test_a_ranker_learns_from_queries_that_it_is_not_tested_on(files: Path) -> None:
    result = _run(files, "--hold-out", "0.25", "--json", str(files / "out.json"))
    assert result.exit_code == 0, result.output
    report = json.loads((files / "out.json").read_text())
    assert list(report["figures"]) == ["bm25s", "lexical", "fused", "learnt"]
    assert report["data"]["queries"] == 9
    assert report["data"]["queries_learnt_from"] == 27
    assert "9 queries over 36 items; 27 other queries were learnt from" in result.output


def test_judgements_of_other_queries_may_be_another_file(files: Path) -> None:
    (files / "other.csv").write_text("query,product_id,relevance\ngadget red,p00,3\ngadget blue,p06,3\n", "utf-8")
    result = _run(files, "--train-judgements", str(files / "other.csv"), "--lexical")
    assert result.exit_code == 0, result.output
    assert "learnt" in result.output
    unjudged = _run(files, "--train-judgements", str(files / "other.csv"), "--lexical", "--unjudged")
    assert "learnt" not in unjudged.output


def test_bad_lines_are_named_and_the_others_kept(files: Path) -> None:
    with (files / "judgements.csv").open("a", encoding="utf-8") as lines:
        lines.write("\nred fan,p01,much\n,p01,3\nred fan,nobody,3\n")
    result = _run(files, "--lexical")
    assert result.exit_code == 0, result.output
    for reason in ("relevance is no number", "no query", "item is not in the catalogue"):
        assert f"left out 1: {reason}" in result.output


def test_synonyms_of_the_shop_are_read(files: Path) -> None:
    (files / "synonyms.txt").write_text("cellphone => 智能手机\n", "utf-8")
    (files / "judgements.csv").write_text("query,product_id,relevance\nred cellphone,p04,3\n", "utf-8")
    result = _run(files, "--lexical", "--synonyms", str(files / "synonyms.txt"), "--json", str(files / "out.json"))
    assert result.exit_code == 0, result.output
    assert json.loads((files / "out.json").read_text())["figures"]["lexical"]["ndcg@10"] == 1.0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--catalogue", "absent.csv"], "absent.csv is not a file"),
        (["--train-judgements", "{catalogue}"], "needs a column `query`"),
        (["--set", "tree=3"], "did you mean 'trees'"),
        (["--set", "trees"], "NAME=VALUE"),
        (["--hold-out", "0.99"], "one part would be empty"),
        (["--synonyms", "{lonely}"], "line 1: 'fridge' needs two phrases"),
        (["--encoder", "absent"], "no folder"),
    ],
)
def test_what_a_person_can_put_right_is_said_in_one_line(files: Path, options: list[str], said: str) -> None:
    (files / "lonely.txt").write_text("fridge\n", "utf-8")
    given = [option.format(catalogue=files / "catalogue.csv", lonely=files / "lonely.txt") for option in options]
    if "--hold-out" in given:
        (files / "judgements.csv").write_text("query,product_id,relevance\nfan,p01,3\n", "utf-8")
    result = _run(files, *given)
    assert result.exit_code == 1
    assert said in result.output
    assert "Traceback" not in result.output
