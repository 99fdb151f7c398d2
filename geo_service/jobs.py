"""Work behind the requests: jobs in PostgreSQL (procrastinate), done by a process of its own.

A job is queued in the transaction of whoever wants it (``defer``). The process (``main``) is a
child of the serving one, so that heavy work never holds up the web. It does one job at a time of
each group in ``TOGETHER``: a long analysis holds up no import, and the other way round.

A job outlives the process that does it. While it runs, a session of the database holds an advisory
lock with its number; a job that is ``doing`` while nobody holds its lock was interrupted. It is put
back once; interrupted a second time, it has failed. To add a task: write it here, and name in
``_INTERRUPTED`` what else must be told when it is cut short.
"""

import asyncio
import logging
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

import procrastinate
import psycopg
from procrastinate.manager import JobManager
from procrastinate.worker import Worker
from psycopg import AsyncConnection, Connection, sql
from psycopg.rows import TupleRow

from geo_service import logs
from geo_service.analyses import store as analyses
from geo_service.database import ROLE, SYSTEM, Principal, acting
from geo_service.imports import store
from geo_service.processes import end_with_parent
from geo_service.settings import Settings

app = procrastinate.App(connector=procrastinate.PsycopgConnector())

TOGETHER = (("imports", "webhooks", "upkeep"), ("analyses",))
"""Queues whose jobs are done one after the other; each group has a worker of its own."""

SETTINGS = "settings"
_PATH = "SET LOCAL search_path = jobs, public"
_HELD = 7_103_311  # the first half of the advisory locks' keys; any number of our own
_SECOND_LOOK = 2.0  # seconds; a job just fetched takes its lock within milliseconds
_BETWEEN_LOOKS = 30.0
_GRACE = 3.0  # seconds that a job in hand has to end when the process is told to
_KEEP_HOURS = 30 * 24
_log = logging.getLogger(__name__)


@app.task(name="import", queue="imports", pass_context=True)
def load(  # noqa: PLR0917 - given by name
    context: procrastinate.JobContext,
    import_id: str,
    dry_run: bool,
    name: str,
    role: str,
    area: str,
) -> None:
    """Check or load a file that was handed in, as the principal who asked for it."""
    from geo_service.imports import work  # noqa: PLC0415 - large libraries, when first needed

    work.run(
        context.additional_context[SETTINGS],
        UUID(import_id),
        Principal(name, role, area),
        dry_run=dry_run,
        again=context.job.attempts > 0,
    )


@app.task(name="process", queue="analyses", pass_context=True)
def process(context: procrastinate.JobContext, job_id: str) -> None:
    """Do an analysis that was asked for, as the principal who asked."""
    from geo_service.analyses import running  # noqa: PLC0415 - large libraries, when first needed

    running.run(context.additional_context[SETTINGS], UUID(job_id))


@app.periodic(cron="40 18 * * *")  # 02:40 in the town: the day before is whole
@app.task(name="alerts", queue="analyses", queueing_lock="alerts", pass_context=True)
def alerts(context: procrastinate.JobContext, timestamp: int) -> None:  # noqa: ARG001
    """Look for new clusters of every category, once a day."""
    from geo_service.hotspots import nightly  # noqa: PLC0415 - large libraries, when first needed

    nightly.run(context.additional_context[SETTINGS])


@app.task(
    name="webhook",
    queue="webhooks",
    pass_context=True,
    # 4 s, 16 s, … 18 h: a day in all.
    retry=procrastinate.RetryStrategy(max_attempts=8, exponential_wait=4),
)
def webhook(context: procrastinate.JobContext, message: dict[str, Any]) -> None:
    """Tell another system of an alert."""
    from geo_service.hotspots import webhook as hook  # noqa: PLC0415

    hook.send(context.additional_context[SETTINGS], message)


@app.periodic(cron="*/10 * * * *")  # a day begins at midnight; the service may have slept then
@app.task(name="due", queue="upkeep", queueing_lock="due", pass_context=True)
def due(context: procrastinate.JobContext, timestamp: int) -> None:  # noqa: ARG001
    """Publish drafts of boundaries that were decided for a day, once it has come."""
    from geo_service.boundaries import coming  # noqa: PLC0415 - large libraries, when first needed

    coming.run(context.additional_context[SETTINGS].database_url or "")


@app.periodic(cron="17 3 * * *")
@app.task(name="tidy", queue="upkeep", queueing_lock="tidy", pass_context=True)
def tidy(context: procrastinate.JobContext, timestamp: int) -> None:  # noqa: ARG001
    """Remove old uploads and the record of jobs done long ago, once a day."""
    from geo_service.imports import uploads  # noqa: PLC0415

    settings: Settings = context.additional_context[SETTINGS]
    uploads.forget_old(settings.home)
    with acting(settings.database_url or "", SYSTEM) as connection:
        store.forget_untouched(connection, uploads.KEEP)
        analyses.forget_old(connection)
        connection.execute(_DELETE_DONE, [_KEEP_HOURS])


_DELETE_DONE = """
DELETE FROM jobs.procrastinate_jobs AS job
WHERE
    job.status NOT IN ('todo', 'doing')
    AND NOT EXISTS (
        SELECT FROM jobs.procrastinate_events AS event
        WHERE event.job_id = job.id AND event.at > now() - make_interval(hours => %s)
    )
"""

_INTERRUPTED: Mapping[str, Callable[[Connection[TupleRow], Mapping[str, Any], bool], None]] = {
    "import": lambda connection, arguments, again: store.interrupted(
        connection, UUID(arguments["import_id"]), again=again
    ),
    "process": lambda connection, arguments, again: analyses.interrupted(
        connection, UUID(arguments["job_id"]), again=again
    ),
}
"""What to tell, by task: the job's arguments, and whether it is going to be done again."""


async def defer(
    connection: AsyncConnection[TupleRow],
    task: procrastinate.tasks.Task[Any, Any, Any],
    **arguments: Any,
) -> None:
    """Queue a job in the transaction of ``connection``: it exists when that commits."""
    await connection.execute(_PATH)
    await task.configure(connection=connection).defer_async(**arguments)
    await connection.execute("SET LOCAL search_path TO DEFAULT")


def defer_beside(
    connection: Connection[TupleRow],
    task: procrastinate.tasks.Task[Any, Any, Any],
    **arguments: Any,
) -> None:
    """Do what ``defer`` does, for work in a thread; the connection is in a transaction."""
    connection.execute(_PATH)
    deferring = task.configure(connection=connection)
    deferring.job_manager = JobManager(procrastinate.SyncPsycopgConnector())
    deferring.defer(**arguments)
    connection.execute("SET LOCAL search_path TO DEFAULT")


def recover(url: str, *, own: Sequence[int], doubtful: set[int]) -> set[int]:
    """Handle the interrupted ones among the ``doubtful`` jobs; return those in doubt now.

    ``own`` are the workers whose jobs are in hand here, whatever their locks say.
    """
    with acting(url, SYSTEM) as connection:
        connection.execute("SET lock_timeout = '5s'")
        rows = connection.execute(_UNHELD, [list(own), _HELD]).fetchall()
        found = {number for (number,) in rows}
        for number in found & doubtful:
            with connection.transaction():
                _put_back(connection, number)
        return found - doubtful


# A lock that is free is taken for the moment of asking, hence the transaction's kind of lock.
_UNHELD = """
SELECT id FROM jobs.procrastinate_jobs
WHERE
    status = 'doing' AND coalesce(worker_id <> ALL (%s::bigint []), true)
    AND pg_try_advisory_xact_lock(%s, id::integer)
"""

_AGAIN = "SELECT procrastinate_retry_job_v2(%s, now(), NULL, NULL, NULL)"
_FAILED = "SELECT procrastinate_finish_job_v1(%s, 'failed', false)"


def _put_back(connection: Connection[TupleRow], number: int) -> None:
    row = connection.execute(
        "SELECT task_name, args, attempts FROM jobs.procrastinate_jobs"
        " WHERE id = %s AND status = 'doing' FOR UPDATE SKIP LOCKED",
        [number],
    ).fetchone()
    held = connection.execute(
        "SELECT pg_try_advisory_xact_lock(%s, %s::integer)", [_HELD, number]
    ).fetchone()
    if row is None or held != (True,):
        return
    task, arguments, attempts = row
    again = attempts == 0
    _log.warning(
        "job %s (%s) was interrupted; %s", number, task, "once more" if again else "given up"
    )
    if told := _INTERRUPTED.get(task):
        told(connection, arguments, again)
    connection.execute(_PATH)
    connection.execute(_AGAIN if again else _FAILED, [number])


def _held(call_next: Callable[[], Any], context: procrastinate.JobContext, _: Worker) -> Any:
    """Do the job while a session holds its lock. The server frees it when this process ends."""
    settings: Settings = context.additional_context[SETTINGS]
    with acting(settings.database_url or "", SYSTEM) as connection:
        connection.execute("SELECT pg_advisory_lock(%s, %s::integer)", [_HELD, context.job.id])
        return call_next()


async def _look_after(url: str, workers: Sequence[Worker]) -> None:
    """Look for interrupted jobs, at the start and then again and again."""
    doubtful: set[int] = set()
    while True:
        try:
            own = [worker.worker_id for worker in workers if worker.worker_id is not None]
            doubtful = await asyncio.to_thread(recover, url, own=own, doubtful=doubtful)
        except psycopg.Error as error:
            _log.warning("interrupted jobs could not be looked for: %s", error)
        await asyncio.sleep(_SECOND_LOOK if doubtful else _BETWEEN_LOOKS)


async def _configure(connection: AsyncConnection[TupleRow]) -> None:
    await connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(ROLE)))
    await connection.execute("SET search_path = jobs, public")
    await connection.execute("SET application_name = 'geo-service jobs'")
    await connection.commit()


async def work(settings: Settings) -> None:
    """Do jobs until told to end; one in hand has a moment to finish, then it is interrupted."""
    connector = procrastinate.PsycopgConnector(
        conninfo=settings.database_url, min_size=1, max_size=6, configure=_configure
    )
    with app.replace_connector(connector):
        async with app.open_async():
            workers = [
                Worker(
                    app,
                    queues=list(queues),
                    concurrency=1,
                    fetch_job_polling_interval=2.0,
                    install_signal_handlers=False,
                    additional_context={SETTINGS: settings},
                    task_middleware=[_held],
                )
                for queues in TOGETHER
            ]
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, _end, loop, workers)
            looking = asyncio.create_task(_look_after(settings.database_url or "", workers))
            running = [asyncio.create_task(_run(worker)) for worker in workers]
            try:
                # A worker that ends, ends the process, which is then started again: whole.
                await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                _stop(workers)
                ended, _ = await asyncio.wait(running, timeout=_GRACE)
                for worker in ended:
                    worker.result()
            finally:
                looking.cancel()


async def _run(worker: Worker) -> None:
    await worker.run()  # type: ignore[no-untyped-call]


def _stop(workers: Sequence[Worker]) -> None:
    for worker in workers:
        worker.stop()  # type: ignore[no-untyped-call]


def _end(loop: asyncio.AbstractEventLoop, workers: Sequence[Worker]) -> None:
    _stop(workers)
    # A thread cannot be stopped, and need not be: its transaction is rolled back.
    loop.call_later(_GRACE, os._exit, 0)


def main() -> None:
    """Run the process."""
    end_with_parent(signal.SIGKILL)
    os.nice(5)  # whoever waits for a page goes first
    logs.configure()
    try:
        asyncio.run(work(Settings()))
    except (procrastinate.exceptions.ConnectorException, psycopg.OperationalError) as error:
        _log.warning("the process of the jobs lost the database (%s); it is started again", error)
        raise SystemExit(1) from None
