"""Clearing: batches that net many orders and debts into one movement for each party."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from crypto.canonical import sha256, to_hex
from marketplace.clearing.rules import payouts_digest
from marketplace.currencies import CNY, currency_of
from marketplace.documents import money_of
from marketplace.documents.ids import batch_id, debt_id
from marketplace.errors import RuleError
from marketplace.quantities import moment
from marketplace.sdk.checks import expect
from marketplace.sdk.client import Client
from marketplace.types import BatchStatus
from marketplace.words import Words

PAUSE_SECONDS = 0.2
CLOSE_IN_SECONDS = 7 * 86_400
DELAY_SECONDS = 5  # until the closing itself is on the ledger
Report = Callable[[str, int, int], None]  # stage, done, total


def open_batch(
    client: Client, number: int, *, close_in: int = CLOSE_IN_SECONDS, currency: str = CNY.code
) -> dict[str, Any]:
    """Open a batch, as the exchange.

    Args:
        number: below 2^48; one that this exchange has not used.
        close_in: seconds from now, at most thirty days; after that time anyone may close the batch.
        currency: ISO 4217 code; all that enters is in it.
    Returns:
        the intent's outcome with "batch", the batch's id.
    """
    name = batch_id(client.address, number)
    message = {"batchId": name, "exchange": client.address, "number": number}
    message |= {"currency": currency_of(currency).number}
    message |= {"closeBy": client.now() + close_in, "deadline": client.deadline()}
    outcome = client.submit("/clearing/batches", {"open": message, "signature": client.sign("OpenBatch", message)})
    return {**outcome, "batch": name}


def owe(client: Client, batch: str, creditor: str, amount: int, reference: str) -> dict[str, Any]:
    """Enter a debt of one's own.

    Args:
        amount: minor units of the batch's currency.
        reference: what the debt is for, e.g. an invoice number; the same debt cannot enter twice.
    Returns:
        the intent's outcome with "debt", the debt's id.
    """
    ref = to_hex(sha256(reference.encode()))
    name = debt_id(client.address, creditor, ref)
    message = {"debtId": name, "batchId": batch, "debtor": client.address, "creditor": creditor, "amount": amount}
    message |= {"currency": money_of(get(client, batch)).number, "ref": ref, "deadline": client.deadline()}
    outcome = client.submit("/clearing/debts", {"owe": message, "signature": client.sign("Owe", message)})
    return {**outcome, "debt": name}


def close_batch(client: Client, batch: str, pay_in: int) -> dict[str, Any]:
    """Close a batch to further legs, as the exchange.

    Args:
        pay_in: seconds from now; after that time debts that cannot be paid are dropped.
    """
    found = get(client, batch)
    pay_by = max(client.now(), found["ledgerTime"]) + DELAY_SECONDS + pay_in
    message = {"batchId": batch, "legs": found["legs"], "payBy": pay_by, "exchange": client.address}
    message |= {"deadline": client.deadline()}
    return client.submit("/clearing/closings", {"close": message, "signature": client.sign("CloseBatch", message)})


def confirm_batch(client: Client, batch: str) -> dict[str, Any]:
    """Confirm who is paid what, as the exchange; the payouts are computed here from all positions.

    Raises:
        VerificationError: `payouts_differ`: the service states another digest than its own positions give.
    """
    payouts = {row["party"]: row["credit"] + row["collected"] - row["debit"] for row in positions(client, batch)}
    digest = payouts_digest(payouts)
    expect(get(client, batch)["payouts"], digest, "payouts_differ", "clearing.payouts_follow_from_positions")
    message = {"batchId": batch, "payoutsDigest": digest, "exchange": client.address, "deadline": client.deadline()}
    body = {"confirm": message, "signature": client.sign("ConfirmBatch", message)}
    return client.submit("/clearing/confirmations", body)


def get(client: Client, batch: str) -> dict[str, Any]:
    """A batch, with "parties", "uncovered" and "unpaid" as counts."""
    found: dict[str, Any] = client.get(f"/clearing/batches/{batch}")
    return found


def positions(client: Client, batch: str) -> list[dict[str, Any]]:
    """The positions that one may see: one's own; all for the exchange, registrars and auditors."""
    return client.pages(f"/clearing/batches/{batch}/positions")


def debts(client: Client, batch: str) -> list[dict[str, Any]]:
    """The debts that one may see."""
    return client.pages(f"/clearing/batches/{batch}/debts")


def run(client: Client, batch: str, *, pay_in: int = 0, report: Report = lambda *_: None) -> dict[str, Any]:
    """Bring a batch to its end, as the exchange, from wherever it stands: close, net, confirm, settle.

    Whatever this was interrupted at, running it again goes on from what the ledger says.

    Args:
        pay_in: time for debtors to pay in after the closing, seconds.
        report: told how far each stage is.
    Returns:
        the batch.
    Raises:
        RuleError: `clearing_waits`: parties that have not enough may still pay in; run it again after `payBy`.
    """
    found = get(client, batch)
    if found["status"] == BatchStatus.OPEN:
        close_batch(client, batch, pay_in)
        found = get(client, batch)
    while found["status"] == BatchStatus.CLOSED:
        report("net", found["parties"] - found["uncovered"], found["parties"])
        if found["uncovered"] == 0:
            confirm_batch(client, batch)
        else:
            _advance(client, batch, found)
        found = get(client, batch)
    while found["status"] == BatchStatus.CONFIRMED:
        report("pay", found["parties"] - found["unpaid"], found["parties"])
        _advance(client, batch, found)
        found = get(client, batch)
    report("pay", found["parties"], found["parties"])
    return found


def finish(client: Client, batch: str, *, report: Report = lambda *_: None) -> dict[str, Any]:
    """Bring a batch of an exchange that is silent as far as it can go now, as anybody: close, net, confirm, settle.

    Returns:
        the batch.
    Raises:
        RuleError: `clearing_not_overdue`: the exchange's time is not over; `clearing_waits`: debtors may still pay in;
        run it again after `payBy`.
    """
    found = get(client, batch)
    while found["status"] != BatchStatus.SETTLED:
        if found["status"] == BatchStatus.CONFIRMED:
            report("pay", found["parties"] - found["unpaid"], found["parties"])
        else:
            report("net", found["parties"] - found["uncovered"], found["parties"])
        _advance(client, batch, found, overdue=True)
        found = get(client, batch)
    report("pay", found["parties"], found["parties"])
    return found


def _advance(client: Client, batch: str, found: Mapping[str, Any], *, overdue: bool = False) -> None:
    """Have what is due queued, and wait for the last of it: the ledger takes acts in the order of the queue."""
    path, body = ("/clearing/overdue", {"batch": batch}) if overdue else (f"/clearing/batches/{batch}/advance", {})
    step = client.post(path, body, repeatable=True)
    if not step["waiting"] and step["status"] == found["status"]:
        raise _waits(batch, found)
    for digest in step["waiting"][-1:]:
        try:
            client.wait_for_intent(digest)
        except RuleError:
            # Another act was first, e.g. money came in between: what to do instead follows from the ledger.
            time.sleep(PAUSE_SECONDS)


def _waits(batch: str, found: Mapping[str, Any]) -> RuleError:
    until = moment(found["payBy"])
    return RuleError(
        "clearing_waits",
        f"{found['uncovered']} parties of batch {batch} have not enough, and may pay in until {until}",
        zh=f"批次 {batch} 有 {found['uncovered']} 个参与方余额不足，可在 {until} 前入金",
        rule="clearing.drop_after_the_time_to_pay_in",
        expected=Words(f"money of all, or the time after {until}", f"全部参与方入金，或 {until} 之后"),
        got=Words(f"{found['uncovered']} parties without enough", f"{found['uncovered']} 个参与方余额不足"),
        hint="they pay in at the bank; run the batch again after that time",
        hint_zh="请参与方向银行充值；期限届满后再次运行该批次",
    )
