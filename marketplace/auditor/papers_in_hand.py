"""Whether a statement, an invoice or a trade voucher that somebody holds is the one that follows from the ledger.

The paper is built again, from the replayed rows and events and the bundle's documents, by the same pure functions that
the service uses, and compared to the last field. It is compared with the ledger at the bundle's last block.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crypto.canonical import canonical_json
from crypto.errors import CryptoError
from marketplace.auditor.documents.agreements import billed_by
from marketplace.auditor.documents.store import Documents
from marketplace.auditor.findings import Report
from marketplace.auditor.readmodel.rows import Placed, Row, Tables
from marketplace.currencies import currency_of
from marketplace.errors import MarketplaceError
from marketplace.settlement.papers.credentials import paper_of
from marketplace.settlement.papers.sales import Sale, calls_of, make_invoice, make_trade_voucher
from marketplace.settlement.statements.account import Movement, bounds, make_statement
from marketplace.settlement.statements.causes import UNKNOWN, amount_for, cause_of
from marketplace.types import BatchStatus, OrderStatus

MAX_PAPER = 4 << 20
_NOTHING = "(nothing)"


@dataclass(frozen=True)
class Paper:
    """What somebody holds.

    Args:
        name: of the file, for findings.
        value: parsed JSON: the paper, or the credential with it.
        now: unix seconds; a credential from later is refused.
    """

    name: str
    value: object
    now: int


class PapersInHand:
    """Builds papers again.

    Args:
        derived: the ledger's events by rule, in order.
        calls: the call records of an order, as the log names them. vouchers: the last voucher of an order, likewise.
        log_key: the exchange's key that signs papers, 32 bytes.
    """

    def __init__(
        self,
        tables: Tables,
        derived: Sequence[Placed],
        documents: Documents,
        log_key: bytes,
        report: Report,
        *,
        calls: Callable[[str], Sequence[Mapping[str, Any]]],
        vouchers: Callable[[str], Mapping[str, Any] | None],
    ) -> None:
        self._tables, self._rows = tables, tables.rows
        self._derived, self._documents = derived, documents
        self._calls, self._vouchers = calls, vouchers
        self._log_key, self._report = log_key, report
        self._times = {placed.block: placed.timestamp for placed in derived}

    def check(self, paper: Paper) -> None:
        """A finding unless the paper is signed by the exchange, where it is signed, and follows from the ledger."""
        stated = self._content(paper)
        if stated is None:
            return
        try:
            expected = self._expected(paper.name, stated)
        except _NotAPaperError as error:
            self._report.find("paper_malformed", paper.name, got=error)
        except _LackingError as error:
            self._report.find("paper_underivable", paper.name, expected=f"terms and acceptance of order {error}")
        except MarketplaceError as error:
            self._report.find("paper_underivable", paper.name, expected=error.expected, got=error.message)
        else:
            if expected is not None:
                self._compare(paper.name, expected, stated)

    def _content(self, paper: Paper) -> Row | None:
        value = paper.value
        try:
            canonical_json(value)
        except CryptoError as error:
            self._report.find("paper_malformed", paper.name, got=error)
            return None
        if isinstance(value, dict) and "credentialSubject" in value:
            try:
                paper_of(value, self._log_key, paper.now)
            except MarketplaceError as error:
                self._report.find("paper_signature", paper.name, expected=self._log_key, got=error.message)
            subject = value["credentialSubject"]
            value = subject.get("paper") if isinstance(subject, dict) else None
        else:
            self._report.note("paper_unsigned", name=paper.name)
        if not isinstance(value, dict):
            self._report.find("paper_malformed", paper.name, expected="an object")
            return None
        return value

    def _expected(self, name: str, stated: Row) -> Row | None:
        """The paper that follows, or None with a finding."""
        kind = stated.get("type")
        if kind == "trade_voucher":
            contract = stated.get("contract")
            order = _text(contract if isinstance(contract, dict) else {}, "order")
            holds = self._is_settled(name, "contract.order", order) and self._is_paid(name, order)
            return make_trade_voucher(self._sale(order)) if holds else None
        if kind == "invoice":
            seller, buyer, period = (_text(stated, field) for field in ("seller", "buyer", "period"))
            _month(period)
            for number, line in enumerate(stated["lines"] if isinstance(stated.get("lines"), list) else []):
                self._is_settled(name, f"lines[{number}].order", line.get("order") if isinstance(line, dict) else None)
            return make_invoice(seller, buyer, period, self._sales(seller, buyer, period), _money(stated))
        if kind == "account_statement":
            account, period = _text(stated, "account"), _text(stated, "period")
            _month(period)
            money = _money(stated)
            return make_statement(account, period, self._movements(account, money), money)
        raise _NotAPaperError(f"no paper has the type {kind!r}")

    def _is_settled(self, name: str, line: str, order: object) -> bool:
        row = self._rows["orders"].get((order,)) if isinstance(order, str) else None
        if row is not None and row["status"] == OrderStatus.SETTLED:
            return True
        got = f"{order}: {OrderStatus(row['status']).name if row else 'unknown'}"
        self._report.find("paper_of_unsettled_order", f"{name} {line}", expected=OrderStatus.SETTLED.name, got=got)
        return False

    def _is_paid(self, name: str, order: str) -> bool:
        """A batch settles its orders before money moves: whoever finances on a voucher must not read that as paid."""
        batch = self._batch(order)
        if batch is None or batch["status"] == BatchStatus.SETTLED:
            return True
        got = f"batch {batch['batchId']}: {BatchStatus(batch['status']).name}"
        self._report.find("paper_of_unpaid_order", f"{name} payment.paidAt", expected=BatchStatus.SETTLED.name, got=got)
        return False

    def _batch(self, order: str) -> Row | None:
        """The clearing batch that pays an order; None if it was paid at once."""
        cleared = self._rows["cleared_orders"].get((order,))
        return None if cleared is None else self._rows["clearing_batches"][cleared["batchId"],]

    def _paid_at(self, batch: Row | None, settled_at: int) -> int | None:
        """A settled order is paid at once, or when its batch is settled, which is the last event of a batch's life."""
        if batch is None:
            return settled_at
        return self._times[batch["event"]["block"]] if batch["status"] == BatchStatus.SETTLED else None

    def _sale(self, order: str) -> Sale:
        row = self._rows["orders"][order,]
        listing = self._rows["listings"][row["listingId"],]
        terms = self._documents.get(listing["termsDigest"], "terms", order)
        agreement = self._documents.get(row["agreementDigest"], "agreement", order)
        if terms is None or agreement is None:
            raise _LackingError(order)
        terms = self._billed_by(terms, agreement, order)
        paid = sorted(
            (share for share in self._rows["payouts"].values() if share["orderId"] == order),
            key=lambda share: int(share["event"]["logIndex"]),
        )
        shares = [(share["assetId"], share["holder"], share["amount"]) for share in paid]
        calls, settled_at = calls_of(row, terms, self._vouchers(order)), self._times[row["event"]["block"]]
        batch = self._batch(order)
        return Sale(
            *(row, listing, terms, agreement, shares),
            settled_at=settled_at,
            paid_at=self._paid_at(batch, settled_at),
            batch=batch["batchId"] if batch else None,
            calls=calls,
            records=self._calls(order)[:calls],
            delivered=self._rows["deliveries"].get((order,)),
        )

    def _billed_by(self, terms: Row, agreement: Row, order: str) -> Row:
        try:
            return billed_by(self._tables, self._documents, terms, agreement, order)
        except MarketplaceError:
            raise _LackingError(order) from None

    def _sales(self, seller: str, buyer: str, period: str) -> Iterator[Sale]:
        begin, end = bounds(period)
        for row in self._rows["orders"].values():
            parties = (self._rows["listings"][row["listingId"],]["seller"], row["buyer"])
            if row["status"] != OrderStatus.SETTLED or parties != (seller, buyer):
                continue
            if begin <= self._times[row["event"]["block"]] < end:
                yield self._sale(row["orderId"])

    def _movements(self, account: str, money: str) -> Iterator[Movement]:
        causes: dict[str | None, tuple[str, str]] = {}
        for placed in self._derived:
            event = placed.event
            cause = cause_of(event.contract, event.name, event.args)
            if placed.intent and cause:
                causes.setdefault(placed.intent, cause)
        for placed in self._derived:
            moves = placed.event.name == "Transfer" and placed.event.contract == currency_of(money).contract
            amount = amount_for(account, placed.event.args) if moves else 0
            if amount:
                cause = causes.get(placed.intent, UNKNOWN)
                yield Movement(placed.timestamp, amount, *cause, placed.block, placed.log_index)

    def _compare(self, name: str, expected: Row, stated: Row) -> None:
        different = first_difference(expected, stated)
        if different is not None:
            line, want, have = different
            self._report.find("paper_differs", f"{name} {line}", expected=want, got=have)


class _NotAPaperError(Exception):
    """What is in hand has not the shape of a paper."""


class _LackingError(Exception):
    """The documents of the order that is named are not in the bundle."""


def first_difference(expected: object, got: object, path: str = "") -> tuple[str, object, object] | None:
    """Path, expected and found value of the first place where two JSON values differ, in the order of `expected`."""
    if isinstance(expected, dict) and isinstance(got, dict):
        names = [*expected, *(name for name in got if name not in expected)]
        parts = [(f"{path}.{name}" if path else name, name in expected, name in got, name) for name in names]
    elif isinstance(expected, list) and isinstance(got, list):
        numbers = range(max(len(expected), len(got)))
        parts = [(f"{path}[{item}]", item < len(expected), item < len(got), item) for item in numbers]
    else:
        return None if type(expected) is type(got) and expected == got else (path, expected, got)
    return _first(expected, got, parts)


def _first(expected: Any, got: Any, parts: Sequence[tuple[str, bool, bool, Any]]) -> tuple[str, object, object] | None:
    for path, wanted, had, key in parts:
        if not (wanted and had):
            return path, expected[key] if wanted else _NOTHING, got[key] if had else _NOTHING
        found = first_difference(expected[key], got[key], path)
        if found is not None:
            return found
    return None


def _text(values: Row, name: str) -> str:
    value = values.get(name)
    if not isinstance(value, str):
        raise _NotAPaperError(f"{name} is not a text")
    return value


def _money(values: Row) -> str:
    """The currency that a paper states; what else it states is compared with what follows in that currency."""
    try:
        return currency_of(_text(values, "currency")).code
    except MarketplaceError as error:
        raise _NotAPaperError(error.message) from None


def _month(period: str) -> None:
    try:
        bounds(period)
    except MarketplaceError as error:
        raise _NotAPaperError(error.message) from None
