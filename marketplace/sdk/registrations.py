"""Registration cases: file, act, look. Dates are computed here from the rulebook that the case names, not taken on
trust.
"""

from collections.abc import Mapping
from typing import Any

from marketplace.documents import Document, digest, ids, iso_time, row_count
from marketplace.documents.scopes import source_on_form
from marketplace.errors import RuleError
from marketplace.procedures import KIND_WORDS, WHOSE, Kind, Party, Procedure, Step
from marketplace.registrations import forms
from marketplace.registrations.clocks import NAMES, act_dates, filing_dates, term_start
from marketplace.registrations.records import Case, case_from_json
from marketplace.rulebooks import Rulebook, rulebook_of
from marketplace.rulebooks.book import UNITS
from marketplace.rulebooks.bounds import bounds_of
from marketplace.rulebooks.calendar import Duration
from marketplace.sdk.checks import expect
from marketplace.sdk.client import Client
from marketplace.types import ZERO_ADDRESS, ZERO_DIGEST
from marketplace.words import Words

USUAL_TERM = Duration(months=24)


def rulebook_in_force(client: Client) -> Rulebook:
    """The rulebook that a case filed now follows.

    Raises:
        NotFoundError: `rulebook_unknown`: this version of the program does not have it.
    """
    found = client.get("/registrations/rulebooks")
    return rulebook_of(next(book["digest"] for book in found if book["inForce"]))


def file(
    client: Client,
    asset_id: str,
    kind: Kind,
    fields: Mapping[str, str],
    *,
    procedure: Procedure = Procedure.ORDINARY,
    counterparty: str | None = None,
    non_publication: str | None = None,
    deposit: str | None = None,
) -> dict[str, Any]:
    """File a case about an asset.

    Args:
        fields: the form of this kind in the rulebook in force.
        counterparty: who receives, in a transfer; joins by `act(…, Step.JOIN)`.
        non_publication: reasons against public notice, if it shall not be published.
        deposit: where and how public data were deposited before.
    Returns:
        the intent's outcome with "caseId".
    Raises:
        InvalidInputError: `form_field`: a field is missing, too long or unknown.
    """
    book, now = rulebook_in_force(client), client.now()
    form = forms.make_form(
        book,
        kind=kind,
        procedure=procedure,
        asset=asset_id,
        applicant=client.address,
        fields=fields,
        non_publication=non_publication,
        deposit=deposit,
    )
    dates, name = filing_dates(book, procedure, now), digest(form)
    message = {
        "caseId": ids.case_id(asset_id, client.address, name, now),
        "assetId": asset_id,
        "kind": int(kind),
        "procedure": int(procedure),
        "applicant": client.address,
        "counterparty": counterparty or ZERO_ADDRESS,
        "formDigest": name,
        "nonPublicationDigest": forms.reason_digest(non_publication),
        "depositDigest": forms.reason_digest(deposit),
        "rulebookDigest": book.digest,
        "statedAt": now,
        "dueAt": dates.due_at,
        "decideBy": dates.decide_by,
        "deadline": client.deadline(),
    }
    body = {"file": message, "signature": client.sign("File", message), "form": form}
    return {**client.submit("/registrations/filings", body), "caseId": message["caseId"]}


def act(
    client: Client,
    case_id: str,
    step: Step,
    words: str | None = None,
    *,
    ground: str | None = None,
    evidence: tuple[str, ...] = (),
    form: Document | None = None,
) -> dict[str, Any]:
    """Take a step in a case as one of its parties, or decide one as a registrar.

    Args:
        words: what is to be said with it, in writing; steps in forms.WRITTEN need it.
        ground: code of the ground of a refusal, one of the rulebook's.
        evidence: digests of the documents that it rests on; an objection needs one.
        form: the corrected form of a Resubmit.
    Returns:
        the intent's outcome with "caseId".
    """
    found = get_notice(client, case_id) if step is Step.OBJECT else get_case(client, case_id)
    case, book, now = case_from_json(found), rulebook_of(found["rulebookDigest"]), client.now()
    paper = form
    if paper is None and words is not None:
        paper = forms.check_paper(book, forms.make_paper(case_id, step, words, ground, evidence), case_id, step)
    entry = client.get(f"/rights/assets/{case.asset_id}")["registration"] or {"validUntil": 0}
    dates = act_dates(book, case, step, now, entry["validUntil"])
    message: dict[str, Any] = {
        "caseId": case_id,
        "step": int(step),
        "evidenceDigest": digest(paper) if paper is not None else ZERO_DIGEST,
        "statedAt": now,
        "dueAt": dates.due_at,
        "decideBy": dates.decide_by,
        "actor": client.address,
        "version": case.version,
        "deadline": client.deadline(),
    }
    decides = WHOSE.get(step) is Party.REGISTRAR
    name, path = ("Decide", "/registrations/decisions") if decides else ("Act", "/registrations/acts")
    body = {name.lower(): message, "signature": client.sign(name, message), "paper": paper}
    return {**client.submit(path, body), "caseId": case_id}


def expire(client: Client, case_id: str) -> dict[str, Any]:
    """State that a period ended unused; anyone may."""
    return {**client.submit(f"/registrations/cases/{case_id}/expiry", {}), "caseId": case_id}


def adopt(client: Client, rulebook_digest: str) -> dict[str, Any]:
    """Choose the rulebook of later cases, as the exchange."""
    previous = rulebook_in_force(client).digest
    chosen = rulebook_of(rulebook_digest)
    bounds = bounds_of(chosen)
    message: dict[str, Any] = {"rulebookDigest": chosen.digest, "previousDigest": previous}
    message |= {"entryBounds": bounds.entry, "besideBounds": bounds.beside, "termBounds": bounds.term}
    message |= {"exchange": client.address, "deadline": client.deadline()}
    return client.submit("/registrations/adoptions", {"adopt": message, "signature": client.sign("Adopt", message)})


def get_case(client: Client, case_id: str) -> dict[str, Any]:
    """A case with its acts, as its parties and registrars see it; "paper" of an act is the form or paper that it names,
    None where there is none or where it is not for the reader.

    Raises:
        VerificationError: `case_differs`; `content_differs`: the paper that an act names cannot be had.
    """
    found: dict[str, Any] = client.get(f"/registrations/cases/{case_id}")
    expect(found["caseId"], case_id, "case_differs", "registrations.case_as_asked")
    for act in found["acts"]:
        _verify_paper(client, act)
    return found


def get_form(client: Client, case: Mapping[str, Any]) -> Document:
    """The form of a case, checked against its digest on the ledger."""
    found: Document = client.get_document(case["formDigest"])
    return found


def outline(
    book: Rulebook,
    kind: Kind,
    procedure: Procedure,
    *,
    manifest: Document,
    claim: Document,
    entry: Mapping[str, Any] | None,
) -> dict[str, str]:
    """A form of `kind` with what manifest, claim and register tell filled in; the other fields are empty.

    Fields that another procedure alone asks for are left out.
    """
    names = [item["name"] for item in (*manifest["dimensions"], *manifest["measures"])]
    title = manifest["title"]
    known = {
        "dataName": title["zh"],
        "overview": f"{title['zh']} {title['en']}: {', '.join(names)}",
        "sourceClass": source_on_form(claim["sourceClass"]),
        "volume": f"{row_count(manifest)} rows",
        "rights": "; ".join(f"{right['right']} {right['holder']}" for right in claim["rights"]),
        "certificateCode": entry["code"] if entry else "",
    }
    fields = book.content["forms"][kind.name]
    asked = {name for name, field in fields.items() if not field.get("required_in")}
    asked |= set(book.asked(NAMES[procedure], kind.name))
    return {name: known.get(name, "")[: field["longest"]] for name, field in fields.items() if name in asked}


def list_cases(client: Client) -> list[dict[str, Any]]:
    """The cases that one is a party to; "lastPaper" is the latest act with something in writing, or None."""
    return _checked_list(client, "/registrations/cases")


def list_work(client: Client) -> list[dict[str, Any]]:
    """The registrar's work list; "lastPaper" as in `list_cases`."""
    return _checked_list(client, "/registrations/work")


def _verify_paper(client: Client, act: dict[str, Any]) -> None:
    name = act["evidenceDigest"]
    if act["paper"] is not None:
        act["paper"] = client.take_document(name, {name: act["paper"]})


def _checked_list(client: Client, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(path)
    for case in found:
        if case["lastPaper"] is not None:
            _verify_paper(client, case["lastPaper"])
    return found


def list_notices(client: Client) -> list[dict[str, Any]]:
    """The public notice board."""
    found: list[dict[str, Any]] = client.get("/registrations/notices")
    return found


def get_notice(client: Client, case_id: str) -> dict[str, Any]:
    """The case behind a public notice, as far as an objector has to know it to sign."""
    found: dict[str, Any] = client.get(f"/registrations/notices/{case_id}")
    return found


def end_of_term(found: Mapping[str, Any], present_end: int, term: Duration | None) -> int:
    """Until when the entry of a deposited case stands, unix seconds.

    Args:
        found: the case. present_end: of the entry as it stands; 0 before the first.
        term: of a first registration or a renewal; None for USUAL_TERM, and for kinds that keep the entry's end.
    Raises:
        RuleError: `certificate_term`, `certificate_term_kept`.
    """
    case, book = case_from_json(found), rulebook_of(found["rulebookDigest"])
    if case.kind not in (Kind.FIRST, Kind.RENEWAL):
        if term is not None:
            raise RuleError(
                "certificate_term_kept",
                f"a registration of the kind {case.kind.name} keeps the end that the entry has",
                zh=f"{KIND_WORDS[case.kind.name]}不改变登记的有效期",
                rule="registrations.validity_of_the_deposit",
                rulebook=book.name,
                expected=Words(
                    f"no term; the entry stands until {iso_time(present_end)}",
                    f"不填期限；该登记有效至 {iso_time(present_end)}",
                ),
                got=str(term),
                hint="leave the term out; a renewal gives another one",
                hint_zh="请勿填写有效期；如需延长请办理续期登记",
            )
        return present_end
    start = term_start(book, case, found["depositedAt"], present_end)
    chosen = term or USUAL_TERM
    end = chosen.after(start)
    if not start < end <= found["dueAt"]:
        raise _too_long(book, case, (found["dueAt"] - start) // 86_400, chosen)
    return end


def _too_long(book: Rulebook, case: Case, days: int, term: Duration) -> RuleError:
    period = book.period(NAMES[case.procedure], "validity")
    longest = f"{period.amount}y" if period.unit == "years" else f"{days}d"
    return RuleError(
        "certificate_term",
        f"{book.name} lets the entry stand for {period.amount} {period.unit} at most",
        zh=f"依 {book.name}，登记有效期最长为 {period.amount} {UNITS[period.unit]}",
        rule="registrations.validity_of_the_deposit",
        rulebook=book.name,
        expected=Words(f"{longest} or less", f"不超过 {longest}"),
        got=str(term),
        hint=f"confirm with --valid {longest} or less; it counts from the deposit",
        hint_zh=f"请以 --valid {longest} 或更短期限确权；自存证之时起算",
    )


def get_code(client: Client, case_id: str) -> str:
    """The 15-character code of a deposited case's certificate, as a registrar; the same on asking again."""
    return str(client.post(f"/registrations/cases/{case_id}/code", {}, repeatable=True)["code"])
