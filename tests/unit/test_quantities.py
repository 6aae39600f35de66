"""Quantities as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.errors import InvalidInputError
from marketplace.quantities import epsilon, money, parse_epsilon, parse_money
from marketplace.types import NO_LIMIT


@given(st.integers(0, 10**13))
def test_what_is_shown_reads_back(amount: int) -> None:
    assert parse_money(money(amount).replace(",", "")) == amount
    assert parse_epsilon(epsilon(amount)) == amount


@pytest.mark.parametrize("text", ["", "1.234", "-1", "1e3", "０.5", "1,000", ".5"])
def test_money_that_is_not_whole_fen_is_refused_and_never_rounded(text: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        parse_money(text)
    assert refused.value.code == "malformed_quantity"
    assert refused.value.zh


@pytest.mark.parametrize("text", ["90071992547409.92", "1" * 21, "9" * 21 + ".123"])
def test_an_amount_that_is_too_large_is_told_its_range(text: str) -> None:
    assert parse_money("90071992547409.91") == NO_LIMIT
    with pytest.raises(InvalidInputError) as refused:
        parse_money(text)
    assert (refused.value.code, refused.value.expected) == ("malformed_quantity", "at most 90071992547409.91")
    assert refused.value.zh == "应为不超过 90071992547409.91 的数"
    with pytest.raises(InvalidInputError, match=r"at most 9007199254\.740991"):
        parse_epsilon("9007199255")
    with pytest.raises(InvalidInputError, match="at most 9007199254740991, "):
        parse_money("9" * 16, "JPY")
