"""A town whose clock a test moves on, for what time alone decides."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from marketplace.intents import CHALLENGE_SECONDS
from marketplace.sdk import orders, settlement
from marketplace.vault.agent import VaultAgent
from tests.integration.service.test_refusals import Asking
from tests.integration.service.town import CAP, ESCROW, NODES, Town


@dataclass
class Late:
    """A town whose clock a test moves on."""

    town: Town
    later: list[int]
    epsilons: Iterator[int] = field(default_factory=lambda: iter(range(900, 1_000)))

    def now(self) -> int:
        """Unix seconds."""
        return int(time.time()) + self.later[0]

    def pass_window(self) -> None:
        """Until a window that is open now is over."""
        self.wait_for(CHALLENGE_SECONDS + 10)

    def wait_for(self, seconds: int) -> None:
        """So long; sessions end meanwhile."""
        self.later[0] += seconds
        for client in self.town.clients.values():
            client.act_for(client.address)

    def vault(self) -> VaultAgent:
        """The supplier's, by this clock."""
        made = self.town.vault()
        return VaultAgent(made.client, made.vault, made.notice, self.now)

    def asking(self, term: int = 30 * 86_400) -> Asking:
        """A question of its own under an order of its own, and the money for it."""
        settlement.issue(self.town["bank"], self.town["buyer"].address, ESCROW)
        end = self.now() + term
        made = Asking(self.town, self.town.fund(self.town.facts["listing"], valid_until=end, epsilon_cap=CAP // 4))
        made.query = {**made.query, "epsilon": next(self.epsilons)}
        return made

    def answered(self, term: int = 30 * 86_400) -> Asking:
        """As `asking`, and answered."""
        asking = self.asking(term)
        asking.post()
        assert all(self.town.node(node).step(5) for node in NODES)
        assert self.vault().step(5)
        return asking

    def order(self, order: str) -> dict[str, Any]:
        """As the ledger says."""
        return orders.get(self.town["buyer"], order)

    def until(self, order: str, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Wait for what the service does by itself."""
        for _ in range(300):
            if wanted(found := self.order(order)):
                return found
            time.sleep(0.1)
        raise AssertionError(found)

    def wait(self, done: Callable[[], bool]) -> None:
        """Until it is so."""
        for _ in range(300):
            if done():
                return
            time.sleep(0.1)
        raise AssertionError(done)

    def problem(self) -> str:
        """What the service, ready all the same, says that it had to leave undone."""
        return "; ".join(self.town["buyer"].get("/readyz")["hindrances"])
