"""The one list of every table: importing this module registers them all on `metadata`."""

from sqlmodel import SQLModel

from marketplace.agreements import tables as _agreements  # noqa: F401
from marketplace.api import tables as _api  # noqa: F401
from marketplace.clearing import tables as _clearing  # noqa: F401
from marketplace.deliveries import tables as _deliveries  # noqa: F401
from marketplace.evidence import tables as _evidence  # noqa: F401
from marketplace.identifiers import tables as _identifiers  # noqa: F401
from marketplace.ledger import tables as _ledger  # noqa: F401
from marketplace.lineage import tables as _lineage  # noqa: F401
from marketplace.listings import tables as _listings  # noqa: F401
from marketplace.orders import tables as _orders  # noqa: F401
from marketplace.participants import tables as _participants  # noqa: F401
from marketplace.queries import tables as _queries  # noqa: F401
from marketplace.registrations import tables as _registrations  # noqa: F401
from marketplace.rights import tables as _rights  # noqa: F401
from marketplace.settlement import tables as _settlement  # noqa: F401
from marketplace.storage import documents as _documents  # noqa: F401
from marketplace.storage import sessions as _sessions  # noqa: F401
from marketplace.webhooks import tables as _webhooks  # noqa: F401

metadata = SQLModel.metadata
