"""Money back: `marketplace settlement redeem | redemptions | payout | pay-redemption | reject-redemption |
expire-redemption`."""

from typing import Annotated

import typer

from marketplace.console import Run, command
from marketplace.console.naming import named
from marketplace.console.values import InCurrency, moment, parse_address, parse_amount, parse_digest
from marketplace.currencies import CNY
from marketplace.quantities import money, worth
from marketplace.sdk import redemptions as sdk
from marketplace.sdk.opening import open_client
from marketplace.settlement.commands.group import app
from marketplace.types import RedemptionStatus

Redemption = Annotated[
    str, typer.Argument(metavar="REDEMPTION", parser=parse_digest, help="id of the redemption 赎回编号")
]


@command(app)
def redeem(
    run: Run,
    *,
    amount: Annotated[str, typer.Argument(metavar="AMOUNT", help="how much, in yuan or --currency 金额")],
    bank: Annotated[str, typer.Option(metavar="ADDRESS", parser=parse_address, help="the bank that pays 兑付银行")],
    beneficiary: Annotated[str, typer.Option(help="who owns the bank account 收款人")],
    account_number: Annotated[str, typer.Option(help="number of the bank account 收款账号")],
    days: Annotated[int, typer.Option(min=1, max=90, help="how long the bank may take 银行期限(天)")] = 5,
    currency: InCurrency = CNY.code,
) -> None:
    """Ask a bank for money back. It is locked until the bank has paid or rejected, or its time is over. 赎回

    Example: marketplace settlement redeem 80.00 --bank 0x7099…79c8 --beneficiary "Pudong Data Ltd" --account-number
    6222020000000000000
    """
    units = parse_amount("AMOUNT", amount, currency)
    payee = {"beneficiary": beneficiary, "account_number": account_number}
    with open_client(run) as client:
        result = sdk.redeem(client, bank, units, **payee, days=days, currency=currency)
    much = worth(units, currency)
    run.result(result, f"{much[0]} are locked until the bank answers", f"{much[1]}已锁定，等待银行兑付")


@command(app)
def redemptions(run: Run) -> None:
    """Redemptions that you asked for, or are asked to pay. 赎回列表

    Example: marketplace settlement redemptions
    """
    with open_client(run) as client:
        found = sdk.redemptions(client)
    columns = (
        ("redemptionId", "redemption", "赎回编号", str),
        ("account", "holder", "持有人", str),
        ("amount", "yuan", "金额(元)", money),
        ("status", "status", "状态", named(RedemptionStatus)),
        ("payBy", "bank's time ends", "银行期限", moment),
    )
    run.rows(found, columns)


@command(app)
def payout(run: Run, redemption: Redemption) -> None:
    """What a redemption is to pay, until when, and to which bank account; for its holder and its bank. 收款信息

    Example: marketplace settlement payout 0x5f…5f
    """
    with open_client(run) as client:
        found, row = sdk.payout(client, redemption), sdk.get(client, redemption)
    if run.as_json:
        run.json({**found, "redemption": row})
        return
    if row["status"] == RedemptionStatus.LOCKED:
        run.say("pay this, then: marketplace settlement pay-redemption", "请付款后登记兑付（pay-redemption）")
    else:
        run.say("not to be paid (any more)", "无需（再）付款")
    run.facts(
        {
            "status": run.tr(*named(RedemptionStatus)(row["status"])),
            "amount": run.tr(*worth(row["amount"], row["currency"])),
            "beneficiary": found["beneficiary"],
            "accountNumber": found["accountNumber"],
            "holder": row["account"],
            "payBy": row["payBy"],
        }
    )


@command(app)
def pay_redemption(
    run: Run,
    redemption: Redemption,
    reference: Annotated[str, typer.Option(help="the bank's own reference of the payment 银行流水号")],
) -> None:
    """Say, as its bank, that a redemption is paid; the money leaves the market. 登记兑付

    Example: marketplace settlement pay-redemption 0x5f…5f --reference 2026110200003
    """
    with open_client(run) as client:
        result = sdk.pay(client, redemption, reference)
    run.result(result, "the redemption is paid", "赎回已兑付")


@command(app)
def reject_redemption(run: Run, redemption: Redemption, reason: Annotated[str, typer.Option(help="why 原因")]) -> None:
    """Say, as its bank, that a redemption is not paid; the money goes back to its holder. 拒绝兑付

    Example: marketplace settlement reject-redemption 0x5f…5f --reason "the account is closed"
    """
    with open_client(run) as client:
        result = sdk.reject(client, redemption, reason)
    run.result(result, "the money is back with its holder", "资金已退回持有人")


@command(app)
def expire_redemption(run: Run, redemption: Redemption) -> None:
    """After its bank's time, give the money of a redemption back to its holder; anyone may. 到期退回

    Example: marketplace settlement expire-redemption 0x5f…5f
    """
    with open_client(run) as client:
        result = sdk.expire(client, redemption)
    run.result(result, "the money is back with its holder", "资金已退回持有人")
