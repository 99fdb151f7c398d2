"""Drafts of grid boundaries over HTTP: beginning one, drawing in it, looking at it."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from starlette.responses import Response

from geo_service.boundaries import (
    advice,
    answers,
    base,
    decisions,
    journal,
    models,
    review,
    store,
    workflow,
)
from geo_service.boundaries.asking import (
    HERE,
    JSON,
    At,
    Id,
    Reading,
    Writing,
    answered,
    documented,
    one_draft,
    refusing,
    shown,
)
from geo_service.boundaries.guards import there, wrong_state
from geo_service.database import SYSTEM
from geo_service.problems import Problem

router = APIRouter(prefix="/api/drafts", tags=["Drafts"], responses=documented(403))
STEP = documented(404, 409, 415, 422, 423)


@router.get("", response_model=models.Drafts, summary="Drafts, newest first")
async def listed(
    desk: At,
    asking: Reading,
    state: models.State | None = None,
    area: Annotated[
        str | None, Query(pattern="^[0-9]{1,12}$", description="Code, or the beginning of one")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> dict[str, Any]:
    """Return the drafts of one's area."""
    async with desk.database.reading(asking) as connection:
        found = await store.listed(connection, state, area, limit)
    return {"drafts": [shown(draft) for draft in found]}


@router.post(
    "",
    status_code=201,
    dependencies=JSON,
    response_model=models.Draft,
    responses=documented(415, 422),
    summary="Begin a draft",
)
async def begin(
    desk: At, asking: Writing, body: models.NewDraft, response: Response
) -> dict[str, Any]:
    """Begin a draft on the grids in force of an area."""
    if asking.area != "*" and not body.area.startswith(asking.area):
        raise Problem(403, "这个区域不在您的范围内。", "That area is beyond yours.")
    async with desk.database.reading(SYSTEM) as connection:
        grids = await base.current(connection, body.area)
    if not any(row.own for row in grids.rows.values()):
        raise Problem(
            422, f"区域 {body.area} 没有网格。", f"There are no grids in the area {body.area}."
        )
    values = body.model_dump()
    async with desk.database.writing(asking) as connection:
        made = await store.add(connection, asking.name, values, grids.versions)
    response.headers["Location"] = f"/api/drafts/{made}"
    return await one_draft(desk, asking, made, response)


@router.get("/{id}", response_model=models.Draft, responses=documented(404), summary="One draft")
async def one(desk: At, asking: Reading, id_: Id, response: Response) -> dict[str, Any]:
    """Return a draft; its ETag changes with whatever happens to it."""
    return await one_draft(desk, asking, id_, response)


_IfMatch = Annotated[str | None, Header(description="The ETag of the draft as it is known")]


@router.patch(
    "/{id}",
    dependencies=JSON,
    response_model=models.Draft,
    responses=documented(404, 409, 412, 415),
    summary="Name a draft anew",
)
async def patch(  # noqa: PLR0917 - what an endpoint has
    desk: At,
    asking: Writing,
    id_: Id,
    body: models.DraftPatch,
    response: Response,
    if_match: _IfMatch = None,
) -> dict[str, Any]:
    """Change the name, the reason or the day that it shall hold from."""
    values = body.model_dump(exclude_unset=True)
    async with desk.database.writing(asking) as connection:
        head = there(await store.head(connection, id_, lock=True))
        _matches(if_match, head)
        # The reviewer approved the words too: a day can still be set.
        if head.state not in {"draft", "submitted"} and not (
            head.state == "approved" and values.keys() <= {"valid_from"}
        ):
            raise wrong_state(head)
        await store.patch(connection, id_, values)
        await store.tell(connection, id_, "state", asking.name)
    return await one_draft(desk, asking, id_, response)


@router.delete(
    "/{id}",
    status_code=204,
    dependencies=HERE,
    responses=documented(404, 409, 415),
    summary="Abandon a draft",
)
async def abandon(desk: At, asking: Writing, id_: Id) -> Response:
    """Give a draft up; it stays on record."""
    await workflow.move(desk, asking, id_, "abandon")
    return Response(status_code=204)


def _matches(if_match: str | None, head: store.Head) -> None:
    if if_match not in {None, "*", f'"{head.event}"'}:
        raise Problem(412, "草稿已被他人改动，请更新后再试。", "The draft was changed meanwhile.")


# What is drawn.


@router.get(
    "/{id}/grids",
    response_model=models.Grids,
    responses=documented(404, 409),
    summary="The grids of a draft as they are now",
)
async def grids(desk: At, asking: Reading, id_: Id) -> Response:
    """Return the grids of the draft's area and those beside them, noded."""
    async with desk.seated(asking, id_) as (head, session):
        async with desk.database.reading(asking) as connection:
            cursor = await connection.execute("SELECT * FROM geo.locked_grids(%s, NULL)", [id_])
            locked = {code: name for code, _, name in await cursor.fetchall()}
        text = await desk.thread(
            lambda: answers.features(session, list(session.coverage), asking, locked)
        )
    return answered(f'{{"revision":{head.revision},{text[1:]}')


@router.post(
    "/{id}/operations",
    dependencies=JSON,
    response_model=models.Stepped,
    responses=STEP,
    summary="Do an operation",
)
async def operate(desk: At, asking: Writing, id_: Id, body: models.Step) -> Response:
    """Do an operation and keep it. Refused, it changes nothing."""
    with refusing():
        return answered(await desk.operate(asking, id_, body.revision, body.operation, keep=True))


@router.post(
    "/{id}/preview",
    dependencies=JSON,
    response_model=models.Stepped,
    responses=STEP,
    summary="What an operation would do",
)
async def preview(desk: At, asking: Writing, id_: Id, body: models.Step) -> Response:
    """Answer as to an operation, and keep nothing."""
    with refusing():
        return answered(await desk.operate(asking, id_, body.revision, body.operation, keep=False))


@router.post(
    "/{id}/undo",
    dependencies=JSON,
    response_model=models.Stepped,
    responses=STEP,
    summary="Take the last operation back",
)
async def undo(desk: At, asking: Writing, id_: Id, body: models.Turn) -> Response:
    """Take the last operation back, whoever did it."""
    with refusing():
        return answered(await desk.undo(asking, id_, body.revision))


@router.post(
    "/{id}/redo",
    dependencies=JSON,
    response_model=models.Stepped,
    responses=STEP,
    summary="Do again what was undone last",
)
async def redo(desk: At, asking: Writing, id_: Id, body: models.Turn) -> Response:
    """Do again what was undone last."""
    with refusing():
        return answered(await desk.redo(asking, id_, body.revision))


@router.get(
    "/{id}/operations",
    response_model=models.History,
    responses=documented(404),
    summary="What was done",
)
async def history(
    desk: At,
    asking: Reading,
    id_: Id,
    before: Annotated[int, Query(ge=0, lt=2**31, description="Only those numbered lower")] = 2**31
    - 1,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
) -> dict[str, Any]:
    """Return operations, the last first, undone ones too."""
    await desk.head(asking, id_)
    async with desk.database.reading(asking) as connection:
        return {"operations": await journal.history(connection, id_, before, limit)}


@router.get(
    "/{id}/balance", responses=documented(404, 409), summary="How even the grids of a draft are"
)
async def balance(desk: At, asking: Reading, id_: Id) -> dict[str, Any]:
    """Return households, buildings, events and shape of each grid, and their spread."""
    async with desk.surveyed(asking, id_) as (_, session, ground):
        return await desk.thread(lambda: answers.measured(session, ground))


@router.get(
    "/{id}/review",
    response_model=models.Review,
    responses=documented(404, 409),
    summary="What a draft changes",
)
async def reviewed(desk: At, asking: Reading, id_: Id) -> Response:
    """Return what each grid gains and loses, with what moves, before and after."""
    async with desk.surveyed(asking, id_) as (_, session, ground):
        found = await desk.thread(
            lambda: json.dumps(review.review(session, ground, asking), ensure_ascii=False)
        )
    return answered(found)


@router.post(
    "/{id}/lines",
    dependencies=JSON,
    response_model=models.PutLine,
    responses=documented(404, 415, 422),
    summary="A line put onto natural borders, and the buildings on it",
)
async def line(desk: At, asking: Writing, id_: Id, body: models.DrawnLine) -> dict[str, Any]:
    """Put a line that is being drawn where it is asked, and mark the buildings that it cuts."""
    with refusing():
        return await advice.line(desk, asking, id_, body)


@router.get(
    "/{id}/blocks",
    response_model=models.Blocks,
    responses=documented(404, 409, 422),
    summary="Blocks of grids, to be clicked",
)
async def blocks(
    desk: At,
    asking: Reading,
    id_: Id,
    code: Annotated[
        list[models.Code], Query(min_length=1, max_length=8, description="Grids; may repeat")
    ],
    by: advice.By = "block",
) -> Response:
    """Return the pieces between roads, or the ground nearest to each building."""
    with refusing():
        return answered(await advice.pieces(desk, asking, id_, code, by))


@router.post(
    "/{id}/suggestions",
    dependencies=JSON,
    response_model=models.Proposals,
    responses=STEP,
    summary="Fair divisions, to choose from",
)
async def suggest(desk: At, asking: Writing, id_: Id, body: models.Asked) -> Response:
    """Propose operations that divide a grid, or even out some, along roads; nothing is done."""
    with refusing():
        return answered(await advice.suggest(desk, asking, id_, body))


router.include_router(decisions.router)
