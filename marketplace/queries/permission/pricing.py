"""What a call costs in privacy budget, and whether the buyer's voucher covers it. What it costs in money says
marketplace.pricing.

A voucher is cumulative. Voucher n promises: the price of every released call and of this one, epsilon for all of them,
their number, and the RFC 6962 root over the digests of their query documents. A refused call is not in the next one.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from crypto.canonical import from_hex, to_hex
from crypto.merkle import Frontier, leaf_hash
from marketplace.documents import voucher_message
from marketplace.errors import RuleError, VerificationError
from marketplace.intents import INTENTS
from marketplace.participants.keybook import KeyBook
from marketplace.pricing import Tariff
from marketplace.types import MICRO
from marketplace.words import at_most

LEAST_LEFT_SECONDS = 86_400
"""So long before a voucher counts no more, its key having ended, its seller closes the order by it."""


@dataclass(frozen=True)
class OrderAccount:
    """An order as its vault knows it.

    Args:
        order: order id. buyer: who must sign vouchers.
        escrow: fen in escrow. tariff: what released calls cost.
        cap: epsilon that the order may spend. spent: what it has spent, in millionths.
        amount, epsilon: of the voucher of the last released call; 0 before the first.
        calls: the right edge of the tree over the digests of the query documents released so far, in order.
    """

    order: str
    buyer: str
    escrow: int
    tariff: Tariff
    cap: int
    spent: int = 0
    amount: int = 0
    epsilon: int = 0
    calls: Frontier = field(default_factory=Frontier)

    @property
    def due(self) -> int:
        """What the next voucher has to promise, fen. Raises RuleError `quota_exhausted`."""
        return self.tariff.total(self.calls.size + 1)

    @property
    def price(self) -> int:
        """What the next call adds, fen. Raises RuleError `quota_exhausted`."""
        return self.tariff.step(self.calls.size + 1)


@dataclass(frozen=True)
class BuyerAccount:
    """What a buyer, or the group of accounts that it belongs to, has spent of a series under some terms.

    Args:
        accounts: who counts as this buyer. group: the group's name; None for a buyer of its own.
        cap: budget that they may spend together, over all orders and versions; None for no cap.
        spent: what they have spent, in millionths.
    """

    accounts: frozenset[str]
    group: str | None
    cap: int | None
    spent: int = 0

    @property
    def left(self) -> int | None:
        """What is left to them; None where there is no cap."""
        return None if self.cap is None else max(0, self.cap - self.spent)


def buyer_account(terms: Mapping[str, Any], buyer: str, spent_by: Callable[[frozenset[str]], int]) -> BuyerAccount:
    """The account that the terms give a buyer.

    Args:
        spent_by: what some accounts together have spent of the series.
    """
    for group in terms["groups"]:
        if buyer in group["accounts"]:
            accounts = frozenset(group["accounts"])
            return BuyerAccount(accounts, group["name"], terms["buyerCap"], spent_by(accounts))
    return BuyerAccount(frozenset([buyer]), None, terms["buyerCap"], spent_by(frozenset([buyer])))


def question_of(plan: str, manifest: Mapping[str, Any], terms: Mapping[str, Any]) -> str:
    """Names what is free when it is asked again: the plan under one minimum cohort. A stricter one may suppress more of
    the same plan, so it is another question.

    Args:
        plan: the plan's digest.
    """
    return f"{plan}/{minimum_cohort(manifest, terms)}"


def minimum_cohort(manifest: Mapping[str, Any], terms: Mapping[str, Any]) -> int:
    """Rows that must lie behind every number: the stricter of data set and listing."""
    return int(max(manifest["minimumCohort"], terms["minimumCohort"]))


def calls_of(queries: Iterable[str], before: Frontier | None = None) -> Frontier:
    """The calls of these query digests ("0x" hex), in the order of their release, after those `before`, which stays as
    it is. A voucher's callsRoot is their root. Cost: 2 us a query, whatever their number before."""
    calls = Frontier(before.size, before.hashes) if before else Frontier()
    for query in queries:
        calls.append(leaf_hash(from_hex(query, 32)))
    return calls


def next_voucher(account: OrderAccount, query: str, epsilon: int) -> dict[str, Any]:
    """The smallest Voucher message that covers one more call, for the buyer to sign.

    Args:
        query: digest of the query document. epsilon: what it asks for.
    """
    return {
        "orderId": account.order,
        "amount": account.due,
        # A repeated question is free, so one that asks for more than is left may still be answered.
        "epsilon": min(account.cap, max(account.epsilon, account.spent + epsilon)),
        "calls": account.calls.size + 1,
        "callsRoot": to_hex(calls_of([query], account.calls).root()),
    }


def check_voucher(account: OrderAccount, voucher: Mapping[str, Any], query: str, charge: int) -> None:
    """Check that the voucher document pays for one more call.

    Args:
        query: digest of the query document. charge: epsilon that releasing it spends, 0 for a repeated question.
    Raises:
        RuleError: `voucher_order`, `voucher_backwards`, `voucher_too_small`, `escrow_exceeded`, `voucher_calls`,
            `voucher_epsilon`, `order_budget_exhausted`.
    """
    due = account.due
    if voucher["order"] != account.order:
        raise _refusal("voucher_order", "the voucher is for another order", "凭证属于其他订单", account.order)
    if voucher["amount"] < account.amount or voucher["epsilon"] < account.epsilon:
        least = f"amount >= {account.amount}, epsilon >= {account.epsilon}"
        raise _refusal("voucher_backwards", "the voucher promises less than the last one", "凭证金额倒退", least)
    if voucher["amount"] < due:
        raise _refusal("voucher_too_small", "the voucher does not pay for this call", "凭证不足以支付本次调用", due)
    if voucher["amount"] > account.escrow:
        raise _refusal("escrow_exceeded", "the voucher exceeds the escrow", "凭证超过托管金额", account.escrow)
    expected = to_hex(calls_of([query], account.calls).root())
    if voucher["calls"] != account.calls.size + 1 or voucher["callsRoot"] != expected:
        raise _refusal("voucher_calls", "the voucher is not bound to this call", "凭证未绑定本次调用", expected)
    _check_epsilon(account, voucher, charge)


def _check_epsilon(account: OrderAccount, voucher: Mapping[str, Any], charge: int) -> None:
    if account.spent + charge > account.cap:
        left = account.cap - account.spent
        raise RuleError(
            "order_budget_exhausted",
            f"the order has {_shown(left)} of its privacy budget left; the query needs {_shown(charge)}",
            zh=f"订单剩余隐私预算 {_shown(left)}，查询需要 {_shown(charge)}",
            rule="queries.order_budget",
            expected=at_most(left),
            got=charge,
            hint="ask for less epsilon, repeat an earlier question for none, or fund another order",
            hint_zh="降低 epsilon，或重复先前的问题（不消耗预算），或另下订单",
        )
    least = account.spent + charge
    if not least <= voucher["epsilon"] <= account.cap:
        raise _refusal(
            "voucher_epsilon",
            "the voucher does not cover the epsilon of this call",
            "凭证未覆盖本次隐私预算",
            f"{least} to {account.cap}",
        )


def check_buyer_budget(account: BuyerAccount, charge: int) -> None:
    """Check one buyer's, or one group's, part of a data set's budget.

    Raises:
        RuleError: `buyer_budget_exhausted`, `group_budget_exhausted`, with what is left.
    """
    if account.left is None or charge <= account.left:
        return
    if account.group is None:
        who, zh, code = "this buyer", "该买方", "buyer_budget_exhausted"
    else:
        who, zh, code = f"the group of buyers {account.group}", f"买方组 {account.group}", "group_budget_exhausted"
    raise RuleError(
        code,
        f"{who} has {_shown(account.left)} of the data set's budget left; the query needs {_shown(charge)}",
        zh=f"{zh}在该数据集上剩余隐私预算 {_shown(account.left)}，查询需要 {_shown(charge)}",
        rule="queries.buyer_budget",
        expected=at_most(account.left),
        got=charge,
        hint="the cap counts all orders, listings and versions; ask for less, or repeat an earlier question for none",
        hint_zh="上限按全部订单、挂牌与版本合计；可降低 epsilon，或重复先前的问题（不消耗预算）",
    )


def check_asset_budget(budget: int, spent: int, charge: int) -> None:
    """Check one data set's budget over all its buyers, in millionths.

    Raises:
        RuleError: `budget_exhausted`, with what is left.
    """
    left = budget - spent
    if charge > left:
        raise RuleError(
            "budget_exhausted",
            f"the data set has {_shown(left)} of its privacy budget left; the query needs {_shown(charge)}",
            zh=f"数据集剩余隐私预算 {_shown(left)}，查询需要 {_shown(charge)}",
            rule="queries.asset_budget",
            expected=at_most(left),
            got=charge,
            hint="ask for less epsilon, or repeat an earlier question: that costs none",
            hint_zh="降低 epsilon,或重复先前的问题(不消耗预算)",
        )


def _shown(micro: int) -> str:
    """Millionths of the budget's unit as people write it."""
    return f"{micro / MICRO:g}"


def check_voucher_signature(buyer: str, voucher: Mapping[str, Any], book: KeyBook, now: int) -> None:
    """Check that a key of the order's buyer that has not ended signed the voucher for this chain and contract.

    Args:
        now: unix seconds.
    Raises:
        VerificationError: `voucher_signature`.
        RuleError: `act_not_permitted`, `act_over_limit`: a key of the buyer, but it may not sign this.
    """
    try:
        signature = bytes.fromhex(voucher["signature"][2:])
        book.require_now("Voucher", voucher_message(voucher), buyer, signature, now)
    except RuleError as error:
        if error.code != "intent_signature_invalid":
            raise
        raise VerificationError(
            "voucher_signature",
            "the voucher is not signed by a living key of the order's buyer for this chain and contract",
            zh="凭证不是由订单买方的有效密钥为本链本合约签署",
            rule="queries.voucher_signature",
            expected=buyer,
            got=voucher["buyer"],
        ) from error


def _refusal(code: str, message: str, zh: str, expected: object) -> RuleError:
    return RuleError(
        code,
        message,
        zh=zh,
        rule="queries." + code,
        expected=expected,
        hint="read the order's last voucher and its price, then sign one for exactly this call; an escrow that is used "
        "up needs another order",
        hint_zh="请读取订单的上一凭证与价格，并为本次调用签署凭证；托管金额用尽时请另行下单",
    )


def lasts(buyer: str, voucher: Mapping[str, Any], book: KeyBook, now: int) -> bool:
    """Whether the ledger will take the voucher for LEAST_LEFT_SECONDS more: its key has not ended, or not long ago.

    Args:
        now: unix seconds.
    """
    at, grace = max(now, book.time) + LEAST_LEFT_SECONDS, INTENTS["Voucher"].grace
    try:
        book.require("Voucher", voucher_message(voucher), buyer, from_hex(voucher["signature"], 65), at, grace=grace)
    except RuleError:
        return False
    return True
