"""The one list of every table: importing this module registers them all on `metadata`."""

from sqlmodel import SQLModel

from marketplace.ledger import tables as _ledger  # noqa: F401

metadata = SQLModel.metadata
