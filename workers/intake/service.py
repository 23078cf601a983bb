"""Turn a batch into an offer: parse it, keep good rows, make dead letters of bad ones, and say what to ring for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from reshelf import parsing, tasks
from reshelf.parsing import Rejection
from storage import due
from storage.dead_letters import DeadLetter
from storage.events import intake
from workers import rows
from workers.intake.group_commit import Offer


def events(batch: Any, *, is_plain: bool = False) -> Offer:
    """Return behaviour events as an offer. `is_plain`: no text in it holds what PostgreSQL cannot."""
    parsed = parsing.parse_events(_as_rows(batch), is_plain=is_plain)
    rings = due.for_events([event.kind for event in parsed.good])
    good = [rows.event_row(event) for event in parsed.good]
    return Offer(intake.EVENTS_DOOR, good, letters(intake.EVENTS_DOOR, parsed.bad), rings)


def changes(batch: Any, *, search: bool) -> Offer:
    """Return catalogue changes as an offer. `search`: a search worker has the catalogue in memory."""
    parsed = parsing.parse_changes(_as_rows(batch))
    rings = due.for_changes(len(parsed.good), search=search)
    good = [rows.change_row(change) for change in parsed.good]
    return Offer(intake.CATALOGUE_DOOR, good, letters(intake.CATALOGUE_DOOR, parsed.bad), rings)


def labels(batch: Any) -> Offer:
    """Return order labels as an offer."""
    parsed = parsing.parse_labels(_as_rows(batch))
    good = [rows.label_row(label) for label in parsed.good]
    return Offer(intake.LABELS_DOOR, good, letters(intake.LABELS_DOOR, parsed.bad))


def doors(*, search: bool) -> Mapping[str, Callable[[Any, bool], Offer]]:
    """Return, by task name, the function that makes an offer of a batch and of whether that is plain."""
    return {
        tasks.EVENTS: lambda batch, is_plain: events(batch, is_plain=is_plain),
        tasks.CATALOGUE: lambda batch, _: changes(batch, search=search),
        tasks.LABELS: lambda batch, _: labels(batch),
    }


def letters(source: str, rejections: Sequence[Rejection]) -> list[DeadLetter]:
    """Return the dead letters of rejected rows."""
    return [DeadLetter(source, r.error, key=r.id, field=r.field, payload=r.row) for r in rejections]


def _as_rows(batch: Any) -> list[Any]:
    """Accept a single object instead of a list: that is what a hand-written `send_task` often sends."""
    return batch if isinstance(batch, list) else [batch]
