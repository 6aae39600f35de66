"""Codes of certificates: their form, their month, their capacity."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.canonical import to_hex
from marketplace.errors import InvalidInputError, RuleError
from marketplace.registrations.codes import Institution, from_ledger, is_code, make_code, month_prefix, to_ledger
from marketplace.rulebooks import LAWFUL, rulebook_named
from marketplace.rulebooks.calendar import end_of

BOOK = rulebook_named(LAWFUL)
SHANGHAI = Institution("31", "2")
LATE = end_of(date(2026, 11, 30))


def test_a_code_says_region_registrar_month_and_number() -> None:
    assert make_code(BOOK, SHANGHAI, LATE, 7) == "SJ3122026110007"
    assert make_code(BOOK, SHANGHAI, LATE + 1, 7) == "SJ3122026120007"
    assert month_prefix(BOOK, SHANGHAI, LATE) == "SJ312202611"


@pytest.mark.parametrize("serial", [0, 10_000])
def test_a_month_has_9999_codes(serial: int) -> None:
    with pytest.raises(RuleError) as caught:
        make_code(BOOK, SHANGHAI, LATE, serial)
    assert caught.value.code == "certificate_codes_exhausted"
    assert len(make_code(BOOK, SHANGHAI, LATE, 9999)) == 15


@given(st.integers(1, 9999))
def test_a_code_survives_the_ledger(serial: int) -> None:
    text = make_code(BOOK, SHANGHAI, LATE, serial)
    assert from_ledger(to_ledger(text)) == text
    assert is_code(to_ledger(text))


@pytest.mark.parametrize(
    "text", ["SJ3122026110000", "SJ312202611001", "XX3122026110001", "SJ31220261100010", "SJ31220261100O1"]
)
def test_what_is_no_code_is_refused(text: str) -> None:
    assert not is_code(to_hex(text.encode().ljust(32, b"\0")))


def test_no_code_yet_is_empty() -> None:
    assert from_ledger("0x" + "00" * 32) == ""
    with pytest.raises(InvalidInputError):
        to_ledger("SJ")
    with pytest.raises(InvalidInputError):
        from_ledger("0x" + "01" * 32)
