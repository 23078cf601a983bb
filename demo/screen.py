"""The demo's display while it runs: a live view in a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.panel import Panel
from rich.table import Table

from demo.customers import GROUPS
from demo.intervals import Rate
from demo.tally import HTTP, MESSAGE, Tally

REFRESH_SECONDS = 0.25
LINE_SECONDS = 5.0


@dataclass
class View:
    """What is shown: the counts, when it ends (monotonic seconds), and the last `reshelf status`."""

    tally: Tally
    ends: float
    status: dict[str, Any] = field(default_factory=dict)

    @property
    def left(self) -> float:
        """Seconds left."""
        return max(0.0, self.ends - time.monotonic())


Draw = Callable[[View], Panel]
Say = Callable[[View], str]


@contextmanager
def step(console: Console, doing: str) -> Iterator[list[str]]:
    """Show what is being done, and afterwards how long it took; text appended to the yielded list is added."""
    started, details = time.monotonic(), list[str]()
    if console.is_terminal:
        with console.status(f"{doing} …"):
            yield details
    else:
        yield details
    line = "; ".join([doing, *details])
    console.print(f"[green]✓[/green] {line} [dim]({time.monotonic() - started:.1f} s)[/dim]", highlight=False)


async def show(console: Console, view: View, *, draw: Draw | None = None, say: Say | None = None) -> None:
    """Show the view until it is cancelled: by `draw` in a terminal, else by `say` now and then."""
    draw, say = draw or panel, say or line
    if not console.is_terminal:
        while view.left:
            await asyncio.sleep(min(LINE_SECONDS, view.left))
            console.print(say(view), highlight=False, soft_wrap=True)
        return
    with Live(draw(view), console=console, auto_refresh=False, transient=True) as live:
        while True:
            live.update(draw(view), refresh=True)
            await asyncio.sleep(REFRESH_SECONDS)


async def end(task: asyncio.Task[None]) -> None:
    """Cancel the task that shows or updates the view, and wait for it."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def panel(view: View) -> Panel:
    """Return the live view."""
    tally = view.tally
    table = Table.grid(padding=(0, 2))
    table.add_row("events in", f"[bold]{tally.events.total():,}[/bold]", f"{tally.per_second():.0f}/s")
    for name, doors in (("event → visible", ()), ("  as a message", (MESSAGE,)), ("  over HTTP", (HTTP,))):
        table.add_row(name, latency(tally, *doors), f"{tally.probes(*doors)} probes")
    for group in GROUPS:
        table.add_row(f"click rate {group}", per_cent(tally.rate(group)), f"{tally.rate(group).shown:,} shown")
    table.add_row("model", *model(tally))
    table.add_row("backlog", backlog(view.status), "")
    return Panel(table, title="reshelf demo", subtitle=f"{view.left:.0f} s left", expand=False)


def visits_panel(view: View) -> Panel:
    """Return the live view of real customers' visits, for which only the latency is measured."""
    table = Table.grid(padding=(0, 2))
    table.add_row("clicks by real customers", f"[bold]{view.tally.events.total():,}[/bold]")
    table.add_row("click → visible on the shelf", latency(view.tally))
    return Panel(table, title="reshelf demo", subtitle=f"{view.left:.0f} s left", expand=False)


def visits_line(view: View) -> str:
    """Return the view of real customers' visits as one line of text."""
    clicks = view.tally.events.total()
    return f"{view.left:3.0f} s left  {clicks:,} clicks by real customers  visible after {latency(view.tally)}"


def line(view: View) -> str:
    """Return the view as one line of text."""
    tally = view.tally
    rates = "  ".join(f"{group} {per_cent(tally.rate(group))}" for group in GROUPS)
    return (
        f"{view.left:3.0f} s left  events {tally.events.total():,} ({tally.per_second():.0f}/s)  "
        f"visible after {latency(tally)}  clicks: {rates}  backlog {backlog(view.status)}"
    )


def latency(tally: Tally, *doors: str) -> str:
    """Return the time from event to visible, as text."""
    if not tally.probes(*doors):
        return "–"
    return f"p50 {_ms(tally.latency(0.5, *doors))}  p99 {_ms(tally.latency(0.99, *doors))}"


def per_cent(rate: Rate) -> str:
    """Return a rate with its interval, as text."""
    if math.isnan(rate.value):
        return "–"
    margin = "" if math.isnan(rate.margin) else f" ± {100 * rate.margin:.1f}"
    return f"{100 * rate.value:.1f}{margin} %"


def model(tally: Tally) -> tuple[str, str]:
    """Return the version that served most often, and the share of `home` answers ranked for the customer."""
    if not tally.model_versions:
        return "–", ""
    version, _ = tally.model_versions.most_common(1)[0]
    return version, f"{100 * tally.personal_share():.0f} % personal"


def backlog(status: dict[str, Any]) -> str:
    """Return the backlog as text; `–` if not known yet."""
    if status.get("due") is None or status.get("queues") is None:
        return "–"
    return f"{sum(row['count'] for row in status['due'])} due, {sum(status['queues'].values())} messages"


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.0f} ms"
