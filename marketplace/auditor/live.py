"""A ledger node, looked at from outside: the block that it has must be in the bundle."""

from typing import Any

import httpx

from crypto.canonical import load_json, to_hex
from crypto.errors import MalformedInput
from marketplace.errors import PortError

MAX_ANSWER_BYTES = 1 << 20
TIMEOUT_SECONDS = 30.0


def ledger_block(url: str, number: str = "latest") -> tuple[int, str, str]:
    """Number, hash and place of a block that a ledger node has.

    Args:
        url: JSON-RPC over HTTP.
        number: "latest", or a quantity such as "0x10".
    Raises:
        PortError: `ledger_unreachable`, `ledger_answer`.
    """
    request = {"jsonrpc": "2.0", "id": 1, "method": "eth_getBlockByNumber", "params": [number, False]}
    try:
        answer = _post(url, request)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        message = f"the ledger node at {url} does not answer: {error}"
        raise PortError("ledger_unreachable", message, zh="账本节点无响应") from error
    try:
        block: dict[str, Any] = load_json(answer, max_bytes=MAX_ANSWER_BYTES)["result"]
        return int(block["number"], 16), to_hex(bytes.fromhex(block["hash"][2:])), url
    except (MalformedInput, ValueError, KeyError, TypeError) as error:
        message = f"{url} does not answer like a ledger node: {error}"
        raise PortError("ledger_answer", message, retryable=False, zh="账本节点应答无效") from error


def _post(url: str, request: dict[str, Any]) -> bytes:
    """The answer's bytes as they came, unpacked by nobody, and at most one more than are accepted."""
    headers = {"accept-encoding": "identity"}
    body = b""
    with httpx.stream("POST", url, json=request, headers=headers, timeout=TIMEOUT_SECONDS) as answer:
        for chunk in answer.iter_raw():
            body += chunk
            if len(body) > MAX_ANSWER_BYTES:
                break
    return body
