"""How Alembic reaches the database: through the connection that `migrate.upgrade` holds the lock on, and no other."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection, transactional_ddl=False)
context.run_migrations()
