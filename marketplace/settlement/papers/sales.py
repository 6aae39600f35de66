"""Invoices and trade vouchers (交易凭证) of settled orders.

A trade voucher proves one trade: contract facts, contract assessment, delivery record, payment record, a unique id. An
invoice is a seller's, to one buyer, for a month of China: a line for each order that was settled in it. Money is in
minor units of the paper's currency.
An order in a clearing batch is settled before money moves: `settledAt` is when the ledger settled it, `paidAt` when the
last party of its batch was paid; in an invoice it is null until then, and a trade voucher is made of paid orders alone.
`gross` is what the order was settled with, tax included; `prepaid` = `gross` + `refund`, `gross` = `fee` + `net`,
exactly, as the ledger has it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marketplace.api.metering import meter_of
from marketplace.api.rules import API, is_api
from marketplace.currencies import CNY
from marketplace.documents import Document, digest, iso_time
from marketplace.documents.identifiers import Kind, identifier
from marketplace.documents.ids import trade_id
from marketplace.errors import RuleError
from marketplace.pricing import Usage, plan_of, price_fits, rulebook
from marketplace.pricing.billing import LINES, Bill, bill
from marketplace.settlement.money import WHOLE_BPS

Row = Mapping[str, Any]
SUMS = ("prepaid", "refund", "gross", "fee", "net", "tax")
QUERY = "SEALED_QUERY"
DIFFERENCE = ("difference", "settled otherwise than the plan asks", "与价格方案不一致的结算差额")


@dataclass(frozen=True)
class Sale:
    """A settled order.

    Args:
        order, listing: their rows in public form.
        terms: those that the order is billed by. agreement: the buyer's acceptance of the listing's.
        shares: (asset through which it is due, holder, amount) in the order in which they were paid.
        settled_at: unix seconds. batch: the clearing batch that pays it, or None.
        paid_at: unix seconds; what a batch pays is paid when the batch is settled, so None until then.
        calls: as `calls_of` says.
        records: of an order of calls, the call records that its voucher covers.
        delivered: of an order of a file, its delivery's row in public form; None where none was asked for.
    """

    order: Row
    listing: Row
    terms: Document
    agreement: Document
    shares: Sequence[tuple[str, str, int]]
    settled_at: int
    paid_at: int | None
    batch: str | None
    calls: int
    records: Sequence[Row] = ()
    delivered: Row | None = None

    @property
    def place(self) -> tuple[int, int]:
        """Block and log index of the settlement."""
        return self.order["event"]["block"], self.order["event"]["logIndex"]


def calls_of(order: Row, terms: Document, voucher: Row | None) -> int:
    """How many calls or questions of an order were paid: those of its last voucher in the log, never more than it was
    settled with. The number on the ledger alone is what a buyer wrote, if it claimed the order alone.

    Args:
        voucher: the last that the log has, or None.
    """
    if _mode(terms) not in (QUERY, API):
        return int(order["calls"])
    return min(int(order["calls"]), int(voucher["calls"]) if voucher else 0)


def make_trade_voucher(sale: Sale) -> Document:
    """The trade voucher of a settled and paid order."""
    order = sale.order
    subject = trade_id(order["orderId"])
    return {
        "type": "trade_voucher",
        "version": 1,
        "voucher": subject,
        "identifier": str(identifier(Kind.TRADE, subject)),
        "contract": _contract(sale),
        "assessment": {
            "priceIsThePlans": price_fits(sale.terms),
            "purposeIsPermitted": sale.agreement["purpose"] in sale.terms["purposes"],
            "withinEscrow": order["amount"] <= order["escrow"],
            "withinBudget": order["epsilon"] <= order["epsilonCap"],
            "rulebook": plan_of(sale.terms)["rulebook"],
        },
        "delivery": _delivery(sale),
        "payment": {
            "currency": order["currency"],
            **_amounts(sale),
            "shares": [dict(zip(("asset", "holder", "amount"), share, strict=True)) for share in sale.shares],
            "settledAt": iso_time(sale.settled_at),
            "paidAt": _paid_at(sale),
            "event": dict(order["event"]),
            "batch": sale.batch,
        },
    }


def make_invoice(seller: str, buyer: str, period: str, sales: Iterable[Sale], currency: str = CNY.code) -> Document:
    """The invoice of `seller` to `buyer`.

    Args:
        period: a month, e.g. "2026-11".
        sales: theirs that were settled in that month.
        currency: ISO 4217 code; sales in another are not in this invoice.
    """
    lines = [_line(sale) for sale in sorted(sales, key=lambda sale: sale.place) if sale.order["currency"] == currency]
    totals = {name: sum(line[name] for line in lines) for name in SUMS}
    head = {"type": "invoice", "version": 1, "seller": seller, "buyer": buyer, "period": period, "currency": currency}
    return {**head, "lines": lines, "totals": {"orders": len(lines), **totals}}


def _mode(terms: Document) -> str:
    """How an order is delivered; terms that do not say are of sealed questions."""
    return str(terms.get("delivery", {}).get("mode", QUERY))


def _delivery(sale: Sale) -> Document:
    """The delivery record: of a file the last note, what it named and when; else the calls that the voucher covers."""
    mode, last = _mode(sale.terms), sale.delivered
    if mode in (QUERY, API):
        figures = {name: sale.order[name] for name in ("callsRoot", "epsilon")}
        return {"mode": mode, "calls": sale.calls, **figures}
    if last is None or not last["rounds"]:
        return {"mode": mode, "rounds": 0}
    names = ("rounds", "noteHash", "ciphertextDigest", "fingerprintId")
    figures = {name: last[name] for name in names}
    return {"mode": mode, **figures, "deliveredAt": iso_time(last["deliveredAt"])}


def _contract(sale: Sale) -> Document:
    order, listing, plan = sale.order, sale.listing, plan_of(sale.terms)
    return {
        "order": order["orderId"],
        "listing": order["listingId"],
        "asset": order["assetId"],
        "seller": listing["seller"],
        "buyer": order["buyer"],
        "termsDigest": listing["termsDigest"],
        "acceptanceDigest": order["agreementDigest"],
        "agreement": order["agreementId"],
        "purpose": sale.agreement["purpose"],
        "region": sale.agreement["region"],
        "plan": {"mode": plan["mode"], "digest": digest(plan)},
    }


def _line(sale: Sale) -> Document:
    order, plan = sale.order, plan_of(sale.terms)
    return {
        "order": order["orderId"],
        "identifier": str(identifier(Kind.ORDER, order["orderId"])),
        "listing": order["listingId"],
        "settledAt": iso_time(sale.settled_at),
        "paidAt": _paid_at(sale),
        "event": dict(order["event"]),
        "plan": {"mode": plan["mode"], "digest": digest(plan)},
        "bill": _bill(sale),
        **_amounts(sale),
        "batch": sale.batch,
    }


def _paid_at(sale: Sale) -> str | None:
    return None if sale.paid_at is None else iso_time(sale.paid_at)


def _amounts(sale: Sale) -> Document:
    order, book = sale.order, plan_of(sale.terms)["rulebook"]
    bps = rulebook.load(book)["tax"]["bps"]
    gross = order["amount"]
    return {
        "prepaid": order["escrow"],
        "refund": order["refund"],
        "gross": gross,
        "fee": order["fee"],
        "net": gross - order["fee"],
        "tax": gross * bps // (WHOLE_BPS + bps),
        "taxBps": bps,
        "rulebook": book,
    }


def _found(sale: Sale) -> Bill:
    """By calls for sealed questions, by their records for calls; files are paid once, whole."""
    purpose = sale.agreement["purpose"]
    if is_api(sale.terms):
        return meter_of(sale.terms, sale.records).bill(sale.terms, purpose)
    calls = sale.calls if _mode(sale.terms) == QUERY else int(sale.order["amount"] > 0)
    return bill(plan_of(sale.terms), Usage(calls=calls), purpose)


def _bill(sale: Sale) -> list[Document]:
    """What the plan asks for the answered calls; the lines sum to what was settled, and say if that differs."""
    gross = sale.order["amount"]
    try:
        found = _found(sale)
        lines = [(line.code, line.units, line.unit_price, line.amount) for line in found.lines]
    except RuleError:
        lines = []
    words = LINES | {DIFFERENCE[0]: DIFFERENCE[1:]}
    rest = gross - sum(amount for *_, amount in lines)
    lines += [(DIFFERENCE[0], 1, rest, rest)] if rest else []
    return [
        {"code": code, "en": words[code][0], "zh": words[code][1], "units": units, "unitPrice": price, "amount": amount}
        for code, units, price, amount in lines
    ]
