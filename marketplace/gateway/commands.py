"""`marketplace gateway`: the seller's side of calls. The table stays on this machine; answers go to buyers alone."""

import threading
from pathlib import Path
from typing import Annotated

import typer
import uvicorn

from marketplace.console import Run, command, group
from marketplace.console.values import parse_id
from marketplace.documents.identifiers import Kind
from marketplace.errors import MarketplaceError
from marketplace.gateway.app import make_gateway
from marketplace.gateway.desk import CREDENTIAL_SECONDS, Desk
from marketplace.gateway.standing import Standings
from marketplace.gateway.table import read_table
from marketplace.sdk import api, listings
from marketplace.sdk.call_store import CallStore
from marketplace.sdk.client import Client
from marketplace.sdk.opening import open_client, until_stopped, wait_for_service

app = group("The seller's gateway: answer calls on your own table. 卖方接口网关")
STOP_SECONDS = 5


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
    credential_seconds: Annotated[int, typer.Option(min=120, help="life of a credential 凭据有效秒数")] = (
        CREDENTIAL_SECONDS
    ),
    hand_in_seconds: Annotated[int, typer.Option(min=1, help="how often records are handed in 存证间隔秒数")] = 300,
) -> None:
    """Answer the calls of a listing of yours, and hand their records in. Plain HTTP: put TLS before it. 运行网关

    Its orders are asked for at the exchange again and again: when one ends, or a title falls or is seized, calls stop.

    Example: marketplace gateway run 0x5f…5f flights.parquet --public-url https://data.example.org/flights
    """
    with open_client(run) as client, until_stopped() as stop:
        if not wait_for_service(client, stop, run.log):
            return
        operations = listings.inspect(client, listing).terms["delivery"]["operations"]
        served, store = read_table(table, operations), api.store_of(client)
        desk = Desk(Standings(client, listing), served, store, credential_seconds=credential_seconds)
        server = uvicorn.Server(
            uvicorn.Config(
                make_gateway(desk),
                host=host,
                port=port,
                log_level="warning",
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=STOP_SECONDS,
            )
        )
        address = public_url or f"http://{host}:{port}"
        api.publish_gateway(client, listing, address)
        run.log(f"the gateway answers at {address}, {len(served)} rows", f"网关地址 {address}，{len(served)} 行")
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        try:
            while thread.is_alive() and not stop.wait(hand_in_seconds):
                _hand_in(run, client, store, listing)
        finally:
            server.should_exit = True
            thread.join(2 * STOP_SECONDS)
            _hand_in(run, client, store, listing)
            desk.close()
            store.close()


def _hand_in(run: Run, client: Client, store: CallStore, listing: str) -> None:
    """Hand in what every order of this listing has; what cannot be handed in now is tried again."""
    for order in store.orders():
        try:
            api.hand_in(client, order, store)
        except MarketplaceError as error:
            run.log(f"{order}: {error.code}: {error} ({listing})", f"{order}：{error.code}：{error.zh}")
