"""Files of transactions: what is kept, what is left out and why."""

from __future__ import annotations

from pathlib import Path

import pytest

from model.fraud.features.orders import DAY, NEVER
from workers.evaluate import fraud_files
from workers.load.errors import ColumnError, FileError

HEADER = "TRANSACTION_ID,TX_DATETIME,CUSTOMER_ID,TERMINAL_ID,TX_AMOUNT,TX_FRAUD,TX_FRAUD_SCENARIO"


def _file(folder: Path, *lines: str, header: str = HEADER) -> Path:
    path = folder / "transactions.csv"
    path.write_text("\n".join([header, *lines]) + "\n")
    return path


def test_a_line_becomes_an_order_whose_fraud_is_known_after_the_delay(tmp_path: Path) -> None:
    path = _file(tmp_path, "a,2018-06-11 00:00:24,3711,8121,75.81,1,2", "b,2018-06-11 01:00:00,3711,9,1.005,,")
    read = fraud_files.read(path, delay=7)
    assert read.ids == ("a", "b")
    assert read.found.at_N.tolist() == [1_528_675_224, 1_528_678_800]
    assert read.found.cents_N.tolist() == [7581, 100]
    assert read.found.fraud_at_N.tolist() == [1_528_675_224 + 7 * DAY, NEVER]
    assert read.found.customer_N[0] == read.found.customer_N[1]
    assert read.found.terminal_N[0] != read.found.terminal_N[1]
    assert read.labelled_N.tolist() == [True, False]
    assert read.rejected == ()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (",2018-06-11,1,1,5,0,0", "no TRANSACTION_ID"),
        ("b,2018-06-11,,1,5,0,0", "no CUSTOMER_ID"),
        ("b,2018-06-11,1,,5,0,0", "no TERMINAL_ID"),
        ("b,yesterday,1,1,5,0,0", "TX_DATETIME is no time"),
        ("b,2018-06-11,1,1,-5,0,0", "TX_AMOUNT is no amount from 0 on"),
        ("b,2018-06-11,1,1,much,0,0", "TX_AMOUNT is no amount from 0 on"),
        ("b,2018-06-11,1,1,5,maybe,0", "TX_FRAUD is neither 0, 1 nor empty"),
        ("a,2018-06-11,1,1,5,0,0", "TRANSACTION_ID was there before"),
    ],
)
def test_a_bad_line_is_left_out_with_its_reason_and_place(tmp_path: Path, line: str, reason: str) -> None:
    read = fraud_files.read(_file(tmp_path, "a,2018-06-11 00:00:24,1,1,75.81,0,0", line), delay=7)
    assert read.ids == ("a",)
    assert [(one.reason, one.lines, one.first_line) for one in read.rejected] == [(reason, 1, 3)]


def test_a_file_that_is_none_says_what_it_lacks(tmp_path: Path) -> None:
    with pytest.raises(ColumnError, match="`TX_AMOUNT`; it has"):
        fraud_files.read(_file(tmp_path, "a", header="TRANSACTION_ID,TX_DATETIME,CUSTOMER_ID,TERMINAL_ID"), delay=7)
    with pytest.raises(FileError, match=r"line 2: TX_DATETIME is no time"):
        fraud_files.read(_file(tmp_path, "b,yesterday,1,1,5,0,0"), delay=7)


def test_the_scenario_is_not_looked_at(tmp_path: Path) -> None:
    lines = ["a,2018-06-11 00:00:24,1,1,75.81,0", "b,2018-06-12 00:00:24,1,1,75.81,1"]
    with_answers = fraud_files.read(_file(tmp_path, *(f"{line},3" for line in lines)), delay=7)
    without = fraud_files.read(_file(tmp_path, *lines, header=HEADER.rpartition(",")[0]), delay=7)
    assert all((a == b).all() for a, b in zip(with_answers.found, without.found, strict=True))
