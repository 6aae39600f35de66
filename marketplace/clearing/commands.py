"""`marketplace clearing`: batches that net many orders and debts."""

from typing import Annotated, Any

import typer

from marketplace.console import Run, command, group
from marketplace.console.naming import named
from marketplace.console.values import (
    InCurrency,
    moment,
    parse_address,
    parse_amount,
    parse_digest,
    parse_duration,
    parse_id,
    short,
)
from marketplace.currencies import CNY
from marketplace.documents.identifiers import Kind
from marketplace.quantities import money, worth
from marketplace.rulebooks.calendar import Duration
from marketplace.sdk import clearing, settlement
from marketplace.sdk.clearing import filling
from marketplace.sdk.opening import open_client, open_keys
from marketplace.types import BatchStatus, DebtStatus
from marketplace.vault.vouchers import own_voucher

app = group("Net many orders and debts in batches. 清算")
Batch = Annotated[str, typer.Argument(metavar="BATCH", parser=parse_digest, help="id of the batch 批次编号")]
Order = Annotated[str, typer.Argument(metavar="ORDER", parser=parse_id(Kind.ORDER), help="id of the order 订单编号")]
_STATUS = named(BatchStatus)
FILLING = {"queue": ("orders queued", "已提交的订单"), "enter": ("orders in the batch", "已计入批次的订单")}
REFUSED = (("order", "order", "订单", str), ("code", "code", "代码", str), ("why", "why", "原因", str))
STAGES = {"net": ("parties covered", "已备足资金的参与方"), "pay": ("parties paid", "已支付的参与方")}

DEBTS = (
    ("debtor", "debtor", "债务人", short),
    ("creditor", "creditor", "债权人", short),
    ("amount", "amount", "金额", money),
    ("status", "status", "状态", named(DebtStatus)),
    ("ref", "for", "事由摘要", str),
)


@command(app, "open")
def open_(
    run: Run,
    number: Annotated[int, typer.Argument(min=0, max=2**48 - 1, help="a number not used before 未用过的序号")],
    close_in: Annotated[
        Duration,
        typer.Option(
            "--close-in",
            metavar="TIME",
            parser=parse_duration,
            help="after it anyone may close the batch, at most 30d 逾此期限任何人可关闭批次",
        ),
    ] = "7d",  # type: ignore[assignment]
    currency: InCurrency = CNY.code,
) -> None:
    """Open a batch of one currency, as the exchange. 开启批次

    Example: marketplace clearing open 20261126 --close-in 7d
    """
    with open_client(run) as client:
        result = clearing.open_batch(client, number, close_in=close_in.seconds_from(client.now()), currency=currency)
    run.result({"batch": result["batch"], **result}, f"opened batch {result['batch']}", f"已开启批次 {result['batch']}")


@command(app)
def enter(run: Run, order: Order, batch: Batch) -> None:
    """Settle one of your orders into a batch, as its seller: its parts are paid by the batch. 订单计入批次

    Where your vault or gateway is in this home folder, the voucher must be the one that it holds.

    Example: marketplace clearing enter 0x5f…5f 0x6e…6e
    """
    keys = open_keys(run)
    with open_client(run, keys=keys) as client:
        result = settlement.clear(client, order, batch, own_voucher(run.home, keys, order))
    run.result(result, f"order settled into batch {batch}", f"订单已计入批次 {batch}")


@command(app)
def fill(run: Run, batch: Batch) -> None:
    """Settle all of your orders that have a voucher into a batch, as their seller. 全部订单计入批次

    In requests of many. Run it again after any interruption: it goes on from what the service and the ledger know. An
    order that is refused holds up no other, and is listed.

    Example: marketplace clearing fill 0x6e…6e
    """
    keys = open_keys(run)
    with open_client(run, keys=keys) as client, run.stages(FILLING) as report:
        result = filling.fill(client, batch, own=lambda order: own_voucher(run.home, keys, order), report=report)
    told = [{"order": row["order"], **row["refusal"]} for row in result["refused"]]
    run.result(
        result,
        f"{result['entered']} orders entered, {len(told)} refused, {result['unanswered']} without an answer yet",
        f"{result['entered']} 笔订单已计入，{len(told)} 笔被拒绝，{result['unanswered']} 笔尚无答复",
    )
    if told and not run.as_json:
        run.rows([{**row, "why": run.tr(row["message"], row.get("zh", row["message"]))} for row in told], REFUSED)


@command(app)
def owe(
    run: Run,
    batch: Batch,
    creditor: Annotated[str, typer.Argument(metavar="ADDRESS", parser=parse_address, help="to whom 债权人")],
    amount: Annotated[str, typer.Argument(metavar="AMOUNT", help="how much, in the batch's currency 金额")],
    reference: Annotated[str, typer.Option("--for", help="what for, e.g. an invoice number 事由,如发票号")],
) -> None:
    """Enter a debt of yours into an open batch. 债务计入批次

    Example: marketplace clearing owe 0x6e…6e 0x70997970c51812dc3a010c7d01b50e0d17dc79c8 120.00 --for "invoice 17"
    """
    with open_client(run) as client:
        code = clearing.get(client, batch)["currency"]
        units = parse_amount("AMOUNT", amount, code)
        result = clearing.owe(client, batch, creditor, units, reference)
    much = worth(units, code)
    run.result(result, f"{much[0]} owed to {creditor} in the batch", f"已计入应付 {creditor} {much[1]}")


@command(app, "run")
def run_(
    run: Run,
    batch: Batch,
    pay_in: Annotated[
        Duration,
        typer.Option("--pay-in", metavar="TIME", parser=parse_duration, help="time to pay in 入金期限, e.g. 2d"),
    ] = "1d",  # type: ignore[assignment]
) -> None:
    """Bring a batch to its end, as the exchange: close, net, confirm, settle. 执行批次：关闭、轧差、确认、结清

    Run it again after any interruption: it goes on from what the ledger says. Debtors that have too little when the
    batch closes have the time to pay in; after it, their latest debts are dropped.

    Example: marketplace clearing run 0x6e…6e --pay-in 2d
    """
    with open_client(run) as client, run.stages(STAGES) as report:
        found = clearing.run(client, batch, pay_in=pay_in.seconds_from(client.now()), report=report)
        dropped = [debt for debt in clearing.debts(client, batch) if debt["status"] == DebtStatus.DROPPED]
    result = {**found, "dropped": [debt["debtId"] for debt in dropped]}
    run.result(
        result,
        f"settled: {found['legs']} legs among {found['parties']} parties; {len(dropped)} debts dropped",
        f"已结清：{found['parties']} 方之间 {found['legs']} 笔；剔除债务 {len(dropped)} 笔",
    )


@command(app)
def finish(run: Run, batch: Batch) -> None:
    """Bring a batch to its end in the stead of an exchange that is silent; anyone may. 代为了结批次

    From the time that the exchange stated when it opened the batch. Run it again after any interruption.

    Example: marketplace clearing finish 0x6e…6e
    """
    with open_client(run) as client, run.stages(STAGES) as report:
        found = clearing.finish(client, batch, report=report)
    parties = found["parties"]
    run.result(found, f"settled among {parties} parties", f"{parties} 方之间已结清")


@command(app)
def show(run: Run, batch: Batch) -> None:
    """A batch, with the positions and the debts in it that you may see. 查看批次、头寸与债务

    Example: marketplace clearing show 0x6e…6e
    """
    with open_client(run) as client:
        found, rows = clearing.get(client, batch), clearing.positions(client, batch)
        debts = clearing.debts(client, batch)
    if run.as_json:
        run.json({**found, "positions": rows, "debts": debts})
        return
    facts: dict[str, Any] = {
        name: found[name] for name in ("batchId", "currency", "legs", "parties", "uncovered", "unpaid")
    }
    facts["status"] = run.tr(*_STATUS(found["status"]))
    run.say(f"batch {facts['status']}", f"批次{facts['status']}")
    facts["closeBy"] = moment(found["closeBy"])
    run.facts(facts | ({"payBy": moment(found["payBy"])} if found["payBy"] else {}))
    columns = (
        ("party", "party", "参与方", str),
        ("credit", "is due", "应收(元)", money),
        ("debit", "owes", "应付(元)", money),
        ("collected", "paid in", "已扣收(元)", money),
        ("net", "net", "净额(元)", money),
    )
    run.rows([{**row, "currency": found["currency"]} for row in rows], columns)
    if debts:
        run.rows(debts, DEBTS, run.tr("debts", "债务"))


@command(app, "list")
def list_(run: Run) -> None:
    """All batches. 批次列表

    Example: marketplace clearing list
    """
    with open_client(run) as client:
        rows = client.pages("/clearing/batches")
    columns = (
        ("batchId", "batch", "批次", str),
        ("number", "number", "序号", str),
        ("currency", "currency", "货币", str),
        ("legs", "legs", "笔数", str),
        ("status", "status", "状态", _STATUS),
    )
    run.rows(rows, columns, data=rows)
