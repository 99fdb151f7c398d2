"""When events happen: by weekday, season and hour, growing slightly from year to year."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from layers.town.coordinates import Floats, Ints

CUTOFF = 17 * 3600 + 45 * 60
"""Second of the last day after which nothing is on record."""

_NIGHT = [1, 0.6, 0.4, 0.3, 0.3, 0.6]
_OFFICE = np.array([*_NIGHT, 1.5, 3, 7, 10, 10, 7, 4, 5, 9, 10, 9, 6, 4, 4, 3, 2.5, 2, 1.4])
_EVENING = np.array(
    [4, 2, 1, 0.6, 0.5, 0.8, 2, 4, 5, 5, 5, 5, 5, 4, 4, 4, 5, 7, 9, 12, 14, 13, 10, 6]
)
_PEAKS = np.array(
    [1, 0.7, 0.5, 0.5, 0.6, 1.2, 3, 9, 9, 6, 5, 5, 5, 5, 5, 5, 7, 10, 9, 6, 4, 3, 2, 1.5]
)

_FLAT = (1.0,) * 12
_SUMMER = (0.6, 0.6, 0.8, 0.9, 1.1, 1.5, 1.8, 1.8, 1.3, 0.9, 0.7, 0.6)
_WINTER = (1.7, 1.4, 1.1, 0.9, 0.8, 0.7, 0.7, 0.7, 0.8, 0.9, 1.2, 1.6)
# Wages are settled before Spring Festival, so unpaid ones come to light then.
_YEAR_END = (2.2, 1.1, 0.7, 0.8, 0.8, 0.9, 0.8, 0.8, 0.9, 0.9, 1.1, 1.6)
_FLOOD = (0.3, 0.3, 0.5, 0.7, 1.1, 2.2, 2.6, 2.2, 1.0, 0.5, 0.3, 0.3)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Relative frequency by hour of the day, by month, and of a weekend day (working day 1)."""

    hours: Floats
    months: tuple[float, ...]
    weekend: float


_DEFAULT = Rhythm(_OFFICE, _FLAT, 0.7)
RHYTHMS = {
    ("disputes", "family"): Rhythm(_EVENING, _FLAT, 1.25),
    ("disputes", "neighbour"): Rhythm(_EVENING, _FLAT, 1.2),
    ("disputes", "environment"): Rhythm(_EVENING, _SUMMER, 1.15),
    ("disputes", "labour"): Rhythm(_OFFICE, _YEAR_END, 0.45),
    ("disputes", "traffic"): Rhythm(_PEAKS, _FLAT, 0.9),
    ("disputes", "consumer"): Rhythm(_OFFICE, _FLAT, 1.1),
    ("hazards", "fire"): Rhythm(_OFFICE, _WINTER, 0.5),
    ("hazards", "gas"): Rhythm(_OFFICE, _WINTER, 0.5),
    ("hazards", "water"): Rhythm(_OFFICE, _FLOOD, 0.8),
    ("hazards", "geological"): Rhythm(_OFFICE, _FLOOD, 0.8),
    ("hazards", "traffic"): Rhythm(_PEAKS, _FLAT, 0.8),
}
"""By layer and category; what is not here has the rhythm of office hours."""


class Calendar:
    """The days on record, numbered from 0: three years, 1,096 days, of which ``until`` is last."""

    def __init__(self, until: date) -> None:
        self.until = until
        self.first = until - timedelta(days=1095)
        self.days = 1096
        day = np.datetime64(self.first) + np.arange(self.days)
        self.month = day.astype("datetime64[M]").astype(int) % 12
        self.weekend = (day.astype("datetime64[D]").astype(int) + 3) % 7 >= 5

    def weights(self, key: tuple[str, str]) -> Floats:
        """Return the relative frequency of a category on every day; it sums to 1."""
        rhythm = RHYTHMS.get(key, _DEFAULT)
        growth = np.linspace(0.94, 1.06, self.days)
        weight = growth * np.array(rhythm.months)[self.month]
        weight *= np.where(self.weekend, rhythm.weekend, 1.0)
        # The last day is not over.
        weight[-1] *= 0.75
        return np.asarray(weight / weight.sum())

    def draw(self, key: tuple[str, str], on: Floats, n: int, rng: np.random.Generator) -> Ints:
        """Draw ``n`` moments, in seconds from the start, on the days where ``on`` is not 0."""
        cumulated = np.cumsum(self.weights(key) * on)
        day = np.searchsorted(cumulated, rng.random(n) * cumulated[-1], side="right")
        hours = np.cumsum(RHYTHMS.get(key, _DEFAULT).hours)
        hour = np.searchsorted(hours, rng.random(n) * hours[-1], side="right")
        second = hour * 3600 + rng.integers(0, 3600, n)
        # What falls after the record's end on the last day is moved into its working hours.
        late = (day == self.days - 1) & (second >= CUTOFF - 900)
        second = np.where(late, rng.integers(8 * 3600, CUTOFF - 900, n), second)
        return np.asarray(day * 86400 + second, dtype=np.int64)

    @property
    def end(self) -> int:
        """The end of the record, in seconds from the start."""
        return (self.days - 1) * 86400 + CUTOFF
