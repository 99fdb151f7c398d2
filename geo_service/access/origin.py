"""From where a request comes: what a page of another site could send is refused."""

from fastapi import Request

from geo_service.problems import Problem


async def from_here(request: Request) -> None:
    """Refuse what a page of another site could send with the session of who is signed in here.

    A form can only send the types named; a script of another site says where it is from.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in {"application/x-www-form-urlencoded", "multipart/form-data", "text/plain"}:
        raise type_refused()
    if request.headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}:
        raise Problem(403, "不接受其他网站的请求。", "Requests of other sites are not taken.")


async def json_from_here(request: Request) -> None:
    """Refuse the same, and what is not JSON."""
    await from_here(request)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise type_refused()


def type_refused() -> Problem:
    """Return the refusal of a body that is of another type."""
    return Problem(
        415,
        "请求类型不正确：上传文件用 application/octet-stream，其余用 application/json。",
        "Send a file as application/octet-stream, everything else as application/json.",
    )
