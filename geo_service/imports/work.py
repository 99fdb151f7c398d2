"""What the job of an import does: check or load the file, and say how far it is."""

import logging
import time
from uuid import UUID

import psycopg
from psycopg import Connection
from psycopg.rows import TupleRow

from geo_service.database import Principal, acting
from geo_service.imports import store, uploads
from geo_service.settings import Settings
from layers.catalogue import CATALOGUE
from layers.intake import intake
from layers.intake.recording import Recorder

_BETWEEN = 0.5  # seconds, at least, between two words about the progress
_log = logging.getLogger(__name__)


def run(
    settings: Settings, id_: UUID, principal: Principal, *, dry_run: bool, again: bool = False
) -> None:
    """Check or load the file of an import with the rights of ``principal``.

    The load is one transaction, its record included; ``again`` says that it was interrupted before.
    """
    url = settings.database_url or ""
    with acting(url, principal) as connection, acting(url, principal) as beside:
        # A server that works for a process that is gone shall notice within seconds.
        connection.execute("SET client_connection_check_interval = '2s'")
        beside.execute("SET lock_timeout = '200ms'")
        if not store.start(beside, id_):
            return
        try:
            _load(settings, connection, beside, id_, principal, dry_run=dry_run)
        except Exception:
            beside.execute("SET lock_timeout = '30s'")
            store.refuse(
                beside,
                id_,
                "系统出错，没有写入任何数据；错误已记录，请联系管理员。",
                "Something went wrong here and nothing was written; it has been logged.",
            )
            raise
        if again:
            store.note(connection, id_, *store.AGAIN)


def _load(
    settings: Settings,
    connection: Connection[TupleRow],
    beside: Connection[TupleRow],
    id_: UUID,
    principal: Principal,
    *,
    dry_run: bool,
) -> None:
    row = store.found(beside, id_)
    if row is None:  # removed meanwhile
        return
    path = uploads.staged(settings.home, id_)
    if not path.exists():
        store.refuse(
            beside,
            id_,
            "文件已不在服务器上（只保留 7 天），请重新上传。",
            "The file is not here any more (files are kept for 7 days): upload it again.",
        )
        return
    options = row["options"]
    intake(
        connection,
        CATALOGUE[row["layer"]],
        path,
        mapping=options["mapping"],
        constants=options["constants"],
        crs=options["crs"] or "EPSG:4326",  # what the file declares goes before that
        timezone=options["timezone"],
        make_codes=options["make_codes"],
        clean=options["clean"],
        repair=options["repair"],
        skip_bad=options["skip_bad"],
        dry_run=dry_run,
        record=Recorder(principal.name, principal.area, import_id=id_, sha256=row["sha256"]),
        progress=_Progress(beside, id_),
    )


class _Progress:
    """Tells how many rows were read, on a second connection: the load commits only at its end."""

    def __init__(self, connection: Connection[TupleRow], id_: UUID) -> None:
        self._connection, self._id = connection, id_
        self._next = 0.0

    def __call__(self, done: int, total: int | None) -> None:
        now = time.monotonic()
        if now < self._next and done != total:
            return
        self._next = now + _BETWEEN
        try:
            store.progress(self._connection, self._id, done, total)
        except psycopg.Error as error:  # the load matters more
            _log.warning("progress of import %s is not told: %s", self._id, error)
