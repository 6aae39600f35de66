"""Every form holds together, and an agreement that does not fit its form is refused by name of the field."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from crypto.canonical import load_canonical
from marketplace import cli
from marketplace.agreements.filling import outline, takes
from marketplace.agreements.forms import Form, all_forms, form_of, get_form, validate_agreement_on_form
from marketplace.documents import canonical
from marketplace.errors import InvalidInputError, NotFoundError, VerificationError
from tests.agreements import FORMS, agreement_on, filled_in

ARTICLES = {"GF-2025-2615": 16, "GF-2025-2616": 18, "GF-2025-2617": 14, "GF-2025-2618": 11}
NAMES = re.compile(r"\{(\w+)\}")


@pytest.mark.parametrize("name", FORMS)
def test_a_form_uses_every_field_that_it_declares_in_both_languages(name: str) -> None:
    form = get_form(name)
    assert len(form.content["articles"]) == ARTICLES[name]
    for language in ("zh", "en"):
        used = {
            name
            for article in form.content["articles"]
            for clause in article["clauses"]
            for name in [*NAMES.findall(clause[language]), *clause.get("when", {})]
        }
        annexed = {field for field, declared in form.fields.items() if declared["kind"] == "metrics"}
        assert used - {"valid_until"} == form.fields.keys() - annexed, language


@pytest.mark.parametrize("name", FORMS)
def test_conditions_name_choices_that_exist(name: str) -> None:
    form = get_form(name)
    clauses = [clause for article in form.content["articles"] for clause in article["clauses"]]
    for item in [*form.fields.values(), *clauses]:
        for field, values in item.get("when", {}).items():
            assert set(values) <= {choice["value"] for choice in form.fields[field]["choices"]}


@pytest.mark.parametrize("name", FORMS)
def test_a_form_that_is_filled_in_is_valid_and_canonical(name: str) -> None:
    agreement = agreement_on(name)
    assert validate_agreement_on_form(agreement) == agreement
    assert load_canonical(canonical(agreement)) == agreement


@pytest.mark.parametrize("name", FORMS)
def test_no_empty_field_of_an_outline_passes_by_itself(name: str) -> None:
    form, whole = get_form(name), agreement_on(name)
    empty = outline(form)
    assert empty.keys() == form.fields.keys()
    for field in whole["fields"]:
        with pytest.raises(InvalidInputError) as refused:
            validate_agreement_on_form(whole | {"fields": whole["fields"] | {field: empty[field]}})
        assert (refused.value.code, field in refused.value.message) == ("malformed_document", True)


@pytest.mark.parametrize("form", all_forms(), ids=lambda form: str(form.content["form"]))
def test_what_a_field_takes_is_said_in_both_languages(form: Form) -> None:
    for declared in form.fields.values():
        told = takes(declared)
        assert not re.search("[\u4e00-\u9fff]", told.en)
        assert re.search("[\u4e00-\u9fff]", told.zh)
        for code in (choice["value"] for choice in declared.get("choices", ())):
            assert code in told.en
            assert code in told.zh
    assert takes(form.fields["court"]).zh == "中英文本，各至多 120 字（仅当 forum 为 LITIGATION）"


def test_a_file_to_fill_in_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "fields.json"
    assert cli.main(["--lang", "zh", "agreements", "form", "GF-2025-2618", "--output", str(file)]) == 0
    told = capsys.readouterr().out
    assert f"请填写 {file}；fee_bps、fee_amount、court、institution 中不适用的请删除" in told
    assert json.loads(file.read_text("utf-8")) == outline(get_form("GF-2025-2618"))


def test_forms_are_told_apart_by_digest() -> None:
    assert len({form.digest for form in all_forms()}) == len(all_forms()) == 4
    with pytest.raises(VerificationError, match="another text") as refused:
        form_of(agreement_on(formDigest="0x" + "00" * 32))
    assert refused.value.code == "form_differs"
    for wrong in ({"form": "GF-2025-2614"}, {"formVersion": "2024.1"}):
        with pytest.raises(NotFoundError) as unknown:
            validate_agreement_on_form(agreement_on() | wrong)
        assert unknown.value.code == "form_unknown"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("data_name", "a name in one language"),
        ("data_name", {"en": "x" * 121, "zh": "名"}),
        ("inspection_days", 0),
        ("inspection_days", True),
        ("inspection_days", 366),
        ("late_bps_per_day", 10_001),
        ("rights", []),
        ("rights", ["USE", "USE"]),
        ("rights", ["INCOME"]),
        ("acceptance_form", "SILENCE"),
        ("regions", ["Shanghai"]),
        ("assets", ["0x12"]),
        ("plan", {"mode": "PER_CALL"}),
        ("quality_metrics", [{"metric": "BEAUTY", "limit": 1}]),
        ("quality_metrics", [{"metric": "RESPONSE_TIME", "limit": 1}] * 2),
        ("instalments", [{"due": "SIGNING", "bps": 10_000}]),
        ("not_a_field", 1),
    ],
)
def test_a_field_that_does_not_fit_is_named(field: str, value: Any) -> None:
    agreement = agreement_on()
    agreement["fields"][field] = value
    with pytest.raises(InvalidInputError) as refused:
        validate_agreement_on_form(agreement)
    assert refused.value.code == "malformed_document"
    assert f"fields.{field}" in refused.value.message
    assert refused.value.expected


@pytest.mark.parametrize("name", FORMS)
def test_every_field_that_applies_is_required(name: str) -> None:
    for field in filled_in(name):
        agreement = agreement_on(name)
        del agreement["fields"][field]
        with pytest.raises(InvalidInputError, match=r"fields\."):
            validate_agreement_on_form(agreement)


def test_a_field_is_there_only_where_its_condition_holds() -> None:
    by_instalments = agreement_on(fields={"payment": "INSTALMENTS"})
    validate_agreement_on_form(by_instalments)
    uneven = [{"due": "SIGNING", "bps": 5_000}, {"due": "DELIVERY", "bps": 4_999}]
    with pytest.raises(InvalidInputError, match="10000 basis points"):
        validate_agreement_on_form(agreement_on(fields={"payment": "INSTALMENTS", "instalments": uneven}))
    agreement = agreement_on(fields={"forum": "ARBITRATION"})
    agreement["fields"]["court"] = {"en": "a court", "zh": "某法院"}
    with pytest.raises(InvalidInputError, match="forum is LITIGATION"):
        validate_agreement_on_form(agreement)


def test_nobody_agrees_with_itself() -> None:
    agreement = agreement_on()
    with pytest.raises(InvalidInputError, match="another party"):
        validate_agreement_on_form(agreement | {"partyB": agreement["partyA"]})
