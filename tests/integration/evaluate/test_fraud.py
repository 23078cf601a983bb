"""`reshelf evaluate fraud` on a small file: its figures, its predictions, and what it says of bad input."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.support import fraud
from workers.cli import main

SPANS = ("--train", "2016-08-07..2016-08-16", "--test", "2016-08-24..2016-08-30")


@pytest.fixture(name="file", scope="module")
def _file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fraud.write(tmp_path_factory.mktemp("fraud") / "transactions.csv", fraud.shop(), "bad,yesterday,1,1,5,0")


def _run(file: Path, *options: str) -> Result:
    command = ["evaluate", "fraud", "--transactions", str(file), "--preset", "tiny", *options]
    return CliRunner().invoke(main, command, env={"RESHELF_HOME": str(file.parent / "home")})


def test_folds_and_seeds_are_reported_beside_the_usual_classifiers(file: Path) -> None:
    out = file.parent / "out.json"
    done = _run(file, *SPANS, "--folds", "2", "--seeds", "2", "--json", str(out))
    assert done.exit_code == 0, done.output
    report = json.loads(out.read_text())
    assert list(report["figures"]) == ["detector", "logistic_regression", "random_forest", "lightgbm"]
    for figures in report["figures"].values():
        assert 0 < figures["average_precision"]["mean"] <= 1
        assert figures["average_precision"]["over_folds"] > 0
    assert report["figures"]["detector"]["average_precision"]["over_seeds"] > 0
    assert len(report["runs"]) == 2 * 2 * 4
    assert {run["train"] for run in report["runs"]} == {"2016-08-07..2016-08-16", "2016-07-31..2016-08-09"}
    assert list(report["data"]["rejected"]) == ["TX_DATETIME is no time"]
    assert "1 lines left out" in done.output


@pytest.mark.parametrize("name", ["scores.csv", "scores.csv.gz"])
def test_every_order_of_the_test_days_has_a_score_whether_labelled_or_not(file: Path, name: str) -> None:
    blank = file.with_name(f"blank-{name}.csv")
    lines = file.read_text().splitlines()
    tested = [line for line in lines if "2016-08-24" <= line.partition(",")[2][:10] <= "2016-08-30"]
    hidden = {line: line.rpartition(",")[0] + "," for line in tested}
    blank.write_text("\n".join(hidden.get(line, line) for line in lines) + "\n")
    found = {}
    for path in (file, blank):
        done = _run(path, *SPANS, "--alone", "--predictions", str(file.parent / name))
        assert done.exit_code == 0, done.output
        content = (file.parent / name).read_bytes()
        text = (gzip.decompress(content) if name.endswith("gz") else content).decode()
        found[path] = {row["transaction_id"]: float(row["score"]) for row in csv.DictReader(text.splitlines())}
    assert set(found[file]) == {line.partition(",")[0] for line in tested}
    assert found[blank] == found[file]
    assert all(0 <= score <= 1 for score in found[file].values())


def test_adversarial_training_is_an_option(file: Path) -> None:
    found = {}
    for options in ([], ["--set", "adversarial=1"]):
        out = file.parent / "adversarial.json"
        assert _run(file, *SPANS, "--alone", *options, "--json", str(out)).exit_code == 0
        found[len(options)] = json.loads(out.read_text())["figures"]["detector"]["average_precision"]["mean"]
    assert found[0] != found[2]
    assert found[2] > 0.4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--train", "2016-08-07..someday"], "write it as 2018-07-25..2018-07-31"),
        (["--train", "2016-08-07..2016-08-01"], "ends before it begins"),
        (["--train", "2026-08-07..2026-08-09"], "the file goes from 2016-07-18"),
        (["--train", "2016-08-07..2016-08-16", "--test", "2016-08-20..2016-08-22"], "begin it at least 8 days after"),
        ([*SPANS, "--set", "epoch=3"], "did you mean 'epochs'"),
        ([*SPANS, "--set", "imbalance=focl"], "did you mean 'focal'"),
        ([*SPANS, "--preset", "defalt"], "did you mean 'default'"),
    ],
)
def test_bad_options_end_with_a_line_that_says_what_to_do(file: Path, options: list[str], message: str) -> None:
    done = _run(file, *options)
    assert done.exit_code in (1, 2)
    assert message in done.output
