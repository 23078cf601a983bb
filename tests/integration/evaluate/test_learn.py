"""`reshelf evaluate learn` on a small file: every arm's figures, window by window, and a picture of them."""

from __future__ import annotations

import json
import random
from pathlib import Path

from click.testing import CliRunner

from workers.cli import main
from workers.commands import evaluate


def test_two_arms_are_compared_week_by_week(tmp_path: Path) -> None:
    chance = random.Random(0)
    lines = ["user_id,item_id,at"]
    for day in range(28):
        for hour in range(10):
            user = chance.randrange(20)
            item = 2 * chance.randrange(12) + user % 2
            lines.append(f"u{user},i{item},2026-01-{day + 1:02}T{hour:02}:00:00Z")
    (tmp_path / "events.csv").write_text("\n".join(lines))
    command = ["evaluate", "learn", "--events", str(tmp_path / "events.csv"), "--preset", "tiny", "--set", "epochs=2"]
    options = ["--arm", "frozen", "--arm", "incremental", "--start", "2026-01-15", "--set", "filter_seen=false"]
    files = ["--json", str(tmp_path / "out.json"), "--curve", str(tmp_path / "arms.png")]
    result = CliRunner().invoke(main, [*command, *options, *files], env={"RESHELF_HOME": str(tmp_path / "home")})
    assert result.exit_code == 0, result.output
    report = json.loads((tmp_path / "out.json").read_text())
    assert list(report["figures"]) == ["frozen", "incremental"]
    assert [(window["arm"], window["since"][:10]) for window in report["windows"]] == [
        ("frozen", "2026-01-15"),
        ("incremental", "2026-01-15"),
        ("frozen", "2026-01-22"),
        ("incremental", "2026-01-22"),
    ]
    for figures in report["figures"].values():
        assert figures["cases"] == 140
        assert 0 < figures["ndcg@10"] < 1
    assert report["figures"]["incremental"]["cells"] > report["figures"]["frozen"]["cells"] == 0
    assert (tmp_path / "arms.png").stat().st_size > 10_000
    assert "each ranked before it was learned" in result.stdout


def test_the_arms_and_windows_of_the_command_are_those_of_the_model() -> None:
    from model.recommend.protocols import prequential

    assert evaluate.ARMS == prequential.ARMS
