"""Would the ledger refuse this call? The contracts' rules in Python, asked over the rows of the read model.

A yes today may be a no when the call is mined, because others act meanwhile; the contract has the last word. What this
spares people is waiting for a block to learn what is plain already, and it answers with the very words that the ledger
would use.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from sqlmodel import Session, col, func, or_, select

from marketplace.agreements.rules import Agreement as AgreementState
from marketplace.agreements.tables import Agreement
from marketplace.clearing.rules import Batch as BatchState
from marketplace.clearing.rules import Debt as DebtState
from marketplace.clearing.rules import Position
from marketplace.clearing.tables import ClearingBatch, ClearingDebt, ClearingPosition
from marketplace.currencies import currency_of, number_of
from marketplace.deliveries.rules import Delivery as DeliveryState
from marketplace.deliveries.rules import Offer
from marketplace.deliveries.tables import Delivery, DeliveryOffer
from marketplace.documents import ids
from marketplace.errors import RuleError
from marketplace.evidence.inbox.citing import rulebook_cited
from marketplace.evidence.tables import Anchor
from marketplace.intents import INTENTS, recover_intent
from marketplace.ledger.profile import ledger_profile
from marketplace.lineage.rules import Consent as ConsentState
from marketplace.lineage.rules import Input, tree_of
from marketplace.lineage.tables import LineageConsent, LineageDeclaration, LineageInput
from marketplace.listings.rules import Listing as ListingState
from marketplace.listings.tables import Listing
from marketplace.orders.rules import Order as OrderState
from marketplace.orders.rules import Window
from marketplace.orders.tables import Order, OrderClaim
from marketplace.participants.keys import require_signer
from marketplace.participants.rules import Participant as ParticipantState
from marketplace.participants.service.keyring import ledger_time, load_keys
from marketplace.participants.tables import Participant
from marketplace.procedures import CaseState, Kind, Step
from marketplace.registrations.codes import from_ledger, is_code, to_ledger
from marketplace.registrations.projections import SUBJECT
from marketplace.registrations.records import Record as EntryState
from marketplace.registrations.records import case_from_json
from marketplace.registrations.tables import (
    CertificateCode,
    RegisterEntry,
    RegistrationAct,
    RegistrationCase,
    RulebookInForce,
)
from marketplace.replay import LedgerState
from marketplace.rights.records import Asset as AssetState
from marketplace.rights.records import Encumbrance
from marketplace.rights.records import Share as ShareState
from marketplace.rights.tables import Asset, Share, ShareEncumbrance, Title
from marketplace.rights.title_records import ROOTS, Pledging
from marketplace.rights.title_records import Title as TitleState
from marketplace.rights.titles import note_offer
from marketplace.rulebooks import all_rulebooks
from marketplace.rulebooks.bounds import bounds_of
from marketplace.settlement.redemptions import Redemption as RedemptionState
from marketplace.settlement.tables import Balance, Issue, Redemption
from marketplace.types import (
    ZERO_DIGEST,
    AgreementStatus,
    AssetStatus,
    BatchStatus,
    ConsentStatus,
    DebtStatus,
    DeliveryStatus,
    ListingStatus,
    OrderStatus,
    ParticipantStatus,
    RedemptionStatus,
    TitleKind,
    TitleMark,
)

NOBODY = "0x" + "00" * 20
Row = TypeVar("Row")

_ADDRESS_CHARACTERS, _DIGEST_CHARACTERS = 42, 66
_DECIDERS = ("registrar", "actor", "applicant")


def run(
    session: Session, contract: str, verb: str, arguments: Sequence[Any], now: int, *, only: str | None = None
) -> None:
    """Refuse what the ledger would refuse as things stand.

    Args:
        arguments: as in marketplace.calls, signatures too: whether their keys may sign this is asked here.
        now: unix seconds.
        only: the one account that has signed yet, of a call that several sign; None for all.
    Raises:
        RuleError: the ledger's own refusal.
    """
    whole_batch = verb in ("confirmBatch", "confirmOverdue")
    Trial(session, arguments, now, whole_batch=whole_batch).run(contract, verb, arguments, only=only)


class Trial:
    """Calls tried one after the other on what one reading loaded: each as if those that passed before it were mined.

    Args:
        arguments: of all the calls. now: unix seconds.
        whole_batch: whether they ask about everybody in a clearing batch.
    """

    def __init__(self, session: Session, arguments: Sequence[Any], now: int, *, whole_batch: bool = False) -> None:
        self._session, self._deployment = session, ledger_profile(session).deployment
        self._state = load_state(session, list(_texts(arguments)), whole_batch=whole_batch)
        messages = [message for message in arguments if isinstance(message, Mapping)]
        if deciders := {message[name] for message in messages for name in _DECIDERS if name in message}:
            _load_parties(session, self._state, deciders)
        self._now = ledger_time(session, now)

    def run(self, contract: str, verb: str, arguments: Sequence[Any], *, only: str | None = None) -> None:
        """As the function `run`; a call that is refused changes nothing."""
        try:
            self._state.apply_signed(contract, verb, arguments, self._now, self._recover, only=only)
        except RuleError as refused:
            refused.rulebook = rulebook_cited(self._session, refused.rule, arguments) or refused.rulebook
            raise

    def _recover(self, name: str, message: Mapping[str, Any], signature: bytes) -> str:
        return recover_intent(name, message, self._deployment, signature)


def require_signed(session: Session, name: str, message: Mapping[str, Any], signature: bytes, now: int) -> None:
    """Refuse what the one signer of an intent has not signed by a key that may. `run` asks it too; this is for whoever
    has something to say before, that strangers are not told.

    Raises:
        RuleError: `intent_signature_invalid`, `act_not_permitted`, `act_over_limit`.
    """
    account = message[INTENTS[name].signers[0]]
    key = recover_intent(name, message, ledger_profile(session).deployment, signature)
    require_signer(load_keys(session, (account,)), name, message, account, key=key, now=ledger_time(session, now))


def _texts(value: Any) -> Iterator[str]:
    """Every text inside `value`."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)


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
    accounts |= _load_redemptions(session, state, names)
    orders = _load_orders(session, state, names)
    listings = _load_listings(session, state, names | {order.listing_id for order in orders})
    _load_agreements(session, state, names)
    _load_deliveries(session, state, {order.order_id for order in orders}, {item.listing_id for item in listings})
    accounts |= {order.buyer for order in orders} | {listing.seller for listing in listings}
    cases = _load_cases(session, state, names)
    accounts |= {party for case in cases for party in (case.applicant, case.counterparty)}
    assets = names | {item.asset_id for item in listings} | {item.asset_id for item in cases}
    inputs, consenting = _load_lineage(session, state, assets)
    accounts |= _load_assets(session, state, assets | inputs)
    owners: set[str] = set()
    _load_titles(session, state, names | consenting | {listing.title_id for listing in listings}, owners)
    accounts |= _load_assets(session, state, owners - state.rights.assets.keys())
    _load_transfers(session, state)
    _load_clearing(session, state, names, None if whole_batch else accounts)
    keys = load_keys(session, accounts, names)
    _load_accounts(session, state, accounts | {item.new_key for item in keys.recoveries.values()})
    state.participants.keys = keys
    anchor = session.exec(select(Anchor).order_by(col(Anchor.size).desc()).limit(1)).first()
    if anchor is not None:
        state.anchors.size, state.anchors.root = anchor.size, anchor.root
    return state


def _load_orders(session: Session, state: LedgerState, names: set[str]) -> Sequence[Order]:
    rows = session.exec(select(Order).where(col(Order.order_id).in_(names))).all()
    for row in rows:
        state.orders.records[row.order_id] = OrderState(
            row.buyer,
            row.listing_id,
            row.escrow,
            currency_of(row.currency).number,
            row.epsilon_cap,
            row.valid_until,
            OrderStatus(row.status),
        )
    for claim in session.exec(select(OrderClaim).where(col(OrderClaim.order_id).in_(names))):
        state.orders.windows[claim.order_id] = Window(
            claim.voucher_hash, claim.amount, claim.epsilon, claim.calls, claim.calls_root, claim.until
        )
    return rows


def _load_redemptions(session: Session, state: LedgerState, names: set[str]) -> set[str]:
    """Load redemptions, and which payments were used; returns the accounts that they touch."""
    accounts = {token.accounts.locked for token in state.tokens.values()}
    for row in session.exec(select(Redemption).where(col(Redemption.redemption_id).in_(names))):
        accounts |= {row.account, row.bank}
        state.tokens[currency_of(row.currency).contract].redemptions.records[row.redemption_id] = RedemptionState(
            row.account, row.bank, row.amount, row.pay_by, RedemptionStatus(row.status)
        )
    used = select(col(Issue.currency), col(Issue.ref)).where(col(Issue.ref).in_(names))
    paid = select(col(Redemption.currency), col(Redemption.ref))
    paid = paid.where(col(Redemption.ref).in_(names - {ZERO_DIGEST}))  # zero: not paid yet
    for currency, ref in [*session.exec(used), *session.exec(paid)]:
        state.tokens[currency_of(currency).contract].accounts.refs.add(ref)
    return accounts


def _load_listings(session: Session, state: LedgerState, names: set[str]) -> Sequence[Listing]:
    rows = session.exec(select(Listing).where(col(Listing.listing_id).in_(names))).all()
    for row in rows:
        state.listings.records[row.listing_id] = _listing_state(row)
    return rows


def _load_agreements(session: Session, state: LedgerState, names: set[str]) -> None:
    for row in session.exec(select(Agreement).where(col(Agreement.agreement_id).in_(names))):
        status = AgreementStatus(row.status)
        state.agreements.records[row.agreement_id] = AgreementState(
            row.party_a, row.party_b, row.valid_until, row.version, status
        )


def _load_lineage(session: Session, state: LedgerState, assets: set[str]) -> tuple[set[str], set[str]]:
    """Load the trees of assets and of their inputs, with the consents; returns the inputs, and the titles under which
    consents were given."""
    level, seen, rows = set(assets), set(assets), list[LineageInput]()
    while level:
        found = session.exec(
            select(LineageInput)
            .where(col(LineageInput.asset_id).in_(level))
            .order_by(col(LineageInput.asset_id), col(LineageInput.place))
        ).all()
        rows = [*found, *rows]  # inputs before what is made of them
        level = {row.input_id for row in found} - seen
        seen |= level
    declared = session.exec(select(LineageDeclaration.asset_id).where(col(LineageDeclaration.asset_id).in_(seen))).all()
    inputs_of: dict[str, list[Input]] = {name: [] for name in declared}
    for row in rows:
        inputs_of[row.asset_id].append(Input(row.input_id, row.title_id, row.bps))
    _grow(state, inputs_of)
    given = session.exec(select(LineageConsent).where(col(LineageConsent.asset_id).in_(seen))).all()
    titles = {consent.title_id for consent in given}
    scopes = dict(session.exec(select(Title.title_id, Title.fields).where(col(Title.title_id).in_(titles))).all())
    for consent in given:
        state.lineage.consents[consent.asset_id, consent.input_id] = ConsentState(
            consent.holder,
            consent.title_id,
            scopes.get(consent.title_id, ZERO_DIGEST),
            consent.valid_until,
            ConsentStatus(consent.status),
            consent.version,
        )
    return seen, titles


def _grow(state: LedgerState, inputs_of: Mapping[str, list[Input]]) -> None:
    """Inputs were declared, if at all, before what is made of them: so each round has some whose inputs all stand."""
    left = dict(inputs_of)
    while left:
        for name in [key for key, items in left.items() if not any(item.asset_id in left for item in items)]:
            state.lineage.trees[name] = tree_of(state.lineage, tuple(left.pop(name)))


def _load_deliveries(session: Session, state: LedgerState, orders: set[str], listings: set[str]) -> None:
    for offer in session.exec(select(DeliveryOffer).where(col(DeliveryOffer.listing_id).in_(listings))):
        state.deliveries.offers[offer.listing_id] = Offer.of(offer.as_json())
    for row in session.exec(select(Delivery).where(col(Delivery.order_id).in_(orders))):
        state.deliveries.records[row.order_id] = DeliveryState(
            row.due_at, DeliveryStatus(row.status), row.rounds, bool(row.acknowledged), row.note_hash
        )


def _load_cases(session: Session, state: LedgerState, names: set[str]) -> list[RegistrationCase]:
    """Load cases that are named, or the latest of an asset that is named, with the entries of their assets."""
    chosen = session.get(RulebookInForce, SUBJECT)
    state.registrations.rulebook = chosen.rulebook_digest if chosen else state.registrations.rulebook
    # Adopted or not: what this service queues has the bounds that follow from the rulebook.
    state.registrations.bounds = {book.digest: bounds_of(book) for book in all_rulebooks().values()}
    named = session.exec(select(RegistrationCase).where(col(RegistrationCase.case_id).in_(names))).all()
    assets = names | {case.asset_id for case in named}
    entries = session.exec(select(RegisterEntry).where(col(RegisterEntry.asset_id).in_(assets))).all()
    latest = {entry.latest_case for entry in entries} - {case.case_id for case in named}
    cases = [*named, *session.exec(select(RegistrationCase).where(col(RegistrationCase.case_id).in_(latest)))]
    _keep_entries(state, entries)
    for row in cases:
        state.registrations.cases[row.case_id] = case_from_json(row.as_json())
    codes = [from_ledger(name) for name in names if is_code(name)]
    for entry in session.exec(select(RegisterEntry).where(col(RegisterEntry.code).in_(codes))):
        state.registrations.codes[to_ledger(entry.code)] = entry.certified_case
    given = select(CertificateCode).where(col(CertificateCode.code).in_(codes))
    ended = select(RegistrationCase.case_id).where(RegistrationCase.state == int(CaseState.CERTIFIED))
    for row in session.exec(given.where(col(CertificateCode.case_id).in_(ended))):
        state.registrations.codes[to_ledger(row.code)] = row.case_id
    objections = select(RegistrationAct).where(
        col(RegistrationAct.case_id).in_([row.case_id for row in cases]), RegistrationAct.step == int(Step.OBJECT)
    )
    state.registrations.objected = {(act.case_id, act.actor) for act in session.exec(objections)}
    return cases


def _load_transfers(session: Session, state: LedgerState) -> None:
    """Load the transfers of all assets that are touched; what was to pass at filing only the ledger knows."""
    loaded = state.registrations.records.keys()
    missing = [name for name in state.rights.assets if name not in loaded]
    entries = session.exec(select(RegisterEntry).where(col(RegisterEntry.asset_id).in_(missing))).all()
    _keep_entries(state, entries)
    latest = [entry.latest_case for entry in entries]
    for row in session.exec(select(RegistrationCase).where(col(RegistrationCase.case_id).in_(latest))):
        state.registrations.cases[row.case_id] = case_from_json(row.as_json())
    for case in state.registrations.cases.values():
        if case.kind is Kind.TRANSFER:
            case.passing = state.titles.passing(case.asset_id, case.applicant)


def _keep_entries(state: LedgerState, entries: Sequence[RegisterEntry]) -> None:
    for entry in entries:
        code = to_ledger(entry.code) if entry.code else ZERO_DIGEST
        state.registrations.records[entry.asset_id] = EntryState(
            entry.holder,
            entry.valid_until,
            entry.disputes,
            entry.upheld,
            entry.latest_case,
            entry.certificate_digest,
            code,
        )


def _listing_state(row: Listing) -> ListingState:
    return ListingState(
        row.seller,
        row.asset_id,
        row.title_id,
        row.price,
        number_of(row.currency),
        row.valid_until,
        row.purposes,
        row.fields,
        row.territories,
        ListingStatus(row.status),
        row.version,
    )


def _load_assets(session: Session, state: LedgerState, names: set[str]) -> set[str]:
    """Load assets with shares and titles; returns the accounts that hold a part of them."""
    accounts = set()
    rows = session.exec(select(Asset).where(col(Asset.asset_id).in_(names))).all()
    held = [row.asset_id for row in rows]
    shares = _grouped(session.exec(select(Share).where(col(Share.asset_id).in_(held))), "asset_id")
    weights = select(ShareEncumbrance).where(col(ShareEncumbrance.asset_id).in_(held))
    encumbrances = _grouped(session.exec(weights), "asset_id")
    for row in rows:
        parts, weighs = shares[row.asset_id], encumbrances[row.asset_id]
        kept = {item.pledgee for item in weighs if item.bps} - {part.holder for part in parts}  # places for pledgees
        accounts |= {part.holder for part in parts} | kept
        state.rights.assets[row.asset_id] = AssetState(
            registrant=row.holder,
            level=row.level,
            claim_digest=row.claim_digest,
            epsilon_budget=row.epsilon_budget,
            shares=[*(ShareState(part.holder, part.bps) for part in parts), *(ShareState(name, 0) for name in kept)],
            status=AssetStatus(row.status),
            valid_until=row.valid_until,
            committed=row.epsilon_committed,
            released=row.epsilon_released,
            version=row.version,
            share_version=row.share_version,
            encumbrances={
                item.holder: Encumbrance(item.pledgee, item.bps, TitleMark(item.marks), item.version) for item in weighs
            },
        )
    _load_titles(session, state, {ids.title_id(name, kind) for name in held for kind in ROOTS}, set())
    return accounts


def _load_parties(session: Session, state: LedgerState, deciders: set[str]) -> None:
    """Which of them hold a title to an asset or a pledge of one, or objected: they decide nothing about it.

    Whoever gave such a title away decides nothing either; that the ledger alone remembers.
    """
    assets = state.rights.assets.keys()
    titles = select(Title).where(col(Title.asset_id).in_(assets), Title.order_id == ZERO_DIGEST)
    held = titles.where(or_(col(Title.holder).in_(deciders), col(Title.pledgee).in_(deciders)))
    for title in session.exec(held):
        state.rights.assets[title.asset_id].parties |= {title.holder, title.pledgee}
    cases = select(RegistrationCase).where(col(RegistrationCase.asset_id).in_(assets))
    known = {case.case_id: case for case in session.exec(cases)}
    for case in known.values():
        if case.kind == Kind.LATE_OBJECTION:
            state.rights.note_party(case.asset_id, case.applicant)
    acts = select(RegistrationAct).where(RegistrationAct.step == int(Step.OBJECT))
    for act in session.exec(acts.where(col(RegistrationAct.case_id).in_(known))):
        state.rights.note_party(known[act.case_id].asset_id, act.actor)


def _load_titles(session: Session, state: LedgerState, names: set[str], assets: set[str]) -> None:
    """Load titles, those above them, the parts of all these, and what of them is on offer; `assets` gathers whose."""
    wanted = names - state.titles.parts.keys()
    while wanted:
        rows = session.exec(select(Title).where(col(Title.title_id).in_(wanted))).all()
        for row in rows:
            state.titles.records[row.title_id] = _title_state(row)
            assets.add(row.asset_id)
        _load_parts(session, state, rows)
        wanted = {row.parent for row in rows} - state.titles.parts.keys() - {ZERO_DIGEST}


def _title_state(row: Title) -> TitleState:
    is_root = row.parent == ZERO_DIGEST
    return TitleState(
        row.holder,
        TitleKind(row.kind),
        0 if is_root else row.valid_until,
        row.asset_id,
        None if is_root else row.parent,
        TitleMark(row.marks),
        row.purposes,
        row.fields,
        row.territories,
        row.valid_from,
        row.version,
        number=int(row.order_id == ZERO_DIGEST),
    )


def _load_parts(session: Session, state: LedgerState, rows: Sequence[Title]) -> None:
    """The parts in force of titles, their pledges, and their offers, joined into one cell as the ledger joins them."""
    names = [row.title_id for row in rows]
    is_part = col(Title.parent).in_(names)
    parts = _grouped(session.exec(select(Title).where(is_part, Title.order_id == ZERO_DIGEST)), "parent")
    for row in rows:
        if row.pledgee != NOBODY:
            state.titles.pledges[row.title_id] = Pledging(row.pledgee, row.permitted)
        for part in parts[row.title_id]:
            state.titles.records.setdefault(part.title_id, _title_state(part))
        in_force = [part.title_id for part in parts[row.title_id] if not part.marks & TitleMark.ENDED]
        state.titles.parts[row.title_id] = in_force
    ordered = select(Title.parent, func.max(Title.valid_until)).where(is_part, Title.order_id != ZERO_DIGEST)
    for parent, until in session.exec(ordered.group_by(Title.parent)):
        state.titles.records[parent].used_until = until
    for listing in session.exec(select(Listing).where(col(Listing.title_id).in_(names))):
        note_offer(state.titles, _listing_state(listing).product, 0)


def _grouped(rows: Iterable[Row], name: str) -> Mapping[str, list[Row]]:
    """Rows by the value of their column `name`; an empty list for any other value."""
    found = defaultdict[str, list[Row]](list)
    for row in rows:
        found[getattr(row, name)].append(row)
    return found


def _load_clearing(session: Session, state: LedgerState, names: set[str], parties: set[str] | None) -> None:
    """Batches with the positions of `parties`, or of everybody, and the named debts; what stands under a debt is asked
    by nobody who signs."""
    for row in session.exec(select(ClearingBatch).where(col(ClearingBatch.batch_id).in_(names))):
        query = select(ClearingPosition).where(ClearingPosition.batch_id == row.batch_id)
        query = query if parties is None else query.where(col(ClearingPosition.party).in_(parties))
        positions = session.exec(query)
        state.batches.records[row.batch_id] = BatchState(
            BatchStatus(row.status),
            row.legs,
            row.pay_by,
            row.close_by,
            {
                place.party: Position(place.credit, place.debit, place.collected, bool(place.paid))
                for place in positions
            },
            currency_of(row.currency).number,
        )
    for debt in session.exec(select(ClearingDebt).where(col(ClearingDebt.debt_id).in_(names))):
        state.batches.debts[debt.debt_id] = DebtState(debt.debtor, debt.creditor, debt.amount, DebtStatus(debt.status))


def _load_accounts(session: Session, state: LedgerState, accounts: set[str]) -> None:
    # The founding registrar comes from the deployment; what the ledger says of it since then is in its row.
    state.participants.records.clear()
    for person in session.exec(select(Participant).where(col(Participant.account).in_(accounts))):
        state.participants.records[person.account] = ParticipantState(
            person.roles, ParticipantStatus(person.status), person.version, person.exit_at
        )
    for row in session.exec(select(Balance).where(col(Balance.account).in_(accounts))):
        state.tokens[currency_of(row.currency).contract].accounts.total_in[row.account] = row.balance
