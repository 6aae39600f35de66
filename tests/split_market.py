"""The small market of sealed_market.py with its sealing key split between a vault and a custodian."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from crypto.canonical import load_json
from crypto.keystore import Keys
from marketplace.documents import Document, digest
from marketplace.queries.answers.answer import Answer, Papers, assemble
from marketplace.queries.evaluation import SealedColumns
from marketplace.queries.permission.pricing import calls_of
from marketplace.queries.protocol.handover import CustodianTask, VaultTask, custodian_task
from marketplace.vault.custodian.decision import Custodian
from marketplace.vault.custodian.folder import CustodianFolder
from marketplace.vault.decisions.cases import Decision
from marketplace.vault.keeping.custody import MAX_FILE, Deposit, card_of, open_package
from marketplace.vault.keeping.secrecy import Cipher
from marketplace.vault.keeping.store import PrivacyStore
from tests.sealed_market import DEPLOYMENT, NOW, Market, Order, keys, open_market


@dataclass
class SplitMarket(Market):
    """A market whose answers need two shares."""

    custodian: Custodian = None  # type: ignore[assignment]  # a dataclass wants a default after its parent's

    def approved(self, task: VaultTask, now: int = NOW, **changes: Any) -> CustodianTask:
        """The custodian's task once the vault released; `changes` go into it."""
        decision = self.decide(task, now)
        assert decision.release is not None, decision.refusal
        assert decision.shares is not None
        parts = {"release": decision.release, "shares": decision.shares, **vars(task), **changes}
        return CustodianTask(**parts)

    def add(self, task: CustodianTask, now: int = NOW) -> Decision:
        """The custodian's decision."""
        return self.custodian.decide(custodian_task(task), now)

    def answer(self, order: Order, task: CustodianTask, decision: Decision) -> Answer:
        """What the buyer puts together of both shares."""
        return assemble(self.both(order, task, decision), order.buyer.x25519, DEPLOYMENT)

    def both(self, order: Order, task: CustodianTask, decision: Decision) -> Papers:
        """What the buyer holds of an answer with two shares."""
        papers = self.received(order, task, Decision(task.release, task.shares))
        return replace(papers, custodian_shares=decision.shares, custodian_release=decision.release)

    def take(self, order: Order, query: Document) -> Answer | Document:
        """A query document all the way: the answer, or the refusal of vault or custodian."""
        task = self.task(order, query)
        first = self.decide(task)
        if first.refusal is not None:
            return first.refusal
        waiting = self.approved(task)
        second = self.add(waiting)
        if second.refusal is not None:
            return second.refusal
        paid, spent = task.voucher, waiting.release["spentOrder"]
        calls = calls_of([digest(task.query)], order.account.calls)
        order.account = replace(order.account, spent=spent, amount=paid["amount"], epsilon=paid["epsilon"], calls=calls)
        return self.answer(order, waiting, second)


def open_custodian(home: Path, market: Market, own: Keys, **options: Any) -> Custodian:
    """A custodian with a folder and an account of its own, which has taken the vault's file."""
    cipher = Cipher(own.seed)
    halves = CustodianFolder(home / "custodian", cipher)
    halves.take(open_package(load_json(market.dataset.custody_file.read_bytes(), max_bytes=MAX_FILE), own))
    store = PrivacyStore(home / "custodian" / "ledger.sqlite", cipher)
    return Custodian(own, halves, store, DEPLOYMENT, columns=SealedColumns(market.dataset.blob), **options)


def open_split_market(home: Path, schema: dict[str, Any] | None = None, **options: Any) -> SplitMarket:
    """Seal the data under a key that is split at once; `options` are the custodian's."""
    own = keys("custodian")
    made = open_market(home, schema, deposit=Deposit(card_of(own), keys("supplier")))
    market = SplitMarket(**vars(made))
    market.custodian = open_custodian(home, market, own, **options)
    return market
