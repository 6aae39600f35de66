"""From facts to messages, and from a message to its end; over rows alone."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from crypto.at_rest import AtRest
from marketplace import artifacts
from marketplace.agreements.tables import Agreement
from marketplace.clearing.tables import ClearedOrder, ClearingDebt, ClearingPosition
from marketplace.evidence import log
from marketplace.evidence.inbox.notices import tell
from marketplace.intents import CONTRACTS
from marketplace.ledger.tables import LedgerBlock, LedgerEvent
from marketplace.lineage.tables import LineageDeclaration, LineageInput
from marketplace.listings.tables import Listing
from marketplace.orders.tables import Order
from marketplace.participants.tables import IdentityLink, Participant
from marketplace.registrations.tables import RegistrationCase
from marketplace.rights.tables import Asset, Share, ShareEncumbrance, Title
from marketplace.storage.engine import make_engine, session
from marketplace.storage.migrate import upgrade
from marketplace.types import ZERO_ADDRESS, Act, ParticipantStatus, TitleKind, TitleMark
from marketplace.webhooks import rules, service
from marketplace.webhooks.service import outbox
from marketplace.webhooks.service.facts import IN_BATCH, OWNERS, ledger_facts
from marketplace.webhooks.service.outbox import Outcome, Parcel
from marketplace.webhooks.tables import WebhookEndpoint, WebhookMessage

NOW, DAY = 1_800_000_000, 86_400
CIPHER = AtRest(bytes(range(32)), b"test")
BUYER, SELLER, HOLDER, SHARER, OTHER, PLEDGEE, MAKER = ("0x" + f"{number:02x}" * 20 for number in range(1, 8))
ASSET, LISTING, ORDER, CASE, AGREEMENT, DEBT, BATCH = ("0x" + f"{number:02x}" * 32 for number in range(0xA, 0x11))
PRODUCT = "0x" + "a1" * 32
PATIENCE = {"first_pause": 5, "give_up": DAY}


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = make_engine(f"sqlite:///{tmp_path / 'a.db'}")
    upgrade(made)
    with session(made) as opened:
        _market(opened)
    yield made
    made.dispose()


def _market(opened: Session) -> None:
    opened.add(LedgerBlock(number=1, timestamp=NOW))
    terms: dict[str, Any] = {"terms_digest": "", "price": 1, "valid_until": NOW, "status": 1, "version": 1}
    terms |= {"title_id": "", "purposes": 1, "fields": "", "territories": 1}
    opened.add(Listing(listing_id=LISTING, asset_id=ASSET, seller=SELLER, currency="CNY", **terms))
    money: dict[str, Any] = {
        "escrow": 1,
        "epsilon_cap": 1,
        "valid_until": NOW,
        "agreement_digest": "",
        "agreement_id": "",
        "status": 1,
        "calls_root": "",
    }
    opened.add(Order(order_id=ORDER, listing_id=LISTING, asset_id=ASSET, buyer=BUYER, currency="CNY", **money))
    zero: dict[str, Any] = dict.fromkeys(("level", "status", "valid_until", "version", "share_version"), 0)
    zero |= dict.fromkeys(("epsilon_budget", "epsilon_committed", "epsilon_released"), 0)
    names: dict[str, Any] = dict.fromkeys(
        ("manifest_digest", "ciphertext_root", "claim_digest", "certificate_digest"), ""
    )
    opened.add(Asset(asset_id=ASSET, holder=HOLDER, **zero, **names))
    for number, (holder, kind) in enumerate(((SELLER, TitleKind.OPERATE), (BUYER, TitleKind.USE))):
        rest: dict[str, Any] = dict.fromkeys(
            ("order_id", "parent", "fields", "terms_digest", "pledgee", "permitted"), ""
        )
        rest |= dict.fromkeys(("marks", "purposes", "territories", "valid_from", "valid_until", "moves", "version"), 0)
        rest |= {"parent": "0" if number else "", "pledgee": "" if number else PLEDGEE}
        rest["marks"] = 0 if number else int(TitleMark.PLEDGED)
        opened.add(Title(title_id=str(number), asset_id=ASSET, kind=int(kind), holder=holder, **rest))
    encumbered: dict[str, Any] = {"bps": 1, "debt_digest": "", "marks": 0, "version": 0}
    opened.add(ShareEncumbrance(asset_id=ASSET, holder=SHARER, pledgee=PLEDGEE, **encumbered))
    opened.add(LineageDeclaration(asset_id=PRODUCT, holder=MAKER, agreement_digest=""))
    opened.add(LineageInput(asset_id=PRODUCT, input_id=ASSET, place=0, title_id="", bps=1))
    opened.add(Share(asset_id=ASSET, holder=SHARER, bps=1))
    opened.add(_row(RegistrationCase, case_id=CASE, applicant=HOLDER, counterparty=ZERO_ADDRESS, objector=SHARER))
    opened.add(_row(Agreement, agreement_id=AGREEMENT, party_a=BUYER, party_b=SELLER))
    opened.add(_row(ClearingDebt, debt_id=DEBT, batch_id=BATCH, debtor=BUYER, creditor=SELLER))
    for party in (BUYER, SELLER):
        opened.add(_row(ClearingPosition, batch_id=BATCH, party=party))


def _row(table: Any, **known: str) -> Any:
    """A row of which only some columns matter."""
    rest = {name: "" if field.annotation is str else 0 for name, field in table.model_fields.items()}
    return table(**(rest | known))


def _event(opened: Session, index: int, contract: str, name: str, **args: object) -> None:
    place: dict[str, Any] = {"block": 1, "block_hash": "", "timestamp": NOW, "tx_hash": ""}
    opened.add(LedgerEvent(log_index=index, contract=contract, name=name, args=args, **place))
    opened.flush()


def _endpoint(opened: Session, owner: str, *types: str) -> str:
    name = f"we_{owner[2:26]}"
    secret = CIPHER.encrypt(rules.new_secret(), name.encode())
    opened.add(
        WebhookEndpoint(
            endpoint=name, owner=owner, url=f"https://{owner}", types=list(types), secret=secret, created_at=NOW
        )
    )
    opened.flush()
    return name


def _told(opened: Session, endpoint: str) -> list[str]:
    query = select(WebhookMessage).where(WebhookMessage.endpoint == endpoint).order_by(col(WebhookMessage.number))
    return [row.type for row in opened.exec(query)]


def _parcel(opened: Session, now: int = NOW) -> Parcel:
    (found,) = outbox.claim(opened, CIPHER, now, 8)
    return found


def test_an_endpoint_that_a_link_made_is_told_nothing_once_the_link_is_over(engine: Engine) -> None:
    identity = "0x" + "1d" * 32
    acts = int(Act.READ | Act.ADMINISTER)
    with session(engine) as opened:
        member = _row(Participant, account=BUYER)
        member.status = int(ParticipantStatus.ACTIVE)
        opened.add(member)
        link = _row(IdentityLink, identity=identity, account=BUYER, linked_by=BUYER)
        link.acts, link.valid_until = acts, NOW + DAY
        opened.add(link)
        name = _endpoint(opened, BUYER)
        row = opened.get_one(WebhookEndpoint, name)
        row.made_by = identity
        service.ping(opened, row, "https://exchange", NOW)
        assert outbox.is_due(opened, NOW)
        assert not outbox.is_due(opened, NOW + DAY), "the link ran out"
        link.acts = int(Act.READ)
        opened.flush()
        assert outbox.claim(opened, CIPHER, NOW, 8) == [], "nor may it register any now"
        _event(opened, 0, "SettlementToken", "Issued", account=BUYER, amount=1, bank=OTHER)
        outbox.hand_out(opened, "https://exchange", NOW)
        assert _told(opened, name) == [rules.PING]
        link.linked_at = 1  # made anew
        _event(opened, 1, "SettlementToken", "Issued", account=BUYER, amount=1, bank=OTHER)
        outbox.hand_out(opened, "https://exchange", NOW)
        opened.flush()
        assert opened.get(WebhookEndpoint, name) is None


CONCERNED = [
    ("Orders", "Settled", {"orderId": ORDER, "amount": 5}, {BUYER, SELLER}),
    ("Orders", "SharePaid", {"orderId": ORDER, "holder": SHARER, "amount": 5}, {BUYER, SELLER, SHARER}),
    ("Listings", "Delisted", {"listingId": LISTING, "version": 2}, {SELLER}),
    ("Rights", "BudgetCommitted", {"assetId": ASSET, "orderId": ORDER, "amount": 1}, {HOLDER, SELLER, BUYER}),
    ("Rights", "Confirmed", {"assetId": ASSET}, {HOLDER, SELLER}),
    ("Rights", "Marked", {"assetId": ASSET, "status": 3}, {HOLDER, SELLER, BUYER, SHARER, PLEDGEE, MAKER}),
    ("Rights", "TitleTransferred", {"titleId": "1", "from": OTHER, "to": BUYER}, {OTHER, BUYER}),
    ("SettlementToken", "Issued", {"account": BUYER, "amount": 1, "bank": OTHER}, {BUYER, OTHER}),
    (
        "Registrations",
        "Filed",
        {"filing": {"caseId": CASE, "applicant": HOLDER, "counterparty": OTHER}},
        {HOLDER, SHARER, OTHER},
    ),
    ("Registrations", "Acted", {"caseId": CASE, "assetId": "0x" + "99" * 32, "actor": OTHER}, {HOLDER, SHARER, OTHER}),
    ("Registrations", "Expired", {"caseId": CASE, "assetId": "0x" + "99" * 32}, {HOLDER, SHARER}),
    ("Titles", "TitleEnded", {"titleId": "0", "by": OTHER}, {SELLER, BUYER, OTHER, PLEDGEE}),
    ("Titles", "TitlePledged", {"titleId": "0", "pledgee": OTHER}, {SELLER, PLEDGEE, OTHER}),
    ("Rights", "ShareEncumbered", {"assetId": ASSET, "holder": SHARER}, {HOLDER, SELLER, SHARER, PLEDGEE}),
    ("Agreements", "AgreementRetired", {"agreementId": AGREEMENT}, {BUYER, SELLER}),
    ("Clearing", "Dropped", {"batchId": BATCH, "debtId": DEBT, "debtor": BUYER}, {BUYER, SELLER}),
    ("Clearing", "BatchClosed", {"batchId": BATCH, "payBy": 1, "exchange": OTHER}, {BUYER, SELLER, OTHER}),
    ("Clearing", "BatchSettled", {"batchId": BATCH}, {BUYER, SELLER}),
    ("Clearing", "Collected", {"batchId": BATCH, "party": BUYER, "amount": 5}, {BUYER}),
    ("Evidence", "Anchored", {"size": 1, "root": "0x" + "00" * 32}, set()),
]


@pytest.mark.parametrize(("contract", "name", "args", "parties"), CONCERNED, ids=[item[1] for item in CONCERNED])
def test_an_event_concerns_those_whom_its_arguments_name(
    engine: Engine, contract: str, name: str, args: dict[str, object], parties: set[str]
) -> None:
    with session(engine) as opened:
        _event(opened, 0, contract, name, **args)
        place, fact = next(ledger_facts(opened, (-1, -1), 10))
    assert (place, set(fact.parties), fact.at) == ((1, 0), parties, NOW)


def test_every_event_names_somebody() -> None:
    """An event whose arguments name nobody would be told to nobody, and nobody would notice."""
    for contract in CONTRACTS:
        for entry in artifacts.load(contract).entries("event"):
            names = [item for argument in entry["inputs"] for item in (argument, *argument.get("components", ()))]
            named = any(item["name"] in OWNERS or item["type"].startswith("address") for item in names)
            told = named or entry["name"] in IN_BATCH | rules.UNCONCERNED.keys() | {"Refused"}
            assert told, f"{contract}.{entry['name']}: say whom it concerns, in webhooks/service/facts.py"


def test_numbers_of_any_size_are_handed_out(engine: Engine) -> None:
    """The ledger takes larger ones than the service does; an event that cannot be told would hold back all."""
    with session(engine) as opened:
        endpoint = _endpoint(opened, BUYER)
        _event(opened, 0, "Keys", "KeyAdded", account=BUYER, limit=2**64 - 1)
        outbox.hand_out(opened, "https://x", NOW)
        assert _told(opened, endpoint) == ["keys.key_added"]


def test_every_fact_gives_every_endpoint_one_message_however_often_it_is_handed_out(engine: Engine) -> None:
    with session(engine) as opened:
        buyer, seller = _endpoint(opened, BUYER), _endpoint(opened, SELLER, "orders.settled", "query")
        other = _endpoint(opened, OTHER)
        _event(opened, 0, "Orders", "Funded", orderId=ORDER, buyer=BUYER)
        _event(opened, 1, "Orders", "Settled", orderId=ORDER, amount=5)
        log.append(opened, "query.released", NOW, order=ORDER, query="0x00")
        tell(opened, rules.APPLIED, (BUYER,), NOW, account=BUYER)
    with session(engine) as opened:
        assert outbox.has_news(opened)
        assert outbox.hand_out(opened, "https://market", NOW) == 5
    with session(engine) as opened:
        assert not outbox.has_news(opened)
        assert outbox.hand_out(opened, "https://market", NOW) == 0
        assert _told(opened, buyer) == [
            "orders.funded",
            "orders.settled",
            rules.TRADE_VOUCHER,
            "query.released",
            rules.APPLIED,
        ]
        assert _told(opened, seller) == ["orders.settled", "query.released"]
        assert _told(opened, other) == []
    with session(engine) as opened:
        _event(opened, 2, "Orders", "Refunded", orderId=ORDER, amount=5)
        outbox.hand_out(opened, "https://market", NOW)
        assert _told(opened, buyer)[-1] == "orders.refunded"
        body = json.loads(
            opened.exec(select(WebhookMessage.body).where(WebhookMessage.type == "orders.settled")).all()[0]
        )
    told = {"block": 1, "logIndex": 1, "intent": None}
    assert body["data"] == {"orderId": ORDER, "amount": 5, "currency": "CNY", "event": told}
    assert (body["specversion"], body["id"], body["source"]) == ("1.0", "ledger-1-1", "https://market")


def test_the_voucher_of_an_order_in_a_batch_is_there_when_the_batch_has_paid(engine: Engine) -> None:
    with session(engine) as opened:
        buyer = _endpoint(opened, BUYER, rules.TRADE_VOUCHER)
        opened.add(_row(ClearedOrder, order_id=ORDER, batch_id=BATCH))
        _event(opened, 0, "Orders", "Settled", orderId=ORDER, amount=5)
        _event(opened, 1, "Clearing", "BatchConfirmed", batchId=BATCH)
        outbox.hand_out(opened, "https://market", NOW)
        assert _told(opened, buyer) == []
        _event(opened, 2, "Clearing", "BatchSettled", batchId=BATCH)
        outbox.hand_out(opened, "https://market", NOW)
        assert _told(opened, buyer) == [rules.TRADE_VOUCHER]
        body = json.loads(opened.exec(select(WebhookMessage.body)).one())
    assert (body["id"], body["data"]["orderId"]) == ("trade-1-2-0", ORDER)


def test_handing_out_is_undone_with_its_cursor(engine: Engine) -> None:
    with session(engine) as opened:
        buyer = _endpoint(opened, BUYER)
        _event(opened, 0, "Orders", "Settled", orderId=ORDER)
    with Session(engine) as opened:
        outbox.hand_out(opened, "https://market", NOW)
        opened.rollback()
    with session(engine) as opened:
        assert outbox.hand_out(opened, "https://market", NOW) == 2
        assert _told(opened, buyer) == ["orders.settled", rules.TRADE_VOUCHER]


def _waiting(engine: Engine, count: int) -> str:
    with session(engine) as opened:
        name = _endpoint(opened, BUYER)
        for index in range(count):
            _event(opened, index, "Orders", "Challenged", orderId=ORDER, amount=index)
        outbox.hand_out(opened, "https://market", NOW)
    return name


def test_a_message_that_fails_holds_the_next_ones_back_and_is_tried_alone_after_a_growing_pause(engine: Engine) -> None:
    name = _waiting(engine, 3)
    with session(engine) as opened:
        first, second, third = (number for number, _, _ in _parcel(opened).messages)
        assert outbox.claim(opened, CIPHER, NOW, 8) == [], "nobody else is given what is being sent"
        outbox.settle(opened, name, [Outcome(first), Outcome(second, "answered 500")], NOW, **PATIENCE)
        assert not outbox.is_due(opened, NOW + 4)
        assert [number for number, _, _ in _parcel(opened, NOW + 5).messages] == [second]
        outbox.settle(opened, name, [Outcome(second, "answered 500")], NOW + 5, **PATIENCE)
        assert not outbox.is_due(opened, NOW + 14)
        assert [number for number, _, _ in _parcel(opened, NOW + 15).messages] == [second]
        outbox.settle(opened, name, [Outcome(second)], NOW + 15, **PATIENCE)
        assert [number for number, _, _ in _parcel(opened, NOW + 15).messages] == [third]


def test_patience_ends_and_a_replay_begins_it_anew(engine: Engine) -> None:
    name = _waiting(engine, 2)
    with session(engine) as opened:
        first, second = (number for number, _, _ in _parcel(opened).messages)
        outbox.settle(opened, name, [Outcome(first, "answered 500")], NOW + DAY, **PATIENCE)
        row = opened.get_one(WebhookEndpoint, name)
        assert opened.get_one(WebhookMessage, first).status == rules.DEAD
        assert [number for number, _, _ in _parcel(opened, NOW + DAY + 5).messages] == [second]
        outbox.settle(opened, name, [Outcome(second)], NOW + DAY + 5, **PATIENCE)
        assert not outbox.is_due(opened, NOW + 9 * DAY)
        assert service.replay(opened, row, since=None, message=None, now=NOW + 9 * DAY) == 1
        assert [number for number, _, _ in _parcel(opened, NOW + 9 * DAY).messages] == [first]
        outbox.settle(opened, name, [Outcome(first, "answered 500")], NOW + 9 * DAY, **PATIENCE)
        assert opened.get_one(WebhookMessage, first).status == rules.PENDING
        assert service.replay(opened, row, since=0, message=None, now=NOW) == 1, "what waits is not sent twice"


def test_a_sender_that_comes_back_late_undoes_nothing(engine: Engine) -> None:
    """Its claim ran out while it waited for a resolver, and another delivered the message meanwhile."""
    with session(engine) as opened:
        name = _endpoint(opened, BUYER)
        service.ping(opened, opened.get_one(WebhookEndpoint, name), "https://exchange", NOW)
        (number, _, _) = _parcel(opened).messages[0]
        outbox.settle(opened, name, [Outcome(number)], NOW, **PATIENCE)
        outbox.settle(opened, name, [Outcome(number, "no answer")], NOW + DAY, **PATIENCE)
        message, endpoint = opened.get_one(WebhookMessage, number), opened.get_one(WebhookEndpoint, name)
        assert (message.status, message.problem, message.attempts) == (rules.DELIVERED, "", 1)
        assert (endpoint.failures, endpoint.due_at) == (0, 0)


def test_who_answers_gone_is_told_nothing_more(engine: Engine) -> None:
    name = _waiting(engine, 2)
    with session(engine) as opened:
        first = _parcel(opened).messages[0][0]
        outbox.settle(opened, name, [Outcome(first, "answered 410", gone=True)], NOW, **PATIENCE)
        assert not outbox.is_due(opened, NOW + DAY)
        _event(opened, 9, "Orders", "Refunded", orderId=ORDER)
        outbox.hand_out(opened, "https://market", NOW)
        assert len(_told(opened, name)) == 2


def test_a_secret_of_another_key_signs_nothing(engine: Engine) -> None:
    _waiting(engine, 1)
    with session(engine) as opened:
        (parcel,) = outbox.claim(opened, AtRest(bytes(32), b"test"), NOW, 8)
    assert parcel.secrets == ()


def test_only_what_was_delivered_long_ago_is_forgotten(engine: Engine) -> None:
    name = _waiting(engine, 3)
    with session(engine) as opened:
        first, second, _ = (number for number, _, _ in _parcel(opened).messages)
        outbox.settle(opened, name, [Outcome(first), Outcome(second, "no")], NOW, **PATIENCE)
        assert outbox.sweep(opened, NOW) == 0
        assert outbox.sweep(opened, NOW + 1) == 1
        assert len(_told(opened, name)) == 2
