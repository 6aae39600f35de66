"""What an applicant fills in, and the papers of a case: checked against the rulebook that the case runs under. Pure.

A form is a document {"type": "registration_form", "version": 1, "kind", "procedure", "asset", "applicant", "rulebook",
"fields", "nonPublication", "deposit"}; its digest stands in the File. Every act may carry a paper {"type":
"registration_paper", "version": 1, "case", "step", "text", "ground", "evidence"}: the deficiencies named, the ground
of a refusal, an objection with the digests of its evidence, a reply.
"""

from collections.abc import Mapping
from typing import Any

from marketplace.documents import Document, digest
from marketplace.documents.cases import validate_form, validate_paper
from marketplace.errors import InvalidInputError
from marketplace.procedures import Kind, Procedure, Step
from marketplace.registrations.clocks import NAMES
from marketplace.registrations.records import Case
from marketplace.rulebooks import Rulebook
from marketplace.types import ZERO_DIGEST
from marketplace.words import Words, joined, one_of, word

#: steps whose actor has to say something in writing, and what must be in it
WRITTEN = frozenset(
    (
        *(Step.REQUEST_CORRECTION, Step.REQUEST_SUPPLEMENT, Step.SUPPLEMENT, Step.EXTEND, Step.REFUSE, Step.TERMINATE),
        *(Step.WAIVE_NOTICE, Step.OBJECT, Step.REPLY, Step.UPHOLD, Step.REJECT, Step.MARK_DISPUTED, Step.WITHDRAW),
        Step.END,
    )
)


def make_form(
    book: Rulebook,
    *,
    kind: Kind,
    procedure: Procedure,
    asset: str,
    applicant: str,
    fields: Mapping[str, str],
    non_publication: str | None = None,
    deposit: str | None = None,
) -> Document:
    """A form, checked as `check_form` does."""
    form: Document = {"type": "registration_form", "version": 1, "kind": kind.name, "procedure": procedure.name}
    form |= {"asset": asset, "applicant": applicant, "rulebook": book.digest, "fields": dict(fields)}
    form |= {"nonPublication": non_publication, "deposit": deposit}
    return check_form(book, form)


def check_form(book: Rulebook, form: Document) -> Document:
    """Check a form against the rulebook: kind, the fields that its procedure asks for, lengths, choices.

    Raises:
        InvalidInputError: `document_malformed`, or `form_field`, naming the field and what it may hold.
    """
    validate_form(form)
    kind, procedure = Kind[form["kind"]], Procedure[form["procedure"]]
    if not book.has(NAMES[procedure], kind.name):
        kinds = joined(word(Kind[name]) for name in book.content[NAMES[procedure]]["kinds"])
        raise _wrong(book, "kind", kinds, word(kind))
    known, asked = book.content["forms"][kind.name], book.asked(NAMES[procedure], kind.name)
    for name in form["fields"]:
        if name not in known:
            raise _wrong(book, name, one_of(known), form["fields"][name])
    for name, field in known.items():
        _check_field(book, name, field, form["fields"].get(name, ""), is_asked=name in asked)
    needs_deposit = bool(procedure is Procedure.PUBLIC_DATA)
    if needs_deposit != (form["deposit"] is not None):
        raise _wrong(
            book,
            "deposit",
            Words("the proof of deposit, for public data only", "存证证明，仅公共数据须填"),
            form["deposit"],
        )
    return form


def check_code(book: Rulebook, form: Document, code: str) -> None:
    """A form about an entry names the certificate that stands for it.

    Args:
        code: the code of the entry's present certificate; "" where there is none.
    Raises:
        InvalidInputError: `form_field`.
    """
    if "certificateCode" in book.content["forms"][form["kind"]] and form["fields"].get("certificateCode") != code:
        raise _wrong(book, "certificateCode", Words.alike(code), form["fields"].get("certificateCode"))


def check_waiver(book: Rulebook, case: Case, *, asked: bool) -> None:
    """Notice is left out where the applicant gave reasons, or where the rulebook asks for none.

    Raises:
        InvalidInputError: `form_field`.
    """
    unneeded = book.content[NAMES[case.procedure]]["notice_unneeded"]
    if not asked and case.kind.name not in unneeded:
        kinds = joined(word(Kind[name]) for name in unneeded)
        wanted = Words(f"the applicant's reasons, or one of {kinds.en}", f"申请人的理由，或下列登记类型：{kinds.zh}")
        raise _wrong(book, "nonPublication", wanted, word(case.kind))


def published(book: Rulebook, form: Document) -> dict[str, Any]:
    """What public notice shows of a form: the fields that the rulebook names, and nothing else."""
    shown = set(book.content["published"]["fields"])
    return {name: value for name, value in form["fields"].items() if name in shown}


def make_paper(
    case: str, step: Step, words: str, ground: str | None = None, evidence: tuple[str, ...] = ()
) -> Document:
    """The paper that goes with an act; `evidence` are digests."""
    paper: Document = {"type": "registration_paper", "version": 1, "case": case, "step": step.name, "text": words}
    return paper | {"ground": ground, "evidence": list(evidence)}


def check_paper(book: Rulebook, paper: Document, case: str, step: Step) -> Document:
    """Check the paper of an act.

    Raises:
        InvalidInputError: `document_malformed`, or `form_field`: it is of another case or step, a refusal names no
        ground of
            the rulebook, or an objection no evidence.
    """
    validate_paper(paper)
    if (paper["case"], paper["step"]) != (case, step.name):
        raise _wrong(book, "case, step", Words.alike(f"{case} {step.name}"), f"{paper['case']} {paper['step']}")
    grounds = {ground["code"]: Words(ground["en"], ground["zh"]) for ground in book.content["grounds"]}
    needs_ground = step is Step.REFUSE
    if needs_ground != (paper["ground"] is not None) or (needs_ground and paper["ground"] not in grounds):
        raise _wrong(book, "ground", _grounds(grounds), paper["ground"])
    if step is Step.OBJECT and not paper["evidence"]:
        raise _wrong(
            book, "evidence", Words("the digest of at least one document", "至少一份证据的摘要"), paper["evidence"]
        )
    return paper


def reason_digest(words: str | None) -> str:
    """The digest under which a reason stands on the ledger; zero where there is none."""
    return ZERO_DIGEST if words is None else digest({"text": words})


def _check_field(book: Rulebook, name: str, field: Mapping[str, Any], value: str, *, is_asked: bool) -> None:
    if not value.strip():
        if is_asked:
            raise _wrong(book, name, Words(field["en"], field["zh"]), value)
        return
    if len(value) > field["longest"]:
        raise _wrong(
            book, name, Words(f"at most {field['longest']} characters", f"至多 {field['longest']} 个字符"), len(value)
        )
    if field["choices"] and value not in field["choices"]:
        raise _wrong(book, name, one_of(field["choices"]), value)


def _grounds(found: Mapping[str, Words]) -> Words:
    """The grounds of a refusal by their codes; no other decision has one."""
    named = [(code, found[code]) for code in sorted(found)]
    return Words(
        "for a refusal, and for nothing else, one of " + ", ".join(f"{code} ({told.en})" for code, told in named),
        "仅不予登记时须填，为下列之一：" + "、".join(f"{code}（{told.zh}）" for code, told in named),
    )


def _wrong(book: Rulebook, name: str, expected: Words, got: object) -> InvalidInputError:
    return InvalidInputError(
        "form_field",
        f"the field {name} is not filled in as the rulebook asks",
        zh=f"表单项 {name} 不符合规则要求",
        rule="registrations.forms",
        rulebook=book.name,
        expected=expected,
        got=got,
        hint="see the form: `marketplace rulebooks show`",
        hint_zh="请查阅表单：`marketplace rulebooks show`",
    )
