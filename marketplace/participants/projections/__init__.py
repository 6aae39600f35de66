"""What the ledger's events say about participants."""

from sqlmodel import Session, col, update

from marketplace.ledger.tables import LedgerEvent
from marketplace.participants.projections import keys
from marketplace.participants.tables import Application, Participant
from marketplace.storage.projected import projected
from marketplace.types import ParticipantStatus


def admitted(session: Session, event: LedgerEvent) -> None:
    """`Admitted`: a participant joins, or comes back with other roles; its application is no longer open."""
    args = event.args
    row = session.get(Participant, args["account"]) or Participant(
        account=args["account"], roles=0, status=0, identity_digest="", version=0
    )
    row.roles, row.identity_digest, row.version = args["roles"], args["identityDigest"], args["version"]
    row.status, row.exit_at = ParticipantStatus.ACTIVE, 0
    session.add(row.stamp(event))
    # The application is the service's own row: it may be missing when the read model is rebuilt elsewhere.
    statement = update(Application).where(col(Application.account) == args["account"])
    statement = statement.where(col(Application.document_digest) == args["identityDigest"])
    session.execute(statement.values(admission=event.intent))


def applied(session: Session, event: LedgerEvent) -> None:
    """`Applied`: an application stands on the ledger, for review."""
    args = event.args
    row = session.get(Participant, args["account"]) or Participant(
        account=args["account"], roles=0, status=0, identity_digest="", version=0
    )
    row.status, row.version, row.identity_digest = ParticipantStatus.SUBMITTED, args["version"], args["identityDigest"]
    session.add(row.stamp(event))


def leaving(session: Session, event: LedgerEvent) -> None:
    """`Leaving`: a participant announced its exit."""
    row = projected(session, Participant, event.args["account"])
    row.status, row.version, row.exit_at = ParticipantStatus.EXITING, event.args["version"], event.args["exitAt"]
    session.add(row.stamp(event))


def status_changed(session: Session, event: LedgerEvent) -> None:
    """`StatusChanged`: suspended or reinstated."""
    row = projected(session, Participant, event.args["account"])
    row.status, row.version = event.args["status"], event.args["version"]
    session.add(row.stamp(event))


PROJECTORS = {
    "Admitted": (admitted,),
    "StatusChanged": (status_changed,),
    "Applied": (applied,),
    "Leaving": (leaving,),
    **keys.PROJECTORS,
}
