"""Registration cases and entries, out of the read model into the rules' own state."""

from collections.abc import Sequence

from sqlmodel import Session, col, select

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
from marketplace.rulebooks import all_rulebooks
from marketplace.rulebooks.bounds import bounds_of
from marketplace.types import (
    ZERO_DIGEST,
)


def load_cases(session: Session, state: LedgerState, names: set[str]) -> list[RegistrationCase]:
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


def load_transfers(session: Session, state: LedgerState) -> None:
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
