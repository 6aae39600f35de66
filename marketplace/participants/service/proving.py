"""Key proofs from the journal: the calls that changed the keys of accounts, for whoever does not read the ledger."""

from collections.abc import Iterable

from sqlmodel import Session, col, func, select

from marketplace.intents import Deployment
from marketplace.ledger.tables import LedgerBlock, LedgerEvent, LedgerIntent
from marketplace.participants.keybook import KeyBook
from marketplace.participants.proofs import MAX_STEPS, Step
from marketplace.participants.service.keyring import key_state
from marketplace.participants.tables import AccountKey


def steps_of(session: Session, accounts: Iterable[str]) -> tuple[Step, ...] | None:
    """Every change of the keys of these accounts, and of those whose word one of them rests on, in the ledger's order.

    None where there are more than a proof may have, or one is not in the journal: an empty proof would say that
    nothing has changed, and so that addresses sign which may have ended.
    """
    found: dict[tuple[int, int], LedgerEvent] = {}
    known, wanted = set[str](), set(accounts)
    while wanted and len(found) <= MAX_STEPS:
        mine = select(LedgerEvent).where(col(LedgerEvent.about).in_(wanted), LedgerEvent.contract == "Keys")
        events = session.exec(mine.limit(MAX_STEPS + 1)).all()
        found |= {(event.block, event.log_index): event for event in events}
        known |= wanted
        wanted = {event.args["by"] for event in events if event.name == "RecoveryApproved"} - known
    if len(found) > MAX_STEPS:
        return None
    ordered = [event for _, event in sorted(found.items())]
    names = {event.intent for event in ordered}
    intents = session.exec(select(LedgerIntent).where(col(LedgerIntent.digest).in_(names)))
    calls = {row.digest: row.calldata for row in intents}
    if names - calls.keys():  # somebody's own transaction on an outer network, which is not in the journal
        return None
    return tuple(Step(calls[event.intent], event.timestamp) for event in ordered)


def taken_at(session: Session, intents: Iterable[str]) -> dict[str, int]:
    """When the ledger took intents with these digests, unix seconds; what it has not taken, or refused in a block, is
    not in it."""
    taken = select(LedgerIntent.digest, LedgerBlock.timestamp).where(col(LedgerIntent.block) == LedgerBlock.number)
    taken = taken.where(LedgerIntent.status == "mined")
    return dict(session.exec(taken.where(col(LedgerIntent.digest).in_(intents))).all())


def book_of(session: Session, deployment: Deployment, *accounts: str) -> KeyBook:
    """What signs for these accounts, as the ledger has it."""
    rows = session.exec(select(AccountKey).where(col(AccountKey.account).in_(accounts)))
    newest = session.exec(select(func.max(col(LedgerBlock.timestamp)))).one()
    return KeyBook(deployment, {(row.account, row.key): key_state(row) for row in rows}, newest or 0)
