"""Two people in one draft see each other's operations, and miss none across a broken line."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from geo_service.boundaries import store, workflow
from geo_service.boundaries.desk import Desk
from geo_service.boundaries.operations import operation
from geo_service.boundaries.watching import stream
from geo_service.database import Database, Principal
from geo_service.live import Hub
from geo_service.ogc.kept import Kept
from geo_service.problems import Problem
from tests.geo_service.boundaries import drawn
from tests.geo_service.boundaries.office import BEND, CUT, EAST, WEST
from tests.geo_service.conftest import NORTH, SOUTH, Town

ONE, TWO = Principal("one", "editor", NORTH), Principal("two", "editor", NORTH)


def run(test: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), 60))


@asynccontextmanager
async def desk_of(town: Town) -> AsyncIterator[tuple[Desk, Hub]]:
    database = Database(town.database.url, 4)
    await database.open()
    hub = Hub(database, Kept.within(2**20), timedelta(days=7))
    hub.start()
    try:
        yield Desk(database), hub
    finally:
        await hub.stop()
        await database.close()


async def following(events: AsyncIterator[str]) -> tuple[str, Any, str | None]:
    """Return the next event that is no beat: its name, its data and its id."""
    async for text in events:
        lines = dict(line.split(": ", 1) for line in text.splitlines() if ": " in line)
        if lines.get("event") not in {None, "beat"}:
            return lines["event"], json.loads(lines["data"]), lines.get("id")
    raise AssertionError("the stream ended")


def test_two_people_see_each_other(town: Town) -> None:
    async def test() -> None:
        async with desk_of(town) as (desk, hub):
            draft = await drawn.begin(desk, ONE, NORTH)
            # The second works in another process, which knows nothing of the first's memory.
            async with (
                desk_of(town) as (other, _),
                aclosing(stream(desk, hub, ONE, draft, None)) as events,
            ):
                assert "retry" in await anext(events)
                assert "beat" in await anext(events)
                await drawn.draw(other, draft, operation(BEND), TWO)
                name, data, last = await following(events)
                assert (name, data["author"], data["revision"]) == ("operation", "two", 1)
                assert [f["id"] for f in data["changed"]["features"]] == [WEST, EAST]
                # And the first goes on from there.
                await drawn.draw(desk, draft, operation(CUT), ONE)
                name, data, last = await following(events)
                assert (data["author"], data["revision"]) == ("one", 2)
            # The line was broken meanwhile: nothing is missed, and several are told as one.
            await other_steps(desk, draft)
            async with aclosing(stream(desk, hub, ONE, draft, int(last or 0))) as events:
                name, data, _ = await following(events)
                assert (name, data["revision"], data["removed"]) == ("operation", 4, [])
                name, data, _ = await following(events)
                assert (name, data["state"]) == ("state", "submitted")
                name, data, _ = await following(events)
                assert (name, data["text"]) == ("comment", "这里")

    run(test)


async def other_steps(desk: Desk, draft: Any) -> None:
    await desk.undo(TWO, draft, 2)
    await desk.redo(TWO, draft, 3)
    await workflow.move(desk, ONE, draft, "submit")
    async with desk.database.writing(TWO) as connection:
        await store.comment(connection, draft, "two", (117.01, 31.01), "这里")


def test_who_may_not_see_a_draft_is_not_told(town: Town) -> None:
    async def test() -> None:
        async with desk_of(town) as (desk, hub):
            draft = await drawn.begin(desk, ONE, NORTH)
            south = Principal("south", "editor", SOUTH)
            with pytest.raises(Problem):
                async with aclosing(stream(desk, hub, south, draft, None)) as events:
                    await following(events)

    run(test)


def test_of_two_at_once_one_is_told_to_look_again(town: Town) -> None:
    async def test() -> None:
        async with desk_of(town) as (here, _), desk_of(town) as (there, _):
            draft = await drawn.begin(here, ONE, NORTH)
            inserts = [
                {"operation": "insert_vertex", "place": [117.01, 31.011 + k / 1000]}
                for k in range(6)
            ]
            told = await asyncio.gather(
                *(
                    (here if k % 2 else there).operate(ONE, draft, 0, data, keep=True)
                    for k, data in enumerate(inserts)
                ),
                return_exceptions=True,
            )
            done = [each for each in told if isinstance(each, str)]
            assert len(done) == 1
            assert all(isinstance(e, Problem) and e.status == 409 for e in told if e not in done)
            head = await here.head(ONE, draft)
            assert head.revision == 1
            for desk in (here, there):
                async with desk.seated(ONE, draft) as (_, session):
                    assert session.operations == 1

    run(test)
