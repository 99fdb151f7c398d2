"""Jobs: procrastinate's tables and functions, in a schema of their own.

They are those of the procrastinate that the lock file names when the revision is run. One with
another schema needs a revision that brings its own migrations.
"""

from pathlib import Path

import psycopg
from alembic import op
from procrastinate.schema import SchemaManager

from layers.migrations import run_sql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind().connection.driver_connection
    if not isinstance(connection, psycopg.Connection):
        raise TypeError("migrations run on psycopg 3")
    run_sql(Path(__file__).parent / "0003" / "schema.sql")
    connection.execute(SchemaManager.get_schema())
    run_sql(Path(__file__).parent / "0003" / "rights.sql")


def downgrade() -> None:
    run_sql(Path(__file__).parent / "0003" / "down.sql")
