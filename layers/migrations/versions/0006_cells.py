"""Counts by cell of the point layers: what tiles of low zooms show, kept as features change."""

from pathlib import Path

from layers.migrations import run_sql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(Path(__file__).parent / "0006" / "cells.sql")


def downgrade() -> None:
    run_sql(Path(__file__).parent / "0006" / "down.sql")
