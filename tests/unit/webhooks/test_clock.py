"""What the clock brings: each time that is nearly over is told once, a day ahead, and each month's papers once."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, col, select

from marketplace.clearing.tables import ClearingBatch, ClearingPosition
from marketplace.deliveries.tables import Delivery
from marketplace.ledger.tables import LedgerBlock
from marketplace.listings.tables import Listing
from marketplace.orders.tables import Order, OrderClaim
from marketplace.settlement.statements.account import CHINA
from marketplace.settlement.tables import AccountMovement, Redemption
from marketplace.storage.engine import make_engine, session
from marketplace.storage.migrate import upgrade
from marketplace.types import BatchStatus, DeliveryStatus, OrderStatus, RedemptionStatus
from marketplace.webhooks import rules
from marketplace.webhooks.service import outbox
from marketplace.webhooks.tables import WebhookEndpoint, WebhookMessage

DAY = 86_400
NOW = int(datetime(2026, 11, 20, 12, tzinfo=CHINA).timestamp())
BUYER, SELLER, BANK, OTHER = ("0x" + f"{number:02x}" * 20 for number in range(1, 5))
ORDER, SHORT, LISTING, BATCH, REDEMPTION = ("0x" + f"{number:02x}" * 32 for number in range(0xA, 0xF))


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Session]:
    engine = make_engine(f"sqlite:///{tmp_path / 'a.db'}")
    upgrade(engine)
    with session(engine) as made:
        made.add(LedgerBlock(number=1, timestamp=NOW - 5 * DAY))
        made.add(LedgerBlock(number=2, timestamp=NOW - 60))
        made.add(_row(Listing, listing_id=LISTING, seller=SELLER))
        for account in (BUYER, SELLER, BANK, OTHER):
            kept: dict[str, Any] = {"types": [], "secret": b"", "created_at": NOW}
            made.add(WebhookEndpoint(endpoint=f"we_{account[2:26]}", owner=account, url=account, **kept))
        made.flush()
        yield made
    engine.dispose()


def _row(table: Any, **known: object) -> Any:
    rest = {name: "" if field.annotation is str else 0 for name, field in table.model_fields.items()}
    return table(**(rest | {"event_block": 1} | known))


def _order(opened: Session, order: str = ORDER, **known: object) -> None:
    opened.add(_row(Order, order_id=order, listing_id=LISTING, buyer=BUYER, currency="CNY", **known))


def _told(opened: Session) -> set[tuple[str, str]]:
    """(whose endpoint, kind) of all messages."""
    query = select(WebhookEndpoint.owner, WebhookMessage.type)
    query = query.join(WebhookMessage, col(WebhookMessage.endpoint) == WebhookEndpoint.endpoint)
    return set(opened.exec(query).all())


def _step(opened: Session, now: int = NOW) -> int:
    """How many facts of endings; months are told apart."""
    return outbox.hand_out_timed(opened, "https://market", now)


def test_every_time_that_ends_is_told_its_parties_once(opened: Session) -> None:
    until = NOW + DAY - 60
    _order(opened, status=OrderStatus.CLAIMED)
    opened.add(_row(OrderClaim, order_id=ORDER, until=until, amount=5))
    _order(opened, SHORT, status=OrderStatus.FUNDED, valid_until=until)
    opened.add(_row(Delivery, order_id=SHORT, buyer=BUYER, due_at=until, status=DeliveryStatus.INSPECTING))
    opened.add(
        _row(
            Redemption,
            redemption_id=REDEMPTION,
            account=OTHER,
            bank=BANK,
            pay_by=until,
            amount=7,
            status=RedemptionStatus.LOCKED,
        )
    )
    opened.add(_row(ClearingBatch, batch_id=BATCH, pay_by=until, status=BatchStatus.CLOSED))
    opened.add(_row(ClearingPosition, batch_id=BATCH, party=OTHER))
    opened.flush()
    assert _step(opened) == len(rules.REMINDERS)
    sides = {(account, kind) for account in (BUYER, SELLER) for kind in rules.REMINDERS[:3]}
    assert _told(opened) == sides | {
        (OTHER, rules.PAYOUT_ENDING),
        (BANK, rules.PAYOUT_ENDING),
        (OTHER, rules.PAY_IN_ENDING),
    }
    assert _step(opened, NOW + 60) == 0, "nothing is told twice"


def test_what_is_over_far_away_or_was_always_short_is_not_told_of(opened: Session) -> None:
    _order(opened, status=OrderStatus.FUNDED, valid_until=NOW + DAY + 60)
    _order(opened, SHORT, status=OrderStatus.FUNDED, valid_until=NOW + DAY - 120, event_block=2)
    _order(opened, "0x01", status=OrderStatus.SETTLED, valid_until=NOW + 60)
    _order(opened, "0x02", status=OrderStatus.FUNDED, valid_until=NOW)
    _order(opened, "0x03", status=OrderStatus.SETTLED, valid_until=NOW)
    opened.add(_row(OrderClaim, order_id="0x03", until=NOW + 60))
    opened.flush()
    assert _step(opened) == 0
    assert _step(opened, NOW + 60) == 1, "the first is a day from its end now"
    assert _told(opened) == {(BUYER, rules.TERM_ENDING), (SELLER, rules.TERM_ENDING)}


def test_papers_of_a_month_are_told_when_it_is_over_and_once(opened: Session) -> None:
    over = int(datetime(2026, 12, 1, tzinfo=CHINA).timestamp())
    _order(opened, status=OrderStatus.SETTLED)
    for place, (account, at) in enumerate(((BUYER, NOW), (BUYER, NOW + 1), (SELLER, NOW), (OTHER, over))):
        moved = {"account": account, "block": 1, "log_index": place, "at": at, "currency": "CNY", "amount": 1}
        opened.add(_row(AccountMovement, **moved))
    opened.flush()
    assert _step(opened, over - 1) == 0, "October was empty"
    assert _step(opened, over + 3_599) == 0, "the ledger is still being followed"
    assert _step(opened, over + 3_600) == 3
    assert _told(opened) == {
        (account, kind) for account in (BUYER, SELLER) for kind in (rules.STATEMENT, rules.INVOICE)
    }
    assert _step(opened, over + 7_200) == 0
    january = int(datetime(2027, 1, 1, 2, tzinfo=CHINA).timestamp())
    assert _step(opened, january) == 1, "a statement of December"
    assert (OTHER, rules.STATEMENT) in _told(opened)
