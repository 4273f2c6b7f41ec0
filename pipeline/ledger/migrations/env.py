"""Alembic runs this around every command, to get the connection and the models."""

from alembic import context

from pipeline.ledger.schema.base import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,  # SQLite changes a table by copying it
    transactional_ddl=True,  # the caller's transaction holds the lock; all or nothing
)
context.run_migrations()
