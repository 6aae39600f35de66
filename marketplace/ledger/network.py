"""JSON-RPC to a network that others run, through web3.py's provider, which minds proxies, TLS and connection pools.

The embedded node is spoken to by `rpc.RpcClient` itself, without a layer between: sealing and replay are bound by it.
"""

from collections.abc import Sequence
from typing import Any, cast

import requests
from web3 import HTTPProvider
from web3.exceptions import Web3Exception
from web3.types import RPCEndpoint

from marketplace.ledger.rpc import TIMEOUT_SECONDS, NodeLostError, RpcClient, restore_recursion_limit

restore_recursion_limit()


class NetworkClient(RpcClient):
    """A network's JSON-RPC interface, by web3.py's provider.

    Args:
        url: http or https.
        timeout_seconds: for one answer.
    """

    def __init__(self, url: str, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._session = requests.Session()
        kwargs = {"timeout": timeout_seconds}
        # No retries of its own: the worker knows what may be sent again.
        self._provider = HTTPProvider(url, kwargs, session=self._session, exception_retry_configuration=None)

    def close(self) -> None:
        """Close the connections; the next request opens another."""
        self._session.close()

    def _ordered(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[dict[str, Any]]:
        batch = [(RPCEndpoint(method), list(params)) for method, params in calls]
        try:
            answers: Any = self._provider.make_batch_request(batch)  # in the order of the requests
        except (OSError, Web3Exception, ValueError, RecursionError) as error:
            raise NodeLostError(f"{type(error).__name__}: {error}") from error
        if not isinstance(answers, list) or len(answers) != len(batch):
            raise NodeLostError("the answers do not match the requests")
        return cast("list[dict[str, Any]]", answers)
