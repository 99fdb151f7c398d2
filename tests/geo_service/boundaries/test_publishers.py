"""Twenty publishers at once, some of them killed; and drafts of ten thousand operations."""

import random
import subprocess
import sys
import time
from typing import Any

import numpy as np
import pytest
import shapely

from geo_service.boundaries import publishing
from geo_service.boundaries.desk import Desk
from geo_service.boundaries.refusal import Refused
from geo_service.problems import Problem
from tests.conftest import REPOSITORY, TestDatabase
from tests.geo_service.boundaries import coverages, drawn
from tests.geo_service.boundaries.moves import KINDS
from tests.geo_service.boundaries.test_publishing import a_coverage, in_force, wrong

PUBLISHERS = 20

# A process of four publishers: says when it is ready, waits for the word, publishes.
_PUBLISH = """
import asyncio, sys
from uuid import UUID
from geo_service.boundaries import publishing
from geo_service.problems import Problem
from tests.geo_service.boundaries import drawn

async def work(desk):
    drafts = [UUID(text) for text in sys.argv[2:]]
    for draft in drafts:
        await desk.head(drawn.BOSS, draft)
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    told = await asyncio.gather(
        *(publishing.publish(desk, drawn.BOSS, draft, None) for draft in drafts),
        return_exceptions=True,
    )
    for each in told:
        if each is not None and not isinstance(each, Problem):
            raise each

drawn.at_the_desk(sys.argv[1], work)
"""


async def _drafts(desk: Desk) -> list[Any]:
    """Make drafts that touch no grid in common, and approve them."""
    rng = np.random.default_rng(2)
    made: list[Any] = []
    async with desk.seated(drawn.EDITOR, await drawn.begin(desk)) as (_, session):
        codes = sorted(session.coverage)
    while len(made) < PUBLISHERS:
        code = codes.pop(int(rng.integers(len(codes))))
        draft = await drawn.begin(desk)
        async with desk.seated(drawn.EDITOR, draft) as (_, session):
            step = KINDS["split"](rng, session.coverage, code, f"new-{len(made)}")
        try:
            await drawn.draw(desk, draft, step)
            await drawn.approve(desk, draft)
        except (Refused, Problem):
            continue
        made.append(draft)
    return made


@pytest.mark.slow
def test_twenty_publishers_and_some_are_killed(database: TestDatabase) -> None:
    grids = coverages.voronoi(225)
    with database.connect() as connection:
        drawn.lay(connection, grids)
        drawn.scatter(connection, grids, 5000)
    whole = shapely.union_all(list(grids.values()))
    drafts = drawn.at_the_desk(database.url, _drafts)
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _PUBLISH, database.url, *map(str, drafts[k::5])],
            cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )
        for k in range(5)
    ]  # fmt: skip
    for process in processes:
        assert process.stdout
        assert process.stdout.readline() == b"ready\n"
    for process in processes:
        assert process.stdin
        process.stdin.write(b"go\n")
        process.stdin.flush()
    published = _wait_for_some(database)
    for process in processes[:2]:
        process.kill()
    for process in processes:
        process.communicate(timeout=120)
    assert [process.returncode for process in processes] == [-9, -9, 0, 0, 0]
    with database.connect() as connection:
        rows = connection.execute(
            "SELECT id, state, touched, published FROM drafts WHERE id = ANY (%s)", [drafts]
        ).fetchall()
        done = [row for row in rows if row[1] == "published"]
        assert published <= len(done)
        assert 12 <= len(done) < PUBLISHERS, "nobody killed these, and somebody died at it"
        for _, state, touched, versions in rows:
            # All of a draft is there, or nothing.
            if state == "published":
                assert sorted(versions) == touched
            else:
                assert (state, versions) == ("approved", None)
        assert _whole_at_every_moment(connection, whole) == len(done)
        assert wrong(connection) == 0
        untouched = {c for _, state, touched, _ in rows if state == "approved" for c in touched}
        after = in_force(connection)
        for code in untouched & set(grids):
            assert shapely.equals_exact(after[code].geoms[0], grids[code], normalize=True)
    # Nothing of the dead stands in the way: whoever comes next publishes what they left.
    left = [id_ for id_, state, *_ in rows if state == "approved"]

    async def finish(desk: Desk) -> None:
        for draft in left:
            await publishing.publish(desk, drawn.BOSS, draft, None)

    drawn.at_the_desk(database.url, finish)
    with database.connect() as connection:
        assert _whole_at_every_moment(connection, whole) == PUBLISHERS
        assert wrong(connection) == 0


def _wait_for_some(database: TestDatabase) -> int:
    """Return how many were published when it was the moment to kill: others are in the middle."""
    with database.connect(autocommit=True) as connection:
        at_least = random.Random(4).randint(2, 5)
        for _ in range(2000):
            row = connection.execute(_PROGRESS).fetchone()
            if row and row[0] >= at_least and row[1] >= 5:
                return int(row[0])
            time.sleep(0.01)
    raise AssertionError("nobody publishes, or nobody waits for another")


_PROGRESS = """
SELECT
    (SELECT count(*) FROM drafts WHERE state = 'published'),
    (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)
"""


def _whole_at_every_moment(connection: Any, whole: Any) -> int:
    """Check the grids as they were after every publication; return how many there were."""
    moments = [
        at
        for (at,) in connection.execute(
            "SELECT DISTINCT valid_from FROM grids WHERE valid_from IS NOT NULL ORDER BY 1"
        )
    ]
    for at in moments:
        assert a_coverage(in_force(connection, at.isoformat()), whole), at
    return len(moments)
