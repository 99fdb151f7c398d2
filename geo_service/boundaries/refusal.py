"""What is refused, in a sentence with its place."""

from geo_service.analysis.sentence import Sentence

Place = tuple[float, float]
"""Longitude and latitude in degrees."""


class Refused(Exception):  # noqa: N818 - a refusal is an answer, not a fault of the program
    """An operation that was not done; everything is as it was.

    ``reason`` is a sentence in Chinese and English, ``place`` the longitude and latitude in degrees
    that it speaks of (None where it speaks of no place), ``step`` the position of the operation in
    a list that was replayed, counted from 0 (None outside a replay).

    >>> refusal = Refused(Sentence("没有网格 9。", "There is no grid 9."))
    >>> str(refusal), refusal.place
    ('There is no grid 9.', None)
    """

    def __init__(self, reason: Sentence, place: Place | None = None) -> None:
        super().__init__(reason.en)
        self.reason = reason
        self.place = place
        self.step: int | None = None


def listed(codes: object) -> tuple[str, str]:
    """Return codes for a sentence, in Chinese and in English; after five they are counted."""
    names = [str(code) for code in codes] if isinstance(codes, list | tuple | set) else [str(codes)]
    shown = names[:5]
    if len(names) > 5:
        return "、".join(shown) + f" 等 {len(names)} 个", f"{', '.join(shown)} and others"
    return "、".join(shown), ", ".join(shown)
