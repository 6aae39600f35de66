"""`marketplace invoices`: what a seller billed a buyer in a month."""

from typing import Annotated

import typer

from marketplace.console import Run, command, group
from marketplace.console.values import InCurrency, parse_address
from marketplace.currencies import CNY
from marketplace.quantities import money
from marketplace.sdk import papers
from marketplace.sdk.opening import open_client
from marketplace.settlement.commands.saving import Output, Pdf, Period, save

app = group("What a seller billed a buyer in a month. 账单")


@command(app)
def show(
    run: Run,
    *,
    period: Period,
    seller: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", parser=parse_address, help="the other side, where you bought 卖方"),
    ] = None,
    buyer: Annotated[
        str | None, typer.Option(metavar="ADDRESS", parser=parse_address, help="the other side, where you sold 买方")
    ] = None,
    currency: InCurrency = CNY.code,
    output: Output = None,
    pdf: Pdf = None,
) -> None:
    """A line for each order that was settled in the month, in one currency, as on the ledger; signed. 账单

    Example: marketplace invoices show --period 2026-11 --seller 0x70997970c51812dc3a010c7d01b50e0d17dc79c8
    """
    with open_client(run) as client:
        sold, bought = (side or client.address for side in (seller, buyer))
        signed = papers.invoice(client, sold, bought, period, currency)
        found = papers.content(client, signed)
    save(signed, output, pdf)
    rows = [*found["lines"], {"order": run.tr("total", "合计"), **found["totals"]}]
    rows = [{**row, "currency": currency} for row in rows]
    columns = (
        ("order", "order", "订单", str),
        ("prepaid", "prepaid", "托管(元)", money),
        ("refund", "refund", "退款(元)", money),
        ("gross", "gross", "总额(元)", money),
        ("fee", "venue fee", "手续费(元)", money),
        ("net", "net", "净额(元)", money),
        ("tax", "tax in gross", "含税额(元)", money),
    )
    run.rows(rows, columns, data=found)
