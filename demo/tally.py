"""The counts of a demo run."""

from __future__ import annotations

import math
import time
from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field

import numpy as np

from demo import intervals
from demo.customers import GROUPS, HOME, POPULAR
from demo.intervals import Difference, Rate

RECENT_SECONDS = 5.0

MESSAGE = "message"
HTTP = "http"
DOORS = (MESSAGE, HTTP)


@dataclass
class Tally:
    """Counts of one run. Times in seconds."""

    events: Counter[str] = field(default_factory=Counter)
    """Events by kind."""
    doors: Counter[str] = field(default_factory=Counter)
    """Events by the door that they were sent to."""
    sources: Counter[str] = field(default_factory=Counter)
    """Answers for `home` by source."""
    latencies: dict[str, list[float]] = field(default_factory=lambda: {door: [] for door in DOORS})
    """Seconds from sending an event until its customer's shelf reflects it, by door."""
    unseen: int = 0
    """Probes whose event did not become visible in time."""
    failures: Counter[str] = field(default_factory=Counter)
    """Requests that failed, by reason."""
    model_versions: Counter[str] = field(default_factory=Counter)
    revenue: float = 0.0
    _groups: dict[str, dict[str, list[int]]] = field(
        default_factory=lambda: {group: defaultdict(lambda: [0, 0]) for group in GROUPS}
    )
    _purchases: Counter[str] = field(default_factory=Counter)
    _recent: deque[tuple[float, int]] = field(default_factory=deque)

    def sent(self, kinds: list[str], door: str) -> None:
        """Count events that were sent together."""
        self.events.update(kinds)
        self.doors[door] += len(kinds)
        self._recent.append((time.monotonic(), len(kinds)))

    def looked(self, group: str, customer_id: str, *, shown: int, clicked: int, bought: int) -> None:
        """Count one view of the shelf that is compared."""
        counts = self._groups[group][customer_id]
        counts[0] += shown
        counts[1] += clicked
        self._purchases[group] += bought

    def per_second(self) -> float:
        """Return how many events per second were sent lately."""
        now = time.monotonic()
        while self._recent and self._recent[0][0] < now - RECENT_SECONDS:
            self._recent.popleft()
        return sum(count for _, count in self._recent) / RECENT_SECONDS

    def rate(self, group: str) -> Rate:
        """Return the group's click rate."""
        return intervals.rate((shown, clicked) for shown, clicked in self._groups[group].values())

    def difference(self) -> Difference:
        """Return the click rate of `home` minus that of `popular`."""
        return intervals.difference(self.rate(HOME), self.rate(POPULAR))

    def purchases(self, group: str) -> int:
        """Return how many purchases came from the group's shelf."""
        return self._purchases[group]

    def latency(self, share: float, *doors: str) -> float:
        """Return a percentile of the seconds from event to visible, over these doors (none named: all)."""
        seconds = [value for door in doors or DOORS for value in self.latencies[door]]
        return float(np.quantile(seconds, share, method="inverted_cdf")) if seconds else math.nan

    def probes(self, *doors: str) -> int:
        """Return how many probe events became visible."""
        return sum(len(self.latencies[door]) for door in doors or DOORS)

    def personal_share(self) -> float:
        """Return the share of `home` answers that were ranked for the customer; 0 before the first."""
        return self.sources["personal"] / max(1, self.sources.total())
