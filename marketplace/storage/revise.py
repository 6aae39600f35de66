"""For developers: `python -m marketplace.storage.revise 0002 "add a column"` writes the migration the models ask for.

It compares the models with an empty database brought up by the migrations there are.
"""

import sys
import tempfile
from pathlib import Path

from alembic import command

from marketplace.storage.engine import make_engine
from marketplace.storage.migrate import alembic_config, upgrade


def revise(revision: str, message: str) -> None:
    """Write `migrations/versions/<revision>_<message>.py`."""
    with tempfile.TemporaryDirectory() as folder:
        engine = make_engine(f"sqlite:///{Path(folder, 'empty.db')}")
        upgrade(engine)
        with engine.begin() as connection:
            command.revision(alembic_config(connection), message, autogenerate=True, rev_id=revision)
        engine.dispose()


if __name__ == "__main__":
    revise(*sys.argv[1:3])
