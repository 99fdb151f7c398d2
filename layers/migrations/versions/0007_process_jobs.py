"""Jobs of the analyses."""

from pathlib import Path

from layers.migrations import run_sql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(Path(__file__).parent / "0007" / "jobs.sql")


def downgrade() -> None:
    run_sql(Path(__file__).parent / "0007" / "down.sql")
