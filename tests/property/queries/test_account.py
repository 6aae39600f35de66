"""The privacy account as a state machine: whatever is asked in whatever order, budgets hold and the books agree."""

import itertools
import threading
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from marketplace.documents import digest
from marketplace.queries.permission.pricing import calls_of
from marketplace.queries.protocol.handover import vault_task
from marketplace.vault.decisions.release import Vault
from marketplace.vault.keeping.secrecy import Cipher
from marketplace.vault.keeping.store import PrivacyStore
from tests.sealed_market import DEPLOYMENT, NOW, PRICE, Market, Order, keys, open_market

QUESTIONS = (
    "SELECT COUNT(*) FROM f",
    "SELECT COUNT(*) FROM f WHERE origin = 'JFK'",
    "SELECT SUM(delay) FROM f WHERE origin = 'EWR'",
    "SELECT origin, COUNT(*) FROM f GROUP BY origin",
    "SELECT COUNT(*) FROM f WHERE carrier = 'HA'",
    "SELECT COUNT(*) FROM f WHERE origin = 'JFK' AND carrier <> 'HA'",
)
EPSILONS = (400_000, 1_000_000)
BUDGET, CAP, BUYER_CAP, CALLS = 3_000_000, 1_500_000, 1_900_000, 4
BUYERS, FRIENDS = ("one", "two", "three", "one", "three"), ("one", "two")  # one order each
_sealed: dict[str, Market] = {}


def fresh_market() -> Market:
    """The one sealed data set with an empty account."""
    if not _sealed:
        _sealed["market"] = open_market(Path(mkdtemp()))
    market = _sealed["market"]
    store = PrivacyStore(Path(mkdtemp()) / "ledger.sqlite", Cipher(market.supplier.seed))
    vault = Vault(market.supplier, market.vault.folder, store, DEPLOYMENT)
    return Market(market.home, market.rows, market.dataset, vault, market.supplier, market.nodes, BUDGET)


class PrivacyAccount(RuleBasedStateMachine):
    @initialize()
    def open(self) -> None:
        self.market = fresh_market()
        group = {"name": "friends", "accounts": [keys(name).address for name in FRIENDS]}
        terms: dict[str, Any] = {"buyerCap": BUYER_CAP, "groups": [group]}
        self.orders = [self.market.order(name, cap=CAP, escrow=CALLS * PRICE, **terms) for name in BUYERS]
        self.model_spent = 0
        self.charged: dict[str, int] = {order.account.order: 0 for order in self.orders}
        self.known: set[str] = set()

    @rule(which=st.integers(0, len(BUYERS) - 1), text=st.sampled_from(QUESTIONS), epsilon=st.sampled_from(EPSILONS))
    def ask(self, which: int, text: str, epsilon: int) -> None:
        order, question = self.orders[which], f"{text}/{epsilon}"
        before = order.account
        answer = self.market.ask(order, text, epsilon)
        if isinstance(answer, dict):
            assert order.account == before, "a refused call changes nothing"
            self.explain(answer["code"], order, question, epsilon)
            return
        assert answer.epsilon == (0 if question in self.known else epsilon)
        assert order.account.amount == before.amount + PRICE
        self.known.add(question)
        self.model_spent += answer.epsilon
        self.charged[order.account.order] += answer.epsilon

    def explain(self, code: str, order: Order, question: str, epsilon: int) -> None:
        """Every refusal has a cause that the model sees too."""
        charge = 0 if question in self.known else epsilon
        account = order.account
        causes = {
            "escrow_exceeded": account.amount + PRICE > account.escrow,
            "order_budget_exhausted": account.spent + charge > account.cap,
            "group_budget_exhausted": self.is_friend(order) and self.of_buyer(order) + charge > BUYER_CAP,
            "buyer_budget_exhausted": not self.is_friend(order) and self.of_buyer(order) + charge > BUYER_CAP,
            "budget_exhausted": self.model_spent + charge > BUDGET,
            "cohort_too_small": "= 'HA'" in question,
            "cohort_difference_too_small": "<> 'HA'" in question or question not in self.known,
        }
        assert causes[code]

    def is_friend(self, order: Order) -> bool:
        return order.account.buyer in {keys(name).address for name in FRIENDS}

    def of_buyer(self, order: Order) -> int:
        """What the order's buyer, or its group, has spent over all orders."""
        same = [item for item in self.orders if item.account.buyer == order.account.buyer]
        friends = [item for item in self.orders if self.is_friend(item)]
        return sum(self.charged[item.account.order] for item in (friends if self.is_friend(order) else same))

    @rule(which=st.integers(0, len(BUYERS) - 1), text=st.sampled_from(QUESTIONS))
    def replay(self, which: int, text: str) -> None:
        """The same task again, by a service that repeats itself: one charge, one release."""
        order = self.orders[which]
        query = self.market.query(order, text, EPSILONS[0])
        task = vault_task(self.market.task(order, query))
        decisions = [self.market.vault.decide(task, NOW) for _ in range(2)]
        if decisions[0].release is None:
            return
        assert decisions[0] == decisions[1]
        release = decisions[0].release
        self.model_spent += release["epsilon"]
        self.charged[order.account.order] += release["epsilon"]
        self.known.add(f"{text}/{EPSILONS[0]}")
        stored = self.market.vault.store.released(digest(query))
        assert stored is not None
        paid, calls = stored.voucher, calls_of([digest(query)], order.account.calls)
        self.orders[which].account = type(order.account)(
            **{
                **vars(order.account),
                "spent": release["spentOrder"],
                "amount": paid["amount"],
                "epsilon": paid["epsilon"],
                "calls": calls,
            }
        )

    @invariant()
    def books_agree(self) -> None:
        if not hasattr(self, "market"):
            return
        assert self.market.vault.store.spent(self.market.series) == self.model_spent <= BUDGET
        for order in self.orders:
            assert self.charged[order.account.order] == order.account.spent <= CAP
            assert order.account.epsilon <= CAP
            assert self.of_buyer(order) <= BUYER_CAP


TestPrivacyAccount = PrivacyAccount.TestCase
TestPrivacyAccount.settings = settings(
    max_examples=12, stateful_step_count=14, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


@pytest.mark.parametrize("workers", [4])
def test_concurrent_requests_cannot_overspend(workers: int) -> None:
    """Twelve orders ask different questions at once; the data set has budget for three."""
    market = fresh_market()
    tasks, numbers = [], itertools.count(1)
    for _ in range(12):
        order = market.order(cap=CAP)
        query = market.query(order, "SELECT COUNT(*) FROM f WHERE origin = 'JFK'", 1_000_000 + next(numbers))
        tasks.append(vault_task(market.task(order, query)))
    decisions, lock = [], threading.Lock()

    def work() -> None:
        while True:
            with lock:
                if not tasks:
                    return
                task = tasks.pop()
            decision = market.vault.decide(task, NOW)
            with lock:
                decisions.append(decision)

    threads = [threading.Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    released = [item.release for item in decisions if item.release]
    refused = [item.refusal for item in decisions if item.refusal]
    assert len(released) == 2
    assert {item["code"] for item in refused} == {"budget_exhausted"}
    assert sum(item["epsilon"] for item in released) == market.vault.store.spent(market.series) <= BUDGET
    assert sorted(item["spentAsset"] for item in released)[-1] == market.vault.store.spent(market.series)
