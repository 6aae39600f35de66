"""`marketplace orders`: buying."""

import time
from typing import Annotated

import typer

from marketplace.console import Run, command, group
from marketplace.console.values import moment, parse_digest, parse_duration, parse_epsilon, parse_id, parse_money
from marketplace.documents import PURPOSES
from marketplace.documents.identifiers import Kind
from marketplace.quantities import epsilon, money
from marketplace.sdk import orders
from marketplace.sdk.opening import open_client
from marketplace.types import ZERO_DIGEST, OrderStatus

app = group("Buy: accept terms, fund an order, get a right to use. 下单交易")
Order = Annotated[str, typer.Argument(metavar="ORDER", parser=parse_id(Kind.ORDER), help="id of the order 订单编号")]
COLUMNS = (
    ("orderId", "order", "订单", str),
    ("escrow", "escrow", "托管(元)", money),
    ("epsilonCap", "epsilon cap", "预算上限", epsilon),
    ("validUntil", "valid until", "有效期至", moment),
    ("status", "status", "状态", lambda code: OrderStatus(code).name.lower()),
)


@command(app)
def fund(
    run: Run,
    *,
    listing: Annotated[
        str, typer.Argument(metavar="LISTING", parser=parse_id(Kind.PRODUCT), help="id of the listing 挂牌编号")
    ],
    escrow: Annotated[
        int, typer.Option(parser=parse_money, metavar="YUAN", help="set aside; the rest comes back 托管金额")
    ],
    epsilon_cap: Annotated[
        int, typer.Option(parser=parse_epsilon, metavar="EPSILON", help="most privacy loss 隐私预算上限")
    ],
    purpose: Annotated[str, typer.Option(help="what for 用途: " + " ".join(PURPOSES))],
    under: Annotated[
        str | None,
        typer.Option(parser=parse_digest, metavar="AGREEMENT", help="agreement with the seller 所依协议"),
    ] = None,
    region: Annotated[str, typer.Option(help="where you are, e.g. CN-SH 所在地域")] = "CN",
    term: Annotated[
        int, typer.Option(parser=parse_duration, metavar="DURATION", help="how long, e.g. 30d 期限")
    ] = "30d",  # type: ignore[assignment]
) -> None:
    """Accept a listing's terms and put money into escrow. 下单

    What you do not spend comes back at settlement, or in full after the term.

    Example: marketplace orders fund 0x5f…5f --escrow 20.00 --epsilon-cap 3 --purpose TRANSPORT --region CN-SH
    """
    with open_client(run) as client:
        result = orders.fund(
            client,
            listing,
            escrow=escrow,
            epsilon_cap=epsilon_cap,
            purpose=purpose.upper(),
            region=region,
            valid_until=int(time.time()) + term,
            agreement_id=under or ZERO_DIGEST,
        )
    run.result(result, "funded; you may ask now", "已托管，可以查询")


@command(app, "list")
def list_(run: Run) -> None:
    """Orders in which you buy or sell. 我的订单

    Example: marketplace orders list
    """
    with open_client(run) as client:
        run.rows(orders.list_mine(client), COLUMNS, run.tr("orders", "订单"))


@command(app)
def show(run: Run, order: Order) -> None:
    """One order with its agreement, checked against its id. 查询订单

    Example: marketplace orders show 0x5f…5f
    """
    with open_client(run) as client:
        deal = orders.inspect(client, order)
    if run.as_json:
        run.json({"order": deal.order, "agreement": deal.agreement, "terms": deal.offer.terms})
        return
    run.rows([deal.order], COLUMNS)
    run.facts({name: deal.agreement[name] for name in ("purpose", "region", "listing")})
