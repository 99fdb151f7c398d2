"""Handing files in over HTTP: upload, preview, check, load, history, undo."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import quote
from uuid import UUID, uuid4

import anyio
from anyio import to_thread
from fastapi import APIRouter, Depends, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from geo_service.access.origin import from_here, json_from_here, type_refused
from geo_service.database import Database, Principal, acting
from geo_service.imports import store, uploads
from geo_service.imports.guards import Writing, documented, may_write, refused
from geo_service.imports.models import Import, Imports, Reading
from geo_service.imports.receiving import most, receive, stage
from geo_service.ogc.parameters import layer as layer_called
from geo_service.problems import Problem
from geo_service.settings import Settings
from layers.catalogue import CATALOGUE, Layer

_T = TypeVar("_T")
# Reading a file keeps a processor busy: the others are for those who look at the map.
_busy = anyio.CapacityLimiter(2)


router = APIRouter(prefix="/api/imports", tags=["Imports"], responses=documented(401, 403))


@router.post(
    "",
    status_code=201,
    dependencies=[Depends(from_here)],
    response_model=Import,
    responses=documented(413, 415, 422),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/octet-stream": {"schema": {"type": "string", "format": "binary"}}
            },
        }
    },
    summary="Hand in a file",
)
async def upload(
    request: Request,
    asking: Writing,
    filename: Annotated[
        str, Query(min_length=1, max_length=300, description="Its name; the suffix is the format")
    ],
    collection: Annotated[
        str | None,
        Query(
            alias="layer",
            description="Layer that it is for: an address of a camera is kept, of people never",
        ),
    ] = None,
) -> dict[str, Any]:
    """Take a file in; nothing is loaded yet. Columns about people are not kept."""
    layer = await layer_called(collection) if collection else None
    if layer:
        may_write(asking, layer)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/octet-stream":
        raise type_refused()
    settings: Settings = request.app.state.settings
    id_ = uuid4()
    target = uploads.staged(settings.home, id_)
    with uploads.on_the_way(settings.home, id_) as place:
        await receive(request, place / "original", await run_in_threadpool(most, filename))
        found = await _thread(lambda: stage(place, target, filename, layer))
    database: Database = request.app.state.database
    try:
        async with database.writing(asking) as connection:
            await store.add(
                connection, id_, asking, layer=layer.id if layer else "",
                file=found[0], size=found[1], sha256=found[2],
            )  # fmt: skip
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return await _get(database, asking, id_)


@router.get("", response_model=Imports, summary="What was loaded, and by whom")
async def history(
    request: Request,
    asking: Writing,
    layer: Annotated[str | None, Query(description="Only this layer's")] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> dict[str, Any]:
    """Return the imports of one's area, newest first."""
    database: Database = request.app.state.database
    async with database.reading(asking) as connection:
        return {"imports": await store.page(connection, layer, limit)}


@router.get(
    "/{id}", response_model=Import, responses=documented(404), summary="One import and its report"
)
async def one(request: Request, asking: Writing, id: UUID) -> dict[str, Any]:  # noqa: A002
    """Return how far an import is, or what came of it."""
    return await _get(request.app.state.database, asking, id)


async def _get(database: Database, asking: Principal, id_: UUID) -> dict[str, Any]:
    async with database.reading(asking) as connection:
        row = await store.get(connection, id_)
    if row is None:
        raise Problem(404, "没有这次导入的记录。", "There is no such import.")
    return row


@router.post(
    "/{id}/preview",
    dependencies=[Depends(json_from_here)],
    responses=documented(404, 409, 415),
    summary="How a file would be understood",
)
async def preview(request: Request, asking: Writing, id: UUID, body: Reading) -> dict[str, Any]:  # noqa: A002
    """Read the beginning of the file with these options: columns, codes, CRS, rows, problems."""
    settings: Settings = request.app.state.settings
    await _get(request.app.state.database, asking, id)
    layer = await layer_called(body.layer) if body.layer else None
    if layer:
        may_write(asking, layer)
    path = _kept(settings, id)
    return await _thread(lambda: _preview(settings, asking, layer, path, body))


def _preview(
    settings: Settings, asking: Principal, layer: Layer | None, path: Path, body: Reading
) -> dict[str, Any]:
    from layers.intake.preview import preview as look  # noqa: PLC0415 - large libraries
    from layers.intake.report import Refusal  # noqa: PLC0415

    with acting(settings.database_url or "", asking) as connection:
        try:
            found: dict[str, Any] = look(
                connection,
                layer,
                path,
                mapping=body.mapping,
                constants=body.constants,
                crs=body.crs,
                timezone=body.timezone,
                make_codes=body.make_codes,
                repair=body.repair,
                layers=[each for each in CATALOGUE.values() if asking.role in each.writers],
            ).as_dict()
        except Refusal as refusal:
            raise refused(422, refusal) from refusal
    return found


@router.post(
    "/{id}/check",
    status_code=202,
    dependencies=[Depends(json_from_here)],
    response_model=Import,
    responses=documented(404, 409, 415),
    summary="Try a load, and take it back",
)
async def check(request: Request, asking: Writing, id: UUID, body: Reading) -> dict[str, Any]:  # noqa: A002
    """Queue a trial: it ends as checked or refused, with a report."""
    return await _queue(request, asking, id, body, dry_run=True)


@router.post(
    "/{id}/load",
    status_code=202,
    dependencies=[Depends(json_from_here)],
    response_model=Import,
    responses=documented(404, 409, 415),
    summary="Load a file",
)
async def load(request: Request, asking: Writing, id: UUID, body: Reading) -> dict[str, Any]:  # noqa: A002
    """Queue the load: it ends as loaded or refused, with a report."""
    return await _queue(request, asking, id, body, dry_run=False)


async def _queue(
    request: Request, asking: Principal, id_: UUID, body: Reading, *, dry_run: bool
) -> dict[str, Any]:
    from geo_service import jobs  # noqa: PLC0415 - the first page need not wait for it

    layer = await layer_called(body.layer or "")
    may_write(asking, layer)
    database: Database = request.app.state.database
    row = await _get(database, asking, id_)
    _kept(request.app.state.settings, id_)
    options = body.model_dump(exclude={"layer"})
    async with database.writing(asking) as connection:
        if not await store.queue(connection, id_, asking, layer.id, options):
            raise _not_now(row["state"])
        await jobs.defer(
            connection,
            jobs.load,
            import_id=str(id_),
            dry_run=dry_run,
            name=asking.name,
            role=asking.role,
            area=asking.area,
        )
    return await _get(database, asking, id_)


def _not_now(state: str) -> Problem:
    if state in {"loaded", "undone"}:
        return Problem(
            409,
            "这次导入已写入过，请重新上传文件。",
            "This import was written before: upload the file again.",
        )
    return Problem(409, "这次导入正在处理中。", "This import is under way.")


def _kept(settings: Settings, id_: UUID) -> Path:
    path = uploads.staged(settings.home, id_)
    if not path.exists():
        raise Problem(
            409,
            f"文件已不在服务器上（只保留 {uploads.KEEP.days} 天），请重新上传。",
            f"The file is not here any more (files are kept for {uploads.KEEP.days} days):"
            " upload it again.",
        )
    return path


@router.get(
    "/{id}/problems.xlsx",
    response_class=Response,
    responses=documented(404, 409),
    summary="The bad rows, each with its reason",
)
async def problems(
    request: Request,
    asking: Writing,
    id: UUID,  # noqa: A002
    lang: Literal["zh", "en"] = "zh",
) -> Response:
    """Return a workbook of the bad rows as they stand in the file, the reason in a last column."""
    from geo_service.imports.mending import workbook  # noqa: PLC0415 - large libraries

    settings: Settings = request.app.state.settings
    row = await _get(request.app.state.database, asking, id)
    report = row["report"] or {}
    if not report.get("problems"):
        raise Problem(409, "这次导入没有需要修改的行。", "This import has no rows to mend.")
    source = _kept(settings, id)
    path = uploads.folder(settings.home) / f"{uuid4()}.xlsx"
    try:
        await _thread(lambda: workbook(source, report, path, lang))
        content = await run_in_threadpool(path.read_bytes)
    finally:
        path.unlink(missing_ok=True)
    name = f"{Path(row['file']).stem}-{'需修改的行' if lang == 'zh' else 'rows to mend'}.xlsx"
    # No FileResponse: granian opens its file by itself, by then the background task has removed it.
    return Response(
        content,
        media_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        headers={"Content-Disposition": f"attachment; filename*=utf-8''{quote(name)}"},
    )


@router.post(
    "/{id}/undo",
    dependencies=[Depends(from_here)],
    response_model=Import,
    responses=documented(404, 409, 415),
    summary="Take an import back",
)
async def undo(request: Request, asking: Writing, id: UUID) -> dict[str, Any]:  # noqa: A002
    """Remove the rows that it inserted and restore those that it changed, all or nothing."""
    database: Database = request.app.state.database
    row = await _get(database, asking, id)
    if row["layer"] in CATALOGUE:
        may_write(asking, CATALOGUE[row["layer"]])
    await run_in_threadpool(_undo, request.app.state.settings, asking, id)
    return await _get(database, asking, id)


def _undo(settings: Settings, asking: Principal, id_: UUID) -> None:
    from layers.intake.report import Refusal  # noqa: PLC0415
    from layers.intake.undoing import undo as take_back  # noqa: PLC0415 - large libraries

    with acting(settings.database_url or "", asking) as connection:
        try:
            take_back(connection, id_)
        except Refusal as refusal:
            raise refused(409, refusal) from refusal


@router.delete(
    "/{id}",
    status_code=204,
    dependencies=[Depends(from_here)],
    responses=documented(404, 409),
    summary="Forget a file that was not loaded",
)
async def forget(request: Request, asking: Writing, id: UUID) -> Response:  # noqa: A002
    """Remove the file and its record. What was loaded stays on record."""
    database: Database = request.app.state.database
    row = await _get(database, asking, id)
    async with database.writing(asking) as connection:
        if not await store.remove(connection, id):
            raise _not_now(row["state"])
    settings: Settings = request.app.state.settings
    uploads.staged(settings.home, id).unlink(missing_ok=True)
    return Response(status_code=204)


async def _thread(work: Callable[[], _T]) -> _T:
    return await to_thread.run_sync(work, limiter=_busy)
