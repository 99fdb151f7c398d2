"""Cameras in public places, for coverage planning and maintenance. No video, no passwords."""

from datetime import date, datetime

from sqlalchemy import Date, DateTime, Double, Integer, Text, text
from sqlalchemy.orm import Mapped

from layers import codes
from layers.base import Feature, field


class Camera(Feature):
    """A camera. ``code`` is its 20-digit GB/T 28181 id, with type 131 or 132 at digits 11 to 13.

    ``azimuth`` is clockwise from north, ``tilt`` downward from the horizon, both in degrees.
    """

    __tablename__ = "cameras"
    __geometry_type__ = "POINT"

    name: Mapped[str | None] = field(Text, "名称", "Name")
    camera_class: Mapped[str | None] = field(Text, "类别", "Class", codes=codes.CAMERA_CLASS)
    form: Mapped[str | None] = field(Text, "形态", "Form", codes=codes.CAMERA_FORM)
    azimuth: Mapped[float | None] = field(Double, "方位角", "Azimuth", unit="deg")
    tilt: Mapped[float | None] = field(Double, "俯角", "Tilt", unit="deg")
    mount_height: Mapped[float | None] = field(Double, "安装高度", "Mount height", unit="m")
    focal_length: Mapped[float | None] = field(Double, "焦距", "Focal length", unit="mm")
    sensor_width: Mapped[float | None] = field(Double, "靶面宽度", "Sensor width", unit="mm")
    sensor_height: Mapped[float | None] = field(Double, "靶面高度", "Sensor height", unit="mm")
    pixels_across: Mapped[int | None] = field(Integer, "水平像素", "Pixels across")
    pixels_down: Mapped[int | None] = field(Integer, "垂直像素", "Pixels down")
    night_range: Mapped[float | None] = field(Double, "夜视距离", "Night range", unit="m")
    status: Mapped[str] = field(
        Text,
        "状态",
        "Status",
        codes=codes.CAMERA_STATUS,
        nullable=False,
        server_default=text("'online'"),
    )
    status_at: Mapped[datetime | None] = field(DateTime(timezone=True), "状态时间", "Status at")
    installed_on: Mapped[date | None] = field(Date, "安装日期", "Installed on")
