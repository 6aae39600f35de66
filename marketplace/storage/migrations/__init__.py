"""Alembic migrations, applied by `marketplace.storage.migrate.upgrade`."""
