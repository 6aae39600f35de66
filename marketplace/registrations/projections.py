"""What the ledger's events say about registration cases and the register."""

from sqlmodel import Session

from marketplace.documents.ids import title_id
from marketplace.ledger.tables import LedgerEvent
from marketplace.procedures import BESIDE, CaseState, Kind, Step
from marketplace.registrations.codes import from_ledger
from marketplace.registrations.tables import RegisterEntry, RegistrationAct, RegistrationCase, RulebookInForce
from marketplace.rights.tables import Asset, Title
from marketplace.rights.title_records import ROOTS
from marketplace.storage.projected import projected
from marketplace.types import ZERO_ADDRESS, ZERO_DIGEST

SUBJECT = "registration"


def filed(session: Session, event: LedgerEvent) -> None:
    """`Filed`: a new case, and the asset's latest unless it is a late objection."""
    filing = event.args["filing"]
    draft = filing["kind"] == Kind.TRANSFER
    case = RegistrationCase(
        case_id=filing["caseId"],
        asset_id=filing["assetId"],
        applicant=filing["applicant"],
        counterparty=filing["counterparty"],
        objector=ZERO_ADDRESS,
        kind=filing["kind"],
        procedure=filing["procedure"],
        state=CaseState.DRAFT if draft else CaseState.SUBMITTED,
        form_digest=filing["formDigest"],
        non_publication_digest=filing["nonPublicationDigest"],
        deposit_digest=filing["depositDigest"],
        rulebook_digest=filing["rulebookDigest"],
        filed_at=filing["statedAt"],
        accepted_at=0,
        stated_at=filing["statedAt"],
        due_at=filing["dueAt"],
        decide_by=filing["decideBy"],
        paused_at=0,
        notice_end=0,
        deposited_at=0,
        extended=0,
        version=1,
    )
    session.add(case.stamp(event))
    _note(session, event, case, step=0, actor=filing["applicant"], evidence=filing["formDigest"])
    if filing["procedure"] not in BESIDE:
        entry = session.get(RegisterEntry, filing["assetId"]) or _empty(filing["assetId"])
        entry.latest_case = filing["caseId"]
        session.add(entry.stamp(event))


def acted(session: Session, event: LedgerEvent) -> None:
    """`Acted`: a step that somebody signed."""
    args, case = event.args, projected(session, RegistrationCase, event.args["caseId"])
    step, at = args["step"], args["statedAt"]
    case.state, case.version = args["state"], args["version"]
    case.stated_at, case.decide_by = at, args["decideBy"]
    case.due_at = args["dueAt"] or case.due_at
    if step == Step.ACCEPT:
        case.accepted_at = at
    if step in (Step.REQUEST_SUPPLEMENT, Step.OBJECT):
        case.paused_at = at
    if step in (Step.SUPPLEMENT, Step.REJECT):
        case.paused_at = 0
    if step in (Step.OPEN_NOTICE, Step.REJECT):
        case.notice_end = args["dueAt"]
    if step == Step.RESUBMIT:
        case.form_digest = args["evidenceDigest"]
    if step == Step.EXTEND:
        case.extended = 1
    if step == Step.DEPOSIT:
        case.deposited_at = at
    if step == Step.OBJECT:
        case.objector = args["actor"]
    session.add(case.stamp(event))
    actor, evidence = args["actor"], args["evidenceDigest"]
    _note(session, event, case, step=step, actor=actor, evidence=evidence, due_at=args["dueAt"])


def expired(session: Session, event: LedgerEvent) -> None:
    """`Expired`: a period ended unused."""
    args, case = event.args, projected(session, RegistrationCase, event.args["caseId"])
    case.state, case.version = args["state"], args["version"]
    session.add(case.stamp(event))
    row = RegistrationAct(
        case_id=case.case_id,
        version=case.version,
        step=args["step"],
        state=case.state,
        actor=ZERO_ADDRESS,
        evidence_digest=ZERO_DIGEST,
        stated_at=0,
        due_at=0,
        decide_by=case.decide_by,
    )
    session.add(row.stamp(event))


def certified(session: Session, event: LedgerEvent) -> None:
    """`Certified`: a case ended in a certificate, which the register names from now on."""
    args, case = event.args, projected(session, RegistrationCase, event.args["caseId"])
    case.state, case.version = CaseState.CERTIFIED, args["version"]
    session.add(case.stamp(event))
    registrar, evidence = args["registrar"], args["certificateDigest"]
    _note(session, event, case, step=Step.CERTIFY, actor=registrar, evidence=evidence)
    entry = projected(session, RegisterEntry, args["assetId"])
    entry.holder, entry.valid_until, entry.code = args["holder"], args["validUntil"], from_ledger(args["code"])
    entry.certificate_digest, entry.certified_case = args["certificateDigest"], case.case_id
    entry.form_digest = entry.form_digest if case.kind == Kind.RENEWAL else case.form_digest
    asset = projected(session, Asset, case.asset_id)
    entry.share_version, entry.moves = asset.share_version, _moves(session, case)
    session.add(entry.stamp(event))
    if case.kind == Kind.TRANSFER:
        asset.holder = args["holder"]
        session.add(asset.stamp(event))


def _moves(session: Session, case: RegistrationCase) -> int:
    titles = (session.get(Title, title_id(case.asset_id, kind)) for kind in ROOTS)
    return sum(title.moves for title in titles if title is not None)


def dispute_marked(session: Session, event: LedgerEvent) -> None:
    """`DisputeMarked`: a late objection put its mark on the entry or took it off."""
    entry = projected(session, RegisterEntry, event.args["assetId"])
    entry.disputes, entry.upheld = event.args["disputes"], event.args["upheld"]
    session.add(entry.stamp(event))


def rulebook_adopted(session: Session, event: LedgerEvent) -> None:
    """`RulebookAdopted`: cases filed from now on follow it."""
    row = session.get(RulebookInForce, SUBJECT) or RulebookInForce(subject=SUBJECT, rulebook_digest=ZERO_DIGEST)
    row.rulebook_digest = event.args["rulebookDigest"]
    session.add(row.stamp(event))


def _note(
    session: Session,
    event: LedgerEvent,
    case: RegistrationCase,
    *,
    step: int,
    actor: str,
    evidence: str,
    due_at: int = 0,
) -> None:
    filing = step == 0
    row = RegistrationAct(
        case_id=case.case_id,
        version=case.version,
        step=step,
        state=case.state,
        actor=actor,
        evidence_digest=evidence,
        stated_at=case.stated_at if step != Step.CERTIFY else 0,
        due_at=case.due_at if filing else due_at,
        decide_by=case.decide_by,
    )
    session.add(row.stamp(event))


def _empty(asset_id: str) -> RegisterEntry:
    return RegisterEntry(
        asset_id=asset_id,
        holder=ZERO_ADDRESS,
        valid_until=0,
        disputes=0,
        upheld=0,
        latest_case=ZERO_DIGEST,
        certificate_digest=ZERO_DIGEST,
        code="",
        certified_case=ZERO_DIGEST,
        form_digest=ZERO_DIGEST,
        share_version=0,
        moves=0,
    )


PROJECTORS = {
    "Filed": (filed,),
    "Acted": (acted,),
    "Expired": (expired,),
    "Certified": (certified,),
    "DisputeMarked": (dispute_marked,),
    "RulebookAdopted": (rulebook_adopted,),
}
