"""Forms and papers of a case against its rulebook: every field that is wrong is named."""

from collections.abc import Callable
from typing import Any

import pytest

from marketplace.documents import Document, digest
from marketplace.errors import InvalidInputError
from marketplace.procedures import Kind, Procedure, Step
from marketplace.registrations.forms import check_paper, make_form, make_paper, published, reason_digest
from marketplace.rulebooks import LAWFUL, rulebook_named
from marketplace.types import ZERO_DIGEST
from tests.registering import FIELDS, PUBLIC_FIELDS

BOOK = rulebook_named(LAWFUL)
ASSET, CASE, APPLICANT = "0x" + "11" * 32, "0x" + "22" * 32, "0x" + "aa" * 20


def form(**changes: Any) -> Document:
    given: dict[str, Any] = {"kind": Kind.FIRST, "procedure": Procedure.ORDINARY, "fields": FIELDS}
    return make_form(BOOK, asset=ASSET, applicant=APPLICANT, **{**given, **changes})


def wrong(call: Callable[[], object]) -> InvalidInputError:
    with pytest.raises(InvalidInputError) as refused:
        call()
    assert refused.value.code == "form_field"
    assert refused.value.rulebook == BOOK.name
    return refused.value


def test_a_form_names_its_rulebook_and_what_it_is_about() -> None:
    made = form(non_publication="trade secrets")
    assert (made["asset"], made["applicant"], made["rulebook"]) == (ASSET, APPLICANT, BOOK.digest)
    assert made["fields"] == FIELDS
    assert made["nonPublication"] == "trade secrets"


@pytest.mark.parametrize("name", [name for name, field in BOOK.content["forms"]["FIRST"].items() if field["required"]])
def test_a_field_that_is_required_may_not_be_left_out_or_empty(name: str) -> None:
    left = {key: value for key, value in FIELDS.items() if key != name}
    assert f"the field {name} " in str(wrong(lambda: form(fields=left)))
    assert f"the field {name} " in str(wrong(lambda: form(fields={**FIELDS, name: ""})))


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("dataName", "数" * 41, "at most 40 characters"),
        ("sourceClass", "FOUND", "one of COLLECTED_GENERATED"),
        ("regionScope", "PLANET", "one of INTERNATIONAL"),
        ("updateFrequency", "daily", "one of REALTIME"),
        ("colour", "red", "one of dataName"),
    ],
)
def test_a_field_that_is_filled_in_wrongly(name: str, value: str, expected: str) -> None:
    refusal = wrong(lambda: form(fields={**FIELDS, name: value}))
    assert f"the field {name} " in str(refusal)
    assert str(refusal.expected).startswith(expected)


def test_lengths_are_of_characters_and_the_longest_is_taken() -> None:
    assert form(fields={**FIELDS, "dataName": "数" * 40})["fields"]["dataName"] == "数" * 40


def test_what_is_optional_may_be_filled_in() -> None:
    assert form(fields={**FIELDS, "scenario": "delays"})["fields"]["scenario"] == "delays"


@pytest.mark.parametrize("name", ["productService", "scenario", "riskAssessment"])
def test_public_data_come_with_product_scenario_and_risk_assessment(name: str) -> None:
    public: dict[str, Any] = {"procedure": Procedure.PUBLIC_DATA, "deposit": "platform of the city"}
    assert form(fields=PUBLIC_FIELDS, **public)["fields"] == PUBLIC_FIELDS
    left = {key: value for key, value in PUBLIC_FIELDS.items() if key != name}
    for fields in (left, {**left, name: ""}, {**left, name: "  "}):
        assert f"the field {name} " in str(wrong(lambda fields=fields: form(fields=fields, **public)))  # type: ignore[misc]
    assert form(fields=left)["fields"] == left, "the ordinary procedure does not ask for it"


def test_later_registrations_of_public_data_are_asked_for_no_more_than_before() -> None:
    change = {"dataName": "n", "certificateCode": "SJ3102026010001", "before": "a", "after": "b"}
    made = form(kind=Kind.CHANGE, procedure=Procedure.PUBLIC_DATA, deposit="platform of the city", fields=change)
    assert made["fields"] == change


def test_a_kind_is_of_the_procedures_that_register_it() -> None:
    assert "the field kind " in str(wrong(lambda: form(kind=Kind.LATE_OBJECTION)))
    assert "the field kind " in str(
        wrong(lambda: form(kind=Kind.TRANSFER, procedure=Procedure.PUBLIC_DATA, deposit="x"))
    )


def test_public_data_and_no_others_come_with_a_proof_of_deposit() -> None:
    public: dict[str, Any] = {"procedure": Procedure.PUBLIC_DATA, "fields": PUBLIC_FIELDS}
    assert form(**public, deposit="platform of the city")["deposit"] == "platform of the city"
    assert "deposit" in str(wrong(lambda: form(**public)))
    assert "deposit" in str(wrong(lambda: form(deposit="platform of the city")))


def test_notice_shows_what_the_rulebook_publishes_and_nothing_else() -> None:
    shown = published(BOOK, form())
    assert shown == {name: FIELDS[name] for name in ("dataName", "overview", "restrictions")}


def test_a_paper_is_of_its_case_and_step() -> None:
    paper = make_paper(CASE, Step.EXTEND, "difficult")
    assert check_paper(BOOK, paper, CASE, Step.EXTEND) == paper
    wrong(lambda: check_paper(BOOK, paper, ASSET, Step.EXTEND))
    wrong(lambda: check_paper(BOOK, paper, CASE, Step.SUPPLEMENT))


@pytest.mark.parametrize("ground", [item["code"] for item in BOOK.content["grounds"]])
def test_a_refusal_names_a_ground_of_the_rulebook(ground: str) -> None:
    paper = make_paper(CASE, Step.REFUSE, "so it is", ground)
    assert check_paper(BOOK, paper, CASE, Step.REFUSE)["ground"] == ground


def test_a_ground_is_for_refusals_alone_and_known() -> None:
    for step, ground in ((Step.REFUSE, None), (Step.REFUSE, "DISLIKE"), (Step.EXTEND, "HARM")):
        wrong(lambda step=step, ground=ground: check_paper(BOOK, make_paper(CASE, step, "so", ground), CASE, step))  # type: ignore[misc]


def test_an_objection_comes_with_evidence() -> None:
    wrong(lambda: check_paper(BOOK, make_paper(CASE, Step.OBJECT, "mine"), CASE, Step.OBJECT))
    paper = make_paper(CASE, Step.OBJECT, "mine", None, ("0x" + "33" * 32,))
    assert check_paper(BOOK, paper, CASE, Step.OBJECT) == paper


def test_no_reason_is_zero_and_a_reason_its_words() -> None:
    assert reason_digest(None) == ZERO_DIGEST
    assert reason_digest("trade secrets") == digest({"text": "trade secrets"})
