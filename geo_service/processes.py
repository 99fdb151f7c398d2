"""Processes that belong to the one that holds the data folder."""

import ctypes
import os
import signal

from geo_service.settings import PARENT

_PR_SET_PDEATHSIG = 1


def end_with_parent(how: signal.Signals = signal.SIGTERM) -> None:
    """Have the kernel send ``how`` to this process when the serving process ends, in any way.

    Does nothing where no serving process started this one. Raises SystemExit where it is gone
    already.
    """
    parent = os.environ.get(PARENT)
    if not parent:
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, how)
    if os.getppid() != int(parent):
        raise SystemExit("the parent process is gone")
