"""The fee, the split, and accounts that only count upwards."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.errors import RuleError
from marketplace.settlement.money import Accounts, fee_of, split

ALICE, BOB = "0x" + "a1" * 20, "0x" + "b0" * 20
SHARES = st.lists(st.integers(1, 10_000), min_size=1, max_size=16).map(
    lambda cuts: [
        b - a for a, b in zip([0, *sorted(set(cuts) - {10_000})], [*sorted(set(cuts) - {10_000}), 10_000], strict=True)
    ]
)


@given(st.integers(0, 2**96 - 1), SHARES)
def test_parts_sum_exactly_and_are_within_one_of_their_quota(net: int, bps: list[int]) -> None:
    parts = split(net, bps)
    assert sum(parts) == net
    assert all(abs(part - Fraction(net * share, 10_000)) < 1 for part, share in zip(parts, bps, strict=True))


@given(st.integers(0, 2**96 - 1), SHARES)
def test_nobody_with_a_larger_remainder_goes_without_the_fen_that_a_smaller_one_got(net: int, bps: list[int]) -> None:
    extra = [part - net * share // 10_000 for part, share in zip(split(net, bps), bps, strict=True)]
    ranked = sorted(range(len(bps)), key=lambda i: (-(net * bps[i] % 10_000), i))
    assert [extra[i] for i in ranked] == sorted(extra, reverse=True)


@pytest.mark.parametrize(
    ("net", "bps", "parts"),
    [
        (293, [9000, 1000], [264, 29]),
        (100, [3333, 3333, 3334], [33, 33, 34]),
        (2, [2500, 2500, 2500, 2500], [1, 1, 0, 0]),
        (0, [10_000], [0]),
        (1, [1, 9999], [0, 1]),
    ],
)
def test_known_splits(net: int, bps: list[int], parts: list[int]) -> None:
    assert split(net, bps) == parts


@given(st.integers(0, 2**96 - 1), st.integers(0, 10_000))
def test_the_fee_is_rounded_down(amount: int, fee_bps: int) -> None:
    assert 0 <= Fraction(amount * fee_bps, 10_000) - fee_of(amount, fee_bps) < 1


def test_money_moves_through_escrow_and_is_conserved() -> None:
    accounts = Accounts(escrow="0x" + "e5" * 20)
    accounts.mint(ALICE, 100)
    accounts.take_into_escrow(ALICE, 60)
    accounts.pay_from_escrow(BOB, 25)
    assert [accounts.balance(account) for account in (ALICE, accounts.escrow, BOB)] == [40, 35, 25]
    assert accounts.issued == 100


def test_nobody_gives_what_they_do_not_have() -> None:
    accounts = Accounts(escrow="0x" + "e5" * 20)
    accounts.mint(ALICE, 100)
    with pytest.raises(RuleError) as caught:
        accounts.take_into_escrow(ALICE, 101)
    assert (caught.value.code, caught.value.expected, caught.value.got) == ("balance_insufficient", 101, 100)
    assert accounts.balance(ALICE) == 100
