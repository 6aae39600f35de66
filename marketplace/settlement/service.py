"""Money: a bank issues, the last voucher closes an order, an order that was left open goes back to its buyer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, or_, select
from sqlmodel.sql.expression import SelectOfScalar

from crypto.canonical import from_hex, to_hex
from crypto.merkle import EMPTY_ROOT
from marketplace.calls import act_digest
from marketplace.clearing.tables import ClearedOrder
from marketplace.documents import voucher_message
from marketplace.errors import NotFoundError, RuleError
from marketplace.evidence.inbox import (
    Statement,
    check_signature,
    check_statement,
    is_under_way,
    precheck,
    queue,
    remember,
)
from marketplace.evidence.inbox.submitting import submit
from marketplace.intents import Deployment
from marketplace.orders.rules import IN_ESCROW
from marketplace.orders.service import parties, unknown_order
from marketplace.orders.tables import Order
from marketplace.participants.service import oversees, roles_of
from marketplace.queries.inbox.panel import require_none_attested
from marketplace.queries.inbox.tally import end_unattested
from marketplace.queries.service.accounts import last_voucher
from marketplace.settlement.tables import Balance, Issue, Payout
from marketplace.types import Digest, Role


def balance_json(session: Session, owner: str, account: str, currency: str) -> dict[str, Any]:
    """The balance of `owner` in a currency (code), in minor units, as `account` may see it: its own, or anybody's for
    banks and overseers.

    Raises:
        NotFoundError: `balance_unknown`: it is not theirs to see.
    """
    if owner != account and not (oversees(session, account) or roles_of(session, account) & Role.BANK):
        raise NotFoundError("balance_unknown", f"there is no balance of {owner} for you", zh="没有您可查看的该账户余额")
    row = session.get(Balance, (owner, currency))
    nothing = {"account": owner, "currency": currency, "balance": 0, "event": None}
    return row.as_json() if row else nothing


def issues_of(session: Session, account: str) -> SelectOfScalar[Issue]:
    """What `account` issued or was issued; everything for whoever oversees."""
    if oversees(session, account):
        return select(Issue)
    return select(Issue).where(or_(col(Issue.account) == account, col(Issue.bank) == account))


def issue(session: Session, deployment: Deployment, order: Statement, now: int) -> Digest:
    """Queue an issue of money. Raises RuleError as the rules of settlement say."""
    return submit(session, deployment, order, "issue", now)


ENDINGS = {"Close": "settle", "Clear": "clear"}  # what a seller signs to end an order, and the verb that does it


@dataclass(frozen=True)
class LastVoucher:
    """The voucher that an order ends with.

    Args:
        message: the intent Voucher.
        signature: its buyer's, "0x" hex.
    """

    message: Mapping[str, Any]
    signature: str


def close(
    session: Session,
    deployment: Deployment,
    last: LastVoucher,
    closing: Statement,
    *,
    now: int,
    trial: precheck.Trial | None = None,
) -> Digest:
    """Queue the end of an order by its last voucher, which the buyer signed, and the seller's word that it is the last.
    What the panel has not attested by now comes to no result; nothing is asked any more.

    Args:
        closing: a Close, or a Clear, which settles the order into a clearing batch.
        trial: of many that their seller, who is signed in, ends together; None for one alone.
    Raises:
        RuleError: `query_in_flight`: the vault has a query of the order in hand; its answer would not be paid for.
        RuleError: `voucher_not_last`: another voucher is the last that was earned, or what the rules of orders say.
    """
    name, seller = closing.digest(deployment), closing.message["seller"]
    if is_under_way(session, name):
        return name
    check_statement(closing, deployment, now)
    if trial is None:
        precheck.require_signed(session, closing.name, closing.message, closing.raw_signatures()[0], now)
    order = _order_to_end(session, deployment, last, seller)
    verb, arguments = ENDINGS[closing.name], arguments_of(last, closing)
    (trial or precheck.Trial(session, arguments, now)).run("Orders", verb, arguments)
    require_none_attested(session, order.order_id)
    end_unattested(session, order.order_id, now)
    remember(session, deployment, closing, order.order_id)
    return queue(session, contract="Orders", verb=verb, arguments=arguments, digest=name, by=seller, now=now)


def arguments_of(last: LastVoucher, closing: Statement) -> list[Any]:
    """The arguments of the call that ends an order."""
    return [dict(last.message), last.signature, dict(closing.message), closing.signatures[0]]


def _order_to_end(session: Session, deployment: Deployment, last: LastVoucher, seller: str) -> Order:
    """The order that `seller` may end with this voucher.

    Raises:
        NotFoundError: `order_unknown`: no such order of this seller.
        RuleError: its buyer did not sign the voucher, or it is not the last (`voucher_not_last`).
    """
    voucher = last.message
    order = session.get(Order, voucher["orderId"])
    if order is None or seller != parties(session, order)[1]:
        raise unknown_order(voucher["orderId"])
    signature = from_hex(last.signature, 65, "buyerSignature")
    check_signature("Voucher", voucher, deployment, order.buyer, signature, alone=False)
    _check_last(session, order, voucher)
    return order


def refund(session: Session, deployment: Deployment, order_id: str, account: str | None, now: int) -> Digest:
    """Queue the refund of an order whose term passed unsettled three days ago; nobody has to sign it.

    Args:
        account: who asks; None for somebody who has not signed in.
    Raises:
        NotFoundError: `order_unknown`: there is none, or it cannot be refunded and is not theirs.
        RuleError: as the rules of orders say, for its parties.
    """
    order = session.get(Order, order_id)
    if order is None:
        raise unknown_order(order_id)
    name = act_digest("refund", [order_id], deployment.domain("Orders"))
    if is_under_way(session, name):
        return name
    try:
        precheck.run(session, "Orders", "refund", [order_id], now)
    except RuleError:
        if account not in parties(session, order) and not oversees(session, account):
            raise unknown_order(order_id) from None
        raise
    end_unattested(session, order_id, now)
    return queue(session, contract="Orders", verb="refund", arguments=[order_id], digest=name, by=order.buyer, now=now)


def statement_json(session: Session, order: Order, treasury: str) -> dict[str, Any]:
    """Where the escrow of `order` is or went, in minor units of its currency: lines whose sum is the escrow exactly,
    shares with the asset through which they are due; "batch" is the clearing
    batch that pays them, or null."""
    if order.status in IN_ESCROW:
        lines = [_line("escrow", "", order.escrow)]
    else:
        paid = session.exec(
            select(Payout).where(Payout.order_id == order.order_id).order_by(col(Payout.event_log_index))
        )
        shares = [_line("share", payout.holder, payout.amount) | {"asset": payout.asset_id} for payout in paid]
        lines = [_line("fee", treasury, order.fee), *shares, _line("refund", order.buyer, order.refund)]
    total = sum(line["amount"] for line in lines)
    cleared = session.get(ClearedOrder, order.order_id)
    facts = {"order": order.order_id, "status": order.status, "currency": order.currency, "escrow": order.escrow}
    return facts | {"lines": lines, "sum": total, "batch": cleared.batch_id if cleared else None}


def _line(what: str, to: str, amount: int) -> dict[str, Any]:
    return {"what": what, "to": to, "amount": amount}


def _check_last(session: Session, order: Order, voucher: Mapping[str, Any]) -> None:
    """A voucher of an earlier call would pay too little; one of a refused or unanswered call too much. Before the first
    answer both may agree to end the order for nothing."""
    last = last_voucher(session, order.order_id)
    nothing = {"orderId": order.order_id, "amount": 0, "epsilon": 0, "calls": 0, "callsRoot": to_hex(EMPTY_ROOT)}
    wanted = voucher_message(last) if last else nothing
    if dict(voucher) != wanted:
        raise RuleError(
            "voucher_not_last",
            "this is not the voucher of the last answered query",
            zh="该凭证不是最后一次已答复查询的凭证",
            rule="settlement.last_voucher",
            expected=wanted,
            got=dict(voucher),
            hint=f"read it with GET /orders/{order.order_id}/voucher",
            hint_zh=f"请用 GET /orders/{order.order_id}/voucher 读取",
        )
