"""What a draft must be for a step: there, in the right state."""

from geo_service.boundaries.store import Head
from geo_service.problems import Problem

_NAMES = {
    "draft": ("编辑中", "being drawn"),
    "submitted": ("待审核", "submitted"),
    "approved": ("已批准", "approved"),
    "published": ("已发布", "published"),
    "rolled-back": ("已回滚", "rolled back"),
    "abandoned": ("已作废", "abandoned"),
}


def there(head: Head | None) -> Head:
    """Return a head, or raise Problem 404 where there is none in sight."""
    if head is None:
        raise Problem(404, "没有这个草稿。", "There is no such draft.")
    return head


def editable(head: Head) -> None:
    """Raise Problem 409 unless a draft is still being drawn."""
    if head.state in {"submitted", "approved"}:
        zh, en = _NAMES[head.state]
        raise Problem(
            409,
            f"草稿{zh}，不能再改。如需修改请先撤回。",
            f"The draft is {en} and cannot be changed: withdraw it first.",
            extra={"state": head.state},
        )
    if head.state != "draft":
        raise wrong_state(head)


def wrong_state(head: Head) -> Problem:
    """Return the problem of a step that a draft cannot take in its state."""
    zh, en = _NAMES[head.state]
    return Problem(
        409,
        f"草稿{zh}，不能这样操作。",
        f"The draft is {en}: this cannot be done now.",
        extra={"state": head.state},
    )
