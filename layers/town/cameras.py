"""Cameras at junctions, along roads, at the gates of places and at the entrances of estates."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from layers.town import outline
from layers.town.blocks import Plan
from layers.town.coordinates import Array, Floats, points, table
from layers.town.grids import ZONE

COUNT = 1204
OFFLINE, FAULT = 48, 36

_SENSORS = (
    (1920, 1080, 2.9),
    (2560, 1440, 2.0),
    (3840, 2160, 1.45),
    (2560, 1440, 2.9),
    (3840, 2160, 2.0),
)
"""Pixels across and down, and pixel pitch in micrometres, of sensors in common use (type 1/2.8 and
1/1.8 inch). The pitch of the Sony IMX415 is as published; the others are typical, and not checked
against a data sheet. A sensor's width is pixels times pitch: 5.57, 5.12, 5.57, 7.42 and 7.68 mm."""


@dataclass(frozen=True, slots=True)
class Form:
    """How a form of camera is fitted: ranges in metres and degrees, focal lengths in mm."""

    focal: tuple[float, ...]
    mount: tuple[float, float]
    tilt: tuple[float, float]
    night: tuple[float, ...]
    sensors: tuple[float, ...]


_FORMS = {
    "bullet": Form(
        (4.0, 6.0, 8.0, 12.0), (3.5, 6.5), (8, 25), (30, 50, 80), (0.4, 0.25, 0.1, 0.15, 0.1)
    ),
    "dome": Form((2.8, 4.0), (3.5, 4.5), (18, 35), (30,), (0.5, 0.3, 0.2, 0.0, 0.0)),
    "ptz": Form((4.8,), (6.0, 10.0), (8, 20), (100, 150), (0.25, 0.0, 0.0, 0.35, 0.4)),
    "panoramic": Form((2.8,), (5.0, 6.5), (20, 35), (30, 50), (0.0, 0.0, 0.3, 0.0, 0.7)),
}
"""A PTZ zooms from 4.8 to 120 mm; the table holds its wide end, which decides what it covers."""


@dataclass(slots=True)
class _Sites:
    """Where cameras may stand: place, azimuth (degrees from north), name, class, form, rank."""

    xy: list[Floats]
    azimuth: list[float]
    name: list[str]
    owner: list[str]
    form: list[str]
    rank: list[float]

    def add(
        self, xy: Floats, towards: Floats, name: str, owner: str, form: str, *, rank: float
    ) -> None:
        """Add a site looking along the vector ``towards``."""
        self.xy.append(xy)
        self.azimuth.append(float(np.degrees(np.arctan2(towards[0], towards[1])) % 360))
        self.name.append(name)
        self.owner.append(owner)
        self.form.append(form)
        self.rank.append(rank)


def cameras(
    plan: Plan,
    use: Array,
    gates: list[tuple[str, str, Floats]],
    until: date,
    rng: np.random.Generator,
) -> gpd.GeoDataFrame:
    """Return exactly ``COUNT`` cameras; the better a site, the likelier it has one."""
    sites = _Sites([], [], [], [], [], [])
    _junctions(sites, plan, rng)
    _gates(sites, gates, rng)
    _entrances(sites, plan, use, rng)
    xy = np.array(sites.xy)
    inside = shapely.contains_xy(outline.BOUNDARY.buffer(-3), xy)
    # Programmes of many years and owners: the rank is a tendency, not an order.
    rank = np.array(sites.rank) + 2.2 * rng.random(len(xy))
    order = np.argsort(np.where(inside, rank, np.inf))[:COUNT]
    if len(order) < COUNT or not inside[order].all():
        raise RuntimeError(f"{inside.sum()} camera sites found, {COUNT} are wanted")
    order = order[np.lexsort((xy[order, 0], -np.round(xy[order, 1] / 200)))]
    form = [sites.form[n] for n in order]
    of = [_FORMS[f] for f in form]
    sensor = [_SENSORS[rng.choice(5, p=f.sensors)] for f in of]
    age = np.ceil(rng.beta(1.1, 1.5, COUNT) * 8 * 365.25 - 1).clip(20).astype(int)
    name = pd.Series([sites.name[n] for n in order])
    times = name.groupby(name).cumcount() + 1
    status, since = _status(xy[order], until, rng)
    return table(
        {
            # Analogue cameras on encoders (131) went out of use; newer ones are networked (132).
            "code": [
                f"9901010000{131 if a > 2300 else 132}{n:07d}" for n, a in enumerate(age, start=1)
            ],
            "name": name.where(times == 1, name + times.astype(str) + "号"),
            "camera_class": [sites.owner[n] for n in order],
            "form": form,
            "azimuth": np.round(np.array(sites.azimuth)[order], 1) % 360,
            "tilt": [round(rng.uniform(*f.tilt), 1) for f in of],
            "mount_height": [round(rng.uniform(*f.mount), 1) for f in of],
            "focal_length": [float(rng.choice(f.focal)) for f in of],
            "sensor_width": [round(s[0] * s[2] / 1000, 2) for s in sensor],
            "sensor_height": [round(s[1] * s[2] / 1000, 2) for s in sensor],
            "pixels_across": [s[0] for s in sensor],
            "pixels_down": [s[1] for s in sensor],
            "night_range": [float(rng.choice(f.night)) for f in of],
            "status": status,
            "status_at": since,
            "installed_on": [until - timedelta(days=int(a)) for a in age],
        },
        points(xy[order]),
    )


def _junctions(sites: _Sites, plan: Plan, rng: np.random.Generator) -> None:
    """Poles at the corners of junctions, one camera down each arm, and poles along main roads."""
    corners = np.vstack([shapely.get_coordinates(b)[:-1] for b in plan.blocks])
    nodes, times = np.unique(corners, axis=0, return_counts=True)
    nodes = nodes[times >= 3]
    lines = np.array([s.line for s in plan.streets], dtype=object)
    node, street = shapely.STRtree(lines).query(shapely.points(nodes), "dwithin", distance=0.05)
    for n in np.unique(node):
        here = street[node == n]
        wide = sorted({(plan.streets[s].width, plan.streets[s].name or "村道") for s in here})[::-1]
        second = wide[min(1, len(wide) - 1)]
        # Main crossings first, then main roads meeting lanes, then lanes.
        rank = 1.0 if second[0] >= 16 else 2.0 if wide[0][0] >= 16 else 4.0 - 0.05 * wide[0][0]
        place = (
            f"{wide[0][1]}与{second[1].removesuffix('路')}路口"
            if len(wide) > 1
            else f"{wide[0][1]}"
        )
        arms = _arms(nodes[n], lines[here], [plan.streets[s].width for s in here])
        most = 4 if rank == 1.0 else 1
        for k, (pole, towards) in enumerate(arms[:most]):
            form = (
                "ptz"
                if k == 0 and rank == 1.0
                else str(rng.choice(["bullet", "dome"], p=[0.9, 0.1]))
            )
            if k == 0 and rank == 2.0 and rng.random() < 0.12:
                form = "panoramic"
            name = f"{place}{_side(towards)}向"
            sites.add(pole, towards, name, "1", form, rank=rank + 0.3 * k)
    for s in plan.streets:
        if s.width < 16 or s.line.length < 260:
            continue
        for n, at in enumerate(np.arange(130, s.line.length - 60, 210.0), start=1):
            a, b = shapely.get_coordinates(shapely.line_interpolate_point(s.line, [at, at + 5]))
            ahead = (b - a) * rng.choice([-1, 1])
            pole = a + _left(ahead) * (s.width / 2 + 1.5)
            sites.add(pole, ahead, f"{s.name}{n}号杆{_side(ahead)}向", "1", "bullet", rank=2.4)


def _arms(node: Floats, lines: Array, widths: list[float]) -> list[tuple[Floats, Floats]]:
    """Return pole and direction for every arm of a junction, widest street first."""
    arms: list[tuple[float, Floats, Floats]] = []
    for line, width in zip(lines, widths, strict=True):
        at = float(shapely.line_locate_point(line, shapely.Point(node)))
        for ahead in (at - 20, at + 20):
            if 0 <= ahead <= line.length:
                towards = (
                    shapely.get_coordinates(shapely.line_interpolate_point(line, ahead))[0] - node
                )
                arms.append((-width, node + _left(towards) * (max(widths) / 2 + 1.5), towards))
    return [(pole, towards) for _, pole, towards in sorted(arms, key=lambda a: a[0])]


def _gates(sites: _Sites, gates: list[tuple[str, str, Floats]], rng: np.random.Generator) -> None:
    for name, kind, gate in gates:
        count = {"school": 3, "hospital": 2, "market": 3, "station": 3}.get(kind, 1)
        for k in range(count):
            turn = rng.uniform(0, 2 * np.pi)
            towards = np.array([np.cos(turn), np.sin(turn)])
            form = "dome" if k % 2 else "bullet"
            title = f"{name}{'大门' if k == 0 else f'{k + 1}号点'}"
            sites.add(gate - 6 * towards, towards, title, "2", form, rank=1.5 + 0.1 * k)


def _entrances(sites: _Sites, plan: Plan, use: Array, rng: np.random.Generator) -> None:
    forms = ["slabs", "midrise", "towers", "villas", "houses", "shops", "sheds"]
    for b in np.flatnonzero(np.isin(use, forms)):
        side = shapely.get_coordinates(plan.lots[b].exterior)
        length = np.hypot(*np.diff(side, axis=0).T)
        for k, n in enumerate(np.argsort(-length)[:2]):
            gate = side[n : n + 2].mean(axis=0)
            inward = shapely.get_coordinates(plan.lots[b].centroid)[0] - gate
            form = str(rng.choice(["bullet", "dome"], p=[0.55, 0.45]))
            estate = {"sheds": "厂区", "houses": "街坊", "shops": "商铺"}.get(str(use[b]), "小区")
            name = f"{estate}{b:03d}{_side(-inward)}门"
            sites.add(gate, -inward, name, "3", form, rank=3.0 + 0.6 * k)


def _left(towards: Floats) -> Floats:
    return np.asarray([-towards[1], towards[0]] / np.hypot(*towards))


def _side(towards: Floats) -> str:
    eighth = round(float(np.degrees(np.arctan2(towards[0], towards[1]))) / 45) % 8
    return ("北", "东北", "东", "东南", "南", "西南", "西", "西北")[eighth]


def _status(xy: Floats, until: date, rng: np.random.Generator) -> tuple[list[str], list[datetime]]:
    """Return statuses and since when: most offline ones hang on one switch that failed."""
    status = np.full(COUNT, "online", dtype=object)
    now = datetime(until.year, until.month, until.day, 17, 55, tzinfo=ZONE)
    ago = rng.uniform(0, 30, COUNT)
    switch = np.argsort(np.hypot(*(xy - np.array([620.0, -720.0])).T))[: OFFLINE - 20]
    others = rng.permutation(np.setdiff1d(np.arange(COUNT), switch))
    offline, fault = others[:20], others[20 : 20 + FAULT]
    status[switch], status[offline], status[fault] = "offline", "offline", "fault"
    ago[switch] = 31 * 60 + rng.uniform(0, 2, len(switch))
    ago[offline] = rng.uniform(60, 12 * 1440, 20)
    ago[fault] = rng.uniform(600, 40 * 1440, FAULT)
    return list(status), [now - timedelta(seconds=round(a * 60)) for a in ago]
