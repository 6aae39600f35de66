"""Agreeing: one side signs and proposes, the other signs too, counters or declines; the ledger enters what both signed.

A proposal is signed when it is made, so it binds its proposer until its deadline. It is visible to its two sides alone,
and neither is shown the other's signature before both are there.
"""

from collections.abc import Mapping
from typing import Any

from sqlmodel import Session, col, func, or_, select
from sqlmodel.sql.expression import SelectOfScalar

from crypto.canonical import to_hex
from marketplace.agreements.forms import validate_agreement_on_form
from marketplace.agreements.tables import Agreement, Proposal
from marketplace.documents import Document, digest, unix_seconds
from marketplace.errors import InvalidInputError, NotFoundError, RuleError
from marketplace.evidence.inbox import is_under_way, precheck, queue
from marketplace.evidence.inbox.notices import tell
from marketplace.intents import Deployment, intent_digest
from marketplace.participants.service import oversees
from marketplace.participants.service.proving import taken_at
from marketplace.refusals.checks import require_in_time
from marketplace.storage.documents import read_document, store_document
from marketplace.types import ZERO_DIGEST, Digest
from marketplace.words import Words

VERBS = {"Agree": "agree", "AmendAgreement": "amend", "RetireAgreement": "retire"}
OPEN, COUNTERED, WITHDRAWN, DECLINED, ACCEPTED = "open", "countered", "withdrawn", "declined", "accepted"
LAPSED = "lapsed"  # shown of an open one whose deadline passed
MAX_OPEN = 200  # proposals of one proposer that nobody answered yet
_NO_SIGNATURE = "0x" + "00" * 65


def propose(
    session: Session,
    deployment: Deployment,
    name: str,
    message: Mapping[str, Any],
    *,
    signature: str,
    document: Document | None,
    answers: str | None,
    account: str,
    now: int,
) -> Digest:
    """Take a proposal that `account` signed, for the other side to see.

    Args:
        name: one of VERBS. message: the intent.
        document: the agreement on a form that it names; None for a retirement.
        answers: digest of the proposal that this one counters; None for none.
    Returns:
        the intent's digest, which names the proposal; the same proposal again changes nothing.
    Raises:
        RuleError: `agreement_not_yours`, `intent_signature_invalid`, `proposals_open`, `proposal_closed`, or what the
        rules of agreements say. InvalidInputError: `malformed_document`, `agreement_differs`.
        NotFoundError: `proposal_unknown`.
    """
    _require_side(message, account)  # first: who is no side is not told whether there is one already
    name_digest = Digest(to_hex(intent_digest(name, message, deployment)))
    if session.get(Proposal, name_digest) is not None:
        return name_digest
    require_in_time(message, now)
    _check_document(name, message, document)
    made = [signature if message[side] == account else _NO_SIGNATURE for side in ("partyA", "partyB")]
    precheck.run(session, "Agreements", VERBS[name], [dict(message), *made], now, only=account)
    _require_room(session, account, now)
    if answers is not None:
        _counter(session, answers, message, account, now)
    row = Proposal(
        digest=name_digest,
        name=name,
        agreement_id=message["agreementId"],
        party_a=message["partyA"],
        party_b=message["partyB"],
        proposer=account,
        message=dict(message),
        document=document,
        answers=answers or "",
        state=OPEN,
        proposed_at=now,
        deadline=message["deadline"],
    )
    session.add(_signed(row, account, signature))
    _tell(session, row, "proposed", now)
    return name_digest


def accept(session: Session, proposal: str, *, signature: str, account: str, now: int) -> Digest:
    """Sign what the other side proposed, and queue it for the ledger.

    Raises:
        NotFoundError: `proposal_unknown`. RuleError: `proposal_closed`, `proposal_own`, `intent_signature_invalid`, or
        what the rules of agreements say.
    """
    row = get_proposal(session, proposal, account)
    if row.state == ACCEPTED and is_under_way(session, proposal):
        return Digest(proposal)
    if row.proposer == account:
        raise RuleError(
            "proposal_own",
            "the other side has to sign this proposal, not the one who made it",
            zh="该提议须由对方签署",
            rule="agreements.both_sign",
            got=account,
            hint="wait for the other side, or withdraw it",
            hint_zh="请等待对方签署，或撤回提议",
        )
    _require_open(row, now)
    _signed(row, account, signature)
    arguments = [dict(row.message), row.signature_a, row.signature_b]
    precheck.run(session, "Agreements", VERBS[row.name], arguments, now)
    if row.document is not None:
        store_document(session, row.document, now=now, readers=(row.party_a, row.party_b))
    row.state = ACCEPTED
    session.add(row)
    verb = VERBS[row.name]
    return queue(session, contract="Agreements", verb=verb, arguments=arguments, digest=proposal, by=account, now=now)


def close(session: Session, proposal: str, account: str, now: int) -> Proposal:
    """Withdraw one's own proposal, or decline the other side's.

    What was withdrawn here can no longer be accepted here. Nobody was shown its signature.

    Raises:
        NotFoundError: `proposal_unknown`. RuleError: `proposal_closed`.
    """
    row = get_proposal(session, proposal, account)
    state = WITHDRAWN if row.proposer == account else DECLINED
    if row.state != state:
        _require_open(row, now)
        row.state = state
        session.add(row)
        _tell(session, row, state, now)
    return row


def _tell(session: Session, row: Proposal, what: str, now: int) -> None:
    """Tell both sides' systems; that it was accepted is an event of the ledger."""
    about = {"proposal": row.digest, "agreementId": row.agreement_id, "intent": row.name, "answers": row.answers}
    tell(session, f"agreements.{what}", (row.party_a, row.party_b), now, **about, by=row.proposer)


def get_proposal(session: Session, proposal: str, account: str) -> Proposal:
    """A proposal by one of its two sides to the other.

    Raises:
        NotFoundError: `proposal_unknown`: there is none, or it is between others.
    """
    row = session.get(Proposal, proposal)
    if row is None or account not in (row.party_a, row.party_b):
        raise NotFoundError("proposal_unknown", f"there is no proposal {proposal} of yours", zh="没有您的该提议")
    return row


def proposals_of(account: str) -> SelectOfScalar[Proposal]:
    """The proposals that `account` made or was made."""
    return select(Proposal).where(or_(col(Proposal.party_a) == account, col(Proposal.party_b) == account))


def proposal_json(row: Proposal, now: int) -> dict[str, Any]:
    """A proposal in plain values, without signatures."""
    signed = [party for party, made in ((row.party_a, row.signature_a), (row.party_b, row.signature_b)) if made]
    return {
        "proposal": row.digest,
        "intent": row.name,
        "message": row.message,
        "document": row.document,
        "proposer": row.proposer,
        "signedBy": signed,
        "answers": row.answers or None,
        "state": LAPSED if row.state == OPEN and now > row.deadline else row.state,
        "proposedAt": row.proposed_at,
        "deadline": row.deadline,
    }


def get_agreement(session: Session, agreement: str, account: str) -> Agreement:
    """An agreement that `account` is a party to, or oversees.

    Raises:
        NotFoundError: `agreement_unknown`: it does not exist, or is not theirs.
    """
    row = session.get(Agreement, agreement)
    if row is None or not (account in (row.party_a, row.party_b) or oversees(session, account)):
        raise NotFoundError("agreement_unknown", f"there is no agreement {agreement} of yours", zh="没有您的该协议")
    return row


def agreements_of(session: Session, account: str) -> SelectOfScalar[Agreement]:
    """The agreements of `account`; all of them for whoever oversees."""
    if oversees(session, account):
        return select(Agreement)
    return select(Agreement).where(or_(col(Agreement.party_a) == account, col(Agreement.party_b) == account))


def agreement_json(session: Session, row: Agreement) -> dict[str, Any]:
    """An agreement as the ledger says, with its document and both signatures.

    "intent" names what was signed: the message without its digest; together with the row it can be checked again.
    "signedAt" is when the ledger took it, unix seconds.
    """
    made = _made(session, row)
    signatures = {row.party_a: made.signature_a, row.party_b: made.signature_b} if made else {}
    message, intent = (made.message, made.name) if made else (None, None)
    taken = taken_at(session, [made.digest]) if made else {}
    signed = {"intent": intent, "message": message, "signatures": signatures}
    document = read_document(session, row.agreement_digest)
    return {**row.as_json(), "document": document, **signed, "signedAt": taken.get(made.digest) if made else None}


def signed_of(session: Session, agreement: str) -> tuple[str, dict[str, Any], dict[str, str]]:
    """(intent, message, signature by party) of an agreement that was signed here. Raises NotFoundError
    `agreement_unknown`."""
    row = session.get(Agreement, agreement)
    made = _made(session, row) if row is not None else None
    if made is None:
        raise _unknown(agreement)
    return made.name, made.message, {made.party_a: made.signature_a, made.party_b: made.signature_b}


def document_of(session: Session, agreement: str) -> Document:
    """The document of an agreement that the ledger knows. Raises NotFoundError `agreement_unknown`."""
    row = session.get(Agreement, agreement)
    if row is None:
        raise _unknown(agreement)
    return read_document(session, row.agreement_digest)


def _unknown(agreement: str) -> NotFoundError:
    return NotFoundError("agreement_unknown", f"there is no agreement {agreement}", zh="没有该协议")


def _made(session: Session, row: Agreement) -> Proposal | None:
    """What both signed and the ledger took. Of one text there may be several, signed before a block was made; the
    ledger refuses all but one."""
    statement = select(Proposal).where(
        Proposal.agreement_id == row.agreement_id,
        Proposal.state == ACCEPTED,
        col(Proposal.name).in_(("Agree", "AmendAgreement")),
    )
    found = session.exec(statement).all()
    taken = taken_at(session, [proposal.digest for proposal in found])
    return next((proposal for proposal in found if proposal.digest in taken), None)


def _signed(row: Proposal, account: str, signature: str) -> Proposal:
    if account == row.party_a:
        row.signature_a = signature
    else:
        row.signature_b = signature
    return row


def _require_side(message: Mapping[str, Any], account: str) -> None:
    if account not in (message["partyA"], message["partyB"]):
        raise RuleError(
            "agreement_not_yours",
            "who proposes an agreement is one of its two parties",
            zh="提议人须为协议一方",
            rule="agreements.parties_propose",
            expected=f"{message['partyA']} or {message['partyB']}",
            got=account,
            hint="sign in as a party to it",
            hint_zh="请以协议一方身份登录",
        )


def _require_open(row: Proposal, now: int) -> None:
    state = LAPSED if row.state == OPEN and now > row.deadline else row.state
    if state != OPEN:
        raise RuleError(
            "proposal_closed",
            f"the proposal is {state}",
            zh=f"该提议已关闭（{state}）",
            rule="agreements.open_proposals_are_answered",
            expected=OPEN,
            got=state,
            hint="make a new proposal",
            hint_zh="请提出新的提议",
        )


def _require_room(session: Session, account: str, now: int) -> None:
    statement = select(func.count()).where(
        Proposal.proposer == account, Proposal.state == OPEN, col(Proposal.deadline) >= now
    )
    if int(session.exec(statement).one()) >= MAX_OPEN:
        raise RuleError(
            "proposals_open",
            f"{MAX_OPEN} proposals of yours are open already",
            zh=f"您已有 {MAX_OPEN} 份未答复的提议",
            rule="agreements.open_proposals_are_bounded",
            expected=Words(f"fewer than {MAX_OPEN}", f"少于 {MAX_OPEN}"),
            hint="withdraw those that you no longer want",
            hint_zh="请撤回不再需要的提议",
        )


def _counter(session: Session, answers: str, message: Mapping[str, Any], account: str, now: int) -> None:
    """Close the proposal that is countered; only what the other of the same two sides proposed can be."""
    row = get_proposal(session, answers, account)
    if {row.party_a, row.party_b} != {message["partyA"], message["partyB"]} or row.proposer == account:
        raise NotFoundError(
            "proposal_unknown", f"the other side made you no proposal {answers}", zh="对方未向您提出该提议"
        )
    _require_open(row, now)
    row.state = COUNTERED
    session.add(row)


def _check_document(name: str, message: Mapping[str, Any], document: Document | None) -> None:
    """The document is the one that is signed, and says what is signed."""
    if name == "RetireAgreement":
        stated: Mapping[str, Any] = {"document": document is None}
        signed: Mapping[str, Any] = {"document": True}
    else:
        agreement = validate_agreement_on_form(document)
        stated = {
            **{side: agreement[side] for side in ("partyA", "partyB")},
            "agreementDigest": digest(agreement),
            "validUntil": unix_seconds(agreement["validUntil"]),
            "amends": agreement["amends"] or ZERO_DIGEST,
        }
        signed = {field: message[field] for field in ("partyA", "partyB", "agreementDigest", "validUntil")}
        signed = {**signed, "amends": message.get("previousId", ZERO_DIGEST)}
    if stated != signed:
        raise InvalidInputError(
            "agreement_differs",
            "the document does not say what the intent says",
            zh="协议文档与签署内容不一致",
            rule="agreements.document_is_signed",
            expected=signed,
            got=stated,
            hint="sign the digest of exactly this document; a retirement has none",
            hint_zh="请签署该文档的摘要；解除协议无需文档",
        )
