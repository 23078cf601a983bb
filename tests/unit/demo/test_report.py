"""What the demo says at its end, and when it says that it failed."""

from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console

from demo import catalogue, report
from demo.report import Outcome
from demo.stories import Story
from demo.tally import HTTP, MESSAGE, Tally


def _tally(home: int = 12, popular: int = 4) -> Tally:
    tally = Tally()
    tally.sent(["impression"] * 20 + ["click", "purchase"], MESSAGE)
    tally.sent(["click"], HTTP)
    tally.sources["personal"] = 40
    tally.latencies[MESSAGE] += [0.2, 0.3]
    for number in range(100):
        tally.looked("home", f"a{number}", shown=100, clicked=home + number % 3, bought=1)
        tally.looked("popular", f"b{number}", shown=100, clicked=popular + number % 3, bought=0)
    return tally


def _text(outcome: Outcome) -> str:
    output = io.StringIO()
    report.show(Console(file=output, width=110), outcome)
    return output.getvalue()


def test_a_clear_difference_is_said_with_its_interval() -> None:
    assert "home is clicked 2.6 times as often as popular: +8.0 points" in _text(Outcome(_tally()))


def test_a_difference_that_may_be_chance_is_said_to_be_that() -> None:
    assert "do not differ significantly" in report.verdict(_tally(home=4, popular=4))
    assert "Too few customers" in report.verdict(Tally())


def test_a_good_run_has_no_problems() -> None:
    assert Outcome(_tally()).problems() == []
    assert "everything worked" in _text(Outcome(_tally(), seconds=99))


def test_the_market_reports_path_is_said_at_the_end() -> None:
    lines = _text(Outcome(_tally(), report=Path("/tmp/a folder/report.html"))).splitlines()
    assert "report     /tmp/a folder/report.html" in lines


def test_whatever_did_not_work_is_a_problem() -> None:
    assert "0 of 0 probe events" in Outcome(Tally()).problems()[0]
    tally = _tally()
    tally.unseen, tally.sources["popular"], tally.failures["GET /v1/popular: 500"] = 1, 40, 2
    story = Story("ann", [], [], [], [], seconds=None)
    problems = Outcome(tally, [story], undelivered=3, dead_letters=4).problems()
    assert len(problems) == 6
    assert "everything worked" not in _text(Outcome(tally))


def test_a_story_shows_titles_as_they_are() -> None:
    items = catalogue.make(100, seed=1)
    story = Story("ann", ["Knives"], ["a [red] kettle"], items[:2], items[1:3], seconds=0.25)
    text = _text(Outcome(_tally(), [story]))
    assert "a [red] kettle" in text
    assert "home 250 ms later" in text
    assert items[0].title in text
    assert story.fresh == {items[2].item_id}


def test_where_to_look_is_said_only_when_something_goes_on_running() -> None:
    assert "/schema" not in _text(Outcome(_tally()))
    assert "/schema" in _text(Outcome(_tally(), places={"gateway": "http://127.0.0.1:8080/schema"}))
