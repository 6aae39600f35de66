"""`marketplace gateway`: the seller's side of calls. The table stays on this machine; answers go to buyers alone."""

from pathlib import Path
from typing import Annotated

import typer

from marketplace.api.rules import require_api
from marketplace.console import Run, command, group
from marketplace.console.values import parse_address, parse_id
from marketplace.documents.identifiers import Kind
from marketplace.gateway.desk import CREDENTIAL_SECONDS, Desk
from marketplace.gateway.serving import Address, work
from marketplace.gateway.standing import Standings
from marketplace.gateway.table import read_table
from marketplace.sdk import api, listings
from marketplace.sdk.opening import open_client, until_stopped, wait_for_service

app = group("The seller's gateway: answer calls on your own table. 卖方接口网关")


@command(app, "run")
def run_(
    run: Run,
    listing: Annotated[
        str, typer.Argument(metavar="LISTING", parser=parse_id(Kind.PRODUCT), help="id of the listing 挂牌编号")
    ],
    table: Annotated[
        Path, typer.Argument(metavar="TABLE", help="Parquet, Arrow or CSV 数据表", exists=True, dir_okay=False)
    ],
    *,
    public_url: Annotated[
        str | None, typer.Option(metavar="URL", help="where buyers reach it: https, or loopback 对外地址")
    ] = None,
    host: Annotated[str, typer.Option(help="address to listen on 监听地址")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65_535, help="port to listen on 监听端口")] = 8430,
    buyer: Annotated[
        list[str] | None, typer.Option(help="address that is served, repeatable; every buyer if none 仅限的买方")
    ] = None,
    credential_seconds: Annotated[int, typer.Option(min=120, help="life of a credential 凭据有效秒数")] = (
        CREDENTIAL_SECONDS
    ),
    hand_in_seconds: Annotated[
        int, typer.Option(min=1, max=1_800, help="how often records are handed in 存证间隔秒数")
    ] = 300,
) -> None:
    """Answer the calls of a listing of yours, and hand their records in. Plain HTTP: put TLS before it. 运行网关

    Its orders are asked for at the exchange again and again: when one ends, or a title falls or is seized, calls stop.

    Example: marketplace gateway run 0x5f…5f flights.parquet --public-url https://data.example.org/flights
    """
    with open_client(run) as client, until_stopped() as stop:
        if not wait_for_service(client, stop, run.log):
            return
        terms = listings.inspect(client, listing).terms
        require_api(terms, listing)
        served, store = read_table(table, terms["delivery"]["operations"]), api.store_of(client)
        run.log(f"{len(served)} rows to serve", f"数据表 {len(served)} 行")
        desk = Desk(
            Standings(client, listing, buyers=list(map(parse_address, buyer or []))),
            served,
            store,
            credential_seconds=credential_seconds,
        )
        address = Address(host, port, public_url or f"http://{host}:{port}")
        try:
            work(desk, address, stop, run.log, hand_in_seconds)
        finally:
            store.close()


@command(app)
def forgive(
    run: Run,
    order: Annotated[
        str, typer.Argument(metavar="ORDER", parser=parse_id(Kind.ORDER), help="id of the order 订单编号")
    ],
) -> None:
    """Hold an order's unpaid call against its buyer no longer: it may call under other orders again. 豁免未付调用

    Example: marketplace gateway forgive 0x5f…5f
    """
    with open_client(run) as client:
        store = api.store_of(client)
        forgiven = store.forgive(order)
        store.close()
    run.result({"order": order, "forgiven": forgiven}, "forgiven", "已豁免")
