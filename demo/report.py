"""The demo's final report: tables, and what did not work."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from demo import screen
from demo.catalogue import CURRENCY
from demo.customers import GROUPS, HOME, POPULAR
from demo.searches import Search
from demo.stories import Story
from demo.tally import HTTP, MESSAGE, Tally

LEAST_PERSONAL = 0.9
"""The demo fails if a smaller share of the `home` answers than this was ranked for the customer."""


@dataclass
class Outcome:
    """The outcome of a run.

    `undelivered` counts events that did not reach the broker, `dead_letters` rows that the workers gave up.
    """

    tally: Tally
    stories: Sequence[Story] = ()
    undelivered: int = 0
    dead_letters: int = 0
    places: dict[str, str] = field(default_factory=dict)
    """URLs by what they show; empty if nothing keeps running."""
    seconds: float = 0.0
    searches: Sequence[Search] = ()
    report: Path | None = None
    """Where the market report is kept."""

    def problems(self) -> list[str]:
        """Return what did not work, one line each; empty if everything did."""
        tally = self.tally
        found = [f"{count} requests failed: {reason}" for reason, count in tally.failures.most_common(3)]
        if tally.unseen or not tally.probes():
            found.append(f"{tally.unseen} of {tally.unseen + tally.probes()} probe events never became visible")
        if tally.personal_share() < LEAST_PERSONAL:
            found.append(f"only {tally.personal_share():.0%} of the home shelves were ranked for their customer")
        if self.undelivered:
            found.append(f"{self.undelivered} events did not reach the broker")
        if self.dead_letters:
            found.append(f"{self.dead_letters} rows are dead letters: `reshelf status` shows them")
        found += [
            f"{story.customer_id}'s clicks never became visible" for story in self.stories if story.seconds is None
        ]
        found += [f"nothing was found for {one.query}" for one in self.searches if one.source != "matched"]
        return found


def show(console: Console, outcome: Outcome) -> None:
    """Print the outcome."""
    console.print()
    console.print(_counts(outcome.tally))
    console.print(_rates(outcome.tally))
    console.print(verdict(outcome.tally))
    for story in outcome.stories:
        console.print()
        console.print(f"[bold]{story.customer_id}[/bold] likes {escape(', '.join(story.likes))}; clicked on")
        console.print(Padding(Text("\n".join(story.clicks)), (0, 0, 0, 2)))
        console.print(_story(story))
    if outcome.searches:
        console.print()
        console.print(_searches(outcome.searches))
    kept = {} if outcome.report is None else {"report": str(outcome.report)}
    end(console, outcome.places | kept, outcome.problems(), outcome.seconds)


def end(console: Console, places: dict[str, str], problems: Sequence[str], seconds: float) -> None:
    """Print the URLs, and what did not work."""
    console.print()
    for what, where in places.items():
        console.print(f"{what:<10} {where}", highlight=False, soft_wrap=True)
    for problem in problems:
        console.print(f"[red]✗[/red] {escape(problem)}")
    if not problems:
        console.print(f"[green]✓[/green] everything worked; {seconds:.0f} s in all", highlight=False)


def verdict(tally: Tally) -> str:
    """Return, in words, how the two groups of customers compare."""
    home, popular, difference = tally.rate(HOME), tally.rate(POPULAR), tally.difference()
    if math.isnan(difference.low):
        return "Too few customers came to compare the two click rates."
    interval = f"95% interval {_points(difference.low)} to {_points(difference.high)}"
    gain = f"{_points(difference.value)} points ({interval})"
    if not difference.is_significant:
        return f"The two click rates do not differ significantly: {gain}."
    times = f"{home.value / popular.value:.1f} times as often as" if popular.value else "and nobody clicks on"
    return f"[bold]home[/bold] is clicked {times} [bold]popular[/bold]: {gain}."


def _points(share: float) -> str:
    return f"{100 * share:+.1f}"


def _counts(tally: Tally) -> Table:
    table = Table(title="The live shop", title_justify="left", show_header=False)
    table.add_column()
    table.add_column(justify="right")
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in tally.events.most_common())
    probes = tally.probes() + tally.unseen
    table.add_row("events", f"{tally.events.total():,}")
    table.add_row("", kinds)
    table.add_row("", f"{probes:,} of the clicks are probes, which measure the next two rows")
    for row in latencies(tally):
        table.add_row(*row)
    table.add_row("purchases", f"{tally.events['purchase']:,} for {CURRENCY} {tally.revenue:,.0f}")
    table.add_row("model", "  ".join(screen.model(tally)))
    return table


def _rates(tally: Tally) -> Table:
    table = Table(title="Half of the customers see each shelf", title_justify="left")
    table.add_column("shelf")
    for name in ("shown", "clicked", "click rate, 95%", "purchases"):
        table.add_column(name, justify="right")
    for group in GROUPS:
        rate = tally.rate(group)
        table.add_row(
            group, f"{rate.shown:,}", f"{rate.clicked:,}", screen.per_cent(rate), f"{tally.purchases(group):,}"
        )
    return table


def latencies(tally: Tally) -> list[tuple[str, str]]:
    """Return rows that say, by door, how long it takes until a shelf reflects an event."""
    return [
        (f"event → visible on the shelf, {name}", f"{screen.latency(tally, door)}  ({tally.probes(door)} probes)")
        for name, door in (("as messages", MESSAGE), ("over HTTP", HTTP))
    ]


def _searches(searches: Sequence[Search]) -> Table:
    table = Table(title="What customers search for", title_justify="left", expand=True)
    table.add_column("query")
    table.add_column("finds", ratio=1)
    for name in ("of", "new", "known"):
        table.add_column(name, justify="right")
    for one in searches:
        query = one.query if one.meant is None else f"{one.query} (meant: {one.meant})"
        times = (f"{1000 * seconds:.0f} ms" for seconds in (one.seconds, one.again))
        table.add_row(escape(query), escape("\n".join(one.titles[:3])), f"{one.total:,}", *times)
    return table


def _story(story: Story) -> Table:
    seconds = "never" if story.seconds is None else f"{1000 * story.seconds:.0f} ms later"
    table = Table(expand=True)
    table.add_column("home before", ratio=1)
    table.add_column(f"home {seconds}", ratio=1)
    for before, after in zip(story.before, story.after, strict=False):
        style = "bold green" if after.item_id in story.fresh else ""
        table.add_row(escape(before.title), Text(after.title, style))
    return table
