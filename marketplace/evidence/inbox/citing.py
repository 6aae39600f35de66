"""Which rulebook the ledger's refusals cite: of those by rules that read one, the version that governs the call."""

from collections.abc import Sequence
from typing import Any

from sqlmodel import Session, select

from marketplace.calls import decode_call
from marketplace.ledger.intake import intent_status
from marketplace.ledger.tables import LedgerIntent
from marketplace.registrations.governing import cited
from marketplace.registrations.projections import SUBJECT
from marketplace.registrations.tables import RegisterEntry, RegistrationCase, RulebookInForce
from marketplace.types import ZERO_DIGEST


def rulebook_cited(session: Session, rule: str, arguments: Sequence[Any]) -> str:
    """The version of the rules of registration that a refusal by `rule` cites; "" where the rule reads none.

    Args:
        arguments: of the refused call, as in marketplace.calls.
    """

    def case(name: str) -> str | None:
        row = session.get(RegistrationCase, name)
        return row.rulebook_digest if row else None

    def latest(asset: str) -> str | None:
        entry = session.get(RegisterEntry, asset)
        return case(entry.latest_case) if entry else None

    chosen = session.get(RulebookInForce, SUBJECT)
    return cited(rule, arguments, case, latest, chosen.rulebook_digest if chosen else ZERO_DIGEST)


def decided(session: Session, digest: str) -> dict[str, Any]:
    """What became of an intent, as `intent_status`; a refusal cites the rulebook that its rule reads.

    Raises:
        NotFoundError: `intent_unknown`.
    """
    status = intent_status(session, digest)
    if "problem" in status:
        row = session.exec(select(LedgerIntent).where(LedgerIntent.digest == digest)).one()
        _, arguments = decode_call(row.contract, row.calldata)
        found = rulebook_cited(session, status["problem"]["rule"], arguments)
        status["problem"] |= {"rulebook": found} if found else {}
    return status
