"""A query ends when the client that asked for it has left."""

import socket
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.conftest import Service, serve
from tests.geo_service.conftest import Town

_WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND wait_event_type = 'Lock' AND query ILIKE '%%disputes%%'"
)


@pytest.fixture
def service(town: Town) -> Iterator[Service]:
    yield from serve(town.database, GEO_SERVICE_OPEN_TO="all")


def _waiting(service: Service, wanted: int) -> bool:
    with service.database.connect(autocommit=True) as connection:
        for _ in range(100):
            row = connection.execute(_WAITING).fetchone()
            if row == (wanted,):
                return True
            time.sleep(0.1)
    return False


def test_a_tiles_query_is_cancelled_when_its_last_client_leaves(service: Service) -> None:
    host = urlsplit(service.url)
    request = (
        f"GET /ogc/collections/disputes/tiles/WebMercatorQuad/14/6671/13517 HTTP/1.1\r\n"
        f"Host: {host.netloc}\r\n\r\n"
    ).encode()
    with service.database.connect() as blocker:
        blocker.execute("LOCK TABLE disputes IN ACCESS EXCLUSIVE MODE")
        clients = [socket.create_connection((host.hostname or "", host.port or 0)) for _ in "ab"]
        for client in clients:
            client.sendall(request)
        # Two clients, one query.
        assert _waiting(service, 1)
        clients[0].close()
        time.sleep(0.3)
        assert _waiting(service, 1)
        clients[1].close()
        assert _waiting(service, 0), "nobody waits for it any more, and it still runs"
        blocker.rollback()
    with socket.create_connection((host.hostname or "", host.port or 0)) as client:
        client.sendall(request)
        assert client.recv(12) in {b"HTTP/1.1 200", b"HTTP/1.1 204"}
