"""How many households a basic grid should have."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Limits:
    """How many households a basic grid should have, both ends included.

    300 to 500 is what provinces commonly ask for. ``areas`` are areas by code that have limits of
    their own. Raises ValueError where low exceeds high.
    """

    low: int = 300
    high: int = 500
    areas: Mapping[str, "Limits"] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.high:
            raise ValueError(f"Limits of households must be 0 <= low <= high, not {self}.")

    def of(self, area: str) -> "Limits":
        """Return the limits of an area: those of the smallest one around it that has its own.

        >>> limits = Limits(areas={"990101": Limits(200, 400), "990101102": Limits(150, 250)})
        >>> [limits.of(code).high for code in ("990101101001", "990101102001", "990202")]
        [400, 250, 500]
        """
        around = [code for code in self.areas if area.startswith(code)]
        return self.areas[max(around, key=len)] if around else self

    def state(self, households: float) -> str:
        """Return ``below``, ``within`` or ``above``.

        >>> [Limits().state(count) for count in (299, 300, 500, 501)]
        ['below', 'within', 'within', 'above']
        """
        if households < self.low:
            return "below"
        return "above" if households > self.high else "within"
