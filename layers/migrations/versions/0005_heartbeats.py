"""Heartbeats: an update that only says "still so" is no change to be told."""

from pathlib import Path

from layers.migrations import run_sql

revision = "0005"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(Path(__file__).parent / "0005" / "heartbeats.sql")


def downgrade() -> None:
    run_sql(Path(__file__).parent / "0005" / "down.sql")
