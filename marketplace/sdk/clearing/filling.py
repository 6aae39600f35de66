"""Filling a batch: every order of a seller that is ready, in requests of many; run again after any interruption."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from marketplace.documents import Document
from marketplace.errors import InvalidInputError, RuleError, VerificationError
from marketplace.participants.keybook import KeyBook
from marketplace.sdk import clearing, settlement
from marketplace.sdk.clearing import Report
from marketplace.sdk.client import Client
from marketplace.sdk.keyproofs import book_of

PAGE = 200  # orders that are listed at once
TOGETHER = 50  # orders that one request ends: the service takes 100, and others want their turn
Own = Callable[[str], Document | None]
Row = dict[str, Any]


def fill(client: Client, batch: str, *, own: Own = lambda _: None, report: Report = lambda *_: None) -> dict[str, Any]:
    """Settle every order that one sold and that has a voucher into an open batch, as its seller.

    Whatever this was interrupted at, running it again goes on from what the service and the ledger know.

    Args:
        own: the last voucher of an order in the seller's own vault or gateway, or None; see `settlement.close`.
        report: told how many orders were queued ("queue") and are in the batch ("enter"), of how many.
    Returns:
        "batch"; "entered": how many orders entered; "refused": [{"order", "refusal"}], the refusal as a plain error;
        "unanswered": how many have no voucher yet, and stay open.
    Raises:
        NotFoundError: `batch_unknown`. PortError: `intent_pending`: the ledger does not decide; run it again.
    """
    clearing.get(client, batch)  # or there would be no orders, and no word of it
    found = client.pages(f"/clearing/batches/{batch}/orders", limit=PAGE)
    work = _Work(client, batch, own, [row for row in found if row["voucher"] is not None])
    for first in range(0, len(work.todo), TOGETHER):
        work.send(work.todo[first : first + TOGETHER])
        report("queue", len(work.queued) + len(work.refused), len(work.ready))
    refused = [*work.refused, *_decided(work, report)]
    entered, unanswered = len(work.ready) - len(refused), len(found) - len(work.ready)
    return {"batch": batch, "entered": entered, "refused": refused, "unanswered": unanswered}


@dataclass
class _Work:
    """What is to do, and what became of it: `queued` by the order, the digest of its Clear."""

    client: Client
    batch: str
    own: Own
    ready: Sequence[Row]
    queued: dict[str, str] = field(default_factory=dict)
    refused: list[Row] = field(default_factory=list)
    todo: list[Row] = field(default_factory=list)
    _books: dict[str, KeyBook] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.todo = [row for row in self.ready if row["ending"] is None]
        self.queued = {row["order"]: row["ending"] for row in self.ready if row["ending"] is not None}

    def send(self, rows: Sequence[Row]) -> None:
        """Sign and send the ends of these orders."""
        bodies = [body for row in rows if (body := self._signed(row)) is not None]
        if not bodies:
            return
        told = self.client.post("/clearing/orders/many", {"orders": bodies}, repeatable=True)
        for item in told["items"]:
            if item["intent"] is None:
                self.refused.append({"order": item["order"], "refusal": item["refusal"]})
            else:
                self.queued[item["order"]] = item["intent"]

    def _signed(self, row: Row) -> Row | None:
        """A voucher that does not hold keeps its order out, and no other."""
        buyer = row["buyer"]
        try:
            if buyer not in self._books:
                self._books[buyer] = book_of(self.client, buyer)
            signs: dict[str, Any] = {"own": self.own(row["order"]), "book": self._books[buyer], "buyer": buyer}
            voucher = settlement.checked_voucher(self.client, row["voucher"], row["order"], **signs)
        except (RuleError, VerificationError, InvalidInputError) as error:
            self.refused.append({"order": row["order"], "refusal": error.as_dict()})
            return None
        return settlement.signed_end(self.client, *voucher, "Clear", batchId=self.batch)


def _decided(work: _Work, report: Report) -> list[Row]:
    """What the ledger refused of what was queued; it takes intents in the order of the queue.

    Raises:
        PortError: `intent_pending`: it does not decide; run again, nothing is lost.
    """
    refused = []
    for number, (order, digest) in enumerate(work.queued.items(), 1):
        try:
            work.client.wait_for_intent(digest)
        except RuleError as error:
            refused.append({"order": order, "refusal": error.as_dict()})
        report("enter", number - len(refused), len(work.queued))
    return refused
