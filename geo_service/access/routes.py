"""Signing in and out over HTTP."""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, StringConstraints
from starlette.responses import JSONResponse, Response

from geo_service.access.principals import COOKIE, Access
from geo_service.settings import Settings
from geo_service.web.pages import set_cookie
from geo_service.web.views import account

router = APIRouter(prefix="/api/account", tags=["Account"])


class Credentials(BaseModel):
    """A local account's name and password."""

    username: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    password: Annotated[str, StringConstraints(min_length=1, max_length=256)]


@router.get("", summary="Who is signed in")
async def who(request: Request) -> dict[str, Any]:
    """Return the account, or null where nobody is signed in."""
    access: Access = request.app.state.access
    principal = await access.principal(request)
    return {"account": account(principal) if principal else None}


@router.post("/session", summary="Sign in")
async def sign_in(request: Request, credentials: Credentials) -> Response:
    """Open a session: sets a cookie."""
    access: Access = request.app.state.access
    settings: Settings = request.app.state.settings
    principal, secret = await access.sign_in(credentials.username, credentials.password)
    response = JSONResponse({"account": account(principal)})
    lifetime = timedelta(hours=settings.session_hours)
    set_cookie(response, settings, secret, int(lifetime.total_seconds()))
    return response


@router.delete("/session", status_code=204, summary="Sign out")
async def sign_out(request: Request) -> Response:
    """Close the session."""
    access: Access = request.app.state.access
    if secret := request.cookies.get(COOKIE):
        await access.sign_out(secret)
    response = Response(status_code=204)
    response.delete_cookie(COOKIE)
    return response
