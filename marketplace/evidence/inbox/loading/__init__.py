"""The part of the ledger's state that a call touches, out of the read model: what the rules are asked over."""

from collections.abc import Sequence

from sqlmodel import Session, col, select

from marketplace.agreements.rules import Agreement as AgreementState
from marketplace.agreements.tables import Agreement
from marketplace.currencies import currency_of
from marketplace.evidence.inbox.loading.assets import load_assets, load_lineage, load_parties, load_titles
from marketplace.evidence.inbox.loading.cases import load_cases, load_transfers
from marketplace.evidence.inbox.loading.trade import (
    load_clearing,
    load_deliveries,
    load_listings,
    load_orders,
    load_redemptions,
)
from marketplace.evidence.tables import Anchor
from marketplace.ledger.profile import ledger_profile
from marketplace.participants.rules import Participant as ParticipantState
from marketplace.participants.service.keyring import load_keys
from marketplace.participants.tables import Participant
from marketplace.replay import LedgerState
from marketplace.settlement.tables import Balance
from marketplace.types import (
    AgreementStatus,
    ParticipantStatus,
)

_ADDRESS_CHARACTERS, _DIGEST_CHARACTERS = 42, 66


def load_state(session: Session, texts: Sequence[str], *, whole_batch: bool = False) -> LedgerState:
    """The part of the ledger's state that the named accounts and ids touch.

    Args:
        whole_batch: whether it is asked about everybody in a clearing batch; a leg touches its own parties alone.
    """
    profile = ledger_profile(session)
    state = LedgerState(profile.genesis)
    for name, token in state.tokens.items():
        token.accounts.escrow, token.accounts.locked = profile.addresses["Orders"], profile.addresses[name]
    names = {text for text in texts if len(text) == _DIGEST_CHARACTERS}
    accounts = {text for text in texts if len(text) == _ADDRESS_CHARACTERS} | {state.accounts.escrow, profile.treasury}
    accounts |= load_redemptions(session, state, names)
    orders = load_orders(session, state, names)
    listings = load_listings(session, state, names | {order.listing_id for order in orders})
    _load_agreements(session, state, names)
    load_deliveries(session, state, {order.order_id for order in orders}, {item.listing_id for item in listings})
    accounts |= {order.buyer for order in orders} | {listing.seller for listing in listings}
    cases = load_cases(session, state, names)
    accounts |= {party for case in cases for party in (case.applicant, case.counterparty)}
    assets = names | {item.asset_id for item in listings} | {item.asset_id for item in cases}
    inputs, consenting = load_lineage(session, state, assets)
    accounts |= load_assets(session, state, assets | inputs)
    owners: set[str] = set()
    load_titles(session, state, names | consenting | {listing.title_id for listing in listings}, owners)
    accounts |= load_assets(session, state, owners - state.rights.assets.keys())
    load_transfers(session, state)
    load_clearing(session, state, names, None if whole_batch else accounts)
    keys = load_keys(session, accounts, names)
    _load_accounts(session, state, accounts | {item.new_key for item in keys.recoveries.values()})
    state.participants.keys = keys
    anchor = session.exec(select(Anchor).order_by(col(Anchor.size).desc()).limit(1)).first()
    if anchor is not None:
        state.anchors.size, state.anchors.root = anchor.size, anchor.root
    return state


def _load_agreements(session: Session, state: LedgerState, names: set[str]) -> None:
    for row in session.exec(select(Agreement).where(col(Agreement.agreement_id).in_(names))):
        status = AgreementStatus(row.status)
        state.agreements.records[row.agreement_id] = AgreementState(
            row.party_a, row.party_b, row.valid_until, row.version, status
        )


def _load_accounts(session: Session, state: LedgerState, accounts: set[str]) -> None:
    # The founding registrar comes from the deployment; what the ledger says of it since then is in its row.
    state.participants.records.clear()
    for person in session.exec(select(Participant).where(col(Participant.account).in_(accounts))):
        state.participants.records[person.account] = ParticipantState(
            person.roles, ParticipantStatus(person.status), person.version, person.exit_at
        )
    for row in session.exec(select(Balance).where(col(Balance.account).in_(accounts))):
        state.tokens[currency_of(row.currency).contract].accounts.total_in[row.account] = row.balance


__all__ = ["load_parties", "load_state"]
