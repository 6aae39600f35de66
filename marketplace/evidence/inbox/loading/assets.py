"""Assets, shares, titles and lineage, out of the read model into the rules' own state."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from sqlmodel import Session, col, func, or_, select

from marketplace.documents import ids
from marketplace.evidence.inbox.loading.trade import listing_state
from marketplace.lineage.rules import Consent as ConsentState
from marketplace.lineage.rules import Input, tree_of
from marketplace.lineage.tables import LineageConsent, LineageDeclaration, LineageInput
from marketplace.listings.tables import Listing
from marketplace.procedures import Kind, Step
from marketplace.registrations.tables import (
    RegistrationAct,
    RegistrationCase,
)
from marketplace.replay import LedgerState
from marketplace.rights.records import Asset as AssetState
from marketplace.rights.records import Encumbrance
from marketplace.rights.records import Share as ShareState
from marketplace.rights.tables import Asset, Share, ShareEncumbrance, Title
from marketplace.rights.title_records import ROOTS, Pledging
from marketplace.rights.title_records import Title as TitleState
from marketplace.rights.titles import note_offer
from marketplace.types import (
    ZERO_ADDRESS,
    ZERO_DIGEST,
    AssetStatus,
    ConsentStatus,
    TitleKind,
    TitleMark,
)

Row = TypeVar("Row")


def load_assets(session: Session, state: LedgerState, names: set[str]) -> set[str]:
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
    load_titles(session, state, {ids.title_id(name, kind) for name in held for kind in ROOTS}, set())
    return accounts


def load_parties(session: Session, state: LedgerState, deciders: set[str]) -> None:
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


def load_titles(session: Session, state: LedgerState, names: set[str], assets: set[str]) -> None:
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
        if row.pledgee != ZERO_ADDRESS:
            state.titles.pledges[row.title_id] = Pledging(row.pledgee, row.permitted)
        for part in parts[row.title_id]:
            state.titles.records.setdefault(part.title_id, _title_state(part))
        in_force = [part.title_id for part in parts[row.title_id] if not part.marks & TitleMark.ENDED]
        state.titles.parts[row.title_id] = in_force
    ordered = select(Title.parent, func.max(Title.valid_until)).where(is_part, Title.order_id != ZERO_DIGEST)
    for parent, until in session.exec(ordered.group_by(Title.parent)):
        state.titles.records[parent].used_until = until
    for listing in session.exec(select(Listing).where(col(Listing.title_id).in_(names))):
        note_offer(state.titles, listing_state(listing).product, 0)


def _grouped(rows: Iterable[Row], name: str) -> Mapping[str, list[Row]]:
    """Rows by the value of their column `name`; an empty list for any other value."""
    found = defaultdict[str, list[Row]](list)
    for row in rows:
        found[getattr(row, name)].append(row)
    return found


def load_lineage(session: Session, state: LedgerState, assets: set[str]) -> tuple[set[str], set[str]]:
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
