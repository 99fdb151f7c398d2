"""Camera coverage: ground that may not be seen, and what-if sets."""

from pathlib import Path

from layers.migrations import run_sql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(Path(__file__).parent / "0009" / "coverage.sql")


def downgrade() -> None:
    run_sql(Path(__file__).parent / "0009" / "down.sql")
