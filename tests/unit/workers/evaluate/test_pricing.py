"""`reshelf evaluate pricing` on a file: lines that cannot be read are counted, stores are held out, figures add up."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner

from model.errors import DataError
from model.pricing.forecast.training import TrainingConfig
from workers.commands.evaluate import evaluate as command
from workers.evaluate import pricing, pricing_files
from workers.load.errors import LoadError

HEADER = "store_id,item_id,week,units,price,deal,feature,cost"
SLOPES = {"a": 1.5, "b": 3.0}
QUICK = TrainingConfig(members=2, width=16, epochs=6, batch=256)


def sales(path: Path, *, stores: int = 5, weeks: int = 40, extra: tuple[str, ...] = ()) -> Path:
    """Write a shop whose two items have the elasticities `SLOPES`."""
    random = np.random.default_rng(0)
    with path.open("w", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(HEADER.split(","))
        for store in range(stores):
            for item, slope in SLOPES.items():
                for week in range(weeks):
                    price = round(2.0 * float(np.exp(0.15 * random.standard_normal())), 2)
                    units = random.poisson(60.0 * (price / 2.0) ** -slope)
                    lines.writerow([f"s{store}", item, 100 + week, units, price, 0, 0, ""])
        file.writelines(f"{line}\n" for line in extra)
    return path


def test_a_file_is_read_into_a_panel_and_bad_lines_are_counted_by_reason(tmp_path: Path) -> None:
    bad = ("s0,a,soon,1,2,0,0,", "s0,a,139,-1,2,0,0,", "s0,a,139,1,0,0,0,", ",a,139,1,2,0,0,", "s0,a,139,1,2,7,0,")
    found = pricing_files.read(sales(tmp_path / "sales.csv", extra=bad))
    assert {one.reason for one in found.rejected} == {
        "no store_id",
        "week is neither a number nor a date",
        "units is no number from 0 on",
        "price is no amount above 0",
        "deal is no share from 0 to 1",
    }
    assert [one.lines for one in found.rejected] == [1] * 5
    assert found.panel.units_SxIxW.shape == (5, 2, 40)
    assert (found.panel.weeks[0], found.panel.weeks[-1]) == ("100", "139")
    assert np.isnan(found.panel.cost_SxIxW).all()


def test_weeks_may_be_dates_and_lines_of_one_week_are_added_up(tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    path.write_text(
        "store_id,item_id,week,units,price\ns,a,2024-01-01,1,2.00\ns,a,2024-01-01,3,1.00\ns,a,2024-01-15,5,2.00\n"
    )
    panel = pricing_files.read(path).panel
    assert panel.units_SxIxW[0, 0, 0] == 4
    assert panel.price_SxIxW[0, 0, 0] == pytest.approx(1.25)
    assert np.isnan(panel.units_SxIxW[0, 0, 1])
    assert panel.weeks == ("2024-01-01", "", "2024-01-15")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("store_id,item_id,week,units\ns,a,1,1\n", "price"),
        ("store_id,item_id,week,units,price\ns,a,soon,1,1\n", "no line of sales"),
        ("store_id,item_id,week,units,price\ns,a,1,1,1\ns,a,9000,1,1\n", "weeks"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_by_name(tmp_path: Path, text: str, named: str) -> None:
    path = tmp_path / "sales.csv"
    path.write_text(text)
    with pytest.raises(LoadError, match=named):
        pricing_files.read(path)


def test_nothing_is_learned_from_held_out_stores_and_every_model_predicts_the_same_cells(tmp_path: Path) -> None:
    panel = pricing_files.read(sales(tmp_path / "sales.csv")).panel
    found = pricing.run(pricing.Asked(weeks_ahead=2, config=QUICK), panel)
    assert int(found.held_S.sum()) == 1
    assert set(found.cells[:, 0]) == set(np.flatnonzero(found.held_S))
    assert found.cells[:, 2].min() > max(found.origins[:1])
    assert len(np.unique(found.cells, axis=0)) == len(found.cells) == 2 * 2 * len(found.origins)
    assert {len(each.units_B) for each in found.forecasts.values()} == {len(found.cells)}
    figures = found.figures()
    assert set(figures) == {"reshelf", "LightGBM", "log-log by item", "double machine learning"}
    assert figures["reshelf"]["sign_accuracy"] == 1.0
    own = found.elasticities.own_Ix3
    assert (own[:, 1] <= own[:, 0]).all()
    assert (own[:, 0] < 0).all()


def test_too_few_weeks_or_stores_are_said(tmp_path: Path) -> None:
    short = pricing_files.read(sales(tmp_path / "short.csv", weeks=20)).panel
    with pytest.raises(DataError, match="20 weeks"):
        pricing.run(pricing.Asked(config=QUICK), short)
    lone = pricing_files.read(sales(tmp_path / "lone.csv", stores=1)).panel
    with pytest.raises(DataError, match="--hold-out-stores 0"):
        pricing.run(pricing.Asked(config=QUICK), lone)


def test_the_command_writes_predictions_and_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESHELF_HOME", str(tmp_path / "home"))
    file = sales(tmp_path / "sales.csv")
    out, report = tmp_path / "out.csv.gz", tmp_path / "out.json"
    asked = [
        "pricing",
        "--sales",
        str(file),
        "--alone",
        "--weeks-ahead",
        "2",
        "--predictions",
        str(out),
        "--json",
        str(report),
    ]
    ran = CliRunner().invoke(command, asked)
    assert ran.exit_code == 0, ran.output
    rows = pl.read_csv(out)
    assert rows.columns == ["store_id", "item_id", "week", "units", "units_if_price_10_percent_up"]
    assert (rows["units_if_price_10_percent_up"] < rows["units"]).all()
    figures = json.loads(report.read_text())
    assert figures["predictions"] == len(rows)
    assert set(figures["own_price_elasticity"]) == {"a", "b"}
    missing = CliRunner().invoke(command, ["pricing", "--sales", str(tmp_path / "none.csv")])
    assert missing.exit_code == 1
    assert "none.csv" in missing.output
