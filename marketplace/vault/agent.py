"""The vault at work: it asks the service for tasks that wait for it, decides each, and posts what it decided.

    POST /vault/tasks?wait=s  {"requests": whether it takes the panel's word}
                                               -> {"task": <queries/protocol/handover.py> or null}
    POST /vault/releases      {"release", "shares"}
    POST /vault/refusals      {"refusal"}

A lost answer is harmless: the task comes again and gets the same release.
"""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from marketplace.errors import PortError
from marketplace.quantities import epsilon as show_epsilon
from marketplace.queries import timings
from marketplace.sdk.http.polling import Notice, idle, poll, task_in
from marketplace.vault.closing import Closing
from marketplace.vault.decisions.cases import Decision
from marketplace.vault.decisions.deciding import KeyHolder

WAIT_SECONDS = 20


class Service(Protocol):
    """What the agent needs of an sdk client."""

    def post(self, path: str, body: Any, *, repeatable: bool = False, wait: float = 0) -> Any:
        """POST JSON and return the answer's JSON."""


class VaultAgent:
    """The loop.

    Args:
        client: signed in with the vault's own keys. vault: decides.
        notice: told what happens. now: unix seconds.
        desk: "vault", or "custodian" for a custodian, whose desk has the same three operations.
        closing: closes the seller's orders in time; None for a key holder that sells nothing.
    """

    def __init__(
        self,
        client: Service,
        vault: KeyHolder,
        notice: Notice,
        now: Callable[[], float] = time.time,
        desk: str = "vault",
        *,
        closing: Closing | None = None,
    ) -> None:
        self.client, self.vault, self.notice, self._now, self._desk = client, vault, notice, now, desk
        self._closing = closing

    def step(self, wait: float = WAIT_SECONDS) -> bool:
        """Ask for one task, decide it and post the decision; returns whether there was one.

        Raises:
            PortError: the service is away. MarketplaceError: it refused, or the task is malformed.
        """
        if self._closing is not None:
            self._closing.step()
        with idle():
            answer = self.client.post(
                f"/{self._desk}/tasks", {"requests": self.vault.word is not None}, repeatable=True, wait=wait
            )
        task = task_in(answer)
        if task is None:
            return False
        with timings.record(self._desk, task):
            self.hand_in(self._decide(task))
        return True

    def _decide(self, task: Mapping[str, Any]) -> Decision:
        try:
            return self.vault.decide(task, int(self._now()))
        except PortError as error:
            if error.code == "account_behind":  # nothing to wait for: somebody has to act
                self.notice(f"{error}; {error.hint}", f"{error.zh}；{error.hint_zh}")
            raise

    def hand_in(self, decision: Decision) -> None:
        """Post a decision."""
        if decision.refusal is not None:
            self._post("refusals", {"refusal": decision.refusal})
            code, query = decision.refusal["code"], decision.refusal["query"]
            self.notice(f"refused {query}: {code}", f"已拒绝 {query}:{code}")
        elif decision.release is not None:
            self._post("releases", {"release": decision.release, "shares": decision.shares})
            query, epsilon = decision.release["query"], decision.release["epsilon"]
            self.notice(
                f"released {query} for epsilon {show_epsilon(epsilon)}", f"已发布 {query}，预算 {show_epsilon(epsilon)}"
            )

    def _post(self, path: str, body: dict[str, Any]) -> None:
        with timings.part("handing in"):
            self.client.post(f"/{self._desk}/{path}", body, repeatable=True)

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set; wait while the service is away."""
        poll(self.step, stop, self.notice)
