"""An account's statement sums to the fen, month after month."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.errors import VerificationError
from marketplace.settlement.statements.account import Movement, bounds, check_statement, make_statement

ACCOUNT = "0x" + "aa" * 20
BEGIN, END = bounds("2026-11")
MOVEMENTS = st.lists(st.tuples(st.integers(BEGIN - 9**7, END + 9**7), st.integers(-(10**9), 10**9)), max_size=20).map(
    lambda items: [Movement(at, amount, "c", "", n, 0) for n, (at, amount) in enumerate(sorted(items))]
)


def test_months_are_those_of_china() -> None:
    assert bounds("2026-12") == (END, END + 31 * 86_400)
    assert END - BEGIN == 30 * 86_400
    assert BEGIN == 1_793_462_400  # 2026-10-31T16:00:00Z


@given(MOVEMENTS)
def test_a_statement_sums_and_begins_where_the_last_one_ended(movements: list[Movement]) -> None:
    statement = check_statement(make_statement(ACCOUNT, "2026-11", movements))
    within = [item.amount for item in movements if BEGIN <= item.at < END]
    assert [line["amount"] for line in statement["movements"]] == within
    assert statement["opening"] == sum(item.amount for item in movements if item.at < BEGIN)
    assert statement["closing"] == statement["opening"] + sum(within)
    assert make_statement(ACCOUNT, "2026-12", movements)["opening"] == statement["closing"]


@pytest.mark.parametrize("field", ["opening", "closing"])
def test_a_statement_that_does_not_sum_is_refused(field: str) -> None:
    statement = make_statement(ACCOUNT, "2026-11", [Movement(BEGIN, 5, "c", "", 1, 0)])
    with pytest.raises(VerificationError):
        check_statement({**statement, field: statement[field] + 1})
