"""Computing beside the web server's loop, on threads of its own.

PROJ needs a tenth of a second to start in a thread: these are kept.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")
_threads = ThreadPoolExecutor(2, "coverage")


async def beside(call: Callable[[], Result]) -> Result:
    """Return what a call returns, made on a thread for computing."""
    return await asyncio.get_running_loop().run_in_executor(_threads, call)
