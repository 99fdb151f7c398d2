"""``geo-service imports …``: what was loaded into the layers, and taking it back."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import psycopg
import typer

from geo_service.commands.common import console, language_of, migrated, read_settings
from geo_service.errors import ServiceError
from geo_service.imports import store

app = typer.Typer(no_args_is_help=True, help="What was loaded, and taking it back.")

ACCOUNT = "command line"
"""Who an import of the command line is said to be by."""


class ImportsError(ServiceError):
    """An import cannot be shown or undone; the message says why."""


@app.command("list")
def list_(
    layer: Annotated[str | None, typer.Option(help="Only this layer's")] = None,
    limit: Annotated[int, typer.Option(help="How many, newest first", min=1)] = 20,
) -> None:
    """List the imports, newest first."""
    with migrated(read_settings()) as url, psycopg.connect(url) as connection:
        rows = store.listed(connection, layer, limit)
    for row in rows:
        console.print(
            f"{row['id']}  {_moment(row['created_at'])}  {row['state']:<11} "
            f"{row['layer'] or '':<9} {row['account']:<16} {row['file']}",
            markup=False,
        )


@app.command("show")
def show(
    id: Annotated[UUID, typer.Argument(help="Of the import, as the list has it")],  # noqa: A002
    lang: Annotated[str, typer.Option(help="Language of the report: zh or en")] = "zh",
) -> None:
    """Show one import and its report."""
    with migrated(read_settings()) as url, psycopg.connect(url) as connection:
        language = language_of(lang)
        row = store.found(connection, id)
        if row is None:
            raise ImportsError(f"There is no import {id}.")
    console.print(f"{row['file']} → {row['layer'] or '?'}: {row['state']}", markup=False)
    console.print(
        f"{row['account']}, {_moment(row['created_at'])}, {row['bytes']:,} bytes,"
        f" SHA-256 {row['sha256']}",
        markup=False,
    )
    for line in _lines(row["report"] or {}, language):
        console.print(line, markup=False)


@app.command("undo")
def undo(
    id: Annotated[UUID, typer.Argument(help="Of the import, as the list has it")],  # noqa: A002
    lang: Annotated[str, typer.Option(help="Language: zh or en")] = "zh",
) -> None:
    """Take an import back: rows that it inserted go, rows that it changed are as they were."""
    from layers.intake.report import Refusal  # noqa: PLC0415
    from layers.intake.undoing import undo as take_back  # noqa: PLC0415 - large libraries

    with migrated(read_settings()) as url, psycopg.connect(url) as connection:
        language = language_of(lang)
        try:
            done = take_back(connection, id)
        except Refusal as refusal:
            raise ImportsError(getattr(refusal.words, language)) from refusal
    console.print(
        f"已撤销：删除 {done.deleted} 行，恢复 {done.restored} 行。"
        if language == "zh"
        else f"Undone: {done.deleted} rows deleted, {done.restored} restored."
    )


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"


def _lines(report: dict[str, Any], lang: str) -> list[str]:
    from layers.intake.report import Problem  # noqa: PLC0415 - large libraries

    names = ("read", "inserted", "updated", "unchanged", "skipped", "bad_rows", "problem_count")
    counts = ", ".join(f"{name} {report[name]}" for name in names if report.get(name))
    lines = [counts] if counts else []
    lines += [note[lang] for note in report.get("notes", ())]
    for item in report.get("problems", ()):
        known = {name: item.get(name) for name in Problem.__slots__}
        lines.append(Problem(**known).text("zh" if lang == "zh" else "en"))
    return lines
