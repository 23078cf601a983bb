"""`reshelf evaluate forecast` on a file: whole weeks, units of purchases, figures, and errors that name the fix."""

from __future__ import annotations

import csv
import gzip
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from model import metrics
from model.errors import DataError
from workers.commands.evaluate import evaluate as command
from workers.evaluate.market import demand, forecast

MONDAY = datetime(2024, 1, 1, 12, tzinfo=UTC)


def events(path: Path, *, weeks: int = 20) -> Path:
    """Write a shop of three items, which sell 2, 4 and 6 a week, its columns in no order, with a view of each."""
    with path.open("w", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(["quantity", "kind", "at", "item_id", "user_id"])
        for week in range(weeks):
            at = (MONDAY + timedelta(days=7 * week + 4)).isoformat()
            for n, item in enumerate("abc"):
                lines.writerow([2 * n + 2, "purchase", at, item, f"u{week}"])
                lines.writerow([1, "view", at, item, f"u{week}"])
    return path


def items(path: Path) -> Path:
    path.write_text("item_id,title,category\na,Cup,kitchen\nb,Pan,kitchen\nc,Lamp,light\n")
    return path


def invoke(tmp_path: Path, *options: str) -> Result:
    return CliRunner().invoke(command, ["forecast", *options], env={"RESHELF_HOME": str(tmp_path)})


def test_only_units_of_purchases_count_in_weeks_from_monday_on(tmp_path: Path) -> None:
    found = demand.read(events(tmp_path / "events.csv"), items(tmp_path / "items.csv"))
    assert found.item_ids == ("a", "b", "c")
    assert found.categories == ("kitchen", "kitchen", "light")
    assert found.mondays[0] == date(2024, 1, 1)
    assert np.array_equal(found.units_SxW, np.repeat([[2.0], [4.0], [6.0]], 20, axis=1))


@pytest.mark.parametrize(
    ("level", "series", "units"),
    [("item", {"a", "b", "c"}, 2.0), ("category", {"kitchen", "light"}, 6.0), ("total", {"total"}, 12.0)],
)
def test_predictions_and_figures_of_a_level_are_written(
    tmp_path: Path, level: str, series: set[str], units: float
) -> None:
    predictions, report = tmp_path / "out.csv.gz", tmp_path / "out.json"
    arguments = ["--events", str(events(tmp_path / "events.csv")), "--items", str(items(tmp_path / "items.csv"))]
    arguments += ["--level", level, "--cut", "2024-04-29", "--weeks", "2"]
    found = invoke(tmp_path, *arguments, "--predictions", str(predictions), "--json", str(report))
    assert found.exit_code == 0, found.output
    with gzip.open(predictions, "rt") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == forecast.HEADER
    assert {row["series"] for row in rows} == series
    assert {row["week"] for row in rows} == {"2024-04-29", "2024-05-06"}
    assert float(rows[0]["mean"]) == pytest.approx(units, rel=0.1)
    figures = json.loads(report.read_text())
    assert set(figures["models"]) == {"reshelf", "seasonal-naive", "AutoETS", "Theta", "LightGBM"}
    assert figures["models"]["reshelf"]["wape"] < 0.1


def test_a_cut_within_a_week_leaves_that_week_out(tmp_path: Path) -> None:
    asked = forecast.Asked("item", date(2024, 4, 24), 2, compared=False)
    found = forecast.run(asked, demand.read(events(tmp_path / "events.csv")))
    assert found.mondays == (date(2024, 4, 29), date(2024, 5, 6))
    assert found.history_SxW.shape == (3, 16)


def test_weeks_beyond_the_file_are_forecast_and_not_measured(tmp_path: Path) -> None:
    asked = forecast.Asked("item", date(2024, 5, 20), 2, compared=False)
    found = forecast.run(asked, demand.read(events(tmp_path / "events.csv")))
    assert found.forecast.mean_SxH.shape == (3, 2)
    assert found.figures() == {}


def test_what_is_sold_after_the_cut_changes_no_forecast(tmp_path: Path) -> None:
    asked = forecast.Asked("item", date(2024, 4, 22), 2, compared=False)
    read = demand.read(events(tmp_path / "events.csv"))
    changed = read.units_SxW.copy()
    changed[:, 16:] *= 50
    first, second = (forecast.run(asked, one).forecast for one in (read, read._replace(units_SxW=changed)))
    assert all(np.array_equal(one, other) for one, other in zip(first, second, strict=True))


def test_too_few_weeks_and_missing_categories_are_said(tmp_path: Path) -> None:
    read = demand.read(events(tmp_path / "events.csv"))
    with pytest.raises(DataError, match="3 whole weeks lie before 2024-01-22; 14 are needed to forecast 8"):
        forecast.run(forecast.Asked("item", date(2024, 1, 22)), read)
    with pytest.raises(DataError, match="name a catalogue that has, with --items"):
        forecast.run(forecast.Asked("category", date(2024, 4, 22)), read)
    found = invoke(tmp_path, "--events", str(tmp_path / "events.csv"), "--cut", "2024-01-22")
    assert found.exit_code == 1
    assert "14 are needed" in found.output


def test_errors_are_measured_as_in_the_literature() -> None:
    history, actual, mean = np.array([[1.0, 3.0, 1.0]]), np.array([[2.0, 2.0]]), np.array([[1.0, 3.0]])
    assert metrics.wape(actual, mean) == pytest.approx(0.5)
    assert forecast.wrmsse(actual, mean, history, 2) == pytest.approx(0.5)
