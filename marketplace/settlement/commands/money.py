"""Issuing, closing and refunding: `marketplace settlement issue | balance | close | refund | statement`."""

from typing import Annotated

import typer

from marketplace.console import Run, command
from marketplace.console.values import InCurrency, parse_address, parse_amount, parse_id
from marketplace.currencies import CNY
from marketplace.documents.identifiers import Kind
from marketplace.quantities import money, worth
from marketplace.sdk import settlement
from marketplace.sdk.opening import open_client, open_keys
from marketplace.settlement.commands.group import app
from marketplace.vault.vouchers import own_voucher

Order = Annotated[str, typer.Argument(metavar="ORDER", parser=parse_id(Kind.ORDER), help="id of the order 订单编号")]
WHAT = {
    "escrow": ("in escrow", "托管中"),
    "fee": ("fee to the exchange", "交易所手续费"),
    "share": ("revenue share", "收益分成"),
    "refund": ("refund", "退款"),
}


@command(app)
def issue(
    run: Run,
    account: Annotated[str, typer.Argument(metavar="ADDRESS", parser=parse_address, help="who receives it 收款方")],
    amount: Annotated[str, typer.Argument(metavar="AMOUNT", help="how much, in yuan or --currency 金额")],
    *,
    currency: InCurrency = CNY.code,
    reference: Annotated[
        str | None, typer.Option(help="the bank's own reference of the payment received; made up if none 银行流水号")
    ] = None,
) -> None:
    """Issue settlement money against a payment received, as a bank. Each payment counts once. 发行结算资金

    Example: marketplace settlement issue 0x70997970c51812dc3a010c7d01b50e0d17dc79c8 100.00 --reference 2026110100017
    """
    units = parse_amount("AMOUNT", amount, currency)
    with open_client(run) as client:
        result = settlement.issue(client, account, units, reference, currency=currency)
    much = worth(units, currency)
    run.result(result, f"issued {much[0]} to {account}", f"已向 {account} 发行 {much[1]}")


@command(app)
def balance(
    run: Run,
    account: Annotated[
        str | None, typer.Argument(metavar="[ADDRESS]", parser=parse_address, help="yours if none 账户")
    ] = None,
) -> None:
    """What an account holds, in each currency of the market. 余额

    Example: marketplace settlement balance
    """
    with open_client(run) as client:
        found = settlement.balances(client, account)
    columns = (("account", "account", "账户", str), ("balance", "yuan", "余额(元)", money))
    run.rows(found, columns, data=found[0] if len(found) == 1 else found)


@command(app)
def close(run: Run, order: Order) -> None:
    """Close an order as its seller, with the buyer's last voucher. 结算

    Where your vault or gateway is in this home folder, the voucher must be the one that it holds.

    Example: marketplace settlement close 0x5f…5f
    """
    keys = open_keys(run)
    with open_client(run, keys=keys) as client:
        result = settlement.close(client, order, own_voucher(run.home, keys, order))
        lines = settlement.statement(client, order)
    if run.as_json:
        run.json({**result, "statement": lines})
        return
    _print(run, lines)


@command(app)
def refund(run: Run, order: Order) -> None:
    """Send the escrow of an order back whose term was over three days ago; anyone may. 到期退款

    Example: marketplace settlement refund 0x5f…5f
    """
    with open_client(run) as client:
        result = settlement.refund(client, order)
    run.result(result, "refunded", "已退款")


@command(app)
def statement(run: Run, order: Order) -> None:
    """Where an order's escrow went, exactly. 结算单

    Example: marketplace settlement statement 0x5f…5f
    """
    with open_client(run) as client:
        lines = settlement.statement(client, order)
    _print(run, lines)


def _print(run: Run, found: dict[str, object]) -> None:
    lines = found["lines"]
    assert isinstance(lines, list)
    rows = [{**line, "what": run.tr(*WHAT[line["what"]])} for line in lines]
    rows.append({"what": run.tr("sum = escrow", "合计 = 托管"), "to": "", "amount": found["sum"]})
    rows = [{**row, "currency": found["currency"]} for row in rows]
    columns = (
        ("what", "what", "项目", str),
        ("to", "to", "收款方", str),
        ("asset", "due through asset", "来自资产", str),
        ("amount", "yuan", "金额(元)", money),
    )
    run.rows(rows, columns, data=found)
