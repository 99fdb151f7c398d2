"""Alerts: clusters that an analysis found, with the evidence."""

from datetime import datetime

from sqlalchemy import DateTime, Double, Integer, Text, text
from sqlalchemy.orm import Mapped

from layers import codes
from layers.base import Feature, field


class Alert(Feature):
    """A cluster of events over a place and a window of time.

    ``recurrence_interval`` is in days: how often chance alone would give such a cluster.
    """

    __tablename__ = "alerts"
    __geometry_type__ = "POLYGON"

    kind: Mapped[str] = field(Text, "类型", "Kind", nullable=False)
    statistic: Mapped[float | None] = field(Double, "统计量", "Statistic")
    p: Mapped[float | None] = field(Double, "p 值", "p-value")
    recurrence_interval: Mapped[float | None] = field(
        Double, "重现期", "Recurrence interval", unit="d"
    )
    window_start: Mapped[datetime] = field(
        DateTime(timezone=True), "起始时间", "Window start", nullable=False
    )
    window_end: Mapped[datetime] = field(
        DateTime(timezone=True), "结束时间", "Window end", nullable=False
    )
    observed: Mapped[int | None] = field(Integer, "实际数", "Observed")
    expected: Mapped[float | None] = field(Double, "预期数", "Expected")
    state: Mapped[str] = field(
        Text,
        "状态",
        "State",
        codes=codes.ALERT_STATE,
        nullable=False,
        server_default=text("'open'"),
    )
