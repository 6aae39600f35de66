"""The gateway at work: a listening server beside a loop that hands records in, and closes orders in time."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn

from marketplace.errors import ConfigurationError, MarketplaceError
from marketplace.gateway.app import make_gateway
from marketplace.gateway.desk import Desk
from marketplace.sdk import api, settlement

STOP_SECONDS = 5
START_SECONDS = 10
Notice = Callable[[str, str], None]


@dataclass(frozen=True)
class Address:
    """Where a gateway listens, and where buyers reach it."""

    host: str
    port: int
    public: str


@contextmanager
def listening(desk: Desk, address: Address) -> Iterator[threading.Thread]:
    """Serve the desk's calls, and say where, as the seller.

    Raises:
        ConfigurationError: `gateway_not_listening`.
    """
    server = uvicorn.Server(
        uvicorn.Config(
            make_gateway(desk),
            host=address.host,
            port=address.port,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=STOP_SECONDS,
        )
    )
    thread = threading.Thread(target=_serve, args=(server,), daemon=True)
    thread.start()
    try:
        _wait(server, thread, address)
        api.publish_gateway(desk.standings.client, desk.standings.listing, address.public)
        yield thread
    finally:
        server.should_exit = True
        thread.join(2 * STOP_SECONDS)
        desk.close()


def work(desk: Desk, address: Address, stop: threading.Event, notice: Notice, hand_in_seconds: float) -> None:
    """Answer calls, hand their records in every so often and at the end, and close orders before their term or their
    last voucher ends, until `stop` is set."""
    done: dict[str, tuple[int, int]] = {}
    with listening(desk, address) as thread:
        notice(f"the gateway answers at {address.public}", f"网关地址 {address.public}")
        while thread.is_alive() and not stop.wait(hand_in_seconds):
            _hand_in(desk, notice, done)
    _hand_in(desk, notice, done)


def _serve(server: uvicorn.Server) -> None:
    try:
        server.run()
    except SystemExit:  # uvicorn's way to say that the port is taken; whoever waits for it sees that nobody serves
        server.should_exit = True


def _wait(server: uvicorn.Server, thread: threading.Thread, address: Address) -> None:
    until = time.monotonic() + START_SECONDS
    while not server.started:
        if not thread.is_alive() or time.monotonic() > until:
            raise ConfigurationError(
                "gateway_not_listening",
                f"cannot listen on {address.host}:{address.port}",
                zh=f"无法监听 {address.host}:{address.port}",
                hint="is another gateway running? choose another port with --port",
                hint_zh="请确认没有另一个网关在运行，或用 --port 指定其他端口",
            )
        time.sleep(0.01)


def _hand_in(desk: Desk, notice: Notice, done: dict[str, tuple[int, int]]) -> None:
    """Hand in what orders have got since; what cannot be handed in now is tried again.

    Args:
        done: records and paid calls of each order that are handed in; brought up to date.
    """
    for order in desk.store.orders():
        voucher = desk.store.voucher(order)
        here = desk.store.count(order), int(voucher["calls"]) if voucher else 0
        try:
            if done.get(order) != here:
                api.hand_in(desk.standings.client, order, desk.store)
                done[order] = here
            if voucher is not None and desk.standings.is_closing(desk.standings.of(order), voucher):
                settlement.close(desk.standings.client, order, voucher)
                notice(f"{order} is closed: its term or its voucher ends", f"{order} 期限或凭证临近失效，已结算")
        except MarketplaceError as error:
            notice(f"{order}: {error.code}: {error}", f"{order}：{error.code}：{error.zh}")
