"""Agreements over HTTP: proposals are visible to their two sides, agreements also to overseers, forms to everybody."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import Field

from marketplace.agreements import service
from marketplace.agreements.forms import all_forms, get_form
from marketplace.agreements.html import to_html
from marketplace.agreements.signing import signed_words
from marketplace.agreements.tables import Agreement, Proposal
from marketplace.agreements.wording import write_out
from marketplace.errors import InvalidInputError
from marketplace.web.context import Here
from marketplace.web.paging import AskedPage, Rows, link_next, page_of
from marketplace.web.principal import Account, Negotiator
from marketplace.web.shapes import AddressText, Count, DigestText, Document, Queued, Shape, SignatureText
from marketplace.words import Words

router = APIRouter(prefix="/agreements", tags=["agreements"])


class Agree(Shape):
    """Signed by both parties."""

    agreement_id: DigestText
    party_a: AddressText
    party_b: AddressText
    agreement_digest: DigestText
    valid_until: Count
    deadline: Count


class AmendAgreement(Shape):
    """Signed by both parties of `previous_id`."""

    previous_id: DigestText
    agreement_id: DigestText
    party_a: AddressText
    party_b: AddressText
    agreement_digest: DigestText
    valid_until: Count
    deadline: Count


class RetireAgreement(Shape):
    """Signed by both parties."""

    agreement_id: DigestText
    party_a: AddressText
    party_b: AddressText
    deadline: Count


class ProposalBody(Shape):
    """Exactly one intent, signed by the party that is signed in; its document unless it is a retirement."""

    agree: Agree | None = None
    amend: AmendAgreement | None = None
    retire: RetireAgreement | None = None
    signature: SignatureText
    document: Document | None = None
    answers: DigestText | None = Field(default=None, description="the proposal that this one counters")


class Proposed(Shape):
    """A proposal was taken."""

    proposal: DigestText


class SignatureBody(Shape):
    """The other side's signature of a proposal's intent."""

    signature: SignatureText


@router.get("/forms")
def list_agreement_forms() -> list[dict[str, Any]]:
    """Every version of every model form: name, version, kind, title, digest and source."""
    names = ("form", "version", "kind", "title", "source", "coversOrders")
    return [{**{name: form.content[name] for name in names}, "digest": form.digest} for form in all_forms()]


@router.get("/forms/{form}")
def get_agreement_form(form: Annotated[str, Path(max_length=40)], version: str | None = None) -> dict[str, Any]:
    """One model form with its fields and clauses; the newest version unless one is named."""
    found = get_form(form, version)
    return {**found.content, "digest": found.digest}


@router.post("/proposals", status_code=201)
def propose_agreement(here: Here, account: Account, body: ProposalBody) -> Proposed:
    """Propose an agreement, an amendment or a retirement to the other side; it binds you until the deadline."""
    named = {"Agree": body.agree, "AmendAgreement": body.amend, "RetireAgreement": body.retire}
    given = [(name, intent) for name, intent in named.items() if intent is not None]
    if len(given) != 1:
        raise InvalidInputError(
            "proposal_malformed",
            "a proposal is exactly one of agree, amend and retire",
            zh="提议须为签订、变更、解除之一",
            expected=Words("one of agree, amend, retire", "agree、amend、retire 之一"),
            got=", ".join(name for name, _ in given) or "none",
            hint="send one intent",
            hint_zh="请仅提交一项意图",
        )
    ((name, intent),) = given
    with here.writing() as session:
        proposal = service.propose(
            session,
            here.deployment,
            name,
            intent.to_message(),
            signature=body.signature,
            document=body.document,
            answers=body.answers,
            account=account,
            now=here.clock(),
        )
    return Proposed(proposal=proposal)


@router.get("/proposals")
def list_agreement_proposals(
    here: Here, account: Account, page: AskedPage, request: Request, response: Response
) -> Rows:
    """Proposals that you made or were made."""
    now = here.clock()
    with here.reading() as session:
        rows = page_of(
            session,
            service.proposals_of(account),
            Proposal.digest,
            page,
            lambda row: service.proposal_json(row, now),
        )
    return link_next(request, response, rows)


@router.get("/proposals/{proposal}")
def get_agreement_proposal(here: Here, account: Account, proposal: Annotated[DigestText, Path()]) -> dict[str, Any]:
    """One proposal of yours, with the document that is proposed."""
    with here.reading() as session:
        return service.proposal_json(service.get_proposal(session, proposal, account), here.clock())


@router.post("/proposals/{proposal}/signature", status_code=202)
def sign_agreement_proposal(
    here: Here, account: Account, proposal: Annotated[DigestText, Path()], body: SignatureBody
) -> Queued:
    """Sign what the other side proposed; it goes to the ledger."""
    with here.writing() as session:
        digest = service.accept(session, proposal, signature=body.signature, account=account, now=here.clock())
    return Queued(intent=digest)


@router.delete("/proposals/{proposal}")
def close_agreement_proposal(
    here: Here, account: Negotiator, proposal: Annotated[DigestText, Path()]
) -> dict[str, Any]:
    """Withdraw your proposal, or decline the other side's."""
    with here.writing() as session:
        row = service.close(session, proposal, account, here.clock())
        return service.proposal_json(row, here.clock())


@router.get("")
def list_agreements(here: Here, account: Account, page: AskedPage, request: Request, response: Response) -> Rows:
    """Agreements of yours, every version."""
    with here.reading() as session:
        statement = service.agreements_of(session, account)
        rows = page_of(session, statement, Agreement.agreement_id, page, lambda row: row.as_json())
    return link_next(request, response, rows)


@router.get("/{agreement}")
def get_agreement(here: Here, account: Account, agreement: Annotated[DigestText, Path()]) -> dict[str, Any]:
    """One agreement of yours with its document and both signatures."""
    with here.reading() as session:
        return service.agreement_json(session, service.get_agreement(session, agreement, account))


@router.get("/{agreement}/paper.html", response_class=HTMLResponse)
def get_agreement_page(here: Here, account: Account, agreement: Annotated[DigestText, Path()]) -> HTMLResponse:
    """The agreement in Chinese and English, as a page."""
    with here.reading() as session:
        shown = service.agreement_json(session, service.get_agreement(session, agreement, account))
    signed = signed_words(shown, shown["signatures"], here.clock())
    return HTMLResponse(to_html(write_out(shown["document"]), signed))
