"""From what happened to whom it concerns.

Facts come from three tables, whose rows are written in the transaction of the fact itself: events of the ledger (with
the read model's rows), leaves of the log, notices. An event names its parties by what its arguments are called:

| argument            | concerns                                              |
| ------------------- | ----------------------------------------------------- |
| any address         | that account                                          |
| orderId, order      | the order's buyer and its seller                      |
| listingId           | the listing's seller                                  |
| assetId             | who registered it, who holds it and who may list it   |
| inputId, inputs     | the same, of these inputs of a product                |
| titleId             | the title's holder, and to whom it is pledged         |
| caseId              | who applied, who receives and who objected            |
| agreementId         | both sides                                            |
| debtId              | who owes it and who is owed                           |
| query               | its buyer, the order's seller and the vault           |
| node                | that node of the panel                                |

Besides: `Marked` (suspension, revocation) concerns whoever has a share or a right to use, and who declared a product
made of it, at any depth; what ends, seizes or passes a title by force (FALLS) every holder of a title below it; what a
registrar orders about a share, to whom it is pledged; `Refused` whoever signed; and what becomes of a whole clearing
batch (IN_BATCH) everybody in it. When an order is paid, with `Settled` or with `BatchSettled` of its batch, both sides
are told that its trade voucher is there.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import tuple_
from sqlmodel import Session, col, select

from marketplace.agreements.tables import Agreement
from marketplace.clearing.tables import ClearedOrder, ClearingBatch, ClearingDebt, ClearingPosition
from marketplace.currencies import currency_at
from marketplace.documents import unix_seconds
from marketplace.evidence.tables import LogEntry, Notice
from marketplace.ledger.tables import LedgerEvent, LedgerIntent
from marketplace.lineage.tables import LineageDeclaration, LineageInput
from marketplace.listings.tables import Listing
from marketplace.orders.tables import Order
from marketplace.queries.tables import QueryRow
from marketplace.registrations.tables import RegistrationCase
from marketplace.rights.tables import Asset, Share, ShareEncumbrance, Title
from marketplace.types import ZERO_ADDRESS, TitleKind, TitleMark
from marketplace.webhooks.rules import TRADE_VOUCHER, UNCONCERNED, type_of

IN_BATCH = frozenset({"BatchClosed", "BatchConfirmed", "BatchSettled"})
FALLS = frozenset({"TitleEnded", "TitleEncumbered", "PledgeEnforced"})
_ADDRESS = 42
Place = tuple[int, int]
START: Place = (-1, -1)


@dataclass(frozen=True)
class Fact:
    """One thing that happened.

    Args:
        key: names it for ever; letters, digits and "-".
        type: one of `rules.known_types`.
        at: unix seconds.
        parties: addresses of those whom it concerns.
        data: what they are told.
    """

    key: str
    type: str
    at: int
    parties: frozenset[str]
    data: Mapping[str, Any]


def ledger_facts(session: Session, after: Place, limit: int) -> Iterator[tuple[Place, Fact]]:
    """Events of the ledger that come after a place."""
    place = (col(LedgerEvent.block), col(LedgerEvent.log_index))
    query = select(LedgerEvent).where(tuple_(*place) > after).order_by(*place).limit(limit)
    for event in session.exec(query).all():
        told = {"block": event.block, "logIndex": event.log_index, "intent": event.intent or None}
        at, spot, parties = event.timestamp, (event.block, event.log_index), _concerned(session, event)
        name = f"ledger-{event.block}-{event.log_index}"
        data = {**event.args, **_money(session, event), "event": told}
        yield spot, Fact(name, type_of(event.contract, event.name), at, parties, data)
        for number, order in enumerate(_paid(session, event)):
            key = f"trade-{event.block}-{event.log_index}" + (f"-{number}" if event.name == "BatchSettled" else "")
            yield (
                spot,
                Fact(key, TRADE_VOUCHER, at, frozenset(_of_order(session, order)), {"orderId": order, "event": told}),
            )


def _money(session: Session, event: LedgerEvent) -> dict[str, str]:
    """{"currency": ISO 4217 code} of whatever has sums in one: a token, an order, a listing, a clearing batch."""
    token, args = currency_at(event.contract), event.args
    if token is not None:
        return {"currency": token.code}
    found: Order | Listing | ClearingBatch | None = None
    if "orderId" in args:
        found = session.get(Order, args["orderId"])
    elif "listingId" in args:
        found = session.get(Listing, args["listingId"])
    elif "batchId" in args:
        found = session.get(ClearingBatch, args["batchId"])
    return {} if found is None else {"currency": found.currency}


def _paid(session: Session, event: LedgerEvent) -> list[str]:
    """The orders that an event paid, so that their trade vouchers are there: one that is settled in no batch, or all of
    a batch, which settled them before money moved."""
    if event.name == "BatchSettled":
        of_batch = select(ClearedOrder.order_id).where(ClearedOrder.batch_id == event.args["batchId"])
        return list(session.exec(of_batch.order_by(col(ClearedOrder.order_id))))
    waits = event.name != "Settled" or session.get(ClearedOrder, event.args["orderId"]) is not None
    return [] if waits else [event.args["orderId"]]


def log_facts(session: Session, after: Place, limit: int) -> Iterator[tuple[Place, Fact]]:
    """Leaves of the log that come after a place."""
    query = select(LogEntry).where(LogEntry.position > after[0]).order_by(col(LogEntry.position)).limit(limit)
    for row in session.exec(query).all():
        leaf = json.loads(row.leaf)
        kind, at = leaf.pop("type"), unix_seconds(leaf.pop("at"))
        fact = Fact(f"log-{row.position}", kind, at, named(session, leaf), {**leaf, "leaf": row.position})
        yield (row.position, 0), fact


def notice_facts(session: Session, after: Place, limit: int) -> Iterator[tuple[Place, Fact]]:
    """Notices that come after a place."""
    number = col(Notice.number)
    for row in session.exec(select(Notice).where(number > after[0]).order_by(number).limit(limit)).all():
        yield (
            (int(row.number or 0), 0),
            Fact(f"notice-{row.number}", row.kind, row.at, frozenset(row.parties), row.data),
        )


SOURCES: dict[str, Callable[[Session, Place, int], Iterator[tuple[Place, Fact]]]] = {
    "ledger": ledger_facts,
    "log": log_facts,
    "notices": notice_facts,
}


def _concerned(session: Session, event: LedgerEvent) -> frozenset[str]:
    if event.name in UNCONCERNED:
        return frozenset()
    found = set(named(session, event.args))
    if event.name == "Marked":
        found |= _entitled(session, event.args["assetId"]) | _made_of(session, event.args["assetId"])
    if event.name in FALLS:
        found |= _below(session, event.args["titleId"])
    if event.name == "ShareEncumbered":
        found |= _pledgee(session, event.args["assetId"], event.args["holder"])
    if event.name in IN_BATCH:
        found |= in_batch(session, event.args["batchId"])
    if event.name == "Refused":
        query = select(LedgerIntent.by).where(LedgerIntent.digest == event.intent)
        found |= set(session.exec(query).all())
    return frozenset(found)


def named(session: Session, args: Mapping[str, Any]) -> frozenset[str]:
    """Whom the arguments of an event, or the members of a leaf, name."""
    found = set(_addresses(args.values()))
    for name, value in args.items():
        if name in OWNERS and isinstance(value, str):
            found |= OWNERS[name](session, value)
        elif name == "inputs" and isinstance(value, list):
            found |= {party for asset in value for party in _of_asset(session, asset)}
        elif isinstance(value, Mapping):
            found |= named(session, value)
    return frozenset(found - {ZERO_ADDRESS})


def _addresses(values: Iterable[Any]) -> Iterator[str]:
    for value in values:
        if isinstance(value, str) and len(value) == _ADDRESS and value.startswith("0x"):
            yield value
        elif isinstance(value, list | tuple):
            yield from _addresses(value)


def _of_order(session: Session, order_id: str) -> set[str]:
    row = session.get(Order, order_id)
    return set() if row is None else {row.buyer} | _of_listing(session, row.listing_id)


def _of_listing(session: Session, listing_id: str) -> set[str]:
    row = session.get(Listing, listing_id)
    return set() if row is None else {row.seller}


def _of_asset(session: Session, asset_id: str) -> set[str]:
    row, kinds = session.get(Asset, asset_id), (int(TitleKind.HOLD), int(TitleKind.OPERATE))
    titles = select(Title.holder).where(Title.asset_id == asset_id, col(Title.kind).in_(kinds))
    return ({row.holder} if row else set()) | set(session.exec(titles).all())


def _of_title(session: Session, title_id: str) -> set[str]:
    row = session.get(Title, title_id)
    if row is None:
        return set()
    return {row.holder, row.pledgee} if row.marks & TitleMark.PLEDGED else {row.holder}


def _of_case(session: Session, case_id: str) -> set[str]:
    row = session.get(RegistrationCase, case_id)
    return set() if row is None else {row.applicant, row.counterparty, row.objector} - {""}


def _of_agreement(session: Session, agreement_id: str) -> set[str]:
    row = session.get(Agreement, agreement_id)
    return set() if row is None else {row.party_a, row.party_b}


def _of_debt(session: Session, debt_id: str) -> set[str]:
    row = session.get(ClearingDebt, debt_id)
    return set() if row is None else {row.debtor, row.creditor}


def _of_query(session: Session, query: str) -> set[str]:
    row = session.get(QueryRow, query)
    return set() if row is None else {row.buyer, row.release_key} | _of_order(session, row.order_id)


def _entitled(session: Session, asset_id: str) -> set[str]:
    """Whoever has a title to an asset or a share of its income, or a pledge of one."""
    titles = select(Title.holder).where(Title.asset_id == asset_id).distinct()
    shares = select(Share.holder).where(Share.asset_id == asset_id)
    pledges = select(ShareEncumbrance.pledgee).where(ShareEncumbrance.asset_id == asset_id, ShareEncumbrance.bps > 0)
    return {account for wanted in (titles, shares, pledges) for account in session.exec(wanted)}


def in_batch(session: Session, batch_id: str) -> set[str]:
    """Everybody who has a position in a clearing batch."""
    return set(session.exec(select(ClearingPosition.party).where(ClearingPosition.batch_id == batch_id)))


def _below(session: Session, title_id: str) -> set[str]:
    """Holders of all titles that were granted out of one, at any depth."""
    tree = select(Title.title_id, Title.holder).where(Title.parent == title_id).cte("tree", recursive=True)
    tree = tree.union_all(select(Title.title_id, Title.holder).where(Title.parent == tree.c.title_id))
    return set(session.execute(select(tree.c.holder).distinct()).scalars())


def _made_of(session: Session, asset_id: str) -> set[str]:
    """Who declared a product that is made of an asset, at any depth."""
    tree = select(LineageInput.asset_id).where(LineageInput.input_id == asset_id).cte("tree", recursive=True)
    tree = tree.union(select(LineageInput.asset_id).where(LineageInput.input_id == tree.c.asset_id))
    products = select(LineageDeclaration.holder).where(col(LineageDeclaration.asset_id).in_(select(tree.c.asset_id)))
    return set(session.exec(products))


def _pledgee(session: Session, asset_id: str, holder: str) -> set[str]:
    row = session.get(ShareEncumbrance, (asset_id, holder))
    return {row.pledgee} if row is not None and row.bps > 0 else set()


OWNERS: dict[str, Callable[[Session, str], set[str]]] = {
    "orderId": _of_order,
    "order": _of_order,
    "listingId": _of_listing,
    "assetId": _of_asset,
    "inputId": _of_asset,
    "titleId": _of_title,
    "caseId": _of_case,
    "agreementId": _of_agreement,
    "debtId": _of_debt,
    "query": _of_query,
}
