"""Running the web server: one process that watches, one that works."""

import os
import socket
import threading
import time
import urllib.request
from collections.abc import Callable

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from geo_service.errors import ServiceError
from geo_service.settings import PARENT, Settings


class ServingError(ServiceError):
    """The server cannot start; the message says why."""


def check_port(host: str, port: int) -> None:
    """Raise ServingError unless ``host:port`` is free to listen on."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise ServingError(
            f"Cannot listen on {host}:{port} ({error.strerror}). Set GEO_SERVICE_PORT to another "
            "port, or stop what uses this one."
        ) from error


def serve(settings: Settings, url: str, ready: Callable[[], None] | None = None) -> None:
    """Serve until a signal ends it; ``ready`` is called when the first answer is out.

    The settings are handed to the worker process through the environment.
    """
    os.environ["GEO_SERVICE_DATABASE_URL"] = url
    os.environ[PARENT] = str(os.getpid())
    if settings.open_to:
        os.environ["GEO_SERVICE_OPEN_TO"] = settings.open_to
    if ready:
        threading.Thread(target=_announce, args=(settings, ready), daemon=True).start()
    Granian(
        "geo_service.app:worker",
        factory=True,
        interface=Interfaces.ASGI,
        address=settings.host,
        port=settings.port,
        websockets=False,
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
        workers_kill_timeout=5,
    ).serve()


def _announce(settings: Settings, ready: Callable[[], None]) -> None:
    host = "127.0.0.1" if settings.host in {"0.0.0.0", "::"} else settings.host  # noqa: S104
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"http://{host}:{settings.port}/readyz", timeout=2):
                break
        except OSError:
            time.sleep(0.1)
    ready()
