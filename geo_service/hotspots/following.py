"""The life of an alert: found, followed from day to day while it lasts, closed when it is gone.

Pure: what the nightly scan writes and what a replay of the past counts is decided here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

LASTS = 0.05
"""An alert lasts while a cluster that shares a cell with it has at most this p. It takes more to
raise one: clusters that hover about one threshold would come and go every night."""


@dataclass(frozen=True)
class Found:
    """A cluster of one day's scan: the codes of its cells, and its figures."""

    cells: frozenset[str]
    centre: str
    start: date
    end: date
    observed: int
    expected: float
    statistic: float
    p: float
    recurrence: float


@dataclass(frozen=True)
class Followed:
    """An alert and the cluster that it was on ``seen``, the last day that it was found."""

    id: int
    cluster: Found
    opened: date
    seen: date
    closed: date | None = None


@dataclass(frozen=True)
class Turn:
    """What a day's scan makes of the alerts before: new clusters, and alerts that go on or end."""

    new: tuple[Found, ...]
    on: tuple[Followed, ...]
    gone: tuple[Followed, ...]


def follow(
    before: Sequence[Followed], clusters: Sequence[Found], day: date, interval: float
) -> Turn:
    """Return what the clusters of ``day`` make of the open alerts.

    A cluster continues the alert that it shares the most cells with; each alert has one cluster and
    each cluster one alert. One that continues nothing is new where its recurrence interval is at
    least ``interval`` days. An alert that nothing continues is gone.

    >>> day = date(2026, 5, 1)
    >>> made = Found(frozenset("ab"), "a", day, day, 9, 2.0, 8.0, 0.001, 1000.0)
    >>> follow([], [made], day, 365).new == (made,), follow([], [made], day, 2000).new
    (True, ())
    >>> held = Followed(1, made, day, day)
    >>> weaker = replace(made, cells=frozenset("bc"), p=0.04, recurrence=25.0)
    >>> turn = follow([held], [weaker], date(2026, 5, 2), 365)
    >>> turn.new, turn.on[0].cluster == weaker, turn.gone
    ((), True, ())
    """
    lasting = [cluster for cluster in clusters if cluster.p <= LASTS]
    pairs = sorted(
        (
            (-len(alert.cluster.cells & cluster.cells), cluster.p, a, c)
            for a, alert in enumerate(before)
            for c, cluster in enumerate(lasting)
            if alert.cluster.cells & cluster.cells
        )
    )
    kept: dict[int, int] = {}
    taken: set[int] = set()
    for _, _, a, c in pairs:
        if a not in kept and c not in taken:
            kept[a] = c
            taken.add(c)
    touched = {c for _, _, _, c in pairs}
    on = tuple(replace(before[a], cluster=lasting[c], seen=day) for a, c in sorted(kept.items()))
    gone = tuple(replace(alert, closed=day) for a, alert in enumerate(before) if a not in kept)
    new = tuple(
        cluster
        for c, cluster in enumerate(lasting)
        if c not in touched and cluster.recurrence >= interval
    )
    return Turn(new, on, gone)
