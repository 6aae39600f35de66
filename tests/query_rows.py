"""Rows of queries as the service keeps them, for tests that need no market."""

from typing import Any

from marketplace.queries.tables import APPROVED, QueryRow

NOBODY = "0x" + "0e" * 20
NOTHING = "0x" + "00" * 32


def query_row(order: str, digest: str, sequence: int, **more: Any) -> QueryRow:
    """A query of `order` that its vault has released; `more` replaces what is said of it."""
    papers = dict.fromkeys(("plan_digest", "terms_digest", "manifest_digest", "voucher_digest"), NOTHING)
    named = {"asset_id": NOTHING, "series": NOTHING, "buyer": NOBODY, "release_key": NOBODY}
    figures = {"price": 1, "epsilon": 1, "epsilon_charged": 1, "numbers": 1, "accepted_at": 1}
    known: dict[str, Any] = {**papers, **named, **figures, "state": APPROVED, **more}
    return QueryRow(order_id=order, digest=digest, sequence=sequence, **known)
