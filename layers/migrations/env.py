"""Alembic's entry: one transaction, one migrating process at a time."""

from alembic import context
from sqlalchemy import create_engine, text

from layers.base import Base

_LOCK = 7_103_310  # any number of our own: holds back a second process that migrates


def run() -> None:
    """Run the migrations on the configured database."""
    engine = create_engine(context.config.attributes["url"])
    try:
        with engine.connect() as connection, connection.begin():
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            context.configure(connection=connection, target_metadata=Base.metadata)
            with context.begin_transaction():
                context.run_migrations()
    finally:
        engine.dispose()


run()
