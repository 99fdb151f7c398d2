"""Accounts and their passwords (argon2id, RFC 9106), and tokens."""

import hashlib
import secrets
from datetime import datetime
from functools import cache

import psycopg
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from psycopg.rows import TupleRow

from geo_service.errors import ServiceError

ROLES = ("viewer", "officer", "editor", "admin")
TOKEN_ROLES = ("wall", *ROLES)
SHORTEST_PASSWORD = 8

_hasher = PasswordHasher()


class AccountError(ServiceError):
    """The account or token cannot be made; the message says why."""


def hash_password(password: str) -> str:
    """Return the argon2id hash of ``password``; raise AccountError where it is too short."""
    if len(password) < SHORTEST_PASSWORD:
        raise AccountError(f"A password has at least {SHORTEST_PASSWORD} characters.")
    return _hasher.hash(password)


def verify(password: str, password_hash: str | None) -> bool:
    """Tell whether ``password`` fits. An unknown account (None) takes as long as a known one."""
    try:
        _hasher.verify(password_hash or _nobody(), password)
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


@cache
def _nobody() -> str:
    return _hasher.hash(secrets.token_hex())


def digest(secret: str) -> bytes:
    """Return the SHA-256 of a random secret: it is long enough to need no slow hash."""
    return hashlib.sha256(secret.encode()).digest()


def put_account(
    connection: psycopg.Connection[TupleRow], name: str, password: str, role: str, area: str
) -> None:
    """Make the account, or set password, role and area of the one that is there.

    Raises AccountError for an unknown role, or a name or area that is not a code.
    """
    try:
        with connection.transaction():
            connection.execute(
                "INSERT INTO accounts (name, password_hash, role, area) VALUES (%s, %s, %s, %s)"
                " ON CONFLICT (name) DO UPDATE SET password_hash = excluded.password_hash,"
                " role = excluded.role, area = excluded.area, failures = 0, locked_until = NULL",
                [name, hash_password(password), role, area],
            )
            connection.execute(
                "DELETE FROM sessions WHERE account = (SELECT id FROM accounts WHERE name = %s)",
                [name],
            )
    except psycopg.errors.CheckViolation as error:
        raise _refused(error, ROLES) from error


def put_token(
    connection: psycopg.Connection[TupleRow],
    label: str,
    role: str,
    area: str,
    expires_at: datetime | None = None,
) -> str:
    """Make a token, in place of an older one of that label, and return it: shown only once."""
    secret = secrets.token_urlsafe(32)
    try:
        with connection.transaction():
            connection.execute(
                "INSERT INTO tokens (digest, label, role, area, expires_at)"
                " VALUES (%s, %s, %s, %s, %s)"
                " ON CONFLICT (label) DO UPDATE SET digest = excluded.digest,"
                " role = excluded.role, area = excluded.area, expires_at = excluded.expires_at",
                [digest(secret), label, role, area, expires_at],
            )
    except psycopg.errors.CheckViolation as error:
        raise _refused(error, TOKEN_ROLES) from error
    return secret


def _refused(error: psycopg.errors.CheckViolation, roles: tuple[str, ...]) -> AccountError:
    what = (error.diag.constraint_name or "").rpartition("_")[2]
    allowed = {
        "role": f"A role is one of {', '.join(roles)}.",
        "area": "An area is a code such as 990101101, or * for everything.",
        "name": "A name is made of letters, digits and . _ - @, up to 64.",
    }
    return AccountError(allowed.get(what, "That is not allowed."))
