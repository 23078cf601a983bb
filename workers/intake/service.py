"""Taking in a batch: parse it, write what is good with its due marks, keep what is bad, say what to ring for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from storage import due, intake
from storage.dead_letters import DeadLetter
from workers.contract import parsing, rows
from workers.contract.parsing import Rejection
from workers.intake.group_commit import GroupCommit


class Report(msgspec.Struct, frozen=True):
    """What became of a batch: how many rows were taken, and why the others were not."""

    taken: int
    rejected: list[Rejection]


def take_events(batch: Any, commit: GroupCommit) -> Report:
    """Take in behaviour events. Returns once they are committed; duplicates of earlier ones change nothing."""
    parsed = parsing.parse_events(_as_rows(batch))
    events = [rows.event_row(event) for event in parsed.good]
    rings = due.of_events([event.kind for event in parsed.good])
    commit.write(intake.EVENTS_DOOR, events, letters(intake.EVENTS_DOOR, parsed.bad), rings)
    return Report(len(parsed.good), parsed.bad)


def take_changes(batch: Any, commit: GroupCommit, *, search: bool) -> Report:
    """Take in catalogue changes. Returns once they are committed. `search`: a worker has the catalogue in memory."""
    parsed = parsing.parse_changes(_as_rows(batch))
    changes = [rows.change_row(change) for change in parsed.good]
    rings = due.of_changes(len(changes), search=search)
    commit.write(intake.CATALOGUE_DOOR, changes, letters(intake.CATALOGUE_DOOR, parsed.bad), rings)
    return Report(len(parsed.good), parsed.bad)


def take_labels(batch: Any, commit: GroupCommit) -> Report:
    """Take in labels of orders. Returns once they are committed."""
    parsed = parsing.parse_labels(_as_rows(batch))
    labels = [rows.label_row(label) for label in parsed.good]
    commit.write(intake.LABELS_DOOR, labels, letters(intake.LABELS_DOOR, parsed.bad))
    return Report(len(parsed.good), parsed.bad)


def letters(source: str, rejections: Sequence[Rejection]) -> list[DeadLetter]:
    """Return the dead letters of rejected rows."""
    return [DeadLetter(source, r.error, key=r.id, field=r.field, payload=r.row) for r in rejections]


def _as_rows(batch: Any) -> list[Any]:
    """Accept one object where a list of them is expected: that is what a hand-written `send_task` often sends."""
    return batch if isinstance(batch, list) else [batch]
