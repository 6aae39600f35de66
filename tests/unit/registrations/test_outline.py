"""What a form has filled in before its applicant writes a word: the fields of its procedure, and no others."""

from typing import Any

import pytest

from marketplace.procedures import Kind, Procedure
from marketplace.rulebooks import rulebook_named
from marketplace.sdk.registrations import outline
from tests.registering import FIELDS, PUBLIC_FIELDS

MANIFEST: dict[str, Any] = {"title": {"en": "Flights", "zh": "航班"}, "measures": [{"name": "delay"}], "batches": []}
MANIFEST |= {"dimensions": [{"name": "origin"}]}
CLAIM: dict[str, Any] = {"sourceClass": "COLLECTED_GENERATED", "rights": [{"right": "HOLD", "holder": "0xaa"}]}

KNOWN: dict[str, Any] = {"manifest": MANIFEST, "claim": CLAIM, "entry": None}


@pytest.mark.parametrize(
    ("procedure", "fields"), [(Procedure.ORDINARY, FIELDS), (Procedure.PUBLIC_DATA, PUBLIC_FIELDS)]
)
def test_a_form_has_the_fields_of_its_procedure(procedure: Procedure, fields: dict[str, str]) -> None:
    made = outline(rulebook_named("cn-2026"), Kind.FIRST, procedure, **KNOWN)
    assert set(made) == set(fields)
    assert made["dataName"] == "航班"


def test_under_the_first_version_every_field_is_offered() -> None:
    made = outline(rulebook_named("cn-2026-v1"), Kind.FIRST, Procedure.ORDINARY, **KNOWN)
    assert set(made) == {*FIELDS, "scenario", "riskAssessment"}
