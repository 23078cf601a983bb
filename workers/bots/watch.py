"""The detector's run: flag the recently active shoppers that behave like bots. One run at a time, after new events."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, Engine, text

from model.bots import behaviour
from model.bots.behaviour import Group, Judged, Sign
from storage import throttle
from storage.bots import actors
from storage.bots.actors import DETECTOR, Suspicion
from workers.bots import reading
from workers.bots.reading import Lately
from workers.settings import Settings

log = logging.getLogger(__name__)

MOST_EVENTS = 500_000
"""Most events, impressions included, that a run reads; if the window has more, the newest ones."""
SUDDEN = 0.05
"""Alert if more than this share of the active shoppers was flagged within a day."""

_WORK = "actors"
_STATE = text("SELECT CAST(coalesce(sum(written), 0) AS text) FROM intake_counts WHERE door = 'events'")
_NAMED = 3

_SEEN = {
    behaviour.VELOCITY: "{value:.1f} times as many acts in a minute or an hour as are far out of the ordinary",
    behaviour.GAPS: "its pauses are {value:.0f} times as long as they differ, {limit:.0f} times is a machine's",
    behaviour.REPEATS: "{value:.0f} acts on one item, where {limit:.0f} are far out of the ordinary",
    behaviour.UNSEEN: "{value:.0f} acts on items without ever having been shown one",
}


class Look(NamedTuple):
    """Who was flagged by a run, the number of active shoppers, and its warnings."""

    flagged: list[str]
    active: int
    alerts: list[str]


def look(engine: Engine, settings: Settings) -> Look | None:
    """Judge the shoppers active in the last `actors_window_hours`, and flag the bots.

    None if nothing came in, if the last run was too long to repeat yet, or if another run is in progress. Ring for
    `actors.MOVED` if a shopper was flagged.
    """
    if not settings.actors_window_hours:
        return None
    with engine.begin() as connection:
        shift = throttle.begin(connection, _WORK, _STATE)
        if shift is None:
            return None
        found = _look(connection, settings.actors_window_hours)
        actors.write_alert(connection, "; ".join(found.alerts) or None)
        throttle.end(connection, shift)
    for alert in found.alerts:
        log.warning("actors: %s", alert)
    if found.flagged:
        log.warning(
            "%d of %d active actors were flagged, such as %s", len(found.flagged), found.active, found.flagged[0]
        )
    return found


def _look(connection: Connection, hours: float) -> Look:
    span = actors.window(connection, hours=hours, most=MOST_EVENTS)
    if span is None:
        return Look([], 0, [])
    lately = reading.read(connection, span)
    judged = behaviour.judge(lately.acts, lately.actors, len(lately.items))
    flagged = actors.flag(connection, suspicions(judged, lately), by=DETECTOR)
    active = len(lately.shoppers)
    return Look(flagged, active, [*judged.alerts, *_pushed(judged.group, lately.items), *_alerts(connection, active)])


def _pushed(group: Group | None, items: Sequence[str]) -> list[str]:
    if group is None or len(group.members_M):
        return []
    named = _names(group, items)
    return [f"newcomers push {len(group.items_G)} items, such as {named}, and none can be told from a genuine one"]


def _alerts(connection: Connection, active: int) -> list[str]:
    alerts = []
    recent, learnt = actors.summary(connection).lately, actors.learnt(connection)
    if recent > SUDDEN * active:
        alerts.append(f"{recent} actors were flagged within a day, {active} were active")
    if learnt:
        alerts.append(f"the live model has learnt {learnt} events of flagged actors: `reshelf train` makes one without")
    return alerts


def suspicions(judged: Judged, lately: Lately) -> list[Suspicion]:
    """Return whom to flag, and why, in words."""
    return [
        Suspicion(
            lately.shoppers[actor],
            sorted(sign.reason for sign in signs),
            "; ".join(_said(sign, judged.group, lately.items) for sign in signs),
        )
        for actor, signs in sorted(judged.signs.items())
    ]


def _said(sign: Sign, group: Group | None, items: Sequence[str]) -> str:
    if sign.reason != behaviour.LOCKSTEP or group is None:
        return _SEEN[sign.reason].format(value=sign.value, limit=sign.limit)
    others, shared, named = len(group.members_M) - 1, len(group.items_G), _names(group, items)
    return f"in lockstep with {others} others on {shared} items that regulars leave alone, such as {named}"


def _names(group: Group, items: Sequence[str]) -> str:
    return ", ".join(items[group.items_G[place]] for place in group.excess_G.argsort()[::-1][:_NAMED])
