"""The report: hostile titles are text, nothing is loaded, and what is absent is left out."""

from __future__ import annotations

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.support import market as shop
from workers import cli
from workers.market import analysis, files
from workers.market.report import page
from workers.market.report.content import Content, Repricing

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_VOID = {"meta", "circle", "line", "polyline", "polygon", "rect", "br"}


class Outline(HTMLParser):
    """Collects tags, attributes, headings and texts, and fails for a tag that is not closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in _VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data.strip())


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> Content:
    events, items = shop.files(tmp_path_factory.mktemp("shop"))
    data = files.read(events, items)
    found = analysis.results(data)
    return Content(data.through, data.through, data.currency, found.notes, found.rows)


@pytest.fixture(scope="module")
def text(content: Content) -> str:
    return page.render(content)


def test_hostile_titles_and_queries_are_text(text: str) -> None:
    outline = Outline(text)
    assert set(outline.tags) & {"script", "img", "iframe", "link", "object", "b"} == set()
    for title in (shop.SCRIPT, shop.CHINESE, shop.NOT_FOUND, "{{ 7 * 7 }}", "<b>Lamps</b>", "灯具"):
        assert title in outline.texts
    assert not [name for _, name, _ in outline.attributes if name.startswith("on")]


def test_nothing_is_loaded_and_links_stay_in_the_page(text: str) -> None:
    outline = Outline(text)
    links = [value for _, name, value in outline.attributes if name in ("src", "href", "action", "poster", "data")]
    ids = {value for _, name, value in outline.attributes if name == "id"}
    assert links
    assert {f"#{name}" for name in ids} >= set(links)
    assert "url(" not in text
    assert "@import" not in text
    assert "default-src 'none'" in text


def test_it_can_be_read_without_seeing_it(text: str) -> None:
    outline = Outline(text)
    assert outline.tags.count("h1") == 1
    assert outline.tags.count("caption") == outline.tags.count("table")
    headers = [value for tag, name, value in outline.attributes if tag == "th" and name == "scope"]
    assert len(headers) == outline.tags.count("th")
    pictures = re.findall(r"<svg [^>]*>", text)
    assert all("aria-hidden" in one or 'role="img"' in one for one in pictures)
    assert all("aria-label" in one for one in pictures if 'role="img"' in one)
    assert ("html", "lang", "en") in outline.attributes


def test_the_same_content_gives_the_same_page(content: Content, text: str) -> None:
    assert page.render(content) == text


def test_what_is_not_known_is_left_out(content: Content) -> None:
    short = page.render(content._replace(rows={"sales": content.rows["sales"]}, notes=["No stock & no customers."]))
    outline = Outline(short)
    assert "No stock & no customers." in outline.texts
    assert {"What sold", "How sure"} <= set(outline.texts)
    assert not {"What to restock", "Customers", "Bought together"} & set(outline.texts)
    assert Outline(page.render(content._replace(rows={}))).tags.count("table") == 0


def test_proposed_prices_have_a_section_of_their_own(content: Content, text: str) -> None:
    waiting = [
        Repricing("i1", "<b>Lamps</b>", 10.0, 11.0, "margin", 0.042, 0.8, ("step", "ending"), False),
        Repricing("i2", "Cup", 1200.0, 1100.0, "revenue", None, None, (), True),
    ]
    told = Outline(page.render(content._replace(repricings=waiting)))
    assert {"What to reprice", "<b>Lamps</b>", "80 %", "step, ending"} <= set(told.texts)
    assert any("+4.2 %" in one for one in told.texts)
    assert told.tags.count("caption") == told.tags.count("table")
    assert "What to reprice" not in Outline(text).texts


def test_the_command_reports_a_file_without_a_server(tmp_path: Path) -> None:
    events, items = shop.files(tmp_path)
    out = tmp_path / "report.html"
    words = ["report", "--events", str(events), "--items", str(items), "--out", str(out)]
    done = CliRunner().invoke(cli.main, words, env={"RESHELF_HOME": str(tmp_path)})
    assert done.exit_code == 0, done.output
    assert "What is rising" in Outline(out.read_text("utf-8")).texts
    lost = CliRunner().invoke(cli.main, ["report", "--events", str(tmp_path / "no.csv")])
    assert lost.exit_code == 1
    assert "is not a file" in lost.output


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here to render the report in")
def test_a_browser_shows_it_and_runs_nothing(text: str, tmp_path: Path) -> None:
    report, picture = tmp_path / "report.html", tmp_path / "report.png"
    report.write_text(text, "utf-8")
    assert CHROMIUM is not None
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    shown = [CHROMIUM, *options, "--window-size=1000,1600", f"--screenshot={picture}", report.as_uri()]
    subprocess.run(shown, check=True, capture_output=True, timeout=120)
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size > 20_000
    dumped = subprocess.run(
        [CHROMIUM, *options, "--dump-dom", report.as_uri()], check=True, capture_output=True, timeout=120
    ).stdout.decode()
    assert "<script" not in dumped
    assert shop.CHINESE.replace("&", "&amp;") in dumped
