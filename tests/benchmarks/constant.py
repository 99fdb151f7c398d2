"""The server that the service runs on, with an application that answers a constant: the bound.

``python -m tests.benchmarks.constant PORT BYTES`` serves as ``geo-service serve`` does, one worker.
"""

import os
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

_SIZE = "BENCHMARK_CONSTANT_BYTES"
_Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Any, Any, _Send], Awaitable[None]]


def application() -> Application:
    """Return an application that answers every request with so many bytes."""
    body = os.urandom(int(os.environ[_SIZE]))
    headers = [
        (b"content-type", b"application/vnd.mapbox-vector-tile"),
        (b"content-length", str(len(body)).encode()),
    ]

    async def answer(scope: Any, _receive: Any, send: _Send) -> None:
        if scope["type"] != "http":
            return
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return answer


def main(port: int, size: int) -> None:
    """Serve until killed."""
    os.environ[_SIZE] = str(size)
    Granian(
        "tests.benchmarks.constant:application",
        factory=True,
        interface=Interfaces.ASGI,
        address="127.0.0.1",
        port=port,
        websockets=False,
        log_level=LogLevels.warning,
    ).serve()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
