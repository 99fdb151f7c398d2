"""Work is done for as long as somebody waits for it."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.requests import Request

from geo_service.problems import Problem

Result = TypeVar("Result")


async def unless_left(request: Request, work: Coroutine[Any, Any, Result]) -> Result:
    """Return the result of ``work``, and cancel it, its query too, where the client leaves.

    Only for requests without a body: the client's next message is that it left. Raises a Problem
    that nobody reads then.
    """
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - a coroutine runs in one
    gone = False

    def leave(left: "asyncio.Task[None]") -> None:
        nonlocal gone
        if not left.cancelled():
            gone = True
            task.cancel()

    left = asyncio.ensure_future(_left(request))
    left.add_done_callback(leave)
    try:
        return await work
    except asyncio.CancelledError:
        if not gone or task.uncancel():
            raise
        raise Problem(499, "客户端已离开。", "The client has left.") from None
    finally:
        left.remove_done_callback(leave)
        left.cancel()


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
