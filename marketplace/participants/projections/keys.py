"""What the ledger's events say about keys of accounts."""

from typing import Any

from sqlmodel import Session, select

from marketplace.ledger.tables import LedgerEvent
from marketplace.participants.keys import OWN_ADDRESS, REGISTRAR_DELAY_SECONDS, Key
from marketplace.participants.tables import AccountKey, AccountRing, Recovery
from marketplace.storage.projected import projected
from marketplace.types import ZERO_DIGEST, RecoveryStatus


def added(session: Session, event: LedgerEvent) -> None:
    """`KeyAdded`."""
    args = event.args
    _turned(session, event)
    key = Key(args["acts"], args["limit"], args["validFrom"], args["validUntil"])
    session.add(_row(args["account"], args["key"], key, args["personDigest"], event.intent).stamp(event))


def ended(session: Session, event: LedgerEvent) -> None:
    """`KeyEnded`."""
    _turned(session, event)
    _end(session, event, event.args["key"])


def rotated(session: Session, event: LedgerEvent) -> None:
    """`KeyRotated`: the new key may do what the old one might."""
    args = event.args
    _turned(session, event)
    old = _held(session, args["account"], args["oldKey"])
    key = Key(old.acts, old.limit_fen, event.timestamp, old.valid_until)
    session.add(_row(args["account"], args["newKey"], key, old.person_digest, event.intent).stamp(event))
    _end(session, event, args["oldKey"])


def guardians_set(session: Session, event: LedgerEvent) -> None:
    """`GuardiansSet`."""
    ring = _turned(session, event)
    ring.guardians, ring.threshold = sorted(event.args["guardians"]), event.args["threshold"]
    ring.delay, ring.guardians_number = event.args["delay"], ring.guardians_number + 1


def recovery_approved(session: Session, event: LedgerEvent) -> None:
    """`RecoveryApproved`: by a guardian, or by a registrar who is none."""
    args = event.args
    ring = session.get(AccountRing, args["account"]) or AccountRing(account=args["account"])
    row = session.get(Recovery, args["recoveryId"]) or Recovery(
        recovery_id=args["recoveryId"],
        account=args["account"],
        new_key=args["newKey"],
        status=RecoveryStatus.PROPOSED,
        threshold=ring.threshold,
        delay=ring.delay,
        guardians=list(ring.guardians),
        approved=[],
        ready_at=0,
        reason_digest=args["reasonDigest"],
    )
    if args["by"] in row.guardians:
        row.approved = [*row.approved, args["by"]]
    else:
        row.delay = REGISTRAR_DELAY_SECONDS
    row.ready_at = args["readyAt"]
    if args["readyAt"]:
        row.status = RecoveryStatus.NOTICE
    session.add(row.stamp(event))


def recovery_vetoed(session: Session, event: LedgerEvent) -> None:
    """`RecoveryVetoed`."""
    _turned(session, event)
    row = projected(session, Recovery, event.args["recoveryId"])
    row.status = RecoveryStatus.VETOED
    session.add(row.stamp(event))


def recovered(session: Session, event: LedgerEvent) -> None:
    """`Recovered`: every older key ends at this moment."""
    args = event.args
    _turned(session, event)
    keys = session.exec(select(AccountKey.key).where(AccountKey.account == args["account"])).all()
    held = [projected(session, AccountKey, args["account"], key) for key in keys]
    for row in [*held, *([] if _has_own(held) else [_held(session, args["account"], args["account"])])]:
        if row.valid_until > event.timestamp:
            row.valid_until = event.timestamp
            session.add(row.stamp(event))
    key = Key(OWN_ADDRESS.acts, OWN_ADDRESS.limit, event.timestamp, OWN_ADDRESS.valid_until)
    session.add(_row(args["account"], args["newKey"], key, ZERO_DIGEST, event.intent).stamp(event))
    recovery = projected(session, Recovery, args["recoveryId"])
    recovery.status = RecoveryStatus.COMPLETED
    session.add(recovery.stamp(event))


def _turned(session: Session, event: LedgerEvent) -> AccountRing:
    """The account's ring at the version that the event gives it."""
    account = event.args["account"]
    ring = session.get(AccountRing, account) or AccountRing(account=account)
    ring.version = event.args["version"]
    session.add(ring.stamp(event))
    return ring


def _held(session: Session, account: str, key: str) -> AccountKey:
    row = session.get(AccountKey, (account, key))
    if row is None and key == account:
        row = _row(account, key, OWN_ADDRESS, ZERO_DIGEST)
    return row or projected(session, AccountKey, account, key)


def _end(session: Session, event: LedgerEvent, key: str) -> None:
    row = _held(session, event.args["account"], key)
    row.valid_until = event.timestamp
    session.add(row.stamp(event))


def _has_own(rows: Any) -> bool:
    return any(row.key == row.account for row in rows)


def _row(account: str, key: str, held: Key, person_digest: str, granted_by: str = "") -> AccountKey:
    return AccountKey(
        account=account,
        key=key,
        acts=held.acts,
        limit_fen=held.limit,
        valid_from=held.valid_from,
        valid_until=held.valid_until,
        person_digest=person_digest,
        granted_by=granted_by,
    )


PROJECTORS = {
    "KeyAdded": (added,),
    "KeyEnded": (ended,),
    "KeyRotated": (rotated,),
    "GuardiansSet": (guardians_set,),
    "RecoveryApproved": (recovery_approved,),
    "RecoveryVetoed": (recovery_vetoed,),
    "Recovered": (recovered,),
}
