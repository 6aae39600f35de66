"""Step 9, what was filed and said in writing: a case's form says what the ledger says of the case, and form and papers
are what their rulebook asks for.

Forms and papers are the grounds of everything that a registrar decides, so a bundle holds them all. The evidence that a
paper cites by digest lies with whoever cites it.
"""

from marketplace.auditor.documents.store import Documents
from marketplace.auditor.findings import Report
from marketplace.auditor.readmodel.rows import Row, Tables
from marketplace.errors import MarketplaceError
from marketplace.procedures import Kind, Procedure, Step
from marketplace.registrations.forms import WRITTEN, check_form, check_paper, reason_digest
from marketplace.rulebooks import rulebook_of
from marketplace.types import ZERO_DIGEST

_WITH_FORM = (0, Step.RESUBMIT)  # a filing is line 0 of its case


def check_filings(tables: Tables, documents: Documents, report: Report) -> None:
    """Every form that was filed or filed again, and the paper of every other step; certificates are looked at apart."""
    for act in tables.rows["registration_acts"].values():
        case = tables.rows["registration_cases"][act["caseId"],]
        if act["step"] in _WITH_FORM:
            _check_form(case, act["evidenceDigest"], documents, report)
        elif act["step"] != Step.CERTIFY:
            _check_paper(case, act, documents, report)


def _check_form(case: Row, digest: str, documents: Documents, report: Report) -> None:
    subject = f"case {case['caseId']}"
    form = documents.get(digest, "registration_form", subject)
    if form is None:
        return
    report.count("forms")
    stated = {"asset": case["assetId"], "applicant": case["applicant"], "rulebook": case["rulebookDigest"]}
    stated |= {"kind": Kind(case["kind"]).name, "procedure": Procedure(case["procedure"]).name}
    for name, expected in stated.items():
        report.same("form_differs", f"{subject} form.{name}", expected, form[name])
    for name in ("nonPublication", "deposit"):
        report.same("form_differs", f"{subject} form.{name}", case[f"{name}Digest"], reason_digest(form[name]))
    try:
        check_form(rulebook_of(case["rulebookDigest"]), form)
    except MarketplaceError as error:
        report.find("form_unfit", subject, expected=error.expected, got=f"{error.code}: {error.got}")


def _check_paper(case: Row, act: Row, documents: Documents, report: Report) -> None:
    step, named = Step(act["step"]), act["evidenceDigest"]
    subject = f"case {case['caseId']} version {act['version']}"
    if named == ZERO_DIGEST:
        if step in WRITTEN:
            report.find("case_paper_unfit", subject, expected=f"registration_paper {step.name}", got=named)
        return
    paper = documents.get(named, "registration_paper", subject)
    if paper is None:
        return
    report.count("case papers")
    try:
        check_paper(rulebook_of(case["rulebookDigest"]), paper, case["caseId"], step)
    except MarketplaceError as error:
        report.find("case_paper_unfit", subject, expected=error.expected, got=f"{error.code}: {error.got}")
