"""Registration cases, public notices, certificates' codes and rulebooks over HTTP."""

from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import Field

from marketplace.evidence.inbox import Statement
from marketplace.participants.service import require_role
from marketplace.registrations import service
from marketplace.registrations.codes import Institution
from marketplace.registrations.service import cases, views
from marketplace.rulebooks import Rulebook, all_rulebooks, rulebook_of
from marketplace.types import Role
from marketplace.web.context import Here
from marketplace.web.principal import Account, Officer
from marketplace.web.shapes import AddressText, Count, DigestText, Document, Queued, Shape, SignatureText, UInt8

router = APIRouter(prefix="/registrations", tags=["registrations"])


class File(Shape):
    """Signed by `applicant`. Kinds and procedures are numbers as in `GET /registrations/rulebooks`; times unix
    seconds.
    """

    case_id: DigestText
    asset_id: DigestText
    kind: UInt8
    procedure: UInt8
    applicant: AddressText
    counterparty: AddressText
    form_digest: DigestText
    non_publication_digest: DigestText
    deposit_digest: DigestText
    rulebook_digest: DigestText
    stated_at: Count
    due_at: Count
    decide_by: Count
    deadline: Count


class Act(Shape):
    """Signed by `actor`. `GET /registrations/cases/{case}` names the open steps and the dates that each would state
    now.
    """

    case_id: DigestText
    step: UInt8
    evidence_digest: DigestText
    stated_at: Count
    due_at: Count
    decide_by: Count
    actor: AddressText
    version: Count
    deadline: Count


class Adopt(Shape):
    """Signed by `exchange`; the bounds follow from the rulebook (`rulebooks.bounds`)."""

    rulebook_digest: DigestText
    entry_bounds: DigestText
    beside_bounds: DigestText
    term_bounds: DigestText
    previous_digest: DigestText
    exchange: AddressText
    deadline: Count


class FilingBody(Shape):
    """A File and the form whose digest it names."""

    file_: File = Field(alias="file")
    signature: SignatureText
    form: Document


class ActBody(Shape):
    """An Act and the paper whose digest it names; for Resubmit the corrected form."""

    act: Act
    signature: SignatureText
    paper: Document | None = None


class DecisionBody(Shape):
    """A Decide (the same fields as an Act) and the paper whose digest it names."""

    decide: Act
    signature: SignatureText
    paper: Document | None = None


class AdoptionBody(Shape):
    """An Adopt."""

    adopt: Adopt
    signature: SignatureText


CaseId = Annotated[DigestText, Path()]


@router.post("/filings", status_code=202)
def file_case(here: Here, body: FilingBody) -> Queued:
    """File a registration case about a data asset."""
    wish = Statement("File", body.file_.to_message(), (body.signature,)).verified(here.deployment)
    with here.writing() as session:
        return Queued(intent=service.file(session, here.deployment, wish, body.form, here.clock()))


@router.post("/acts", status_code=202)
def act_in_case(here: Here, body: ActBody) -> Queued:
    """Take a step in a case, as its applicant, receiver, registrar, objector or the holder of the entry."""
    deed = Statement("Act", body.act.to_message(), (body.signature,)).verified(here.deployment)
    with here.writing() as session:
        return Queued(intent=service.act(session, here.deployment, deed, body.paper, here.clock()))


@router.post("/decisions", status_code=202)
def decide_in_case(here: Here, body: DecisionBody) -> Queued:
    """Decide a step in a case, as a registrar."""
    decision = Statement("Decide", body.decide.to_message(), (body.signature,)).verified(here.deployment)
    with here.writing() as session:
        return Queued(intent=service.act(session, here.deployment, decision, body.paper, here.clock()))


@router.post("/cases/{case_id}/expiry", status_code=202)
def expire_period(here: Here, account: Account, case_id: CaseId) -> Queued:
    """State that a period ended unused: silence accepts the case, a correction that did not come ends it."""
    with here.writing() as session:
        return Queued(intent=service.expire(session, here.deployment, case_id, account, here.clock()))


@router.post("/adoptions", status_code=202)
def adopt_rulebook(here: Here, body: AdoptionBody) -> Queued:
    """Choose the rulebook of cases that are filed from now on, as the exchange."""
    adoption = Statement("Adopt", body.adopt.to_message(), (body.signature,)).verified(here.deployment)
    with here.writing() as session:
        return Queued(intent=service.adopt(session, here.deployment, adoption, here.clock()))


@router.post("/cases/{case_id}/code")
def give_code(here: Here, account: Officer, case_id: CaseId) -> dict[str, str]:
    """The 15-character code of a deposited case's certificate, for the registrar who issues it."""
    institution = Institution(here.settings.registrar_region, here.settings.registrar_number)
    with here.writing() as session:
        require_role(session, account, Role.REGISTRAR)
        return {"code": service.give_code(session, case_id, institution)}


@router.get("/cases")
def list_cases(here: Here, account: Account) -> list[dict[str, Any]]:
    """The cases that you are a party to, each with what was said last in writing, as far as you may read it."""
    with here.reading() as session:
        return views.cases_of(session, account, here.clock())


@router.get("/work")
def list_work(here: Here, account: Account) -> list[dict[str, Any]]:
    """The registrar's work list: every case that is not over with what was said last in writing, overdue ones first,
    then by date.
    """
    with here.reading() as session:
        require_role(session, account, Role.REGISTRAR)
        return views.work_list(session, account, here.clock())


@router.get("/cases/{case_id}")
def get_case(here: Here, account: Account, case_id: CaseId) -> dict[str, Any]:
    """One case for its parties: its acts with the form or paper of each, where you may read it, its open steps, and the
    dates each of them would have to state now.
    """
    with here.reading() as session:
        return views.shown_case(session, case_id, account, here.clock())


@router.get("/notices")
def list_notices(here: Here) -> list[dict[str, Any]]:
    """The public notice board, for anyone: what the rulebook lets be published of every case in notice."""
    with here.reading() as session:
        return views.notices(session, here.clock())


@router.get("/notices/{case_id}")
def get_notice(here: Here, case_id: CaseId) -> dict[str, Any]:
    """One public notice with what the ledger says of its case, for whoever wants to object."""
    with here.reading() as session:
        return views.notice_json(session, case_id, here.clock())


@router.get("/rulebooks")
def list_rulebooks(here: Here) -> list[dict[str, Any]]:
    """The rulebooks that this service knows, and which one is in force."""
    with here.reading() as session:
        chosen = cases.rulebook_in_force(session).digest
    return [_outline(book) | {"inForce": book.digest == chosen} for book in all_rulebooks().values()]


@router.get("/rulebooks/{digest}")
def get_rulebook(digest: Annotated[DigestText, Path()]) -> dict[str, Any]:
    """A rulebook with every period, list and form, and where each comes from."""
    book = rulebook_of(digest)
    return _outline(book) | {"content": dict(book.content)}


def _outline(book: Rulebook) -> dict[str, Any]:
    title, since = book.content["title"], book.content["effective_from"]
    return {"name": book.name, "digest": book.digest, "lawful": book.is_lawful, "title": title, "effectiveFrom": since}
