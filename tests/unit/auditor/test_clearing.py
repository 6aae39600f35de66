"""What a ConfirmBatch says of who is paid what, and what the positions of the batch give."""

import pytest

from marketplace.auditor.findings import Report
from marketplace.auditor.ledger.clearing import check_batches
from marketplace.auditor.readmodel.rows import Tables
from marketplace.clearing.rules import payouts_digest
from marketplace.types import ZERO_ADDRESS, BatchStatus

BATCH, OTHER = "0x" + "b1" * 32, "0x" + "b2" * 32
ONE, TWO = "0x" + "01" * 20, "0x" + "02" * 20
POSITIONS = {ONE: (700, 0, 0), TWO: (100, 300, 200)}  # credit, debit, collected
TRUE = payouts_digest({ONE: 700, TWO: 0})


def found(confirmed: str, status: BatchStatus = BatchStatus.SETTLED, by: str = ONE) -> set[tuple[str, str]]:
    tables, report = Tables(), Report()
    for name, amounts in ((BATCH, POSITIONS), (OTHER, {ONE: (1, 0, 0)})):
        for party, (credit, debit, collected) in amounts.items():
            row = {"batchId": name, "party": party, "credit": credit, "debit": debit, "collected": collected}
            tables.rows["clearing_positions"][name, party] = row
    batch = {"batchId": BATCH, "status": status, "payoutsDigest": confirmed, "confirmedBy": by}
    tables.rows["clearing_batches"][BATCH,] = batch
    with report.step(7):
        check_batches(tables, report)
    return {(finding.code, finding.subject) for finding in report.findings}


def test_true_payouts_are_no_finding() -> None:
    assert found(TRUE) == set()


@pytest.mark.parametrize("payouts", [{ONE: 699, TWO: 1}, {ONE: 700}, {TWO: 700, ONE: 0}, {}])
def test_other_payouts_are_found(payouts: dict[str, int]) -> None:
    assert found(payouts_digest(payouts)) == {("clearing_payouts", BATCH)}


def test_a_batch_that_nobody_confirmed_says_nothing_yet() -> None:
    assert found("0x" + "00" * 32, BatchStatus.CLOSED) == set()


def test_only_the_exchange_may_leave_the_digest_out_by_being_silent() -> None:
    nothing = "0x" + "00" * 32
    assert found(nothing, by=ZERO_ADDRESS) == set()
    assert found(nothing, by=ONE) == {("clearing_payouts", BATCH)}
