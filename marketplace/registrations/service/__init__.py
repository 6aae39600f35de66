"""Use cases of registration: file, act, let periods expire, adopt a rulebook, give a certificate its code."""

from dataclasses import astuple
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from marketplace.calls import act_digest
from marketplace.documents import Document
from marketplace.errors import RuleError
from marketplace.evidence.inbox import Statement, check_statement, is_under_way, precheck, queue
from marketplace.intents import Deployment
from marketplace.procedures import CaseState, Kind, Step
from marketplace.registrations import codes, forms
from marketplace.registrations.records import case_from_json
from marketplace.registrations.service import papers
from marketplace.registrations.service.cases import dates_of, get_case, visible_case
from marketplace.registrations.service.checks import check_filing, check_paper, require_dates, require_window
from marketplace.registrations.tables import CertificateCode
from marketplace.rulebooks import rulebook_of
from marketplace.rulebooks.bounds import Bounds, bounds_of
from marketplace.storage.documents import store_document
from marketplace.types import ZERO_DIGEST, Digest
from marketplace.words import word


def file(session: Session, deployment: Deployment, wish: Statement, form: Document, now: int) -> Digest:
    """Queue a case with its form.

    Raises:
        InvalidInputError: `form_field`, `case_papers_differ`.
        RuleError: `case_dates_differ`, `renewal_not_open`, `procedure_differs`, or what the rules of registration say.
    """
    name, message = wish.digest(deployment), wish.message
    if is_under_way(session, name):
        return name
    check_statement(wish, deployment, now)
    arguments = [dict(message), wish.signatures[0]]
    if message["kind"] == Kind.RENEWAL:
        require_window(session, message)
    precheck.run(session, "Registrations", "file", arguments, now)
    book = rulebook_of(message["rulebookDigest"])
    forms.check_form(book, form)
    check_filing(session, book, form, message)
    parties = (message["applicant"], message["counterparty"])
    readers = papers.readers_of(session, message["assetId"], parties, message["procedure"])
    store_document(session, form, now=now, readers=readers)
    return _queue(session, "file", arguments, name, by=message["applicant"], now=now)


def act(session: Session, deployment: Deployment, deed: Statement, paper: Document | None, now: int) -> Digest:
    """Queue a step of a case with its paper, where there is one.

    Args:
        deed: an Act, or a Decide of a registrar.
        paper: the document whose digest the act names; for Resubmit the new form.
    Raises:
        NotFoundError: `case_unknown`.
        InvalidInputError: `form_field`, `case_papers_differ`.
        RuleError: `case_dates_differ`, or what the rules of registration say.
    """
    name, message = deed.digest(deployment), deed.message
    if is_under_way(session, name):
        return name
    check_statement(deed, deployment, now)
    case = get_case(session, message["caseId"])
    arguments = [dict(message), deed.signatures[0]]
    verb = "decide" if deed.name == "Decide" else "act"
    precheck.run(session, "Registrations", verb, arguments, now)
    book, step = rulebook_of(case.rulebook_digest), Step(message["step"])
    if step is Step.WAIVE_NOTICE:
        forms.check_waiver(book, case_from_json(case.as_json()), asked=case.non_publication_digest != ZERO_DIGEST)
    check_paper(book, case, step, paper, message["evidenceDigest"])
    expected = dates_of(session, book, case, step, message["statedAt"])
    require_dates(book, expected, message)
    if paper is not None:
        parties = (case.applicant, case.counterparty, case.objector, message["actor"])
        readers = papers.readers_of(session, case.asset_id, parties, case.procedure)
        store_document(session, paper, now=now, readers=readers)
    return _queue(session, verb, arguments, name, by=message["actor"], now=now)


def expire(session: Session, deployment: Deployment, case_id: str, by: str, now: int) -> Digest:
    """Queue the statement that a period ended unused, for a party or overseer; the ledger takes it from anyone.

    Raises:
        NotFoundError: `case_unknown`.
        RuleError: no such period, or it has not ended.
    """
    visible_case(session, case_id, by)
    name = expiry_digest(deployment, case_id)
    if is_under_way(session, name):
        return name
    precheck.run(session, "Registrations", "expire", [case_id], now)
    return _queue(session, "expire", [case_id], name, by=by, now=now)


def adopt(session: Session, deployment: Deployment, adoption: Statement, now: int) -> Digest:
    """Queue the adoption of another rulebook, which this program has to know.

    Raises:
        NotFoundError: `rulebook_unknown`.
        RuleError: `rulebook_bounds_differ`, what the rules of registration say.
    """
    name, message = adoption.digest(deployment), adoption.message
    if is_under_way(session, name):
        return name
    check_statement(adoption, deployment, now)
    expected = bounds_of(rulebook_of(message["rulebookDigest"]))
    if (got := Bounds(*(message[name] for name in ("entryBounds", "besideBounds", "termBounds")))) != expected:
        raise RuleError(
            "rulebook_bounds_differ",
            "the bounds are not those that follow from the rulebook",
            zh="所载期限下限并非由该规则得出",
            rule="registrations.bounds_follow_from_the_rulebook",
            rulebook=rulebook_of(message["rulebookDigest"]).name,
            expected=list(astuple(expected)),
            got=list(astuple(got)),
            hint="compute them as `marketplace registrations adopt` does",
            hint_zh="请使用 `marketplace registrations adopt`",
        )
    arguments = [dict(message), adoption.signatures[0]]
    precheck.run(session, "Registrations", "adopt", arguments, now)
    return _queue(session, "adopt", arguments, name, by=message["exchange"], now=now)


def give_code(session: Session, case_id: str, institution: codes.Institution) -> str:
    """The code of a deposited case's certificate, the next of its month; the same on asking again.

    Raises:
        NotFoundError: `case_unknown`.
        RuleError: `case_not_deposited`, `certificate_codes_exhausted`.
    """
    case = get_case(session, case_id)
    given = session.get(CertificateCode, case_id)
    if given is not None:
        return given.code
    if case.state != CaseState.DEPOSITED:
        raise RuleError(
            "case_not_deposited",
            f"case {case_id} is {CaseState(case.state).name}; a code is given to what is deposited",
            zh=f"案件的状态为“{word(CaseState(case.state)).zh}”，存证后方可赋码",
            rule="registrations.code_after_deposit",
            expected=word(CaseState.DEPOSITED),
            got=word(CaseState(case.state)),
            hint="deposit it first",
            hint_zh="请先完成存证",
        )
    book = rulebook_of(case.rulebook_digest)
    month = codes.month_prefix(book, institution, case.deposited_at)
    last = session.exec(select(func.max(col(CertificateCode.code))).where(CertificateCode.month == month)).one()
    serial = codes.serial_of(last) + 1 if last else book.content["code"]["first"]
    code = codes.make_code(book, institution, case.deposited_at, serial)
    session.add(CertificateCode(case_id=case_id, code=code, month=month))
    return code


def expiry_digest(deployment: Deployment, case_id: str) -> Digest:
    """What names the unsigned statement that a period of a case ended; it can be so only once in a case."""
    return act_digest("expire", [case_id], deployment.domain("Registrations"))


def _queue(session: Session, verb: str, arguments: list[Any], name: str, *, by: str, now: int) -> Digest:
    return queue(session, contract="Registrations", verb=verb, arguments=arguments, digest=name, by=by, now=now)
