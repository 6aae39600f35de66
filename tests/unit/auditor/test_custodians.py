"""The auditor and the second share: what is true passes, and each falsehood has its finding."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from marketplace.auditor.documents.store import Documents
from marketplace.auditor.findings import Report
from marketplace.auditor.usage.custodians import Custodians
from marketplace.auditor.usage.orders import Standing
from marketplace.documents import Document, digest
from marketplace.queries.planning.plan import make_plan
from marketplace.queries.protocol.shares import seal_shares
from marketplace.queries.protocol.statements import sign_release
from tests.sealed_market import DEPLOYMENT, keys
from tests.split_market import SplitMarket, open_split_market

SQL = "SELECT origin, COUNT(*) FROM f GROUP BY origin"


class Kept(Documents):
    """Documents of a bundle, by digest."""

    def __init__(self, *documents: Document) -> None:
        self.kept: dict[str, Document] = {digest(item): item for item in documents}

    def get(self, digest: object, kind: str, named_by: str) -> Document | None:
        found = self.kept.get(str(digest))
        return found if found and found["type"] == kind else None


@dataclass(frozen=True)
class Case:
    """One answer's papers, and the leaf that names them."""

    standing: Standing
    query: Document
    vault_shares: Document
    release: Document
    shares: Document
    leaf: dict[str, Any]

    def findings(self, *more: "Case") -> list[str]:
        """Codes that checking this leaf, and more of them, gives."""
        every = (self, *more)
        report = Report()
        documents = Kept(*(item for case in every for item in (case.release, case.shares)))
        custodians = Custodians(documents, DEPLOYMENT, report)
        with report.step(10):
            for case in every:
                plan = make_plan(case.standing.manifest, case.query)
                custodians.check(case.standing, case.leaf, case.vault_shares, plan, "leaf 7")
            custodians.finish()
        return [finding.code for finding in report.findings]

    def with_release(self, **changes: Any) -> "Case":
        """Another release by the custodian, named by the leaf."""
        body = {name: value for name, value in (self.release | changes).items() if name != "signature"}
        release = sign_release(body, DEPLOYMENT, keys("custodian").signing_key)
        return replace(self, release=release, leaf={**self.leaf, "custodianRelease": digest(release)})

    def with_shares(self, shares: Document) -> "Case":
        """Other shares by the custodian, named by its release and the leaf."""
        named = self.with_release(shares=digest(shares))
        return replace(named, shares=shares, leaf={**named.leaf, "custodianShares": digest(shares)})


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> SplitMarket:
    return open_split_market(tmp_path_factory.mktemp("audited"))


def answered(market: SplitMarket, buyer: str) -> Case:
    order = market.order(buyer)
    task = market.approved(market.task(order, market.query(order, SQL)))
    decision = market.add(task)
    assert decision.release is not None
    assert decision.shares is not None
    row = {"orderId": order.account.order, "assetId": market.asset}
    standing = Standing(row, row, row, order.papers.terms, market.manifest, order.papers.agreement)
    leaf = {name: task.release[name] for name in ("order", "query", "result", "shares")}
    leaf |= {"custodianRelease": digest(decision.release), "custodianShares": digest(decision.shares)}
    return Case(standing, task.query, task.shares, decision.release, decision.shares, leaf)


@pytest.fixture(scope="module")
def case(market: SplitMarket) -> Case:
    return answered(market, "first")


def test_what_is_true_passes_and_a_repeated_question_is_free(market: SplitMarket, case: Case) -> None:
    assert case.findings() == []
    again = answered(market, "again")
    assert again.release["epsilon"] == 0
    assert case.findings(again) == []


def without_share(case: Case) -> Case:
    leaf = {name: value for name, value in case.leaf.items() if not name.startswith("custodian")}
    return replace(case, leaf=leaf)


def unsplit(case: Case) -> Case:
    return replace(case, standing=replace(case.standing, manifest={**case.standing.manifest, "custodian": None}))


def of_another_custodian(case: Case) -> Case:
    manifest = {**case.standing.manifest, "custodian": keys("other").address}
    return replace(case, standing=replace(case.standing, manifest=manifest))


def signature_changed(case: Case) -> Case:
    text = case.release["signature"]
    release = {**case.release, "signature": text[:-3] + ("1" if text[-3] != "1" else "2") + text[-2:]}
    return replace(case, release=release, leaf={**case.leaf, "custodianRelease": digest(release)})


def fewer_numbers(case: Case) -> Case:
    names = (case.shares["query"], case.shares["result"])
    return case.with_shares(seal_shares(*names, case.query["recipient"], {0: 1, 1: 2}, [("LGA",)]))


def other_generation(case: Case) -> Case:
    return case.with_shares({**case.shares, "generation": 1})


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (without_share, "custodian_share"),
        (unsplit, "custodian_share"),
        (of_another_custodian, "release_signature"),
        (signature_changed, "release_signature"),
        (lambda case: case.with_release(order="0x" + "11" * 32), "reference"),
        (lambda case: case.with_release(result="0x" + "11" * 32), "reference"),
        (lambda case: case.with_release(epsilon=999_999), "epsilon_charge"),
        (lambda case: case.with_release(spentAsset=2_000_000), "epsilon_asset"),
        (fewer_numbers, "shares_differ"),
        (other_generation, "shares_differ"),
    ],
)
def test_each_falsehood_is_found(case: Case, change: Callable[[Case], Case], code: str) -> None:
    assert code in change(case).findings()


def test_a_question_that_is_charged_twice_is_found(case: Case) -> None:
    again = case.with_release(spentAsset=2_000_000)
    assert case.findings(again) == ["epsilon_charge"]
