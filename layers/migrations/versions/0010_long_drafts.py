"""Limits of households by area; drafts of thousands of operations, or for a day to come."""

from pathlib import Path

from layers.migrations import run_sql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("limits", "following", "coming"):
        run_sql(Path(__file__).parent / "0010" / f"{name}.sql")


def downgrade() -> None:
    run_sql(Path(__file__).parent / "0010" / "down.sql")
