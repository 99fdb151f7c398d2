"""A job's work, in a process of its own: it ends at once when the job is dismissed.

Computing that runs in compiled code hears of nothing; a process can be ended at any moment. It
also returns its memory. ``run`` stands in the process of the jobs, ``main`` in the new one.
"""

import logging
import os
import signal
import subprocess
import sys
import time
from uuid import UUID

from geo_service import logs
from geo_service.analyses import store
from geo_service.database import SYSTEM, Principal, acting
from geo_service.processes import end_with_parent
from geo_service.settings import PARENT, Settings

SECONDS = 600
"""Of a query of a job."""

_LOOK = 0.3  # seconds between two looks whether the job is still wanted
_log = logging.getLogger(__name__)
_RUN = "from geo_service.analyses.running import main; main()"


def run(settings: Settings, id_: UUID) -> None:
    """Do a job to its end, whatever that is."""
    url = settings.database_url or ""
    with acting(url, SYSTEM) as connection:
        if not store.wanted(connection, id_):
            return
        environment = {**os.environ, PARENT: str(os.getpid()), "GEO_SERVICE_DATABASE_URL": url}
        process = subprocess.Popen([sys.executable, "-c", _RUN, str(id_)], env=environment)
        try:
            while process.poll() is None:
                if not store.wanted(connection, id_):
                    # It may have just ended well: then this hits nobody.
                    time.sleep(_LOOK)
                    process.kill()
                time.sleep(_LOOK)
        finally:
            process.kill()
            process.wait()
        if store.wanted(connection, id_):
            _log.error("the process of job %s ended with %s", id_, process.returncode)
            store.fail(
                connection, id_, 500,
                "分析意外中止，已记录；可能是内存不足，请缩小范围。",
                "The analysis ended unexpectedly, perhaps for lack of memory; it has been logged."
                " Ask for less.",
            )  # fmt: skip


def main() -> None:
    """Do the job whose id is the only argument."""
    end_with_parent(signal.SIGKILL)
    logs.configure()
    do(Settings().database_url or "", UUID(sys.argv[1]))


def do(url: str, id_: UUID) -> None:
    """Do a job with the rights of whoever asked for it, and keep what comes of it."""
    from geo_service.analyses.asking import asked  # noqa: PLC0415
    from geo_service.analyses.catalogue import PROCESSES  # noqa: PLC0415 - only this process needs
    from geo_service.analyses.work import LeftError, Stop, working  # noqa: PLC0415
    from geo_service.ogc.execution import encoded, enveloped  # noqa: PLC0415
    from geo_service.problems import Problem  # noqa: PLC0415

    with acting(url, SYSTEM) as beside:
        job = store.start(beside, id_)
        if job is None:
            return
        process = PROCESSES[job["process"]]
        principal = Principal(job["account"], job["role"], job["area"])
        stop = Stop()

        def say(percent: int, zh: str, en: str) -> None:
            if not store.progress(beside, id_, percent, zh, en):
                stop.event.set()
                raise LeftError

        try:
            inputs = asked(process.inputs, job["inputs"])
            with working(url, principal, seconds=SECONDS, say=say, stop=stop,
                         writes=process.writes) as work:  # fmt: skip
                result = process.answer(work, inputs)
            store.succeed(beside, id_, encoded(enveloped(result, job["response"])))
        except LeftError:
            return
        except Problem as problem:
            store.fail(beside, id_, problem.status, problem.zh, problem.en)
        except Exception:
            store.fail(
                beside, id_, 500,
                "系统出错了，已记录。请稍后再试或联系管理员。",
                "Something went wrong here; it has been logged.",
            )  # fmt: skip
            raise
