"""Statements, invoices and trade vouchers: credentials that verify with the pinned log key, and whose sums hold."""

from collections.abc import Mapping
from typing import Any

from crypto.canonical import from_hex, load_canonical
from marketplace.currencies import CNY
from marketplace.documents import Document
from marketplace.sdk.checks import expect
from marketplace.sdk.client import Client
from marketplace.settlement.papers.credentials import paper_of
from marketplace.settlement.papers.sales import SUMS
from marketplace.settlement.statements.account import check_statement

CREDENTIAL = "application/vc"


def statement(client: Client, period: str, account: str | None = None, currency: str = CNY.code) -> Document:
    """The credential of an account's month in one currency; one's own by default.

    Args:
        period: "2026-11". currency: ISO 4217 code.
    Raises:
        VerificationError: `paper_invalid`, `paper_for_another`, `statement_does_not_sum`.
    """
    owner = account or client.address
    signed = _credential(client, f"/settlement/accounts/{owner}/statements/{period}", currency=currency)
    paper = content(client, signed)
    stated = (paper["type"], paper["account"], paper["period"], paper["currency"])
    _expect_asked(stated, ("account_statement", owner, period, currency))
    check_statement(paper)
    return signed


def invoice(client: Client, seller: str, buyer: str, period: str, currency: str = CNY.code) -> Document:
    """The credential of an invoice over the orders of one currency (ISO 4217 code); its totals are its lines' sums.

    Raises:
        VerificationError: `paper_invalid`, `paper_for_another`, `invoice_does_not_sum`.
    """
    signed = _credential(client, f"/settlement/invoices/{seller}/{buyer}/{period}", currency=currency)
    paper = content(client, signed)
    stated = (paper["type"], paper["seller"], paper["buyer"], paper["period"], paper["currency"])
    _expect_asked(stated, ("invoice", seller, buyer, period, currency))
    sums = {name: sum(line[name] for line in paper["lines"]) for name in SUMS}
    wanted = {"orders": len(paper["lines"]), **sums}
    expect(paper["totals"], wanted, "invoice_does_not_sum", "settlement.parts_sum_to_escrow")
    return signed


def trade_voucher(client: Client, order: str) -> Document:
    """The credential of a settled and paid order's trade voucher.

    Raises:
        RuleError: `trade_not_settled`, `trade_not_paid`.
        VerificationError: `paper_invalid`, `paper_for_another`, `voucher_does_not_sum`.
    """
    signed = _credential(client, f"/settlement/trade-vouchers/{order}")
    paper = content(client, signed)
    _expect_asked((paper["type"], paper["contract"]["order"]), ("trade_voucher", order))
    paid = paper["payment"]
    parts = paid["fee"] + paid["refund"] + sum(share["amount"] for share in paid["shares"])
    expect(parts, paid["prepaid"], "voucher_does_not_sum", "settlement.parts_sum_to_escrow")
    return signed


def content(client: Client, signed: Mapping[str, Any]) -> Document:
    """The paper in a credential of this exchange. Raises VerificationError `paper_invalid`."""
    return paper_of(signed, from_hex(client.profile.pin.log_key, 32), client.now())


def _credential(client: Client, path: str, **asked: str) -> Document:
    found: Document = load_canonical(client.get_as(path, CREDENTIAL, **asked))
    return found


def _expect_asked(stated: object, asked: object) -> None:
    expect(stated, asked, "paper_for_another", "settlement.paper_is_what_was_asked")
