"""Keys of accounts in the read model: loaded for the rules, looked up for sign-ins, shown to people."""

from collections.abc import Iterable
from typing import Any

from sqlmodel import Session, col, func, select

from marketplace.ledger.tables import LedgerBlock
from marketplace.participants.identities import SERVED, is_identity
from marketplace.participants.keys import Guardians, Key, KeyRing, Ring
from marketplace.participants.keys import Recovery as RecoveryState
from marketplace.participants.tables import AccountKey, AccountRing, IdentityLink, Participant, Recovery
from marketplace.types import NO_LIMIT, Act, RecoveryStatus


def load_keys(session: Session, accounts: Iterable[str], recoveries: Iterable[str] = ()) -> KeyRing:
    """What the rules need to know of these accounts, of the addresses among them that are keys, and of recoveries."""
    names = set(accounts)
    state = KeyRing()
    known = select(Recovery).where(col(Recovery.recovery_id).in_(set(recoveries)))
    found = [*session.exec(known), *session.exec(select(Recovery).where(col(Recovery.account).in_(names)))]
    names |= {row.new_key for row in found}
    owned = session.exec(select(AccountKey).where(col(AccountKey.key).in_(names))).all()
    names |= {row.account for row in owned} | {row.account for row in found}
    held = session.exec(select(AccountKey).where(col(AccountKey.account).in_(names))).all()
    for row in held:
        state.held[row.account, row.key] = key_state(row)
        if row.key != row.account:
            state.account_of[row.key] = row.account
    for ring in session.exec(select(AccountRing).where(col(AccountRing.account).in_(names))):
        state.rings[ring.account] = Ring(ring.version)
        members = frozenset(ring.guardians)
        if ring.guardians_number:
            state.guardians[ring.account] = Guardians(ring.guardians_number, ring.threshold, ring.delay, members)
    for item in sorted(found, key=lambda row: (row.event_block, row.event_log_index)):
        state.recoveries[item.recovery_id] = _recovery_state(item)
        if item.status == RecoveryStatus.NOTICE:
            state.on_notice[item.account] = item.recovery_id
    return state


def key_state(row: AccountKey) -> Key:
    """A row as the rules see it."""
    return Key(row.acts, row.limit_fen, row.valid_from, row.valid_until)


def account_for(session: Session, key: str, now: int, act: Act) -> str | None:
    """The account that `key` reads for at `now`, and may do `act` for: a live key with both. None where there is none.

    An address that is no key of another account reads for itself, participant or not, until its own key ends. What is
    no address is a linked identity: it may what its link permits, while the link, the key that linked it and the
    participant are in order.
    """
    if is_identity(key):
        return _account_of_identity(session, key, now, act)
    ring, now = load_keys(session, (key,)), ledger_time(session, now)
    account = ring.owner(key)
    held = ring.key_of(account, key)
    wanted = Act.READ | act
    return account if held.is_live(now) and held.acts & wanted == wanted else None


def _account_of_identity(session: Session, identity: str, now: int, act: Act) -> str | None:
    link = session.get(IdentityLink, identity)
    wanted = Act.READ | act
    if link is None or link.acts & wanted != wanted or ledger_time(session, now) >= link.valid_until:
        return None
    participant = session.get(Participant, link.account)
    if participant is None or participant.status not in SERVED:
        return None
    return link.account if account_for(session, link.linked_by, now, Act.ADMINISTER) == link.account else None


def ledger_time(session: Session, now: int) -> int:
    """`now`, but not before the newest block: keys begin and end in blocks, whose time may be ahead of the clock."""
    newest = session.exec(select(func.max(col(LedgerBlock.timestamp)))).one()
    return max(now, newest or 0)


def keys_json(session: Session, account: str) -> dict[str, Any]:
    """Every key that the account has or had, its guardians, and recoveries."""
    ring = session.get(AccountRing, account) or AccountRing(account=account)
    rows = session.exec(select(AccountKey).where(AccountKey.account == account)).all()
    shown = [row.as_json() for row in sorted(rows, key=lambda row: (row.valid_from, row.key))]
    if not any(row.key == account for row in rows):
        shown.insert(0, _own_address(account))
    found = session.exec(select(Recovery).where(Recovery.account == account)).all()
    return {
        "account": account,
        "version": ring.version,
        "keys": shown,
        "guardians": {"members": ring.guardians, "threshold": ring.threshold, "delay": ring.delay},
        "recoveries": [row.as_json() for row in sorted(found, key=lambda row: row.event_block)],
    }


def _own_address(account: str) -> dict[str, Any]:
    own = KeyRing().key_of(account, account)
    names = {"account": account, "key": account, "acts": own.acts, "limitFen": own.limit, "validFrom": 0}
    return names | {
        "validUntil": NO_LIMIT,
        "personDigest": "0x" + "00" * 32,
        "grantedBy": "",
        "event": None,
    }


def _recovery_state(row: Recovery) -> RecoveryState:
    return RecoveryState(
        row.account,
        row.new_key,
        row.threshold,
        row.delay,
        frozenset(row.guardians),
        RecoveryStatus(row.status),
        frozenset(row.approved),
        row.ready_at,
    )
