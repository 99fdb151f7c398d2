"""Drafts of grid boundaries: operations, comments, events; publishing; locating faster."""

from pathlib import Path

from layers.migrations import run_sql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("drafts", "publishing", "following"):
        run_sql(Path(__file__).parent / "0008" / f"{name}.sql")


def downgrade() -> None:
    run_sql(Path(__file__).parent / "0008" / "down.sql")
