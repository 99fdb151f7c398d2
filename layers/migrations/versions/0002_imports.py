"""Imports: what was loaded by whom, and what it needs to be undone."""

from pathlib import Path

from layers.migrations import run_sql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(Path(__file__).parent / "0002" / "imports.sql")


def downgrade() -> None:
    run_sql(Path(__file__).parent / "0002" / "down.sql")
