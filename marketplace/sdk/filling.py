"""Filling a batch: every order of a seller that is ready, in requests of many; run again after any interruption."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from marketplace.documents import Document
from marketplace.errors import InvalidInputError, NotFoundError, RuleError, VerificationError
from marketplace.participants.keybook import KeyBook
from marketplace.sdk import clearing, settlement
from marketplace.sdk.clearing import Report
from marketplace.sdk.client import Client
from marketplace.sdk.keyproofs import book_of

PAGE = 200  # orders that are listed at once
TOGETHER = 50  # orders that one request ends: the service takes 100, and others want their turn
LOOK_SECONDS = 1.0
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
        NotFoundError: `batch_unknown`.
    """
    legs = clearing.get(client, batch)["legs"]
    found = _listed(client, batch)
    work = _Work(client, batch, own, [row for row in found if row["voucher"] is not None])
    for first in range(0, len(work.todo), TOGETHER):
        work.send(work.todo[first : first + TOGETHER])
        report("queue", len(work.queued) + len(work.refused), len(work.ready))
    _wait(client, batch, work, lambda now: report("enter", min(now - legs, len(work.queued)), len(work.queued)))
    refused = [*work.refused, *_left(client, batch, work)]
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


def _listed(client: Client, batch: str) -> list[Row]:
    return client.pages(f"/clearing/batches/{batch}/orders", limit=PAGE)


def _wait(client: Client, batch: str, work: _Work, tell: Callable[[int], None]) -> None:
    """Until the ledger has decided about the last that was queued: it takes them in the order of the queue."""
    for last in list(work.queued.values())[-1:]:
        while client.get(f"/intents/{last}", wait=LOOK_SECONDS)["status"] not in ("mined", "refused"):
            tell(clearing.get(client, batch)["legs"])
    tell(clearing.get(client, batch)["legs"])


def _left(client: Client, batch: str, work: _Work) -> list[Row]:
    """Orders that were queued and are open nevertheless, with the ledger's refusal."""
    open_ = {row["order"] for row in _listed(client, batch)} if work.queued else set()
    left = []
    for order, digest in work.queued.items():
        if order in open_:
            left.append({"order": order, "refusal": _refusal(client, digest)})
    return left


def _refusal(client: Client, digest: str) -> Row:
    try:
        client.wait_for_intent(digest)
    except (RuleError, NotFoundError) as error:
        return error.as_dict()
    return {"code": "order_open", "message": "the order is open although its end is on the ledger"}
