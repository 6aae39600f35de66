"""What speaks to nodes: JSON-RPC, header hashes, signed transactions; judged by public data and by eth-account."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar

import pytest
from eth_account import Account
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from hexbytes import HexBytes

from crypto.canonical import keccak256
from marketplace.ledger.blocks import header_hash, header_of
from marketplace.ledger.relayer import Relayer
from marketplace.ledger.rpc import NodeLostError, RpcClient, RpcRefusedError

# Ethereum mainnet's block 0, as any public node returns it.
GENESIS = {
    "number": "0x0",
    "hash": "0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3",
    "parentHash": "0x" + "00" * 32,
    "sha3Uncles": "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347",
    "miner": "0x" + "00" * 20,
    "stateRoot": "0xd7f8974fb5ac78d9ac099b9ad5018bedc2ce0a72dad1827a1709da30580f0544",
    "transactionsRoot": "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421",
    "receiptsRoot": "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421",
    "logsBloom": "0x" + "00" * 256,
    "difficulty": "0x400000000",
    "totalDifficulty": "0x400000000",
    "gasLimit": "0x1388",
    "gasUsed": "0x0",
    "timestamp": "0x0",
    "extraData": "0x11bbe8db4e347b4e8c937c1c8370e4b5ed33adb3db69cbdb7a38e1e50b1b82fa",
    "mixHash": "0x" + "00" * 32,
    "nonce": "0x0000000000000042",
    "size": "0x21c",
    "transactions": [],
    "uncles": [],
}


class Answers(BaseHTTPRequestHandler):
    """A node that says what the test put in `reply`."""

    reply: ClassVar[Any] = None
    seen: ClassVar[list[Any]] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        type(self).seen.append(body)
        answer = type(self).reply(body) if callable(type(self).reply) else type(self).reply
        content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Silence."""


@pytest.fixture
def client() -> Iterator[RpcClient]:
    server = HTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    made = RpcClient(f"http://127.0.0.1:{server.server_port}", timeout_seconds=5)
    yield made
    made.close()
    server.shutdown()
    thread.join()
    server.server_close()


def test_answers_come_in_the_order_of_the_questions(client: RpcClient) -> None:
    Answers.reply = staticmethod(lambda body: [{"id": q["id"], "result": q["params"][0]} for q in reversed(body)])
    assert client.batch([("echo", [n]) for n in range(5)]) == list(range(5))
    assert client.batch([]) == []


def test_an_error_is_raised_with_the_method_and_the_node_s_words(client: RpcClient) -> None:
    Answers.reply = [{"id": 0, "error": {"code": -32003, "message": "nonce too low"}}]
    with pytest.raises(RpcRefusedError, match="eth_sendRawTransaction: nonce too low") as refusal:
        client.call("eth_sendRawTransaction", "0x")
    assert (refusal.value.number, refusal.value.retryable) == (-32003, False)
    (kept,) = client.try_batch([("eth_sendRawTransaction", ["0x"])])
    assert isinstance(kept, RpcRefusedError)


@pytest.mark.parametrize("error", [None, "no", [], {"code": "x"}, {"code": None, "message": 5}])
def test_an_error_in_no_known_form_is_still_an_error(client: RpcClient, error: Any) -> None:
    Answers.reply = [{"id": 0, "error": error}]
    with pytest.raises(RpcRefusedError) as refusal:
        client.call("eth_chainId")
    assert refusal.value.number == 0


@pytest.mark.parametrize(
    "reply",
    [
        b"<html>",
        b"",
        {"id": 0, "result": 1},
        [],
        [{"id": 7, "result": 1}],
        [None],
        b'[{"id":0',
        [{"id": [], "result": 1}],
        [{"id": "0"}],
    ],
)
def test_what_is_no_answer_is_a_lost_node(client: RpcClient, reply: Any) -> None:
    Answers.reply = reply
    with pytest.raises(NodeLostError) as loss:
        client.call("eth_chainId")
    assert loss.value.code == "ledger_unreachable"
    assert loss.value.retryable


def test_nobody_there_is_a_lost_node() -> None:
    with pytest.raises(NodeLostError):
        RpcClient("http://127.0.0.1:9", timeout_seconds=1).call("eth_chainId")


def test_the_relayer_signs_what_eth_account_reads_back_and_never_shows_its_key() -> None:
    key = bytes(range(1, 33))
    relayer = Relayer(key, chain_id=20260)
    assert relayer.address == Account.from_key(key).address.lower()
    for nonce, to in ((0, None), (300, "0x" + "ab" * 20)):
        signed = relayer.sign(nonce, to, b"\x01\x02", 21_000)
        assert Account.recover_transaction(signed.raw).lower() == relayer.address
        assert signed.hash == "0x" + keccak256(signed.raw).hex()
        fields = TypedTransaction.from_bytes(HexBytes(signed.raw)).as_dict()
        assert (fields["nonce"], fields["chainId"], fields["gas"], fields["maxFeePerGas"]) == (nonce, 20260, 21_000, 0)
    assert key.hex() not in repr(relayer)


def test_a_header_is_what_its_hash_covers_and_gives_that_hash() -> None:
    header = header_of(GENESIS)
    assert set(GENESIS) - set(header) == {"totalDifficulty", "size", "transactions", "uncles"}
    assert header_hash(header) == GENESIS["hash"]


@pytest.mark.parametrize("field", ["stateRoot", "gasLimit", "timestamp", "receiptsRoot", "nonce"])
def test_a_changed_field_changes_the_hash(field: str) -> None:
    header = header_of(GENESIS)
    text = str(header[field])
    header[field] = text[:-1] + ("1" if text[-1] != "1" else "2")
    assert header_hash(header) != GENESIS["hash"]
