"""What Alembic runs: the migrations, over the connection that ``migrate`` hands in."""

from alembic import context

from ops_platform.adapters.ledger.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
