"""Use cases of registration: file, act, let periods expire, adopt a rulebook; work list, public notices, codes."""

from collections.abc import Mapping, Sequence
from dataclasses import astuple
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, or_, select

from marketplace.calls import act_digest
from marketplace.documents import Document, digest, iso_time, validate_claim
from marketplace.documents.scopes import source_on_form
from marketplace.errors import InvalidInputError, NotFoundError, RuleError
from marketplace.evidence.inbox import Statement, check_statement, is_under_way, precheck, queue
from marketplace.intents import Deployment
from marketplace.participants.service import oversees
from marketplace.procedures import ENDING, FINAL, TABLES, WHOSE, CaseState, Kind, Procedure, Step
from marketplace.registrations import clocks, codes, forms
from marketplace.registrations.projections import SUBJECT
from marketplace.registrations.records import case_from_json
from marketplace.registrations.service import papers
from marketplace.registrations.tables import (
    CertificateCode,
    RegisterEntry,
    RegistrationCase,
    RulebookInForce,
)
from marketplace.rights.rules import STANDING
from marketplace.rights.tables import Asset
from marketplace.rulebooks import Rulebook, rulebook_of
from marketplace.rulebooks.bounds import Bounds, bounds_of
from marketplace.storage.documents import has_document, read_document, store_document
from marketplace.types import ZERO_ADDRESS, ZERO_DIGEST, Digest
from marketplace.words import ORIGINS, joined, word

PUBLIC_STATES = (CaseState.PUBLIC_NOTICE, CaseState.OBJECTION_PENDING)


def rulebook_in_force(session: Session) -> Rulebook:
    """The rulebook that a case filed now follows."""
    row = session.get(RulebookInForce, SUBJECT)
    if row is None:
        raise NotFoundError("rulebook_unknown", "no rulebook is in force yet", zh="尚无生效规则")
    return rulebook_of(row.rulebook_digest)


def get_case(session: Session, case_id: str) -> RegistrationCase:
    """A case as the ledger says. Raises NotFoundError `case_unknown`."""
    row = session.get(RegistrationCase, case_id)
    if row is None:
        raise _unknown(case_id)
    return row


def visible_case(session: Session, case_id: str, account: str) -> RegistrationCase:
    """A case that `account` may see: as applicant, receiver, objector or holder, or because it oversees.

    Raises:
        NotFoundError: `case_unknown`: there is none, or it is not theirs.
    """
    row = get_case(session, case_id)
    entry = session.get(RegisterEntry, row.asset_id)
    parties = {row.applicant, row.counterparty, row.objector, entry.holder if entry else ""} - {ZERO_ADDRESS}
    if account not in parties and not oversees(session, account):
        raise _unknown(case_id)
    return row


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
        _require_window(session, message)
    precheck.run(session, "Registrations", "file", arguments, now)
    book = rulebook_of(message["rulebookDigest"])
    forms.check_form(book, form)
    _check_filing(session, book, form, message)
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
    _check_paper(book, case, step, paper, message["evidenceDigest"])
    expected = dates_of(session, book, case, step, message["statedAt"])
    _require_dates(book, expected, message)
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
        raise _unknown(case_id)
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


def dates_of(session: Session, book: Rulebook, case: RegistrationCase, step: Step, stated_at: int) -> clocks.Dates:
    """The dates that an act has to state."""
    entry = session.get(RegisterEntry, case.asset_id)
    return clocks.act_dates(book, case_from_json(case.as_json()), step, stated_at, entry.valid_until if entry else 0)


def expiry_digest(deployment: Deployment, case_id: str) -> Digest:
    """What names the unsigned statement that a period of a case ended; it can be so only once in a case."""
    return act_digest("expire", [case_id], deployment.domain("Registrations"))


def _check_filing(session: Session, book: Rulebook, form: Document, message: Mapping[str, Any]) -> None:
    kind, procedure = Kind(message["kind"]), Procedure(message["procedure"])
    stated = {"kind": kind.name, "procedure": procedure.name, "asset": message["assetId"]}
    stated |= {"applicant": message["applicant"], "rulebook": message["rulebookDigest"]}
    found = {name: form[name] for name in stated}
    digests = {
        "formDigest": digest(form),
        "nonPublicationDigest": forms.reason_digest(form["nonPublication"]),
        "depositDigest": forms.reason_digest(form["deposit"]),
    }
    signed = {name: message[name] for name in digests}
    if found != stated or digests != signed:
        raise _differs(
            "case_papers_differ", "the form is not the one that was signed for", stated | signed, found | digests
        )
    _require_dates(book, clocks.filing_dates(book, procedure, message["statedAt"]), message)
    entry = session.get(RegisterEntry, message["assetId"])
    forms.check_code(book, form, entry.code if entry else "")
    asset = session.get(Asset, message["assetId"])
    if asset is None:
        raise NotFoundError("asset_unknown", f"there is no data asset {message['assetId']}", zh="没有该数据资产")
    if kind is Kind.FIRST:
        claim = validate_claim(read_document(session, asset.claim_digest))
        _require_procedure(claim, procedure)
        _require_source(claim, form)


def _require_procedure(claim: Document, procedure: Procedure) -> None:
    """Public data go by their own procedure (measures of 2025, art. 5); what an authorised operator makes of them may
    go by either (guide, art. 15(2)).
    """
    allowed = {Procedure.ORDINARY, Procedure.PUBLIC_DATA} if claim["origin"] == "PUBLIC" else {Procedure.ORDINARY}
    if claim["origin"] == "PUBLIC" and claim["sourceClass"] != "DERIVED":
        allowed = {Procedure.PUBLIC_DATA}
    if procedure not in allowed:
        raise RuleError(
            "procedure_differs",
            f"data of origin {claim['origin']} are not registered by the procedure {procedure.name}",
            zh=f"{ORIGINS[claim['origin']]}不适用{word(procedure).zh}",
            rule="registrations.procedure_of_the_data",
            expected=joined(word(item) for item in sorted(allowed)),
            got=word(procedure),
            hint="raw public data: PUBLIC_DATA; other data: ORDINARY; products of public data: either",
            hint_zh="公共数据原始资源：公共数据程序（PUBLIC_DATA）；其他数据：普通程序（ORDINARY）；公共数据产品：两者皆可",
        )


def _require_source(claim: Document, form: Document) -> None:
    """The form of a first registration names the source that the claim names, as far as it asks for one."""
    stated = form["fields"].get("sourceClass")
    if stated not in (None, source_on_form(claim["sourceClass"])):
        raise RuleError(
            "source_differs",
            f"the form names the source {stated}, the claim {claim['sourceClass']}",
            zh=f"申请表来源为 {stated}，权利主张为 {claim['sourceClass']}",
            rule="registrations.source_as_claimed",
            expected=source_on_form(claim["sourceClass"]),
            got=stated,
            hint="fill in the source that the registered claim names; titles follow from it",
            hint_zh="请填写已登记权利主张所载的来源；可主张的权利由此而定",
        )


def _require_window(session: Session, message: Mapping[str, Any]) -> None:
    """Of an entry that stands; the ledger says the rest, and it knows but the earliest day of any calendar."""
    asset, book = session.get(Asset, message["assetId"]), rulebook_of(message["rulebookDigest"])
    stands = asset is not None and asset.status in STANDING and message["statedAt"] <= asset.valid_until
    if asset is None or not stands or message["procedure"] not in (Procedure.ORDINARY, Procedure.PUBLIC_DATA):
        return
    opens, closes = clocks.renewal_window(book, Procedure(message["procedure"]), asset.valid_until)
    if not opens <= message["statedAt"] <= closes:
        raise RuleError(
            "renewal_not_open",
            f"renewal may be asked for from {iso_time(opens)} to {iso_time(closes)}",
            zh=f"续期申请时间为 {iso_time(opens)} 至 {iso_time(closes)}",
            rule="registrations.renewal_window",
            rulebook=book.name,
            expected=[opens, closes],
            got=message["statedAt"],
            hint="come back in that time; after it the registration lapses by itself",
            hint_zh="请在该期间内申请；逾期登记自动失效",
        )


def _require_dates(book: Rulebook, expected: clocks.Dates, message: Mapping[str, Any]) -> None:
    got = (message["dueAt"], message["decideBy"])
    if got != (expected.due_at, expected.decide_by):
        raise RuleError(
            "case_dates_differ",
            "the act states other dates than the rulebook gives",
            zh="所载期限与规则所定不一致",
            rule="registrations.dates_of_the_rulebook",
            rulebook=book.name,
            expected={"dueAt": expected.due_at, "decideBy": expected.decide_by},
            got={"dueAt": got[0], "decideBy": got[1]},
            hint="take the dates that `marketplace registrations show` lists for each open step, and sign anew",
            hint_zh="请按 `marketplace registrations show` 所列各步骤的期限重新签署",
        )


def _check_paper(book: Rulebook, case: RegistrationCase, step: Step, paper: Document | None, named: str) -> None:
    if step is Step.RESUBMIT and paper is not None:
        forms.check_form(book, paper)
        same = {"kind": Kind(case.kind).name, "procedure": Procedure(case.procedure).name, "asset": case.asset_id}
        same |= {"applicant": case.applicant, "rulebook": case.rulebook_digest}
        said = {name: paper[name] for name in same}
        # The ledger keeps the reasons and the proof of deposit that were signed at the filing.
        same |= {"nonPublicationDigest": case.non_publication_digest, "depositDigest": case.deposit_digest}
        said |= {f"{name}Digest": forms.reason_digest(paper[name]) for name in ("nonPublication", "deposit")}
        if said != same:
            raise _differs("case_papers_differ", "the corrected form is of another case", same, said)
    elif paper is not None:
        forms.check_paper(book, paper, case.case_id, step)
    if paper is None and (step in forms.WRITTEN or step is Step.RESUBMIT):
        raise InvalidInputError(
            "case_paper_missing",
            f"{step.name} is put in writing, and nothing written came with it",
            zh=f"“{word(step).zh}”须以书面作出，未附书面内容",
            rule="registrations.what_is_decided_is_written",
            hint="give the text: `--text`, or the corrected form: `--form`",
            hint_zh="请以 `--text` 写明理由；补正后再提交的，请以 `--form` 附上申请表",
        )
    got = digest(paper) if paper is not None else ZERO_DIGEST
    if got != named:
        raise _differs("case_papers_differ", "the paper is not the one that was signed for", named, got)


def _queue(session: Session, verb: str, arguments: list[Any], name: str, *, by: str, now: int) -> Digest:
    return queue(session, contract="Registrations", verb=verb, arguments=arguments, digest=name, by=by, now=now)


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


def _differs(code: str, message: str, expected: object, got: object) -> RuleError:
    return RuleError(
        code,
        message,
        zh="表单或材料与签署内容不一致",
        rule="registrations.papers_as_signed",
        expected=expected,
        got=got,
        hint="hand in the very form or paper whose digest was signed, or sign anew",
        hint_zh="请提交与所签摘要一致的表单或材料，或重新签署",
    )


def _unknown(case_id: str) -> NotFoundError:
    return NotFoundError(
        "case_unknown",
        f"there is no registration case {case_id} for you",
        zh="没有您可查阅的该登记案件",
        hint="sign in as a party to it, or look at the public notices",
        hint_zh="请以当事人身份登录，或查阅公示",
    )
