"""Execute requests (OGC API Processes Part 1, 7.11): read, done at once, answered."""

import json
from dataclasses import dataclass
from typing import Any, Literal

import anyio
from anyio import to_thread
from fastapi import Request
from pydantic import BaseModel

from geo_service.analyses.asking import asked
from geo_service.analyses.process import Process
from geo_service.analyses.work import LeftError, Stop, working
from geo_service.database import Principal
from geo_service.problems import Problem

OUTPUT = "answer"
"""Every process has one output: a document. So the raw answer is the document itself."""

MOST_BYTES = 1_000_000
SECONDS = 30
"""Of a query that somebody waits for."""

# An analysis keeps a processor busy: the others are for those who look at the map.
_busy = anyio.CapacityLimiter(2)


@dataclass(frozen=True)
class Execution:
    """What an execute request asks for."""

    process: Process
    given: dict[str, Any]
    inputs: BaseModel
    response: Literal["raw", "document"]


async def read(request: Request, process: Process) -> Execution:
    """Return the request, checked. Raises Problem 400, 413 or 415 where it makes no sense."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        raise Problem(415, "请求体应为 application/json。", "Send the body as application/json.")
    if request.headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}:
        raise Problem(403, "不接受其他网站的请求。", "Requests of other sites are not taken.")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise Problem(413, "请求体过大。", "The body is too large.")
    try:
        content = json.loads(bytes(body) or b"{}")
    except (ValueError, RecursionError):
        raise Problem(400, "请求体不是有效的 JSON。", "The body is not valid JSON.") from None
    if not isinstance(content, dict):
        raise Problem(400, "请求体应为 JSON 对象。", "The body must be a JSON object.")
    response = content.get("response", "raw")
    if response not in ("raw", "document"):
        raise Problem(400, "response 应为 raw 或 document。", "response must be raw or document.")
    outputs = content.get("outputs", {OUTPUT: {}})
    if not isinstance(outputs, dict) or set(outputs) - {OUTPUT}:
        raise Problem(400, f"输出只有 {OUTPUT}。", f"There is one output: {OUTPUT}.")
    wanted = outputs.get(OUTPUT, {})
    if not isinstance(wanted, dict) or wanted.get("transmissionMode", "value") != "value":
        raise Problem(400, "输出只能按值返回。", "The output is given by value only.")
    given = content.get("inputs", {})
    return Execution(process, given, asked(process.inputs, given), response)


def enveloped(result: dict[str, Any], response: str) -> dict[str, Any]:
    """Return a result as the request wants it (7.11.4): raw, or as a member of a document."""
    if response == "document":
        return {OUTPUT: {"value": result, "mediaType": "application/json"}}
    return result


def encoded(result: Any) -> bytes:
    """Return the JSON of a result."""
    return json.dumps(result, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


async def at_once(url: str, principal: Principal, execution: Execution) -> bytes:
    """Do it now and return the answer's JSON; where this is cancelled, its query is too."""
    stop = Stop()

    def run() -> bytes:
        with working(url, principal, seconds=SECONDS, stop=stop, waited_for=True) as work:
            result = execution.process.answer(work, execution.inputs)
        return encoded(enveloped(result, execution.response))

    try:
        return await to_thread.run_sync(run, limiter=_busy, abandon_on_cancel=True)
    except LeftError:
        raise Problem(499, "客户端已离开。", "The client has left.") from None
    except anyio.get_cancelled_exc_class():
        with anyio.CancelScope(shield=True):
            await to_thread.run_sync(stop.now)
        raise
