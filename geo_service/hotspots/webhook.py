"""Telling another system of alerts: signed, tried again, with nothing about people.

The body is JSON. ``Geo-Service-Signature`` is ``sha256=`` and the HMAC-SHA256 (RFC 2104), in hex,
of ``Geo-Service-Timestamp``, a full stop, and the body. The receiver computes the same with the
shared secret, and refuses what is old.
"""

import hashlib
import hmac
import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import Connection
from psycopg.rows import TupleRow

from geo_service.settings import Settings

TIMEOUT = 10.0  # seconds
EVENTS = {"opened": "alert.opened", "closed": "alert.closed"}


class RefusedError(Exception):
    """The other system did not take it; the job is tried again."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """What is signed for one address goes nowhere else."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Return the value of the signature's header.

    >>> signature("key", "1", b"{}")[:20]
    'sha256=1ba6b8171186e'
    """
    mac = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256)
    return f"sha256={mac.hexdigest()}"


def queue(
    connection: Connection[TupleRow],
    settings: Settings,
    told: Mapping[str, Sequence[Mapping[str, Any]]],
) -> None:
    """Queue a message for each alert that opened or closed, in the transaction of the alerts."""
    if not settings.alert_webhook:
        return
    from geo_service import jobs  # noqa: PLC0415 - that module names this package's

    for name, event in EVENTS.items():
        for alert in told[name]:
            jobs.defer_beside(connection, jobs.webhook, message={"event": event, **alert})


def send(settings: Settings, message: Mapping[str, Any]) -> None:
    """Send one message. Raises RefusedError where it did not arrive."""
    if not settings.alert_webhook:
        return
    body = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()
    timestamp = str(int(time.time()))
    headers = {"Content-Type": "application/json", "Geo-Service-Timestamp": timestamp}
    if settings.alert_secret:
        headers["Geo-Service-Signature"] = signature(
            settings.alert_secret.get_secret_value(), timestamp, body
        )
    request = urllib.request.Request(  # noqa: S310 - http or https, as the setting checks
        settings.alert_webhook, body, headers, method="POST"
    )
    try:
        with urllib.request.build_opener(_NoRedirects).open(request, timeout=TIMEOUT) as response:
            response.read(1000)
    except (OSError, urllib.error.URLError) as error:
        raise RefusedError(f"the webhook did not take an alert: {error}") from None
