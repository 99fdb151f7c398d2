"""Building forms: how each kind of building is shaped and set out."""

from dataclasses import dataclass

Range = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Form:
    """How a kind of building is shaped and set out; lengths in metres along and across the row.

    ``pitch`` is from row to row, ``shapes`` the shares of plain, L and U plans, ``homes`` the share
    of the floor area that is lived in, ``storey`` the height of a floor, ``kept`` the share built.
    """

    use: str
    length: Range
    depth: Range
    gap: Range
    pitch: Range
    floors: tuple[int, int]
    storey: Range = (2.9, 3.1)
    shapes: tuple[float, float, float] = (1.0, 0.0, 0.0)
    homes: float = 0.0
    kept: float = 1.0


FORMS = {
    "houses": Form("residential", (9, 18), (9, 13), (0.8, 3.5), (14, 18), (1, 3),
                   shapes=(0.66, 0.2, 0.14), homes=0.9, kept=0.9),
    "hamlet": Form("residential", (10, 15), (9, 11), (4, 10), (20, 28), (2, 3),
                   shapes=(0.74, 0.26, 0.0), homes=0.6, kept=0.9),
    "villas": Form("residential", (22, 38), (10, 12), (7, 11), (22, 27), (3, 3), homes=0.9),
    "slabs": Form("residential", (38, 68), (11.5, 13.5), (11, 18), (28, 35), (5, 6), homes=0.85,
                  kept=0.93),
    "midrise": Form("residential", (34, 54), (13, 15), (16, 26), (40, 50), (8, 11), homes=0.85,
                    kept=0.9),
    "towers": Form("residential", (25, 33), (17, 22), (30, 46), (58, 72), (15, 22), homes=0.85),
    "shops": Form("commercial", (24, 60), (18, 30), (8, 16), (38, 46), (3, 6), (3.1, 3.3),
                  shapes=(0.6, 0.25, 0.15)),
    "front": Form("commercial", (14, 30), (9, 11), (0.8, 2.5), (14, 14), (2, 3), (3.0, 3.3),
                  homes=0.2),
    "market": Form("commercial", (45, 80), (26, 36), (8, 12), (40, 46), (1, 2), (3.2, 3.3)),
    "civic": Form("public", (36, 56), (14, 20), (12, 18), (36, 44), (3, 6), (3.1, 3.3),
                  shapes=(0.5, 0.2, 0.3)),
    "school": Form("public", (40, 60), (16, 30), (14, 20), (44, 54), (3, 5), (3.2, 3.3),
                   shapes=(0.35, 0.25, 0.4), kept=0.7),
    "hospital": Form("public", (44, 66), (18, 26), (12, 16), (38, 44), (4, 12), (3.2, 3.3),
                     shapes=(0.4, 0.3, 0.3)),
    "station": Form("public", (60, 80), (22, 28), (14, 18), (60, 70), (1, 2), (3.2, 3.3)),
    "sheds": Form("industrial", (55, 110), (30, 46), (14, 22), (50, 62), (1, 2), (5.5, 7.5),
                  shapes=(0.82, 0.18, 0.0), kept=0.88),
    "offices": Form("office", (34, 50), (15, 18), (14, 20), (36, 40), (3, 6), (3.1, 3.3),
                    shapes=(0.5, 0.3, 0.2)),
    "construction": Form("other", (24, 40), (7, 9), (8, 14), (16, 20), (1, 2), (2.9, 3.0),
                         kept=0.2),
}  # fmt: skip
"""By land use. ``front`` is a row of shops along the street; ``offices`` stand before the sheds."""
