"""Step 7, of clearing: what the exchange confirmed is what the positions of the batch give."""

from collections import defaultdict

from marketplace.auditor.findings import Report
from marketplace.auditor.readmodel.rows import Tables
from marketplace.clearing.rules import payouts_digest
from marketplace.types import ZERO_ADDRESS, BatchStatus


def check_batches(tables: Tables, report: Report) -> None:
    """Compute the digest of who is paid what again, for every batch that the exchange confirmed.

    Args:
        tables: the rows that step 5 derived; positions no longer change once a batch is confirmed.
    """
    payouts: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for row in tables.rows["clearing_positions"].values():
        payouts[row["batchId"]][row["party"]] = row["credit"] + row["collected"] - row["debit"]
    for batch in tables.rows["clearing_batches"].values():
        if batch["status"] >= BatchStatus.CONFIRMED and batch["confirmedBy"] != ZERO_ADDRESS:
            report.count("batches confirmed")
            expected = payouts_digest(payouts[batch["batchId"]])
            report.same("clearing_payouts", batch["batchId"], expected, batch["payoutsDigest"])
