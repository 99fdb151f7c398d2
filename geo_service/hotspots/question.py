"""What can be asked: the inputs of each analysis and their bounds."""

from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from geo_service.analyses.asking import AreaCode
from geo_service.problems import Problem
from layers.catalogue import CATALOGUE

TOWN_TIME = ZoneInfo("Asia/Shanghai")
"""Days are the town's."""

USUAL_DAYS = 182
LONGEST_DAYS = 3660

LAYERS = tuple(layer.id for layer in CATALOGUE.values() if layer.time and layer.geometry == "POINT")
"""Layers of events: points with a time."""


def _layer(name: str) -> str:
    if name not in LAYERS:
        raise ValueError(f"可选：{'、'.join(LAYERS)}|one of {', '.join(LAYERS)}")
    return name


Size = Annotated[
    float | None,
    Field(ge=20, le=5000, description="Side of the cells in metres; null: proposed from the data"),
]
Alpha = Annotated[
    float, Field(gt=0, le=0.2, description="False discovery rate, of all cells together")
]
Seed = Annotated[
    int, Field(ge=0, lt=2**32, description="Of the simulations: same seed, same answer")
]
Simulations = Annotated[int, Field(ge=99, le=9999, description="Random permutations")]


class Question(BaseModel):
    """Which events: a layer, a window of days, a filter, an area."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True, allow_inf_nan=False)

    layer: Annotated[
        str,
        AfterValidator(_layer),
        Field(description="Layer of events", json_schema_extra={"enum": list(LAYERS)}),
    ]
    since: Annotated[
        date | None,
        Field(alias="from", description="First day (Asia/Shanghai); null: half a year before"),
    ] = None
    until: Annotated[
        date | None, Field(alias="to", description="Last day, included; null: today")
    ] = None
    filter: Annotated[
        Annotated[str, Field(max_length=20_000)] | dict[str, Any] | None,
        Field(description="Condition on the events in CQL2: text, or JSON as an object"),
    ] = None
    area: Annotated[
        AreaCode | None, Field(description="Code of an area or grid; null: all that is in sight")
    ] = None

    def window(self) -> "Window":
        """Return the days asked for. Raises Problem 422 where they make no window."""
        last = self.until or datetime.now(TOWN_TIME).date()
        first = self.since or last - timedelta(days=USUAL_DAYS - 1)
        return Window.of(first, last)


class Celled(Question):
    """And in which cells they are counted."""

    cells: Annotated[
        Literal["grids", "squares", "hexagons"],
        Field(description="Governance grids in force, or a lattice over them"),
    ] = "grids"
    size: Size = None


class Window(BaseModel):
    """Days from ``first`` to ``last``, both included, of the town."""

    model_config = ConfigDict(frozen=True)

    first: date
    last: date

    @classmethod
    def of(cls, first: date, last: date) -> "Window":
        """Return the window; raise Problem 422 where it ends before it starts, or is too long."""
        if last < first:
            raise Problem(
                422, "时间窗口的结束日早于开始日。", "The window ends before it starts: from, to."
            )
        if (last - first).days >= LONGEST_DAYS or first.year < 1970 or last.year > 2200:
            raise Problem(
                422, "时间窗口最长十年。", "A window has ten years at most, from 1970 to 2200."
            )
        return cls(first=first, last=last)

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.last - self.first).days + 1

    @property
    def start(self) -> datetime:
        """The first moment."""
        return moment(self.first)

    @property
    def end(self) -> datetime:
        """The moment after the last."""
        return moment(self.last + timedelta(days=1))

    def before(self) -> "Window":
        """Return the window of the same length right before."""
        return Window.of(self.first - timedelta(days=self.days), self.first - timedelta(days=1))

    def document(self) -> dict[str, Any]:
        """Return it for an answer."""
        return {
            "from": self.first.isoformat(),
            "to": self.last.isoformat(),
            "days": self.days,
            "timezone": "Asia/Shanghai",
        }


def moment(day: date) -> datetime:
    """Return when a day begins in the town.

    >>> moment(date(2026, 5, 1)).isoformat()
    '2026-05-01T00:00:00+08:00'
    """
    return datetime(day.year, day.month, day.day, tzinfo=TOWN_TIME)


class HotSpots(Celled):
    """Where more happens than chance puts there."""

    base: Annotated[
        Literal["none", "households"],
        Field(description="Compare counts, or events against households"),
    ] = "none"
    alpha: Alpha = 0.05


class Emerging(Celled):
    """How hot and cold spots have come and gone."""

    step: Annotated[Literal["week", "month"], Field(description="Length of a step")] = "month"
    alpha: Alpha = 0.05


class Compare(Celled):
    """One period against an earlier one."""

    before_since: Annotated[
        date | None,
        Field(alias="before_from", description="First day before; null: as long, right before"),
    ] = None
    before_until: Annotated[
        date | None, Field(alias="before_to", description="Last day before")
    ] = None
    alpha: Alpha = 0.05

    def earlier(self) -> Window:
        """Return the window to compare with. Raises Problem 422 where it is none or overlaps."""
        now = self.window()
        if self.before_since is None and self.before_until is None:
            return now.before()
        if self.before_since is None or self.before_until is None:
            raise Problem(
                422,
                "对比时段需同时给出开始日和结束日。",
                "The period before needs both before_from and before_to.",
            )
        found = Window.of(self.before_since, self.before_until)
        if found.last >= now.first and found.first <= now.last:
            raise Problem(422, "两个时段不能重叠。", "The two periods must not overlap.")
        return found


class Density(Question):
    """Kernel density, and the contours that hold parts of the events."""

    bandwidth: Annotated[
        float | None,
        Field(ge=20, le=10_000, description="Radius of the quartic kernel, metres; null: by rule"),
    ] = None
    rule: Annotated[
        Literal["scott", "arcgis", "cross-validated"],
        Field(description="How the bandwidth is found where none is given"),
    ] = "arcgis"
    shares: Annotated[
        tuple[Annotated[float, Field(gt=0, lt=1)], ...],
        Field(min_length=1, max_length=8, description="Parts of the density that contours hold"),
    ] = (0.5, 0.75, 0.95)


class Clusters(Question):
    """Places where events lie close together."""

    distance: Annotated[float, Field(ge=1, le=5000, description="Reach in metres")] = 100
    days: Annotated[
        float | None, Field(gt=0, le=3660, description="Reach in days; null: in space alone")
    ] = None
    least: Annotated[
        int, Field(ge=2, le=10_000, description="Events within reach that make a core")
    ] = 10


class NearRepeat(Question):
    """Whether an event makes another one near it more likely soon after."""

    distances: Annotated[
        tuple[Annotated[float, Field(ge=0, le=20_000)], ...],
        Field(min_length=2, max_length=21, description="Edges of the bands in metres, rising"),
    ] = (0, 100, 200, 400, 800)
    intervals: Annotated[
        tuple[Annotated[float, Field(ge=0, le=3660)], ...],
        Field(min_length=2, max_length=21, description="Edges of the bands in days, rising"),
    ] = (0, 7, 14, 28, 56)
    simulations: Simulations = 999
    seed: Seed = 1


class Scan(Celled):
    """Space-time scan: where and when more happened than the rest of the record explains."""

    prospective: Annotated[
        bool, Field(description="Only clusters that last until the last day; else any time")
    ] = True
    max_radius: Annotated[float, Field(gt=0, le=20_000, description="Metres")] = 1000
    max_days: Annotated[int, Field(ge=1, le=366, description="Longest cluster in days")] = 30
    simulations: Simulations = 999
    seed: Seed = 1


class Forecast(Celled):
    """Which method would have told where events come next.

    Squares by default: among cells of unequal size the smallest would look the best.
    """

    cells: Annotated[
        Literal["grids", "squares", "hexagons"],
        Field(description="Governance grids in force, or a lattice over them"),
    ] = "squares"
    period: Annotated[int, Field(ge=1, le=366, description="Days that are forecast")] = 28
    origins: Annotated[int, Field(ge=2, le=60, description="Forecasts made in the window")] = 6
    shares: Annotated[
        tuple[Annotated[float, Field(gt=0, lt=1)], ...],
        Field(min_length=1, max_length=8, description="Shares of the area that are flagged"),
    ] = (0.05, 0.1, 0.2)


class Alerts(BaseModel):
    """Look for new clusters now, as every night."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    day: Annotated[
        date | None,
        Field(alias="to", description="Last day that is looked at; null: yesterday"),
    ] = None
    layer: Annotated[
        str | None,
        Field(
            description="Only this layer; null: all", json_schema_extra={"enum": [*LAYERS, None]}
        ),
    ] = None
