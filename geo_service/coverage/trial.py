"""Cameras as they might be: tried on the map, or in a set of added, moved and removed ones."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field


class Optics(BaseModel):
    """What is known of a camera's optics; null: not known, or as it is."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    form: Annotated[str | None, Field(max_length=20)] = None
    azimuth: float | None = None
    tilt: float | None = None
    mount_height: float | None = None
    focal_length: float | None = None
    sensor_width: float | None = None
    sensor_height: float | None = None
    pixels_across: float | None = None
    night_range: float | None = None


class Preset(BaseModel):
    """A heading that a turning camera is set to; what is left out is as the camera's own."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    azimuth: float
    tilt: float | None = None
    focal_length: float | None = None


class Fitted(Optics):
    """A camera as it might be: its place in degrees, and its optics."""

    code: Annotated[str | None, Field(pattern=r"^[0-9A-Za-z_-]{1,40}$")] = None
    name: Annotated[str | None, Field(max_length=80)] = None
    lon: Annotated[float, Field(ge=-180, le=180)]
    lat: Annotated[float, Field(ge=-85, le=85)]
    presets: Annotated[
        list[Preset] | None, Field(max_length=100, description="Of a turning camera")
    ] = None
    preset: Annotated[int | None, Field(ge=0, le=99, description="The one in view now")] = None

    def values(self) -> dict[str, Any]:
        """Return what is known of its optics, by column."""
        made = self.model_dump(exclude={"code", "name", "lon", "lat", "presets"})
        presets = [one.model_dump(exclude_none=True) for one in self.presets or ()]
        return made | {"presets": presets}


class Moved(Optics):
    """What differs of a camera that is there; what is left out stays as it is."""

    lon: Annotated[float | None, Field(ge=-180, le=180)] = None
    lat: Annotated[float | None, Field(ge=-85, le=85)] = None


Code = Annotated[str, Field(max_length=40)]


class Content(BaseModel):
    """Cameras that are added, moved and removed."""

    model_config = ConfigDict(extra="forbid")

    cameras: Annotated[list[Fitted], Field(max_length=500, description="Added")] = []
    moved: Annotated[
        dict[Code, Moved],
        Field(max_length=500, description="By the code of a camera that is there"),
    ] = {}
    removed: Annotated[
        list[Code], Field(max_length=2000, description="Codes of cameras that are there")
    ] = []
