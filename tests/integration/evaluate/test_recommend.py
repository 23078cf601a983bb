"""`reshelf evaluate recommend` on small files: its figures, its predictions, and what it says of bad input."""

from __future__ import annotations

import csv
import gzip
import json
import random
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from model.recommend.protocols import protocol
from workers.cli import main
from workers.commands import evaluate

USERS, LENGTH = 60, 8


@pytest.fixture(name="files")
def _files(tmp_path: Path) -> Path:
    """Users with text ids keep to the odd or the even items, in a circle."""
    chance = random.Random(0)
    starts = [chance.randrange(20) for _ in range(USERS)]
    return _write(
        tmp_path, [[2 * ((start + n) % 20) + user % 2 for n in range(LENGTH)] for user, start in enumerate(starts)]
    )


def _write(folder: Path, histories: list[list[int]], kinds: int = 2) -> Path:
    lines = [f"user {user},i-{item:02},{n}" for user, items in enumerate(histories) for n, item in enumerate(items)]
    (folder / "events.csv").write_text("\n".join(["user_id,item_id,position", *lines]))
    count = 20 * kinds
    titles = [f"i-{n:02},thing {n} of kind{n % kinds},kind {n % kinds}" for n in range(count)]
    (folder / "items.csv").write_text("\n".join(["item_id,title,category", *titles]))
    return folder


def _run(files: Path, *options: str, preset: str = "tiny") -> Result:
    command = ["evaluate", "recommend", "--events", str(files / "events.csv"), "--items", str(files / "items.csv")]
    environ = {"RESHELF_HOME": str(files / "home")}
    return CliRunner().invoke(main, [*command, "--preset", preset, "--set", "epochs=6", *options], env=environ)


@pytest.mark.parametrize("name", evaluate.PROTOCOLS)
def test_every_protocol_reports_every_ranker_on_the_same_cases(files: Path, name: str) -> None:
    result = _run(files, "--protocol", name, "--json", str(files / "out.json"), "--curve", str(files / "curve.png"))
    assert result.exit_code == 0, result.output
    report = json.loads((files / "out.json").read_text())
    figures = report["figures"]
    assert list(figures) == ["model", "popularity", "cooccurrence", "item_cosine", "linear"]
    assert len({values["cases"] for values in figures.values()}) == 1
    for values in figures.values():
        for measure in ("hit_rate", "ndcg", "mrr", "precision", "recall", "coverage"):
            assert 0 <= values[f"{measure}@5"] <= 1
        assert values["hit_rate@5"] <= values["hit_rate@10"] <= values["hit_rate@20"]
        assert 0 <= values["roc_auc"] <= 1
        assert values["novelty@10"] > 0
    assert figures["cooccurrence"]["ndcg@10"] > figures["popularity"]["ndcg@10"]
    assert figures["model"]["ndcg@10"] > figures["popularity"]["ndcg@10"]
    sure = report["certainty"]
    assert sure["best_baseline"] == max(
        (one for one in figures if one != "model"), key=lambda one: figures[one]["ndcg@10"]
    )
    mean, low, high = sure["ndcg@10"]["model"]
    assert low <= mean <= high
    assert mean == pytest.approx(figures["model"]["ndcg@10"], abs=1e-4)
    assert sure["users"] - sure["left_out"] == figures["model"]["cases"]
    assert "the best baseline" in result.output
    assert report["training"]["parameters"] > 0
    assert report["data"]["events"] == USERS * LENGTH
    assert (files / "curve.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("leave-one-out", ["network", "transitions", "neighbours"]),
        ("time-split", ["network", "transitions", "neighbours", "recent_popularity"]),
    ],
)
def test_each_part_of_the_score_is_measured_alone_and_left_out(files: Path, name: str, parts: list[str]) -> None:
    result = _run(files, "--protocol", name, "--parts", "--json", str(files / "out.json"))
    assert result.exit_code == 0, result.output
    report = json.loads((files / "out.json").read_text())
    assert list(report["parts"]) == parts
    figures = report["figures"]
    # What followed what says nearly everything here: alone it is far above popularity, and missed if it is left out.
    assert report["parts"]["transitions"]["alone"] > 2 * figures["popularity"]["ndcg@10"]
    assert report["parts"]["transitions"]["without"] < figures["model"]["ndcg@10"]
    assert "without it" in result.output


@pytest.mark.parametrize("name", ["predictions.csv", "predictions.csv.gz"])
def test_predictions_hold_ten_new_items_for_every_user(files: Path, name: str) -> None:
    assert _run(files, "--predictions", str(files / name)).exit_code == 0
    content = (files / name).read_bytes()
    rows = list(csv.DictReader((gzip.decompress(content) if name.endswith("gz") else content).decode().splitlines()))
    assert len(rows) == USERS * 10
    assert {row["user_id"] for row in rows} == {f"user {user}" for user in range(USERS)}
    assert [row["rank"] for row in rows[:10]] == [str(rank) for rank in range(1, 11)]
    lines = [line.split(",") for line in (files / "events.csv").read_text().splitlines()[1:]]
    seen = {(user, item) for user, item, _ in lines}
    last = {(user, item) for user, item, position in lines if int(position) == LENGTH - 1}
    by_user = [(row["user_id"], row["item_id"]) for row in rows]
    assert len(set(by_user)) == len(by_user)
    assert not set(by_user) & (seen - last)


def test_the_time_split_learns_nothing_from_after_the_cut(files: Path) -> None:
    result = _run(files, "--protocol", "time-split", "--cut", "2020-01-01T06:00:00", "--json", str(files / "out.json"))
    assert result.exit_code == 0, result.output
    assert json.loads((files / "out.json").read_text())["figures"]["model"]["cases"] == USERS


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--set", "epoch=3"], "did you mean 'epochs'"),
        (["--set", "epochs"], "NAME=VALUE"),
        (["--set", "epochs=many"], "neither a number"),
        (["--preset", "smal"], "did you mean 'small'"),
        (["--items", "nowhere.csv"], "is not a file"),
        (["--protocol", "time-split", "--cut", "2031-01-01"], "choose an earlier cut"),
        (["--protocol", "time-split", "--cut", "2001-01-01"], "choose a later cut"),
    ],
)
def test_bad_options_end_with_a_line_that_says_what_to_do(files: Path, options: list[str], message: str) -> None:
    result = _run(files, *options)
    assert result.exit_code == 1
    assert result.output.startswith("Error: ") or "\nError: " in result.output
    assert message in result.output


def test_what_a_file_leaves_open_is_asked_for_and_may_be_said(files: Path) -> None:
    lines = [line.split(",") for line in (files / "events.csv").read_text().splitlines()[1:]]
    dated = [f"{user},{item},{int(position) + 1:02}/06/2025" for user, item, position in lines]
    (files / "events.csv").write_text("\n".join(["user_id,item_id,at", *dated]))
    refused = _run(files)
    assert refused.exit_code == 1
    assert "give --day-first or --month-first" in refused.output
    taken = _run(files, "--day-first", "--json", str(files / "out.json"))
    assert taken.exit_code == 0, taken.output
    assert json.loads((files / "out.json").read_text())["data"]["events"] == USERS * LENGTH


def test_the_command_offers_the_protocols_that_there_are() -> None:
    assert evaluate.PROTOCOLS == protocol.PROTOCOLS


def test_cold_items_and_users_are_ranked_by_what_is_known_of_them(tmp_path: Path) -> None:
    chance = random.Random(1)
    histories = [chance.sample(range(user % 20, 400, 20), LENGTH) for user in range(4 * USERS)]
    files = _write(tmp_path, histories, kinds=20)
    command = ["evaluate", "cold-start", "--events", str(files / "events.csv"), "--items", str(files / "items.csv")]
    options = ["--preset", "tiny", "--share", "0.2", "--json", str(files / "out.json")]
    result = CliRunner().invoke(main, command + options, env={"RESHELF_HOME": str(files / "home")})
    assert result.exit_code == 0, result.output
    report = json.loads((files / "out.json").read_text())
    assert report["data"]["cold_items"] > 0
    assert report["data"]["cold_users"] > 0
    figures = report["figures"]
    assert set(figures) == {"cold_items", "users_of_1_events", "users_of_2_events", "users_of_3_events"}
    # Twenty kinds of twenty items, and each user keeps to one: words and category are all that is to be known.
    assert figures["cold_items"]["model"]["recall@50"] > 4 * figures["cold_items"]["random"]["recall@50"]
    assert figures["cold_items"]["model"]["cold_share@50"] > 0
    assert (
        figures["users_of_3_events"]["model"]["hit_rate@10"] > figures["users_of_3_events"]["popularity"]["hit_rate@10"]
    )
