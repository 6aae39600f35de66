"""Step 9, what was filed: a case's form says what the ledger says of the case, and is filled in as its rulebook asks.

Forms are between applicant and registrar: a bundle may hold them, and need not.
"""

from marketplace.auditor.documents.store import Documents
from marketplace.auditor.findings import Report
from marketplace.auditor.readmodel.rows import Row, Tables
from marketplace.errors import MarketplaceError
from marketplace.procedures import Kind, Procedure, Step
from marketplace.registrations.forms import check_form, reason_digest
from marketplace.rulebooks import rulebook_of

_WITH_FORM = (0, Step.RESUBMIT)  # a filing is line 0 of its case


def check_filings(tables: Tables, documents: Documents, report: Report) -> None:
    """Every form that was filed or filed again, as far as it is here."""
    for act in tables.rows["registration_acts"].values():
        if act["step"] in _WITH_FORM and documents.holds(act["evidenceDigest"]):
            _check_form(tables.rows["registration_cases"][act["caseId"],], act["evidenceDigest"], documents, report)


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
