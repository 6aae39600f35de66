"""What a filing or a step has to keep before it is queued: form, paper, dates, procedure, source, window of renewal."""

from collections.abc import Mapping
from typing import Any

from sqlmodel import Session

from marketplace.documents import Document, digest, iso_time, validate_claim
from marketplace.documents.scopes import source_on_form
from marketplace.errors import InvalidInputError, NotFoundError, RuleError
from marketplace.procedures import Kind, Procedure, Step
from marketplace.registrations import clocks, forms
from marketplace.registrations.tables import RegisterEntry, RegistrationCase
from marketplace.rights.rules import STANDING
from marketplace.rights.tables import Asset
from marketplace.rulebooks import Rulebook, rulebook_of
from marketplace.storage.documents import read_document
from marketplace.types import ZERO_DIGEST
from marketplace.words import ORIGINS, joined, word


def check_filing(session: Session, book: Rulebook, form: Document, message: Mapping[str, Any]) -> None:
    """The form is the one that was signed for, states the rulebook's dates and fits the asset, its claim and its entry.

    Raises:
        NotFoundError: `asset_unknown`.
        InvalidInputError: `form_field`, the form names another code than the entry's.
        RuleError: `case_papers_differ`, `case_dates_differ`, `procedure_differs`, `source_differs`.
    """
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
    require_dates(book, clocks.filing_dates(book, procedure, message["statedAt"]), message)
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


def require_window(session: Session, message: Mapping[str, Any]) -> None:
    """Renewal is asked for in its window, of an entry that stands. Raises RuleError `renewal_not_open`.

    The ledger says the rest, and it knows but the earliest day of any calendar.
    """
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


def require_dates(book: Rulebook, expected: clocks.Dates, message: Mapping[str, Any]) -> None:
    """The message states the dates that the rulebook gives. Raises RuleError `case_dates_differ`."""
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


def check_paper(book: Rulebook, case: RegistrationCase, step: Step, paper: Document | None, named: str) -> None:
    """A step comes with the paper that it needs, which is the one of digest `named`, of this case.

    Raises:
        InvalidInputError: `case_paper_missing`, what `forms.check_form` and `forms.check_paper` say.
        RuleError: `case_papers_differ`.
    """
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
