"""Forms of an answer, by the parameter ``f`` or the header Accept: JSON, HTML, or a file."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, Query, Request
from starlette.responses import HTMLResponse, Response
from starlette.templating import Jinja2Templates

from geo_service.ogc.parameters import address
from geo_service.problems import Problem

GEOJSON = "application/geo+json"
JSON = "application/json"
HTML = "text/html"

_templates = Jinja2Templates(Path(__file__).parents[1] / "web" / "templates")


@dataclass(frozen=True, slots=True)
class Form:
    """A form of an answer. ``suffix`` names the format of a file that holds every feature."""

    name: str
    media_type: str
    suffix: str | None = None

    @property
    def html(self) -> bool:
        """Whether it is a page for people."""
        return self.media_type == HTML


DOCUMENTS = (Form("json", JSON), Form("html", HTML))
FILES = (
    Form("ndjson", "application/x-ndjson", ".geojsonl"),
    Form("csv", "text/csv", ".csv"),
    Form("fgb", "application/flatgeobuf", ".fgb"),
    Form("parquet", "application/vnd.apache.parquet", ".parquet"),
)
FEATURES = (Form("json", GEOJSON), Form("html", HTML), *FILES)
_ALIASES: Mapping[str, str] = {"geojson": "json", JSON: GEOJSON}


def chosen(request: Request, f: str | None, forms: tuple[Form, ...]) -> Form:
    """Return the form that is asked for: by ``f``, else the best that Accept allows, else JSON.

    Raises Problem 400 for a form that is not there.
    """
    if f is not None:
        name = _ALIASES.get(f, f)
        found = next((form for form in forms if form.name == name), None)
        if found is None:
            names = ", ".join(form.name for form in forms)
            raise Problem(
                400, f"没有格式“{f[:20]}”，可用：{names}。",
                f"There is no form {f[:20]!r}; there are: {names}.",
            )  # fmt: skip
        return found
    for media_type in _accepted(request.headers.get("accept", "")):
        wanted = _ALIASES.get(media_type, media_type)
        for form in forms:
            if wanted in {form.media_type, media_type} and form.media_type in {wanted, media_type}:
                return form
        if media_type == "*/*":
            break
    return forms[0]


def _accepted(header: str) -> list[str]:
    """Return media types, the most wanted first (RFC 9110, 12.5.1)."""
    weighed = []
    for position, part in enumerate(header.split(",")):
        media_type, *parameters = (piece.strip().lower() for piece in part.split(";"))
        quality = 1.0
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name == "q":
                try:
                    quality = float(value)
                except ValueError:
                    quality = 0.0
        if media_type and quality > 0:
            weighed.append((-quality, position, media_type))
    return [media_type for _, _, media_type in sorted(weighed)]


async def document_form(
    request: Request,
    f: Annotated[str | None, Query(description="Form of the answer: json or html")] = None,
) -> Form:
    """Return the form that a document is asked for in."""
    return chosen(request, f, DOCUMENTS)


async def feature_form(
    request: Request,
    f: Annotated[
        str | None,
        Query(
            description="Form of the answer; all but json and html hold every feature",
            json_schema_extra={"enum": [form.name for form in FEATURES]},
        ),
    ] = None,
) -> Form:
    """Return the form that features are asked for in."""
    return chosen(request, f, FEATURES)


Documented = Annotated[Form, Depends(document_form)]
Formed = Annotated[Form, Depends(feature_form)]


def alternates(
    request: Request, path: str, own: Form, forms: tuple[Form, ...], **query: object
) -> list[dict[str, str]]:
    """Return links to the other forms of an answer."""
    return [
        {
            "href": address(request, path, **{**query, "f": form.name}),
            "rel": "alternate",
            "type": form.media_type,
        }
        for form in forms
        if form != own
    ]


def answer(request: Request, form: Form, content: dict[str, Any], title: str) -> Response:
    """Return a document as JSON, or as a page that shows the same."""
    if form.html:
        return page(request, content, title)
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Response(body.encode(), media_type=form.media_type)


def page(request: Request, content: dict[str, Any], title: str) -> HTMLResponse:
    """Return a document as a page: the same members, with links to follow."""
    return _templates.TemplateResponse(
        request,
        "document.html",
        {
            "title": title,
            "content": content,
            "path": request.url.path.rstrip("/"),
            # Only links of this service lead anywhere: there may be no internet.
            "base": str(request.base_url),
        },
    )
