"""`marketplace statements`: what happened on an account in a month."""

from typing import Annotated

import typer

from marketplace.console import Run, command, group
from marketplace.console.values import InCurrency, parse_address
from marketplace.currencies import CNY
from marketplace.quantities import money
from marketplace.sdk import papers
from marketplace.sdk.opening import open_client
from marketplace.settlement.commands.saving import Output, Pdf, Period, save
from marketplace.settlement.statements.causes import words_of

app = group("An account's month, signed by the exchange. 账户对账单")


@command(app)
def show(
    run: Run,
    *,
    period: Period,
    account: Annotated[
        str | None, typer.Option(metavar="ADDRESS", parser=parse_address, help="yours if none 账户")
    ] = None,
    currency: InCurrency = CNY.code,
    output: Output = None,
    pdf: Pdf = None,
) -> None:
    """An account's month in one currency: opening balance, every movement with its cause, closing balance. 账户对账单

    Example: marketplace statements show --period 2026-11 --pdf statement.pdf
    """
    with open_client(run) as client:
        signed = papers.statement(client, period, account, currency)
        found = papers.content(client, signed)
    save(signed, output, pdf)
    rows = [
        {"at": "", "cause": run.tr("opening balance", "期初余额"), "balance": found["opening"]},
        *({**line, "cause": run.tr(*words_of(line["cause"]))} for line in found["movements"]),
    ]
    rows.append({"at": "", "cause": run.tr("closing balance", "期末余额"), "balance": found["closing"]})
    rows = [{**row, "currency": currency} for row in rows]
    columns = (
        ("at", "time", "时间", str),
        ("cause", "cause", "事由", str),
        ("about", "about", "关联编号", str),
        ("amount", "yuan", "金额(元)", money),
        ("balance", "balance", "余额(元)", money),
    )
    run.rows(rows, columns, data=found)
