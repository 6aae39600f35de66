"""Step 10: every released answer was asked, permitted, paid for, attested by the panel and released by the vault.

Works through the log's leaves in order. What concerns money and epsilon is in billing.py, the panel in attestations.py,
the order's papers in papers.py.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from marketplace.documents import unix_seconds
from marketplace.errors import MarketplaceError
from marketplace.intents import Deployment
from marketplace.queries.plan import Plan
from marketplace.queries.statements import check_refusal, check_release

from .attestations import Attestations
from .billing import Billing
from .documents import Documents
from .findings import Report
from .papers import Papers, Standing
from .rows import Tables

Leaf = Mapping[str, Any]
RELEASED = ("query", "voucher", "result", "attestation", "release")


@dataclass(frozen=True)
class Released:
    """A released answer that can be computed again.

    Args:
        subject: its leaf.
        standing: its order's papers.
        query: digest of the query document.
        plan: what evaluating it means.
        result: the panel's result document.
    """

    subject: str
    standing: Standing
    query: str
    plan: Plan
    result: dict[str, Any]


class Queries:
    """Checks the leaves about queries; `finish` compares totals and verifies the panel's signatures."""

    def __init__(self, tables: Tables, documents: Documents, deployment: Deployment, report: Report) -> None:
        self._tables, self._documents, self._deployment, self._report = tables, documents, deployment, report
        self._papers = Papers(tables, documents, report)
        self._attestations = Attestations(report)
        self._billing = Billing(deployment, report)
        self._accepted: dict[str, int] = {}
        self._ended: dict[str, str] = {}
        self.released: list[tuple[str, Leaf]] = []

    def check_leaf(self, position: int, leaf: Leaf) -> None:
        """One leaf, in the log's order."""
        subject = f"leaf {position} {leaf['type']}"
        check = {
            "query.accepted": self._accept,
            "query.released": self._release,
            "query.refused": self._refuse,
            "panel.divergence": self._diverge,
        }.get(leaf["type"])
        if check is not None:
            check(leaf, subject)

    def finish(self) -> None:
        """What can be told only after the last leaf."""
        self._billing.finish(self._tables)
        self._attestations.finish()

    def answers(self) -> Iterator[Released]:
        """The released answers, for computing them again."""
        for subject, leaf in self.released:
            query = self._documents.get(leaf["query"], "query", subject)
            result = self._documents.get(leaf["result"], "result", subject)
            standing = self._papers.of(query["order"], subject) if query else None
            plan = self._papers.plan(standing, query, subject) if standing and query else None
            if standing and plan and result:
                yield Released(subject, standing, leaf["query"], plan, result)

    def _accept(self, leaf: Leaf, subject: str) -> None:
        self._report.count("accepted")
        self._accepted[leaf["query"]] = unix_seconds(leaf["at"])
        query = self._documents.get(leaf["query"], "query", subject)
        standing = self._papers.of(query["order"], subject) if query else None
        if query and standing:
            self._papers.check_permitted(standing, query, unix_seconds(leaf["at"]), subject)

    def _release(self, leaf: Leaf, subject: str) -> None:
        self._report.count("released")
        self._end(leaf, subject)
        papers = {kind: self._documents.get(leaf[kind], kind, subject) for kind in RELEASED}
        query, release = papers["query"], papers["release"]
        standing = self._papers.of(query["order"], subject) if query else None
        if query is None or release is None or standing is None:
            return
        plan = self._papers.plan(standing, query, subject)
        if papers["voucher"]:
            self._report.same("reference", f"{subject} voucher.order", query["order"], papers["voucher"]["order"])
            self._billing.check_voucher(standing, papers["voucher"], leaf["query"], subject)
        if papers["result"] and papers["attestation"] and plan:
            self._check_result(standing, leaf, papers["result"], plan, subject)
            self._attestations.add(papers["attestation"], leaf["result"], standing.terms, subject)
            self.released.append((subject, leaf))
        if plan:
            self._check_release(standing, leaf, release, plan, subject)

    def _end(self, leaf: Leaf, subject: str) -> None:
        """A query was accepted before it ends, and ends once."""
        if leaf["query"] not in self._accepted:
            self._report.find("query_not_accepted", subject, got=leaf["query"])
        if leaf["query"] in self._ended:
            self._report.find("query_ended_twice", subject, expected=self._ended[leaf["query"]], got=leaf["query"])
        self._ended[leaf["query"]] = subject

    def _check_result(self, standing: Standing, leaf: Leaf, result: Leaf, plan: Plan, subject: str) -> None:
        same, root = self._report.same, standing.asset["ciphertextRoot"]
        same("reference", f"{subject} result.query", leaf["query"], result["query"])
        same("reference", f"{subject} result.ciphertextRoot", root, result["ciphertextRoot"])
        same("plan_differs", f"{subject} result.plan", plan.digest, result["plan"])
        same("plan_differs", f"{subject} result.numbers", len(plan.numbers), len(result["numbers"]))

    def _check_release(self, standing: Standing, leaf: Leaf, release: Leaf, plan: Plan, subject: str) -> None:
        self._report.count("releases")
        links = {"order": standing.order["orderId"], "query": leaf["query"], "result": leaf["result"]}
        for name, expected in {**links, "signer": standing.manifest["releaseKey"]}.items():
            self._report.same("reference", f"{subject} release.{name}", expected, release[name])
        try:
            check_release(release, self._deployment, standing.manifest["releaseKey"])
        except MarketplaceError as error:
            self._report.find("release_signature", subject, expected=error.expected, got=error.message)
        self._billing.charge(standing, release, plan.digest, plan.epsilon, subject)
        self._check_shares(leaf, release, plan, subject)

    def _check_shares(self, leaf: Leaf, release: Leaf, plan: Plan, subject: str) -> None:
        shares = self._documents.get(release["shares"], "shares", subject)
        if shares is None:
            return
        self._report.same("reference", f"{subject} shares.query", leaf["query"], shares["query"])
        self._report.same("reference", f"{subject} shares.result", leaf["result"], shares["result"])
        suppressed = {tuple(group) for group in shares["suppressed"]}
        kept = [index for index, number in enumerate(plan.numbers) if number.group not in suppressed]
        self._report.same("shares_differ", f"{subject} shares.released", kept, shares["released"])

    def _refuse(self, leaf: Leaf, subject: str) -> None:
        self._report.count("refused")
        self._end(leaf, subject)
        query = self._documents.get(leaf["query"], "query", subject)
        refusal = self._documents.get(leaf["refusal"], "refusal", subject)
        standing = self._papers.of(query["order"], subject) if query else None
        if not (query and refusal and standing):
            return
        self._report.same("reference", f"{subject} refusal.query", leaf["query"], refusal["query"])
        self._report.same("reference", f"{subject} refusal.order", query["order"], refusal["order"])
        self._report.same("reference", f"{subject} refusal.signer", standing.manifest["releaseKey"], refusal["signer"])
        try:
            check_refusal(refusal, self._deployment, standing.manifest["releaseKey"])
        except MarketplaceError as error:
            self._report.find("refusal_signature", subject, expected=error.expected, got=error.message)

    def _diverge(self, leaf: Leaf, subject: str) -> None:
        self._report.count("divergences")
        query = self._documents.get(leaf["query"], "query", subject)
        statement = self._documents.get(leaf["statement"], "statement", subject)
        standing = self._papers.of(query["order"], subject) if query else None
        if query and statement and standing:
            self._attestations.check_divergence(statement, standing.terms, subject)
