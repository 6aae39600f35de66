"""`marketplace deliveries`: files sealed to their buyer, from offer to acceptance, and whose copy leaked."""

from pathlib import Path
from typing import Annotated

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
from marketplace.documents import PURPOSES
from marketplace.documents.identifiers import Kind
from marketplace.rulebooks.calendar import Duration
from marketplace.sdk import deliveries as sdk
from marketplace.sdk import listings, rights
from marketplace.sdk.home import files
from marketplace.sdk.opening import open_client
from marketplace.sdk.terms import end_within
from marketplace.types import ZERO_DIGEST, DeliveryStatus

app = group("Deliver files sealed to their buyer; accept, object, trace a leak. 交付与验收")
Order = Annotated[str, typer.Argument(metavar="ORDER", parser=parse_id(Kind.ORDER), help="id of the order 订单编号")]
Listing = Annotated[
    str, typer.Argument(metavar="LISTING", parser=parse_id(Kind.PRODUCT), help="id of the listing 挂牌编号")
]

COLUMNS = (
    ("orderId", "order", "订单", str),
    ("buyer", "buyer", "买方", short),
    ("status", "status", "状态", named(DeliveryStatus)),
    ("rounds", "deliveries", "交付次数", str),
    ("dueAt", "until", "期限", moment),
)


@command(app)
def offer(
    run: Run,
    *,
    asset: Annotated[
        str, typer.Argument(metavar="ASSET", parser=parse_id(Kind.DATA), help="id of the data asset 资产编号")
    ],
    price: Annotated[str, typer.Option(metavar="AMOUNT", help="for the whole file, in yuan or --currency 整份价格")],
    purpose: Annotated[list[str], typer.Option(help="permitted, repeatable 允许的用途: " + " ".join(PURPOSES))],
    key: Annotated[list[str], typer.Option(help="column that names a row, repeatable 行标识列")],
    mark: Annotated[
        list[str],
        typer.Option(metavar="COLUMN:STEP", help="number that may be off by one step, repeatable 容差列:单位"),
    ],
    deliver_days: Annotated[int, typer.Option(min=1, max=365, help="days to deliver 交付期限(天)")] = 3,
    inspection_days: Annotated[int, typer.Option(min=1, max=365, help="days to inspect 检验期(天)")] = 7,
    correction_days: Annotated[int, typer.Option(min=0, max=365, help="days to correct 更正期(天)")] = 7,
    corrections: Annotated[int, typer.Option(min=0, max=9, help="how often 更正次数")] = 1,
    silence_accepts: Annotated[
        bool, typer.Option("--silence-accepts", help="silence is acceptance 沉默视为验收")
    ] = False,
    receipt_accepts: Annotated[
        bool, typer.Option("--receipt-accepts", help="quality shows at once: the receipt accepts 签收即验收")
    ] = False,
    region: Annotated[list[str] | None, typer.Option(help="where, e.g. CN-SH; anywhere if none 地域")] = None,
    term: Annotated[
        Duration, typer.Option(parser=parse_duration, metavar="DURATION", help="how long, e.g. 90d 期限")
    ] = "90d",  # type: ignore[assignment]
    threshold: Annotated[int, typer.Option(min=1, help="panel nodes that must agree 须一致的节点数")] = 2,
    node: Annotated[
        list[str] | None,
        typer.Option(metavar="ADDRESS", parser=parse_address, help="panel node, repeatable; all if none 计算节点"),
    ] = None,
    currency: InCurrency = CNY.code,
) -> None:
    """List a data set as a file, and offer its delivery. 挂牌文件交付

    Example: marketplace deliveries offer 0x5f…5f --price 500.00 --purpose TRANSPORT --key id --mark delay:1
    """
    terms = sdk.Terms(deliver_days, inspection_days, correction_days, corrections, silence_accepts, not receipt_accepts)
    with open_client(run) as client:
        term_end = end_within(client.now(), term, rights.get_asset(client, asset)["validUntil"])
        terms.require_within(term_end, client.now())
        made = listings.make_terms(
            client,
            asset,
            title=None,
            computations=[],
            purposes=[word.upper() for word in purpose],
            regions=region or [],
            price=None,
            plan=sdk.full_set(parse_amount("--price", price, currency)),
            currency=currency,
            epsilon_per_query_max=1,
            minimum_cohort=None,
            nodes=node or [],
            threshold=threshold,
            term_end=term_end,
            delivery=sdk.file_terms(key, dict(_marked(text) for text in mark)),
        )
        listed = listings.create(client, made)
        result = {**sdk.offer(client, listed["listingId"], terms), "listingId": listed["listingId"]}
    run.result(result, "the file is on offer", "文件已挂牌")


@command(app)
def order(
    run: Run,
    listing: Listing,
    *,
    purpose: Annotated[str, typer.Option(help="what for 用途: " + " ".join(PURPOSES))],
    under: Annotated[
        str | None,
        typer.Option(parser=parse_digest, metavar="AGREEMENT", help="agreement with the seller 所依协议"),
    ] = None,
    region: Annotated[str, typer.Option(help="where you are, e.g. CN-SH 所在地域")] = "CN",
) -> None:
    """Order a file: put its price into escrow and ask for its delivery. 订购文件

    Example: marketplace deliveries order 0x5f…5f --purpose TRANSPORT --region CN-SH
    """
    with open_client(run) as client:
        result = sdk.order(client, listing, purpose=purpose.upper(), region=region, agreement_id=under or ZERO_DIGEST)
    run.result(result, "ordered; the seller has to deliver in time", "已订购，卖方须按期交付")


@command(app)
def arrange(run: Run, order: Order) -> None:
    """Ask for the delivery of an order that is funded already. 要求交付

    Example: marketplace deliveries arrange 0x5f…5f
    """
    with open_client(run) as client:
        result = sdk.arrange(client, order)
    run.result(result, "the seller has to deliver in time", "卖方须按期交付")


@command(app)
def deliver(
    run: Run,
    order: Order,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV with a header 文件", exists=True, dir_okay=False)],
) -> None:
    """Mark a file for its buyer, seal it to the buyer's key, upload it and sign the delivery note. 交付

    Example: marketplace deliveries deliver 0x5f…5f flights.csv
    """
    with open_client(run) as client:
        result = sdk.deliver(client, order, file.read_bytes())
    run.result(
        result, f"delivered, with {result['places']} marks; the buyer inspects", f"已交付，{result['places']} 处指纹"
    )


@command(app)
def receive(
    run: Run,
    order: Order,
    to: Annotated[Path, typer.Option(metavar="FILE", help="where to write it 保存位置", dir_okay=False)],
    receipt: Annotated[
        bool | None,
        typer.Option("--receipt/--no-receipt", help="sign the receipt; by default where it does not accept 签收"),
    ] = None,
) -> None:
    """Open what was delivered, verify it against the seller's note, and sign the receipt. 接收

    Where the terms say that quality shows at once, the receipt accepts and pays: it is signed only with --receipt.

    Example: marketplace deliveries receive 0x5f…5f --to flights.csv
    """
    with open_client(run) as client:
        content = sdk.receive(client, order)
        files.write_private(to, content)
        known = sdk.is_acknowledged(client, order)
        signs = not known and (not sdk.receipt_accepts(client, order) if receipt is None else receipt)
        result = sdk.acknowledge(client, order) if signs else sdk.get(client, order)
    run.result({**result, "file": str(to), "bytes": len(content)}, f"written to {to}", f"已写入 {to}")
    if known and receipt:
        run.notice(
            run.tr("no receipt was signed: there is one, or the inspection is over", "未再签收：已有签收或检验已结束")
        )


@command(app)
def accept(run: Run, order: Order) -> None:
    """Accept what was delivered: the order ends and is paid. 验收

    Example: marketplace deliveries accept 0x5f…5f
    """
    with open_client(run) as client:
        result = sdk.accept(client, order)
    run.result(result, "accepted and paid", "已验收并付款")


@command(app, "object")
def object_(
    run: Run,
    order: Order,
    defect: Annotated[list[str], typer.Option(help="what is wrong, repeatable 瑕疵")],
) -> None:
    """Object to what was delivered, within the inspection; the seller may correct. 异议

    Example: marketplace deliveries object 0x5f…5f --defect "rows of May are missing"
    """
    with open_client(run) as client:
        result = sdk.object_to(client, order, defect)
        left, until = sdk.corrections_left(client, order), moment(sdk.get(client, order)["dueAt"])
    if left:
        run.result(result, f"objected; the seller may correct until {until}", f"已提出异议，卖方可于 {until} 前更正")
    else:
        run.result(
            result,
            f"objected; no correction is left: after {until} `deliveries lapse` gives the money back",
            f"已提出异议，更正次数已用尽：{until} 后可执行 `deliveries lapse` 退回资金",
        )


@command(app)
def deem(run: Run, order: Order) -> None:
    """After an inspection in silence, have the delivery accepted where its terms say so; anyone may. 视为验收

    Example: marketplace deliveries deem 0x5f…5f
    """
    with open_client(run) as client:
        result = sdk.deem(client, order)
    run.result(result, "deemed accepted and paid", "视为验收并已付款")


@command(app)
def lapse(run: Run, order: Order) -> None:
    """After a delivery or correction did not come in time, give the money back; anyone may. 逾期退款

    Example: marketplace deliveries lapse 0x5f…5f
    """
    with open_client(run) as client:
        result = sdk.lapse(client, order)
    run.result(result, "the money is back with the buyer", "资金已退回买方")


@command(app)
def show(run: Run, order: Order) -> None:
    """One delivery, and what the buyer found wrong with it. 查询交付

    Example: marketplace deliveries show 0x5f…5f
    """
    with open_client(run) as client:
        found = sdk.get(client, order)
        defects = sdk.defects_of(client, found)
    if run.as_json:
        run.json({**found, "defects": defects})
        return
    run.rows([found], COLUMNS)
    run.facts({"listing": found["listingId"], "noteHash": found["noteHash"], "fingerprintId": found["fingerprintId"]})
    for text in defects:
        run.facts({run.tr("defect", "瑕疵"): text})


@command(app, "list")
def list_(run: Run) -> None:
    """Deliveries of your orders, as buyer or seller. 交付列表

    Example: marketplace deliveries list
    """
    with open_client(run) as client:
        run.rows(sdk.list_mine(client), COLUMNS)


@command(app)
def trace(
    run: Run,
    listing: Listing,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="what was found 泄露文件", exists=True, dir_okay=False)],
) -> None:
    """Whose copy a leaked file is, also of a part of it or a mix of two; for its seller. 溯源

    Example: marketplace deliveries trace 0x5f…5f leaked.csv
    """
    with open_client(run) as client:
        found = sdk.trace_leak(client, listing, file.read_bytes())
    rows = [
        {
            "orderId": row["orderId"],
            "buyer": row["buyer"],
            "round": row["round"],
            "accused": verdict.accused,
            "score": round(verdict.score),
            "threshold": round(verdict.threshold),
            "places": verdict.places,
        }
        for row, verdict in found
    ]
    columns = (
        ("buyer", "buyer", "买方", str),
        ("orderId", "order", "订单", short),
        ("accused", "named", "是否指认", lambda named: run.tr(*(("yes", "是") if named else ("no", "否")))),
        ("score", "score", "得分", str),
        ("threshold", "threshold", "阈值", str),
        ("places", "marks read", "读取指纹", str),
    )
    run.rows(rows, columns)


def _marked(text: str) -> tuple[str, str]:
    name, _, step = text.partition(":")
    return name.strip(), step.strip() or "1"
