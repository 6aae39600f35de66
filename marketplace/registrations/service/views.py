"""What is shown of cases: to their parties, on the registrars' list of work, on the board of public notices."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlmodel import Session, col, or_, select

from marketplace.participants.service import oversees
from marketplace.procedures import ENDING, FINAL, TABLES, WHOSE, CaseState, Kind, Procedure, Step
from marketplace.registrations import forms
from marketplace.registrations.records import case_from_json
from marketplace.registrations.service import papers
from marketplace.registrations.service.cases import dates_of, get_case, unknown_case, visible_case
from marketplace.registrations.tables import RegisterEntry, RegistrationCase
from marketplace.rulebooks import Rulebook, rulebook_of
from marketplace.storage.documents import has_document, read_document

PUBLIC_STATES = (CaseState.PUBLIC_NOTICE, CaseState.OBJECTION_PENDING)


def shown_case(session: Session, case_id: str, account: str, now: int) -> dict[str, Any]:
    """One case for one of its parties or an overseer, with all its acts and what they say, as far as `account` may
    read it.

    Raises:
        NotFoundError: `case_unknown`: there is none, or it is not theirs.
    """
    case = visible_case(session, case_id, account)
    acts = papers.acts_of(session, case_id, account, sees_all=oversees(session, account))
    return _case_json(session, case, now) | {"acts": acts}


def notice_json(session: Session, case_id: str, now: int) -> dict[str, Any]:
    """The case behind a public notice: what the ledger says of it, for whoever wants to object.

    Raises:
        NotFoundError: `case_unknown`: no such case is in public notice.
    """
    case = get_case(session, case_id)
    if case.state not in PUBLIC_STATES:
        raise unknown_case(case_id)
    return case.as_json() | {"notice": _notice(session, case, now)}


def work_list(session: Session, account: str, now: int) -> list[dict[str, Any]]:
    """Every case that is not over, what is due first on top, for the registrar `account`."""
    over = [int(state) for state in FINAL]
    query = select(RegistrationCase).where(col(RegistrationCase.state).not_in(over))
    rows = _listed(session, session.exec(query).all(), account, now)
    return sorted(rows, key=lambda row: (not row["overdue"], _next_end(row), row["caseId"]))


def cases_of(session: Session, account: str, now: int) -> list[dict[str, Any]]:
    """The cases that `account` is a party to, as `visible_case` has it, the newest first."""
    held = select(RegisterEntry.asset_id).where(RegisterEntry.holder == account)
    mine = or_(
        col(RegistrationCase.asset_id).in_(held),
        RegistrationCase.applicant == account,
        RegistrationCase.counterparty == account,
        RegistrationCase.objector == account,
    )
    rows = session.exec(select(RegistrationCase).where(mine).order_by(col(RegistrationCase.filed_at).desc()))
    return _listed(session, rows.all(), account, now)


def notices(session: Session, now: int) -> list[dict[str, Any]]:
    """The public notice board: what the rulebook lets be published of every case in notice, and nothing else."""
    states = [int(state) for state in PUBLIC_STATES]
    query = select(RegistrationCase).where(col(RegistrationCase.state).in_(states))
    rows = session.exec(query.order_by(col(RegistrationCase.notice_end), col(RegistrationCase.case_id)))
    return [_notice(session, row, now) for row in rows]


def _case_json(session: Session, case: RegistrationCase, now: int) -> dict[str, Any]:
    """A case in words, with its open steps, the dates each would have to state now, and what is overdue."""
    book, value = rulebook_of(case.rulebook_digest), case_from_json(case.as_json())
    other = Step.DEPOSIT if value.kind in ENDING else Step.END
    steps = [step for (state, step) in TABLES[value.procedure] if state is value.state and step is not other]
    return case.as_json() | {
        "stateName": value.state.name,
        "kindName": value.kind.name,
        "procedureName": value.procedure.name,
        "rulebook": {"name": book.name, "digest": book.digest, "lawful": book.is_lawful},
        "open": [_open_step(session, book, case, step, now) for step in steps],
        "provisional": any(book.is_provisional(end) for end in (case.due_at, case.decide_by) if end),
        "paused": value.state in (CaseState.SUPPLEMENT_REQUESTED, *PUBLIC_STATES),
        "overdue": _overdue(case, value.state, now),
        "now": now,
    }


def _listed(session: Session, cases: Sequence[RegistrationCase], account: str, now: int) -> list[dict[str, Any]]:
    """Cases for a list, each with "lastPaper": its latest act with something in writing, None before there is one."""
    said = papers.last_papers(session, cases, account, sees_all=oversees(session, account))
    return [_case_json(session, case, now) | {"lastPaper": said.get(case.case_id)} for case in cases]


def _open_step(session: Session, book: Rulebook, case: RegistrationCase, step: Step, now: int) -> dict[str, Any]:
    dates = dates_of(session, book, case, step, now)
    ends = {"dueAt": dates.due_at, "decideBy": dates.decide_by}
    return {"step": int(step), "name": step.name, "whose": WHOSE[step].value, "written": step in forms.WRITTEN, **ends}


def _overdue(case: RegistrationCase, state: CaseState, now: int) -> bool:
    waits = (CaseState.SUBMITTED, CaseState.CORRECTION_REQUESTED, CaseState.OBJECTION_PENDING)
    runs = (CaseState.UNDER_REVIEW, CaseState.CLEARED, CaseState.DEPOSITED, CaseState.PUBLIC_NOTICE)
    return (state in waits and now > case.due_at) or (state in runs and now > case.decide_by)


def _next_end(row: Mapping[str, Any]) -> int:
    waits = ("SUBMITTED", "CORRECTION_REQUESTED", "OBJECTION_PENDING", "PUBLIC_NOTICE", "SUPPLEMENT_REQUESTED")
    return int(row["dueAt"] if row["stateName"] in waits else row["decideBy"])


def _notice(session: Session, case: RegistrationCase, now: int) -> dict[str, Any]:
    book = rulebook_of(case.rulebook_digest)
    form = read_document(session, case.form_digest) if has_document(session, case.form_digest) else {"fields": {}}
    return {
        "caseId": case.case_id,
        "assetId": case.asset_id,
        "applicant": case.applicant,
        "kind": Kind(case.kind).name,
        "procedure": Procedure(case.procedure).name,
        "fields": forms.published(book, form),
        "noticeEnd": case.notice_end,
        "objectionPending": case.state == CaseState.OBJECTION_PENDING,
        "provisional": book.is_provisional(case.notice_end),
        "rulebook": {"name": book.name, "digest": book.digest, "lawful": book.is_lawful},
        "now": now,
    }
