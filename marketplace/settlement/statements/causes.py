"""Why money moved: pure functions of the ledger's events, for the service and the auditor alike."""

from collections.abc import Mapping
from typing import Any

from marketplace.webhooks.rules import type_of
from marketplace.words import Words

_ABOUT = ("orderId", "redemptionId", "batchId", "ref")
UNKNOWN = (type_of("SettlementToken", "Transfer"), "")  # of a movement that no event gives a cause

WORDS = {
    UNKNOWN[0]: Words("transfer", "转账"),
    "settlement.issued": Words("issued by the bank against a payment", "银行收款发行"),
    "settlement.redemption_requested": Words("locked to be redeemed", "申请赎回，锁定"),
    "settlement.redemption_paid": Words("redeemed, paid by the bank", "赎回，银行已付款"),
    "settlement.redemption_rejected": Words("redemption refused by the bank", "银行拒绝赎回，退回"),
    "settlement.redemption_expired": Words("redemption out of time", "赎回逾期，退回"),
    "orders.funded": Words("escrow of an order", "订单资金托管"),
    "orders.settled": Words("order settled", "订单结算"),
    "orders.refunded": Words("order refunded", "订单退款"),
    "orders.claimed": Words("order claimed", "订单单方主张"),
    "orders.challenged": Words("higher voucher presented", "提出更高凭证"),
    "orders.share_paid": Words("revenue share", "收益分成"),
    "deliveries.delivery_arranged": Words("file ordered", "约定文件交付"),
    "deliveries.delivered": Words("file delivered", "文件已交付"),
    "deliveries.delivery_acknowledged": Words("file received", "文件已签收"),
    "deliveries.delivery_objected": Words("defects named", "提出验收异议"),
    "deliveries.delivery_accepted": Words("file accepted", "文件验收"),
    "deliveries.delivery_deemed": Words("file accepted by silence", "文件视为验收"),
    "deliveries.delivery_lapsed": Words("file not delivered in time", "文件逾期未交付"),
    "clearing.batch_opened": Words("clearing batch opened", "开启清算批次"),
    "clearing.entered": Words("order entered in a clearing batch", "订单计入清算批次"),
    "clearing.owed": Words("debt entered in a clearing batch", "债务计入清算批次"),
    "clearing.batch_closed": Words("clearing batch closed", "清算批次关闭"),
    "clearing.collected": Words("paid in to a clearing batch", "清算批次缴款"),
    "clearing.dropped": Words("dropped from a clearing batch", "剔除出清算批次"),
    "clearing.batch_confirmed": Words("clearing batch confirmed", "清算批次确认"),
    "clearing.paid_out": Words("paid out of a clearing batch", "清算批次付款"),
    "clearing.batch_settled": Words("clearing batch settled", "清算批次结清"),
    "rights.budget_committed": Words("privacy budget committed", "占用隐私预算"),
    "rights.budget_released": Words("privacy budget released", "释放隐私预算"),
    "rights.title_granted": Words("right to use granted", "授予使用权"),
}
"""What each kind of event that can be a cause is called."""


def words_of(cause: str) -> Words:
    """What a cause is called; one that a later version has, by its own name."""
    return WORDS.get(cause, Words.alike(cause))


def cause_of(contract: str, name: str, args: Mapping[str, Any]) -> tuple[str, str] | None:
    """The kind of an event and the id of the object that it names; None where it names none.

    An intent's cause is that of the first of its events that has one.
    """
    about = next((args[field] for field in _ABOUT if field in args), None)
    return None if about is None else (type_of(contract, name), about)


def amount_for(account: str, args: Mapping[str, Any]) -> int:
    """What a `Transfer` brings an account; negative for what goes, 0 for what it sends to itself."""
    amount: int = args["value"] * ((args["to"] == account) - (args["from"] == account))
    return amount
