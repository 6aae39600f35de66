"""Unified social credit codes are checked down to their check character."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.documents.credit_code import ALPHABET, check_character, credit_code
from marketplace.errors import InvalidInputError

# Codes of real organisations, as their public records have them.
REAL = ("12100000400002259P", "12100000400000624D", "914403001922038216", "91350100M000100Y43")
BODIES = st.text(ALPHABET, min_size=17, max_size=17)


@pytest.mark.parametrize("code", REAL)
def test_codes_in_public_use_pass(code: str) -> None:
    credit_code(code, "profile.creditCode")


@given(BODIES, st.integers(0, 16), st.sampled_from(ALPHABET))
def test_one_wrong_character_is_always_found(body: str, place: int, other: str) -> None:
    code = body + check_character(body)
    credit_code(code, "code")
    if other != code[place]:
        with pytest.raises(InvalidInputError) as refused:
            credit_code(code[:place] + other + code[place + 1 :], "code")
        assert refused.value.code == "malformed_document"


@given(BODIES, st.integers(0, 15))
def test_two_neighbours_exchanged_are_always_found(body: str, place: int) -> None:
    code = body + check_character(body)
    exchanged = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    if exchanged != code:
        with pytest.raises(InvalidInputError):
            credit_code(exchanged, "code")


@pytest.mark.parametrize("code", ["", "12100000400002259p", "12100000400002259", "1210000040000225IP", 7, None])
def test_what_is_no_code_is_refused(code: object) -> None:
    with pytest.raises(InvalidInputError):
        credit_code(code, "code")


@given(BODIES)
def test_which_check_character_would_fit_is_not_told(body: str) -> None:
    wrong = body + next(letter for letter in ALPHABET if letter != check_character(body))
    with pytest.raises(InvalidInputError) as refused:
        credit_code(wrong, "code")
    assert refused.value.expected == (
        "a unified social credit code whose last character checks the others: copy it from the licence"
    )
