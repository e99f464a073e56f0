"""Alembic's entry: runs migrations on the connection, and in the transaction, that bring_up opened."""

from alembic import context

from streams.query.migrating import VERSION_TABLE
from streams.query.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    # SQLite, too, rolls tables back: streams.query.connecting begins its transactions itself.
    transactional_ddl=True,
)
context.run_migrations()
