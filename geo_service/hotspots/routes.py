"""The page of an analysis, to keep and to mail."""

import json
from typing import Annotated, Literal

from anyio import to_thread
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from geo_service.access.principals import Asking
from geo_service.analyses.catalogue import PROCESSES
from geo_service.ogc.execution import at_once, read
from geo_service.ogc.negotiation import JSON
from geo_service.problems import Problem
from geo_service.settings import Settings
from geo_service.waiting import unless_left

router = APIRouter(prefix="/api/hotspots", tags=["Hot spots"])


@router.post(
    "/{process}/page",
    summary="Execute an analysis and return its page",
    response_class=Response,
    responses={200: {"description": "One HTML file that loads nothing",
                     "content": {"text/html": {}}}},
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                JSON: {
                    "schema": {"type": "object", "properties": {"inputs": {"type": "object"}}}
                }
            },
        }
    },
)  # fmt: skip
async def hot_spot_page(
    request: Request,
    asking: Asking,
    process: Literal["hot-spots", "emerging", "compare"],
    lang: Annotated[Literal["zh", "en"], Query(description="Language of the page")] = "zh",
) -> Response:
    """Return a map to move in, with the words and the evidence of the answer."""
    chosen = PROCESSES[process]
    execution = await read(request, chosen)
    settings: Settings = request.app.state.settings
    body = await unless_left(request, at_once(settings.database_url or "", asking, execution))
    found = json.loads(body)
    found = found.get("answer", {}).get("value", found)  # where the request asked for a document

    def made() -> bytes:
        from geo_service.hotspots.page import page  # noqa: PLC0415 - large libraries

        return page(found, chosen.title, lang)

    if not found["cells"]["features"]:
        raise Problem(422, found["summary"]["zh"], found["summary"]["en"])
    return Response(
        await to_thread.run_sync(made),
        media_type="text/html; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{process}.html"'},
    )
