"""JSON-RPC to a node over one kept-alive connection. One thread at a time uses a client."""

import http.client
import json
import sys
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from marketplace.errors import PortError

TIMEOUT_SECONDS = 120.0
MAXIMUM_ANSWER_BYTES = 1 << 30


RECURSION_LIMIT = 1_000  # Python's own


def restore_recursion_limit() -> None:
    """Undo what py_ecc does when eth-account or web3 bring it: it raises the limit to 100,000.

    A reader that recurses over deeply nested JSON would then overflow the C stack and end the process, where at
    Python's own limit it is an error like others. Comes after the imports of whoever brings them.
    """
    sys.setrecursionlimit(RECURSION_LIMIT)


class NodeLostError(PortError):
    """The node does not answer, or what answers does not speak JSON-RPC."""

    def __init__(self, message: str) -> None:
        super().__init__(
            "ledger_unreachable",
            f"the ledger node does not answer: {message}",
            zh="账本节点无响应",
            hint="an embedded node is started again by itself; look at the log if it keeps happening",
            hint_zh="内置节点会自动重启；若反复出现请查看日志",
        )


class RpcRefusedError(PortError):
    """The node answered with an error.

    Attributes:
        number: JSON-RPC error code.
    """

    def __init__(self, method: str, error: object) -> None:
        stated = error if isinstance(error, dict) else {}
        number = stated.get("code", 0)
        self.number = number if isinstance(number, int) else 0
        text = str(stated.get("message", ""))[:300]
        super().__init__(
            "ledger_rpc_refused", f"{method}: {text}", retryable=False, zh=f"账本节点拒绝请求 {method}", got=self.number
        )


class RpcClient:
    """A node's JSON-RPC interface.

    Args:
        url: http or https, with a path where the node wants one.
        timeout_seconds: for one answer; a big block takes seconds to make.
    """

    def __init__(self, url: str, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        parts = urlsplit(url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(parts.hostname or "127.0.0.1", parts.port, timeout=timeout_seconds)
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")

    def call(self, method: str, *params: Any) -> Any:
        """The result of one request.

        Raises:
            NodeLostError: no answer.
            RpcRefusedError: the answer is an error.
        """
        return self.batch([(method, params)])[0]

    def batch(self, requests: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
        """The results of several requests sent together, in their order. Raises as `call`, for the first error."""
        answers = self.try_batch(requests)
        for answer in answers:
            if isinstance(answer, RpcRefusedError):
                raise answer
        return answers

    def try_batch(self, requests: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
        """As `batch`, but an error stands in its place among the results instead of being raised."""
        if not requests:
            return []
        answers = self._ordered(requests)
        return [_result(method, answer) for (method, _), answer in zip(requests, answers, strict=True)]

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        self._connection.close()

    def _ordered(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[dict[str, Any]]:
        """The answers' objects, in the order of the requests."""
        body = [{"jsonrpc": "2.0", "id": i, "method": m, "params": list(p)} for i, (m, p) in enumerate(calls)]
        answers = [answer for answer in self._exchange(body) if isinstance(answer, dict)]
        by_id = {answer["id"]: answer for answer in answers if isinstance(answer.get("id"), int)}
        if set(by_id) != set(range(len(body))):
            raise NodeLostError("the answers do not match the requests")
        return [by_id[i] for i in range(len(body))]

    def _exchange(self, body: list[dict[str, Any]]) -> list[Any]:
        try:
            self._connection.request("POST", self._path, json.dumps(body), {"content-type": "application/json"})
            answer = json.loads(self._connection.getresponse().read(MAXIMUM_ANSWER_BYTES))
        except (OSError, http.client.HTTPException, ValueError, RecursionError) as error:
            self._connection.close()
            raise NodeLostError(f"{type(error).__name__}: {error}") from error
        if not isinstance(answer, list):
            raise NodeLostError("the answer to a batch is not a list")
        return answer


def _result(method: str, answer: dict[str, Any]) -> Any:
    return RpcRefusedError(method, answer["error"]) if "error" in answer else answer.get("result")
