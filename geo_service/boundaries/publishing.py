"""Publishing a draft in one transaction, taking it back as a new version, and moving its base."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg
import shapely
from psycopg.types.json import Jsonb

from geo_service.boundaries import answers, base, journal, store
from geo_service.boundaries.balance import Ground, balance
from geo_service.boundaries.base import Row
from geo_service.boundaries.desk import Desk
from geo_service.boundaries.lattice import Shape
from geo_service.boundaries.refusal import Refused
from geo_service.boundaries.replay import Session
from geo_service.boundaries.store import Connection
from geo_service.boundaries.workflow import wrong_state
from geo_service.database import SYSTEM, Principal
from geo_service.problems import Problem

TOWN_TIME = ZoneInfo("Asia/Shanghai")

_COUNTED = ("households", "population", "staff")


async def publish(desk: Desk, asking: Principal, id_: UUID, valid_from: date | None) -> None:
    """Make an approved draft the grids in force, all of it or nothing.

    ``valid_from`` is the day that the new version holds from, by default this moment. Raises
    Problem 409 with both geometries where a grid was changed since the draft's base.
    """
    async with desk.seated(asking, id_) as (head, session):
        if head.state != "approved":
            raise wrong_state(head)
        ground = await desk.ground(asking, head.area)
        shapes = session.difference()
        rows = await desk.thread(lambda: counted(session, shapes, ground))
        versions = {
            code: session.base.rows[code].version for code in shapes if code in session.base.rows
        }
        async with desk.database.writing(asking) as connection:
            await desk.unchanged(connection, head)
            asked = await _day(connection, id_, valid_from)
            since = await _hold(connection, asking, session, versions, shapes, asked)
            written = await _write(connection, id_, since, shapes, rows)
            await connection.execute(
                "UPDATE drafts SET state = 'published', published = %s, published_at = now(),"
                " valid_from = %s WHERE id = %s",
                [Jsonb(written), since.astimezone(TOWN_TIME).date(), id_],
            )
            await store.tell(connection, id_, "state", asking.name, shapes)


async def rollback(desk: Desk, asking: Principal, id_: UUID) -> None:
    """Bring back what a published draft changed, as a new version; history stays."""
    async with desk.seated(asking, id_) as (head, session):
        if head.state != "published":
            raise wrong_state(head)
        async with desk.database.reading(SYSTEM) as connection:
            cursor = await connection.execute("SELECT published FROM drafts WHERE id = %s", [id_])
            found = await cursor.fetchone()
        published: dict[str, int | None] = (found and found[0]) or {}
        before = session.base.rows
        shapes = {
            code: before[code].shape if code in before else None for code in sorted(published)
        }
        rows = [_plain(before[code]) for code in shapes if code in before]
        versions = {code: version for code, version in published.items() if version is not None}
        async with desk.database.writing(asking) as connection:
            await desk.unchanged(connection, head)
            since = await _hold(connection, asking, session, versions, shapes, None)
            await _write(connection, id_, since, shapes, rows)
            await connection.execute(
                "UPDATE drafts SET state = 'rolled-back', rolled_back_at = now() WHERE id = %s",
                [id_],
            )
            await store.tell(connection, id_, "state", asking.name, shapes)


_REBASED = """
UPDATE drafts
SET
    base = %(base)s,
    rebases = rebases + 1,
    state = CASE state WHEN 'approved' THEN 'submitted' ELSE state END,
    reviewer = NULL,
    approved_at = NULL
WHERE id = %(draft)s
"""


async def rebase(desk: Desk, asking: Principal, id_: UUID, skip: Sequence[int]) -> None:
    """Replay a draft on the grids in force now. What was approved must be approved again.

    Operations numbered in ``skip`` are left out for good. Raises Problem 409 with the operation
    that is refused and its place; then nothing changed.
    """
    async with desk.seated(asking, id_) as (head, session):
        if head.state not in {"draft", "submitted", "approved"}:
            raise wrong_state(head)
        async with desk.database.reading(asking) as connection:
            every = await journal.steps(connection, id_)
        steps = [step for step in every if step[0] not in set(skip)]
        async with desk.database.reading(SYSTEM) as connection:
            ground = await base.current(connection, head.area)
        made = await desk.thread(lambda: Session(ground, head.rebases + 1))
        try:
            await desk.thread(lambda: made.bring(steps))
        except Refused as refusal:
            seq, data = steps[refusal.step or 0]
            raise Problem(
                409,
                f"第 {seq} 步操作在新的网格上无法完成：{refusal.reason.zh}",
                f"Operation {seq} is refused on the grids as they are now: {refusal.reason.en}",
                extra={"place": refusal.place, "operation": {"seq": seq, **data}},
            ) from None
        codes = sorted(made.touched | session.touched)
        async with desk.database.writing(asking) as connection:
            await desk.unchanged(connection, head)
            gone = [seq for seq, _ in every if seq in set(skip)]
            await journal.drop(connection, id_, gone)
            await connection.execute(_REBASED, {"base": Jsonb(ground.versions), "draft": id_})
            await connection.execute("DELETE FROM draft_checkpoints WHERE draft = %s", [id_])
            await desk.free(connection, head, sorted(made.touched))
            await journal.revise(connection, id_, made.touched)
            await store.tell(connection, id_, "operation", asking.name, codes)
            await store.tell(connection, id_, "state", asking.name)
        made.revision = head.revision + 1
        with desk.sessions.seat(id_) as seat:
            seat.session = made


async def _day(connection: Connection, id_: UUID, given: date | None) -> datetime | None:
    """Return the start of the day that was asked for, by the publisher or in the draft."""
    if given is None:
        cursor = await connection.execute("SELECT valid_from FROM drafts WHERE id = %s", [id_])
        row = await cursor.fetchone()
        given = row[0] if row else None
    if given is None:
        return None
    start = datetime.combine(given, time.min, TOWN_TIME)
    if start > datetime.now(TOWN_TIME):
        raise Problem(
            409,
            f"生效日期 {given} 未到，请在当日发布，或改为不指定日期。",
            f"{given} is yet to come: publish on that day, or without a date.",
        )
    return start


async def _hold(  # noqa: PLR0917 - what it compares
    connection: Connection,
    asking: Principal,
    session: Session,
    versions: Mapping[str, int],
    shapes: Mapping[str, Shape | None],
    since: datetime | None,
) -> datetime:
    """Lock the rows of grids in the order of their codes; return from when a version holds.

    Raises Problem 409 where they are not in these versions any more, or were not yet on that day.
    """
    cursor = await connection.execute("SELECT * FROM geo.hold_grids(%s)", [list(shapes)])
    held = {code: rest for code, *rest in await cursor.fetchall()}
    moved = [
        code for code in shapes if (held[code][0] if code in held else None) != versions.get(code)
    ]
    if moved:
        theirs = {code: shapely.from_wkb(held[code][2]) for code in moved if code in held}
        mine = {code: shape for code in moved if (shape := shapes[code]) is not None}
        raise Problem(
            409,
            f"网格 {moved[0]} 在本草稿开始之后已有新的发布，请先变基。",
            f"Grid {moved[0]} was published anew since this draft began: rebase the draft.",
            extra={
                "codes": answers.seen(session, moved, asking),
                "theirs": _collection(session, theirs, asking),
                "yours": _collection(session, mine, asking),
            },
        )
    if since is None:
        # After the locks: whoever held them before had an earlier moment.
        cursor = await connection.execute("SELECT clock_timestamp()")
        row = await cursor.fetchone()
        assert row is not None  # noqa: S101 - a function has a value
        moment: datetime = row[0]
        return moment
    late = [code for code, (_, start, _) in held.items() if start is not None and start >= since]
    if late:
        raise Problem(
            409,
            f"网格 {late[0]} 的现行版本在该日期之后才生效，请另选生效日期。",
            f"The version in force of grid {late[0]} began later than that day: choose another.",
            extra={"codes": answers.seen(session, late, asking)},
        )
    return since


_BROKEN = {
    "coverage_overlap": ("互相重叠", "overlap"),
    "coverage_gap": ("留下空隙", "leave a gap"),
}


async def _write(
    connection: Connection,
    id_: UUID,
    since: datetime,
    shapes: Mapping[str, Shape | None],
    rows: Sequence[Mapping[str, Any]],
) -> dict[str, int | None]:
    try:
        cursor = await connection.execute(
            "SELECT geo.write_grids(%s, %s, %s, %s::bytea[], %s)",
            [
                id_,
                since,
                list(shapes),
                [None if shape is None else shapely.to_wkb(shape) for shape in shapes.values()],
                Jsonb(list(rows)),
            ],
        )
    except psycopg.errors.CheckViolation as error:
        found = re.search(r"POINT\((\S+) (\S+)\)", error.diag.message_primary or "")
        place = [float(found[1]), float(found[2])] if found else None
        zh, en = _BROKEN.get(
            error.diag.constraint_name or "",
            ("出现不合法的边界", "have boundaries that are not valid"),
        )
        raise Problem(
            409,
            f"发布后网格会{zh}，没有发布。请先变基。",
            f"The published grids would {en}; nothing was published. Rebase the draft.",
            extra={"place": place},
        ) from error
    row = await cursor.fetchone()
    assert row is not None  # noqa: S101 - a function has a value
    written: dict[str, int | None] = row[0] or {}
    return written


def counted(
    session: Session, shapes: Mapping[str, Shape | None], ground: Ground
) -> list[dict[str, Any]]:
    """Return the attributes of the grids that are written, with what they count now.

    What the register counted for a grid stays, changed by the households of the buildings that it
    gained and lost; a new grid counts those of its buildings, or nothing where none are known.
    """
    codes = [code for code, shape in shapes.items() if shape is not None]
    after = {row["code"]: row for row in answers.measured(session, ground, codes)["grids"]}
    before = {row["code"]: row for row in balance(session.start, ground, codes)["grids"]}
    made = []
    for code in codes:
        row = _plain(session.rows[code])
        old = session.base.rows.get(code)
        for key in _COUNTED:
            new = after[code][key]
            if old is None:
                row[key] = new or None
            elif (count := getattr(old, key)) is not None:
                row[key] = max(0, count + new - before[code][key])
        made.append(row)
    return made


def _plain(row: Row) -> dict[str, Any]:
    return {
        "code": row.code,
        "name": row.name,
        "kind": row.kind,
        "parent": row.parent,
        "households": row.households,
        "population": row.population,
        "staff": row.staff,
        "attributes": dict(row.attributes),
    }


def _collection(session: Session, shapes: Mapping[str, Shape], asking: Principal) -> dict[str, Any]:
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "id": code,
                "geometry": json.loads(shapely.to_geojson(shapes[code])),
                "properties": {"code": code},
            }
            for code in answers.seen(session, shapes, asking)
        ],
    }
