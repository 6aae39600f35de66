"""`marketplace vouchers`: proof of one settled and paid order."""

from pathlib import Path
from typing import Annotated

import typer

from marketplace.console import Run, command, group
from marketplace.console.values import parse_id
from marketplace.documents.identifiers import Kind
from marketplace.quantities import worth
from marketplace.sdk import papers
from marketplace.sdk.http.foreign import read_json
from marketplace.sdk.opening import open_client
from marketplace.settlement.commands.saving import Output, Pdf, save

app = group("Proof of one settled and paid order. 交易凭证")
Order = Annotated[str, typer.Argument(metavar="ORDER", parser=parse_id(Kind.ORDER), help="id of the order 订单编号")]


@command(app)
def show(run: Run, order: Order, *, output: Output = None, pdf: Pdf = None) -> None:
    """The trade voucher of a settled and paid order: contract, assessment, delivery, payment, unique id. 交易凭证

    There is none of an order in a clearing batch before the batch has paid. 计入清算批次的订单于批次支付后出具

    Example: marketplace vouchers show 0x5f…5f --output voucher.json --pdf voucher.pdf
    """
    with open_client(run) as client:
        signed = papers.trade_voucher(client, order)
        found = papers.content(client, signed)
    save(signed, output, pdf)
    paid = found["payment"]
    much = worth(paid["gross"], paid["currency"])
    english = f"{found['identifier']}: {much[0]}, settled {paid['settledAt']}, paid {paid['paidAt']}"
    run.result(found, english, f"{found['identifier']}：{much[1]}，结算于 {paid['settledAt']}，支付于 {paid['paidAt']}")


@command(app)
def verify(
    run: Run,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="signed credential 凭证文件")],
) -> None:
    """Whether a voucher, an invoice or a statement was signed by this exchange, and is unchanged. 验证凭证

    Whether it also follows from the ledger is for `marketplace audit --paper`.

    Example: marketplace vouchers verify voucher.json
    """
    with open_client(run, with_keys=False) as client:
        found = papers.content(client, read_json(file))
    run.result(found, "signed by this exchange, unchanged", "由本机构签发，未被改动")
