"""The scene of most attacks: forty streets. In each live one resident whose score is the secret, and twelve neighbours
to the left and twelve to the right of it.

The data set itself asks for no cohort; the terms of an order do. So one sealed data set serves both runs of an attack:
`UNGUARDED` terms for the one that must succeed, `GUARDED` for the one that must fail. Epsilon `EXACT` is so large that
the noise of a plain sum is zero but for one draw in a hundred million; the data set's budget is as large as a document
may say.
"""

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from marketplace.documents import Document
from marketplace.documents.common import COMPUTATIONS
from marketplace.queries.answers.answer import Answer
from marketplace.vault.decisions.cases import Decision
from marketplace.vault.decisions.release import Vault
from marketplace.vault.keeping.secrecy import Cipher
from marketplace.vault.keeping.store import PrivacyStore
from tests.sealed_market import DEPLOYMENT, Market, Order, Row, open_market

STREETS = [str(number) for number in range(1, 41)]
NEIGHBOURS = 12
HIGHEST = 50  # scores are 0..50
EXACT = 1_000_000_000
UNLIMITED = 1_000_000_000_000
COHORT = 10
GENEROUS: dict[str, Any] = {"computations": list(COMPUTATIONS), "epsilonPerQueryMax": EXACT}
UNGUARDED: dict[str, Any] = {**GENEROUS, "minimumCohort": 1}
GUARDED: dict[str, Any] = {**GENEROUS, "minimumCohort": COHORT}
SCHEMA: dict[str, Any] = {
    "title": {"en": "Scores", "zh": "评分"},
    "minimumCohort": 1,
    "dimensions": [
        {"name": "street", "categories": STREETS},
        {"name": "side", "categories": ["left", "right", "target"]},
    ],
    "measures": [{"name": "score", "unit": "point", "scale": 0, "low": 0, "high": HIGHEST}],
}


def make_streets(seed: int = 1) -> list[Row]:
    """The rows, the same for the same seed."""
    drawn = random.Random(seed)
    people = [(street, side) for street in STREETS for side in ["left", "right"] * NEIGHBOURS + ["target"]]
    return [{"street": street, "side": side, "score": str(drawn.randint(0, HIGHEST))} for street, side in people]


def secrets_of(rows: list[Row]) -> list[int]:
    """The score of each street's target."""
    return [int(row["score"]) for row in rows if row["side"] == "target"]


def open_alone(home: Path, schema: dict[str, Any], rows: list[Row]) -> Market:
    """A market with all of the budget that a document may name, and a panel of one node: what nodes agree on is no
    matter in most attacks."""
    market = open_market(home, schema, rows)
    return replace(market, budget=UNLIMITED, nodes=market.nodes[:1])


def open_streets(home: Path) -> Market:
    """The streets, sealed."""
    return open_alone(home, SCHEMA, make_streets())


def nothing(*_: object, **__: object) -> None:
    """In place of a check."""


def code_of(decision: Decision) -> str | None:
    """The code of a refusal; None for an answer."""
    return None if decision.refusal is None else str(decision.refusal["code"])


def anew(market: Market, folder: Path, budget: int | None = None) -> Market:
    """The same sealed data with an account in which nothing was asked, and another budget if one is given."""
    folder.mkdir(exist_ok=True)
    store = PrivacyStore(folder / "ledger.sqlite", Cipher(market.supplier.seed))
    vault = Vault(market.supplier, market.vault.folder, store, DEPLOYMENT)
    return replace(market, vault=vault, budget=budget or market.budget)


def rich_order(market: Market, buyer: str = "attacker", **changes: Any) -> Order:
    """An order whose own limits stop nobody; `changes` are the order's and its terms'."""
    panel = market.make_terms()["panel"] | {"threshold": len(market.nodes) // 2 + 1}
    return market.order(buyer, **{"cap": UNLIMITED, "escrow": UNLIMITED, "panel": panel, **changes})


def answered(outcome: Answer | Document) -> Answer:
    """The answer, which must be one."""
    assert isinstance(outcome, Answer), outcome
    return outcome


def refused(outcome: Answer | Document) -> str:
    """The code of the refusal, which must be one."""
    assert not isinstance(outcome, Answer)
    return str(outcome["code"])


def totals(outcome: Answer | Document, name: str = "sum:score") -> list[int]:
    """What was released of one statistic, group by group."""
    return [numbers[name] for numbers in answered(outcome).numbers]


Ask = Callable[[str], Answer | Document]


def asker(market: Market, order: Order, epsilon: int = EXACT) -> Ask:
    """What an attacker works with: questions in, answers or refusals out."""
    return lambda sql: market.ask(order, sql, epsilon)
