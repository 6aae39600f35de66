"""A ledger node that answers with text made to break its reader."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from marketplace.auditor.live import ledger_block
from marketplace.errors import PortError
from marketplace.ledger.network import NetworkClient
from marketplace.ledger.rpc import NodeLostError, RpcClient


class _Deep(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = b"[" * 100_000
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Quiet."""


@pytest.fixture
def url() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Deep)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("kind", [RpcClient, NetworkClient])
def test_deep_nesting_is_a_lost_node_and_no_crash(url: str, kind: type[RpcClient]) -> None:
    client = kind(url)
    with pytest.raises(NodeLostError):
        client.call("eth_blockNumber")
    client.close()


def test_the_auditor_calls_it_no_answer(url: str) -> None:
    with pytest.raises(PortError) as caught:
        ledger_block(url)
    assert caught.value.code == "ledger_answer"
