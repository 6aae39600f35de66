"""Tell parties of something that neither the ledger nor the log says; in the transaction of the fact itself."""

from collections.abc import Iterable
from typing import Any

from sqlmodel import Session

from marketplace.evidence.tables import Notice
from marketplace.web.context import announce

NOTICES = "notices"  # the bell's topic


def tell(session: Session, kind: str, parties: Iterable[str], now: int, **data: Any) -> None:
    """Leave a notice, which webhooks send to the systems of `parties`.

    Args:
        kind: one of marketplace.webhooks.rules.NOTICES.
        now: unix seconds.
        data: JSON values; ids, digests, amounts.
    """
    session.add(Notice(kind=kind, parties=sorted(set(parties)), data=data, at=now))
    announce(session, NOTICES)
