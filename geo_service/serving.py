"""Running the service: one process that watches, one for the web, one for the jobs."""

import os
import socket
import subprocess
import sys
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
    jobs = _Jobs()
    threading.Thread(target=_begin, args=(settings, jobs, ready), daemon=True).start()
    try:
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
    finally:
        jobs.stop()


# Not with -m: procrastinate wants its module to have its own name.
_RUN_JOBS = "from geo_service.jobs import main; main()"


class _Jobs:
    """The process that does the jobs: started again, ever more slowly, where it ends."""

    def __init__(self) -> None:
        self._ending = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def run(self) -> None:
        """Keep the process going until ``stop``. It dies with the thread that calls this."""
        pause = 0.5
        while not self._ending.is_set():
            began = time.monotonic()
            with self._lock:  # either it is not started any more, or stop() sees it
                if self._ending.is_set():
                    return
                self._process = subprocess.Popen([sys.executable, "-c", _RUN_JOBS])
            self._process.wait()
            pause = 0.5 if time.monotonic() - began > 60 else min(pause * 2, 30)
            self._ending.wait(pause)

    def stop(self) -> None:
        """End the process; a job in hand has a few seconds, and is done again at the next start."""
        with self._lock:
            self._ending.set()
            process = self._process
        if process is None:
            return
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _begin(settings: Settings, jobs: _Jobs, ready: Callable[[], None] | None) -> None:
    """Announce the first answer; only then begin with jobs, which would slow it down."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104
    # Straight to it: where the machine has a proxy, that one does not reach this host.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    address = f"[{host}]" if ":" in host else host
    for _ in range(600):
        try:
            with opener.open(f"http://{address}:{settings.port}/readyz", timeout=2):
                break
        except OSError:
            time.sleep(0.1)
    if ready:
        ready()
    jobs.run()
