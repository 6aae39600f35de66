"""Bring a database to the tables of this program. Migrations lie in `migrations/`, packaged with the program."""

from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Engine

from marketplace.storage.metadata import metadata

MIGRATIONS = Path(__file__).with_name("migrations")


def upgrade(engine: Engine) -> None:
    """Apply every migration that is missing, in one transaction; starting twice changes nothing."""
    with engine.begin() as connection:
        command.upgrade(alembic_config(connection), "head")


def differences(engine: Engine) -> list[Any]:
    """What Alembic would still change to make the database equal to the models; empty when nothing."""
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "target_metadata": metadata})
        return list(compare_metadata(context, metadata))


def alembic_config(connection: Connection) -> Config:
    """Alembic's configuration for work on `connection`; there is no alembic.ini to lose."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
