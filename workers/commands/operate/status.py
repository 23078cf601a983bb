"""`reshelf status`: the processes, the backlog, and the live models."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from workers import settings as configuration
from workers.supervisor import status as reports
from workers.supervisor.control import Process
from workers.supervisor.status import Report

COLOURS = {"RUNNING": "green", "STARTING": "yellow", "STOPPING": "yellow"}
STATE_COLOURS = {reports.RUNNING: "green", reports.DEGRADED: "red", reports.STOPPED: "yellow"}
MEBIBYTE = 1024 * 1024


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
def status(as_json: bool) -> None:
    """Show every process, the backlog and the live model.

    Exit status: 0 when everything runs, 1 when something is down, 3 when nothing runs.
    """
    report = reports.gather(configuration.load())
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(reports.as_dict(report), enc_hook=str)))
    else:
        _show(report, Console(highlight=False))
    sys.exit(reports.EXIT_STATUS[report.state])


def _show(report: Report, console: Console) -> None:
    colour = STATE_COLOURS[report.state]
    console.print(f"[{colour}]{report.state}[/{colour}] in {report.home}")
    if report.processes:
        console.print(_process_table(report.processes))
    if report.queues is not None or report.due is not None:
        console.print(_backlog_table(report))
    if report.due is not None:
        console.print(f"live model: {_model(report)}    dead letters: {_dead_letters(report)}")
    if report.search_model is not None:
        console.print(f"live search version: {report.search_model['version']}")
    if report.fraud_model is not None:
        console.print(_detector(report.fraud_model))
    if report.model is not None:
        console.print(_drift(report))
    if report.fraud_drift is not None and report.fraud_drift["alert"] is not None:
        console.print(f"[red]drift of fraud:[/red] {escape(report.fraud_drift['alert'])}")
    if report.actors is not None:
        console.print(_actors(report.actors))
    for problem in report.problems:
        console.print(f"[red]![/red] {problem}")


def _process_table(processes: list[Process]) -> Table:
    table = Table("process", "state", "pid", "uptime", "memory")
    for column in table.columns[2:]:
        column.justify = "right"
    for process in processes:
        colour = COLOURS.get(process.state, "red")
        table.add_row(
            process.name,
            f"[{colour}]{process.state.lower()}[/{colour}]",
            str(process.pid or ""),
            "" if process.uptime is None else duration(process.uptime),
            "" if process.memory is None else f"{process.memory / MEBIBYTE:.0f} MiB",
        )
    return table


def _backlog_table(report: Report) -> Table:
    table = Table("waiting", "count", "oldest")
    for column in table.columns[1:]:
        column.justify = "right"
    for queue, length in (report.queues or {}).items():
        table.add_row(f"queue {queue}", str(length), "")
    for backlog in report.due or []:
        table.add_row(f"due {backlog['kind']}", str(backlog["count"]), duration(backlog["oldest_seconds"]))
    if report.due == []:
        table.add_row("due", "0", "")
    return table


def _model(report: Report) -> str:
    if report.model is None:
        return "none yet: `reshelf train` makes one"
    return str(report.model.get("version", report.model))


def _detector(live: dict[str, Any]) -> str:
    since = duration((datetime.now(UTC) - live["switched_at"]).total_seconds())
    said = f"live detector of fraud: {live['version']}, for {since}"
    learnt = live["metrics"].get("learnt")
    if learnt is not None:
        said += f", learnt {learnt['orders']:,} orders, {learnt['frauds']:,} of them frauds"
    return f"{said}; {live['labelled_since']:,} orders were labelled since"


def _drift(report: Report) -> str:
    if report.drift is None:
        return "drift: not measured yet"
    age = duration((datetime.now(UTC) - report.drift["measured_at"]).total_seconds())
    if report.drift["alert"] is not None:
        return f"[red]drift:[/red] {escape(report.drift['alert'])} (measured {age} ago)"
    figures = report.drift["figures"]
    ndcg = figures.get("ndcg_at_10")
    said = "too few new baskets to tell" if ndcg is None else f"NDCG@10 {ndcg:.4f} on {figures['cases']:,} new baskets"
    return f"drift: no alert, {said} (measured {age} ago)"


def _actors(found: dict[str, Any]) -> str:
    said = f"actors: {found['flagged']} flagged, {found['lately']} of them since a day ago"
    return said if found["alert"] is None else f"{said}\n[red]actors:[/red] {escape(found['alert'])}"


def _dead_letters(report: Report) -> str:
    if not report.dead_letters:
        return "none"
    return ", ".join(f"{source} {count}" for source, count in sorted(report.dead_letters.items()))


def duration(seconds: float) -> str:
    """Return a length of time in words: `42 s`, `5 min`, `3 h 20 min`, `2 d 4 h`."""
    minutes, hours, days = int(seconds // 60), int(seconds // 3600), int(seconds // 86400)
    if minutes < 1:
        return f"{seconds:.0f} s"
    if hours < 1:
        return f"{minutes} min"
    if days < 1:
        return f"{hours} h {minutes % 60} min"
    return f"{days} d {hours % 24} h"
