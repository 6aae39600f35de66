"""Why the ledger refuses acts of one side alone: claims, challenges and their window."""

from marketplace.refusals.entry import Refusal, number
from marketplace.types import OrderStatus
from marketplace.words import Words, word

CLAIMS: tuple[Refusal, ...] = (
    Refusal(
        "OrdersNotClaimed",
        "order_not_claimed",
        "orders.status_table",
        "no claim on order {orderId} waits: it is {current}",
        "订单 {orderId} 没有待决的结算主张（{current}）",
        "an order that is settled, refunded or not there has ended; one in escrow is claimed first, or its "
        "term waited for",
        "不存在、已结算或已退款的订单无从办理；托管中的订单须先主张结算，或待其期满",
        expected=word(OrderStatus.CLAIMED),
        got="current",
        terms={"current": number(OrderStatus)},
    ),
    Refusal(
        "OrdersNotParty",
        "claim_not_party",
        "settlement.a_party_claims",
        "{account} is neither buyer nor seller of order {orderId}",
        "{account} 既非订单 {orderId} 的买方，也非卖方",
        "the buyer or the seller of the listing has to sign",
        "须由买方或该挂牌的卖方签署",
        got="account",
    ),
    Refusal(
        "OrdersTermOver",
        "claim_after_term",
        "settlement.claims_within_the_term",
        "the time for this act on order {orderId} ended at {validUntil}",
        "订单 {orderId} 办理此事的时限已于 {validUntil} 届满",
        "claims come within the term; for three days after it present the voucher itself (orders challenge); "
        "then the order is refunded",
        "主张须在期限内提出；期满后三日内可直接提出凭证（orders challenge）；其后即退款",
        expected=Words("by {validUntil}", "不晚于 {validUntil}"),
    ),
    Refusal(
        "OrdersDelivered",
        "claim_of_delivery",
        "settlement.deliveries_end_their_orders",
        "a delivery was arranged for order {orderId}",
        "订单 {orderId} 已约定交付",
        "accept the delivery, object to it, or wait for its time to end",
        "请验收、提出异议，或等待交付期限届满",
    ),
    Refusal(
        "OrdersCallsRootZero",
        "voucher_root_zero",
        "settlement.root_of_calls",
        "no list of calls has a root of zero",
        "调用列表的根不为零",
        "present a voucher with the root over its calls",
        "请提交载有调用根的凭证",
    ),
    Refusal(
        "OrdersNotHigher",
        "voucher_not_higher",
        "settlement.the_higher_voucher_wins",
        "order {orderId} stands at {amount} fen and a privacy budget of {epsilon}; the voucher is above in neither",
        "订单 {orderId} 现为 {amount} 分、隐私预算 {epsilon}，该凭证均未更高",
        "nothing has to be done: what stands is at least as high",
        "无需处理：现有凭证不低于该凭证",
        expected=Words(
            "more than {amount} fen or a budget of more than {epsilon}", "高于 {amount} 分，或隐私预算高于 {epsilon}"
        ),
    ),
    Refusal(
        "OrdersBelowClaim",
        "voucher_below_claim",
        "settlement.the_higher_voucher_wins",
        "order {orderId} is claimed at {amount} fen and a privacy budget of {epsilon}; the voucher is below",
        "订单 {orderId} 已主张 {amount} 分、隐私预算 {epsilon}，该凭证更低",
        "close with the last voucher, or wait for the end of the window",
        "请使用最后凭证结清，或等待窗口期满",
        expected=Words("at least {amount} fen and a budget of {epsilon}", "不低于 {amount} 分与隐私预算 {epsilon}"),
    ),
    Refusal(
        "OrdersWindowOver",
        "window_over",
        "settlement.challenges_within_the_window",
        "the window of order {orderId} ended at {until}",
        "订单 {orderId} 的窗口期已于 {until} 届满",
        "anyone may finish the order now",
        "现在任何人均可完结该订单",
        expected=Words("by {until}", "不晚于 {until}"),
    ),
    Refusal(
        "OrdersWindowOpen",
        "window_open",
        "settlement.the_window_is_waited_for",
        "the window of order {orderId} runs until {until}",
        "订单 {orderId} 的窗口期至 {until}",
        "after that time anyone may finish it",
        "届满后任何人均可完结",
        expected=Words("after {until}", "{until} 之后"),
    ),
)
