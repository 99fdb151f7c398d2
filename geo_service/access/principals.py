"""From a request to its principal: token, basic credentials, session cookie, open account."""

import base64
import binascii
import secrets
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from starlette.requests import cookie_parser

from geo_service.access.passwords import digest, verify
from geo_service.database import SYSTEM, Database, Principal
from geo_service.problems import Problem

COOKIE = "geo_session"
_REMEMBERED = 10.0  # seconds that a resolved principal is trusted without asking again
_MOST_REMEMBERED = 10_000
_FAILURES_ALLOWED = 5
_LOCK = timedelta(minutes=1)


class Access:
    """Resolves principals, and opens and closes sessions. One for each application."""

    def __init__(self, database: Database, open_to: str | None, session: timedelta) -> None:
        self._database = database
        self._open_to = open_to
        self._session = session
        self._known: OrderedDict[bytes, tuple[float, Principal | None]] = OrderedDict()

    async def principal(self, request: Request) -> Principal | None:
        """Return who asks, or None where nobody is signed in and nothing is open."""
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return await self._remember(b"t" + digest(value), self._by_token, value)
        if scheme.lower() == "basic":
            return await self._remember(b"b" + digest(value), self._by_basic, value)
        if cookie := request.cookies.get(COOKIE):
            found = await self._remember(b"s" + digest(cookie), self._by_cookie, cookie)
            if found:
                return found
        if self._open_to:
            return await self._remember(b"o", self._by_name, self._open_to)
        return None

    def known(self, authorization: bytes, cookie: bytes) -> Principal | None:
        """Return who asks, if that was found out within the last seconds; ask nothing.

        The shortest way, for answers that are ready: ``principal`` decides whenever this is None.
        """
        now = time.monotonic()
        if authorization:
            scheme, _, value = authorization.decode("latin-1").partition(" ")
            kind = {"bearer": b"t", "basic": b"b"}.get(scheme.lower())
            found = self._known.get(kind + digest(value)) if kind else None
            return found[1] if found and found[0] > now else None
        if cookie:
            secret = cookie_parser(cookie.decode("latin-1")).get(COOKIE)
            if secret:
                found = self._known.get(b"s" + digest(secret))
                if found is None or found[0] <= now or found[1]:
                    return found[1] if found and found[0] > now else None
        found = self._known.get(b"o")
        return found[1] if found and found[0] > now else None

    async def sign_in(self, name: str, password: str) -> tuple[Principal, str]:
        """Check the password and open a session; return who it is and the cookie's secret.

        Raises Problem 401 where they do not fit, 429 for a minute after five failures.
        """
        principal = await self._check(name, password)
        secret = secrets.token_urlsafe(32)
        async with self._database.writing(SYSTEM) as connection:
            await connection.execute("DELETE FROM sessions WHERE expires_at < now()")
            await connection.execute(
                "INSERT INTO sessions (digest, account, expires_at)"
                " SELECT %s, id, %s FROM accounts WHERE name = %s",
                [digest(secret), datetime.now(UTC) + self._session, name],
            )
        return principal, secret

    async def sign_out(self, secret: str) -> None:
        """Close the session."""
        async with self._database.reading(SYSTEM) as connection:
            await connection.execute("DELETE FROM sessions WHERE digest = %s", [digest(secret)])
        self._known.pop(b"s" + digest(secret), None)

    async def by_token(self, token: str) -> Principal | None:
        """Return the principal of a token, or None."""
        return await self._remember(b"t" + digest(token), self._by_token, token)

    async def _remember(
        self, key: bytes, find: Callable[[str], Awaitable[Principal | None]], value: str
    ) -> Principal | None:
        now = time.monotonic()
        known = self._known.get(key)
        if known and known[0] > now:
            return known[1]
        principal = await find(value)
        self._known[key] = (now + _REMEMBERED, principal)
        self._known.move_to_end(key)
        if len(self._known) > _MOST_REMEMBERED:
            self._known.popitem(last=False)
        return principal

    async def _by_token(self, token: str) -> Principal | None:
        async with self._database.reading(SYSTEM) as connection:
            cursor = await connection.execute(
                "SELECT label, role, area FROM tokens"
                " WHERE digest = %s AND (expires_at IS NULL OR expires_at > now())",
                [digest(token)],
            )
            row = await cursor.fetchone()
        return Principal(*row) if row else None

    async def _by_cookie(self, secret: str) -> Principal | None:
        # A wall keeps its token as its cookie: it must outlive every session.
        async with self._database.reading(SYSTEM) as connection:
            cursor = await connection.execute(
                "SELECT a.name, a.role, a.area FROM sessions AS s JOIN accounts AS a"
                " ON a.id = s.account WHERE s.digest = %s AND s.expires_at > now()",
                [digest(secret)],
            )
            row = await cursor.fetchone()
        return Principal(*row) if row else await self._by_token(secret)

    async def _by_name(self, name: str) -> Principal | None:
        async with self._database.reading(SYSTEM) as connection:
            cursor = await connection.execute(
                "SELECT name, role, area FROM accounts WHERE name = %s", [name]
            )
            row = await cursor.fetchone()
        return Principal(row[0], row[1], row[2], open=True) if row else None

    async def _by_basic(self, value: str) -> Principal | None:
        try:
            name, _, password = base64.b64decode(value, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        try:
            return await self._check(name, password)
        except Problem as problem:
            if problem.status == 401:
                return None
            raise

    async def _check(self, name: str, password: str) -> Principal:
        if "\0" in name:  # a character that no text in the database has
            raise Problem(401, "用户名或密码不正确。", "The name or the password is wrong.")
        async with self._database.reading(SYSTEM) as connection:
            cursor = await connection.execute(
                "SELECT name, role, area, password_hash, locked_until > now() FROM accounts"
                " WHERE name = %s",
                [name],
            )
            row = await cursor.fetchone()
        if row and row[4]:
            raise Problem(
                429,
                "登录失败次数过多，请一分钟后再试。",
                "Too many failed attempts; try again in a minute.",
                {"Retry-After": str(int(_LOCK.total_seconds()))},
            )
        if not await _in_thread(password, row[3] if row else None) or row is None:
            if row:
                await self._count_failure(name)
            raise Problem(401, "用户名或密码不正确。", "The name or the password is wrong.")
        async with self._database.reading(SYSTEM) as connection:
            await connection.execute(
                "UPDATE accounts SET failures = 0, locked_until = NULL"
                " WHERE name = %s AND failures > 0",
                [name],
            )
        return Principal(row[0], row[1], row[2])

    async def _count_failure(self, name: str) -> None:
        async with self._database.reading(SYSTEM) as connection:
            await connection.execute(
                "UPDATE accounts SET failures = CASE WHEN failures + 1 >= %(most)s THEN 0"
                " ELSE failures + 1 END, locked_until = CASE WHEN failures + 1 >= %(most)s"
                " THEN now() + %(lock)s ELSE locked_until END WHERE name = %(name)s",
                {"most": _FAILURES_ALLOWED, "lock": _LOCK, "name": name},
            )


async def _in_thread(password: str, password_hash: str | None) -> bool:
    # Hashing takes tens of milliseconds by design; the event loop must not wait for it.
    return await run_in_threadpool(verify, password, password_hash)


async def required(request: Request) -> Principal:
    """Return who asks; raise Problem 401 where nobody is signed in."""
    access: Access = request.app.state.access
    principal = await access.principal(request)
    if principal is None:
        raise Problem(
            401,
            "请先登录。",
            "Sign in first.",
            {"WWW-Authenticate": 'Basic realm="geo-service", charset="UTF-8"'}
            if request.url.path.startswith("/ogc")
            else None,
        )
    return principal


Asking = Annotated[Principal, Depends(required)]
"""The principal of a request, for the signature of an endpoint."""
