"""Quantities as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.errors import InvalidInputError
from marketplace.quantities import epsilon, money, parse_epsilon, parse_money


@given(st.integers(0, 10**13))
def test_what_is_shown_reads_back(amount: int) -> None:
    assert parse_money(money(amount).replace(",", "")) == amount
    assert parse_epsilon(epsilon(amount)) == amount


@pytest.mark.parametrize("text", ["", "1.234", "-1", "1e3", "０.5", "1,000", ".5", "1" * 13])
def test_money_that_is_not_whole_fen_is_refused_and_never_rounded(text: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        parse_money(text)
    assert refused.value.code == "malformed_quantity"
    assert refused.value.zh
