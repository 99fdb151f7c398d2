"""The layers, the rules they keep, access by area, and the outbox."""

from pathlib import Path

from layers.migrations import run_sql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_FILES = ("access_role", "tables", "rules", "functions", "layers", "grants")


def upgrade() -> None:
    for name in _FILES:
        run_sql(Path(__file__).parent / "0001" / f"{name}.sql")


def downgrade() -> None:
    run_sql(Path(__file__).parent / "0001" / "down.sql")
