"""``geo-service limits``: how many households a grid should have, by area."""

from typing import Annotated

import typer

from geo_service.boundaries import limits_store
from geo_service.boundaries.limits import Limits
from geo_service.commands.common import AskedWronglyError, console, migrated, read_settings
from geo_service.database import Principal, acting

app = typer.Typer(no_args_is_help=True, help="How many households a grid should have, by area.")

_Area = Annotated[str, typer.Argument(help="Code of a county, town or community")]
_ACCOUNT = Principal("command line", "admin", "*")


@app.command("list")
def list_command() -> None:
    """List the areas that have limits of their own."""
    with migrated(read_settings()) as url, acting(url, _ACCOUNT) as connection:
        rows = connection.execute(limits_store.IN_FORCE, {"area": None}).fetchall()
    for area, name, low, high, account, at in rows:
        console.print(f"{area:<12} {low:>6} {high:>6}  {at:%Y-%m-%d %H:%M} {account}  {name}")
    default = Limits()
    console.print(f"{'otherwise':<12} {default.low:>6} {default.high:>6}")


@app.command("set")
def set_command(
    area: _Area,
    low: Annotated[int, typer.Argument(help="Fewest households of a grid", min=0, max=100_000)],
    high: Annotated[int, typer.Argument(help="Most households of a grid", min=0, max=100_000)],
) -> None:
    """Set the limits of an area and all within that have none of their own."""
    if low > high:
        raise typer.BadParameter(f"The fewest, {low}, are more than the most, {high}.")
    _write(limits_store.PUT, area, {"low": low, "high": high})


@app.command("unset")
def unset_command(area: _Area) -> None:
    """Let the limits of the area above count again."""
    _write(limits_store.GIVE_UP, area, {})


def _write(statement: str, area: str, values: dict[str, int]) -> None:
    with migrated(read_settings()) as url, acting(url, _ACCOUNT) as connection:
        written = connection.execute(statement, {**values, "area": area, "account": _ACCOUNT.name})
        if not written.rowcount:
            raise AskedWronglyError(f"There is no area {area}, or it has no limits of its own.")
