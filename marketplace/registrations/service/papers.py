"""What was said in a case, in writing: forms and papers, for whoever may read them."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlmodel import Session, col, select

from marketplace.documents import Document
from marketplace.procedures import CaseState, Procedure, Step
from marketplace.registrations.forms import WRITTEN
from marketplace.registrations.tables import RegisterEntry, RegistrationAct, RegistrationCase
from marketplace.storage.documents import visible_documents
from marketplace.types import ZERO_ADDRESS, ZERO_DIGEST

FILE = "FILE"
"""The name of what opens a case; it is no step."""


def readers_of(session: Session, asset_id: str, parties: Iterable[str], procedure: int) -> set[str]:
    """Who may read a paper: its case's parties, and the holder of the entry that a late objection or revocation is
    about, who has to answer it.
    """
    entry = session.get(RegisterEntry, asset_id)
    heard = entry is not None and procedure in (Procedure.LATE_OBJECTION, Procedure.REVOCATION)
    return {*parties, *([entry.holder] if heard and entry else [])} - {ZERO_ADDRESS}


def acts_of(session: Session, case_id: str, account: str, *, sees_all: bool) -> list[dict[str, Any]]:
    """All acts of a case, the filing first, each with "paper": the form or paper that it names; None where it names
    none, or none that `account` may read.

    Args:
        sees_all: an overseer's right.
    """
    query = select(RegistrationAct).where(RegistrationAct.case_id == case_id).order_by(col(RegistrationAct.version))
    return _with_papers(session, list(session.exec(query)), account, sees_all=sees_all)


def last_papers(
    session: Session, cases: Sequence[RegistrationCase], account: str, *, sees_all: bool
) -> dict[str, dict[str, Any]]:
    """By case: the latest act with something in writing, as in `acts_of`; two questions, however many cases."""
    query = select(RegistrationAct).where(
        col(RegistrationAct.case_id).in_([case.case_id for case in cases]),
        col(RegistrationAct.step).in_([int(step) for step in WRITTEN]),
        RegistrationAct.evidence_digest != ZERO_DIGEST,
    )
    latest = {line.case_id: line for line in session.exec(query.order_by(col(RegistrationAct.version)))}
    return {act["caseId"]: act for act in _with_papers(session, list(latest.values()), account, sees_all=sees_all)}


def _with_papers(
    session: Session, lines: list[RegistrationAct], account: str, *, sees_all: bool
) -> list[dict[str, Any]]:
    named = {line.evidence_digest for line in lines if line.step != Step.CERTIFY} - {ZERO_DIGEST}
    papers = visible_documents(session, named, account, sees_all=sees_all)
    return [_act_json(line, papers.get(line.evidence_digest)) for line in lines]


def _act_json(line: RegistrationAct, paper: Document | None) -> dict[str, Any]:
    name = Step(line.step).name if line.step else FILE
    return line.as_json() | {"name": name, "stateName": CaseState(line.state).name, "paper": paper}
