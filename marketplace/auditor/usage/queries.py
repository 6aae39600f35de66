"""Step 10: every released answer was asked, permitted, paid for, attested by the panel and released by the vault, and
by the custodian where the manifest names one.

Works through the log's leaves in order. What concerns money and epsilon is in billing.py, the panel's signatures in
attestations.py, what is held against nodes in panels.py, the order's papers in papers.py, what is delivered call by
call in calls.py.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from marketplace.auditor.documents.store import Documents
from marketplace.auditor.findings import Report
from marketplace.auditor.readmodel.claimed import claimed_at
from marketplace.auditor.readmodel.rows import Placed, Tables
from marketplace.auditor.usage.attestations import Attestations
from marketplace.auditor.usage.barred import Barred
from marketplace.auditor.usage.billing import UNDER_WAY_SECONDS, Billing
from marketplace.auditor.usage.calls import CALL_LEAVES, Calls
from marketplace.auditor.usage.custodians import CUSTODIAN, Custodians, check_shares, check_signed
from marketplace.auditor.usage.orders import Papers, Standing
from marketplace.auditor.usage.panels import PANEL_LEAVES, Contest, Panels
from marketplace.documents import iso_time, unix_seconds
from marketplace.errors import MarketplaceError
from marketplace.intents import Deployment
from marketplace.participants.keybook import KeyBook, spans_of
from marketplace.queries.planning.plan import Plan
from marketplace.queries.protocol.statements import check_refusal

Leaf = Mapping[str, Any]
RELEASED = ("query", "voucher", "result", "attestation", "release", "shares")
# type of leaf -> its members besides type and at; what is not here has no check and is therefore no evidence
LEAVES: dict[str, frozenset[str]] = {
    "query.accepted": frozenset({"query", "order", "voucher"}),
    "query.released": frozenset({*RELEASED, "order"}),
    "query.withheld": frozenset({"query", "order", "release", "refusal", "code"}),
    "query.refused": frozenset({"query", "order", "refusal", "code"}),
    "query.failed": frozenset({"query", "order", "statements"}),
    **PANEL_LEAVES,
    **CALL_LEAVES,
}
# members that leaves may have besides, all or none
MORE: dict[str, frozenset[str]] = {
    "query.accepted": frozenset({"deadline"}),
    "query.released": CUSTODIAN,
    "query.failed": frozenset({"code"}),
}


@dataclass(frozen=True)
class Released:
    """A released answer that can be computed again.

    Args:
        subject: its leaf.
        standing: its order's papers.
        query: digest of the query document.
        plan: what evaluating it means.
        result: the panel's result document. signers: the nodes that attested it.
    """

    subject: str
    standing: Standing
    query: str
    plan: Plan
    result: dict[str, Any]
    signers: frozenset[str]


@dataclass(frozen=True)
class Contested:
    """A query of which two results are signed, and what is needed to compute it again."""

    contest: Contest
    standing: Standing
    query: dict[str, Any]
    plan: Plan


class Queries:
    """Checks the leaves about queries and calls; `finish` compares totals and verifies the panel's signatures.

    Args:
        derived: the ledger's events by rule, which say when nothing may be delivered.
    """

    def __init__(
        self,
        tables: Tables,
        documents: Documents,
        deployment: Deployment,
        attestations: Attestations,
        report: Report,
        *,
        derived: Iterable[Placed] = (),
    ) -> None:
        self._tables, self._documents, self._deployment, self._report = tables, documents, deployment, report
        self._papers = Papers(tables, documents, report)
        self._attestations = attestations
        self._panels = Panels(documents, attestations, report)
        book = KeyBook(deployment, spans_of(tables.rows["account_keys"].values()))
        self._billing = Billing(book, report)
        self.calls = Calls(tables, documents, self._papers, self._billing, report, barred=Barred(tables, derived))
        self._custodians = Custodians(documents, deployment, report)
        self._accepted: dict[str, str] = {}
        self._ended: dict[str, str] = {}
        self.released: list[tuple[str, Leaf]] = []

    def check_leaf(self, position: int, leaf: Leaf) -> None:
        """One leaf, in the log's order."""
        subject = f"leaf {position} {leaf['type']}"
        members, more = LEAVES.get(leaf["type"]), MORE.get(leaf["type"], frozenset())
        if members is not None and more and leaf.keys() >= more:
            members |= more
        if members is None or leaf.keys() != members | {"type", "at"} or not _are_texts(leaf):
            self._report.find("leaf_unknown", subject, expected=sorted(members or LEAVES), got=sorted(leaf))
            return
        if leaf["type"] in CALL_LEAVES:
            self.calls.check(leaf, subject)
            return
        {
            "query.accepted": self._accept,
            "query.released": self._release,
            "query.withheld": self._withhold,
            "query.refused": self._refuse,
            "query.failed": self._fail,
        }.get(leaf["type"], self._panel)(leaf, subject)

    def finish(self) -> None:
        """What can be told only after the last leaf."""
        self._billing.finish(self._tables, self.calls.settles)
        self._custodians.finish()
        self._attestations.finish()
        self._panels.finish()

    def voucher(self, order: str) -> Leaf | None:
        """The voucher of an order's last answer, or of its last calls that were handed in."""
        return self.calls.voucher(order) or self._billing.voucher(order)

    def contests(self) -> Iterator[Contested]:
        """Queries of which two results are signed, with what is needed to tell who is right; for after `finish`."""
        for name, contest in self._panels.contests():
            query = self._documents.get(name, "query", contest.subject)
            standing = self._standing(query, contest.subject)
            plan = self._papers.plan(standing, query, contest.subject) if standing and query else None
            if query and standing and plan:
                yield Contested(contest, standing, query, plan)

    def answer(self, subject: str, leaf: Leaf) -> Released | None:
        """A released answer with what is needed to compute it again; None where a finding already says what lacks."""
        query = self._documents.get(leaf["query"], "query", subject)
        result = self._documents.get(leaf["result"], "result", subject)
        standing = self._standing(query, subject)
        plan = self._papers.plan(standing, query, subject) if standing and query else None
        if standing is None or plan is None or result is None:
            return None
        return Released(subject, standing, leaf["query"], plan, result, self._panels.signers(leaf["query"]))

    def _standing(self, query: Leaf | None, subject: str) -> Standing | None:
        return self._papers.of(query["order"], subject) if query else None

    def _accept(self, leaf: Leaf, subject: str) -> None:
        self._report.count("accepted")
        self._accepted[leaf["query"]] = leaf["voucher"]
        self._panels.accept(leaf)
        query = self._documents.get(leaf["query"], "query", subject)
        self._documents.get(leaf["voucher"], "voucher", subject)
        standing = self._standing(query, subject)
        if query is None or standing is None:
            return
        self._report.same("reference", f"{subject} order", query["order"], leaf["order"])
        at, claimed = unix_seconds(leaf["at"]), claimed_at(self._tables, leaf["order"])
        if claimed is not None and at > claimed + UNDER_WAY_SECONDS:
            self._report.find("asked_after_claim", subject, expected=f"<= {iso_time(claimed)}", got=leaf["at"])
        self._papers.check_permitted(standing, query, at, subject)
        self._papers.plan(standing, query, subject)  # a finding where it cannot be planned

    def _release(self, leaf: Leaf, subject: str) -> None:
        self._report.count("released")
        papers = {kind: self._documents.get(leaf[kind], kind, subject) for kind in RELEASED}
        query = papers["query"]
        self._end(leaf, query, subject)
        self._report.same("reference", f"{subject} voucher", self._accepted.get(leaf["query"]), leaf["voucher"])
        standing = self._standing(query, subject)
        plan = self._papers.plan(standing, query, subject) if standing and query else None
        if standing is None or plan is None:
            return
        if papers["voucher"]:
            order = standing.order["orderId"]
            self._report.same("reference", f"{subject} voucher.order", order, papers["voucher"]["order"])
            at = unix_seconds(leaf["at"])
            self._billing.check_voucher(standing, papers["voucher"], leaf["query"], subject, at=at)
        if papers["result"] and papers["attestation"]:
            self._check_result(standing, leaf, papers["result"], plan, subject)
            self._panels.attest(leaf, papers["attestation"], standing.terms, subject)
            self.released.append((subject, leaf))
        if papers["release"]:
            self._check_release(standing, leaf, papers["release"], plan, subject)
        if papers["shares"]:
            check_shares(self._report, leaf, papers["shares"], plan, subject)
            self._custodians.check(standing, leaf, papers["shares"], plan, subject)

    def _end(self, leaf: Leaf, query: Leaf | None, subject: str) -> None:
        """A query was accepted before it ends, ends once, and its leaf names its order."""
        if leaf["query"] not in self._accepted:
            self._report.find("query_not_accepted", subject, got=leaf["query"])
        if leaf["query"] in self._ended:
            self._report.find("query_ended_twice", subject, expected=self._ended[leaf["query"]], got=leaf["query"])
        self._ended[leaf["query"]] = subject
        if query is not None:
            self._report.same("reference", f"{subject} order", query["order"], leaf["order"])

    def _check_result(self, standing: Standing, leaf: Leaf, result: Leaf, plan: Plan, subject: str) -> None:
        same, root = self._report.same, standing.asset["ciphertextRoot"]
        same("reference", f"{subject} result.query", leaf["query"], result["query"])
        same("reference", f"{subject} result.ciphertextRoot", root, result["ciphertextRoot"])
        same("plan_differs", f"{subject} result.plan", plan.digest, result["plan"])
        same("plan_differs", f"{subject} result.numbers", len(plan.numbers), len(result["numbers"]))

    def _check_release(self, standing: Standing, leaf: Leaf, release: Leaf, plan: Plan, subject: str) -> None:
        self._report.count("releases")
        signer = standing.manifest["releaseKey"]
        links = {name: leaf[name] for name in ("order", "query", "result", "shares")}
        check_signed(
            self._report, self._deployment, release, {**links, "signer": signer}, signer=signer, subject=subject
        )
        self._billing.charge(standing, release, plan.digest, plan.epsilon, subject)

    def _withhold(self, leaf: Leaf, subject: str) -> None:
        """The vault released, and custodian or vault refused: no call, and no money; the vault's charge stands."""
        self._report.count("withheld")
        query = self._documents.get(leaf["query"], "query", subject)
        release = self._documents.get(leaf["release"], "release", subject)
        refusal = self._documents.get(leaf["refusal"], "refusal", subject)
        self._end(leaf, query, subject)
        standing = self._standing(query, subject)
        plan = self._papers.plan(standing, query, subject) if standing and query else None
        if release is None or refusal is None or standing is None or plan is None:
            return
        custodian = standing.manifest["custodian"]
        links = {name: leaf[name] for name in ("order", "query")}
        signer = standing.manifest["releaseKey"]
        check_signed(
            self._report, self._deployment, release, {**links, "signer": signer}, signer=signer, subject=subject
        )
        self._billing.charge(standing, release, plan.digest, plan.epsilon, subject, answered=False)
        refuser = signer if refusal["signer"] == signer else str(custodian)
        self._check_refused(refusal, {**links, "code": leaf["code"], "signer": refuser}, refuser, subject)

    def _refuse(self, leaf: Leaf, subject: str) -> None:
        self._report.count("refused")
        query = self._documents.get(leaf["query"], "query", subject)
        refusal = self._documents.get(leaf["refusal"], "refusal", subject)
        self._end(leaf, query, subject)
        standing = self._standing(query, subject)
        if refusal is None or standing is None:
            return
        signer = standing.manifest["releaseKey"]
        links = {name: leaf[name] for name in ("order", "query", "code")}
        self._check_refused(refusal, {**links, "signer": signer}, signer, subject)
        self._billing.check_refusal(standing, refusal, subject)

    def _check_refused(self, refusal: Leaf, links: Mapping[str, str], signer: str, subject: str) -> None:
        for name, expected in links.items():
            self._report.same("reference", f"{subject} refusal.{name}", expected, refusal[name])
        try:
            check_refusal(refusal, self._deployment, signer)
        except MarketplaceError as error:
            self._report.find("refusal_signature", subject, expected=error.expected, got=error.message)

    def _fail(self, leaf: Leaf, subject: str) -> None:
        self._report.count("failed")
        query = self._documents.get(leaf["query"], "query", subject)
        self._end(leaf, query, subject)
        standing = self._standing(query, subject)
        self._panels.fail(leaf, standing.terms if standing else None, subject)

    def _panel(self, leaf: Leaf, subject: str) -> None:
        query = self._documents.get(leaf["query"], "query", subject)
        standing = self._standing(query, subject)
        if standing is not None:
            self._panels.check(leaf, standing.terms, subject)


def _are_texts(leaf: Leaf) -> bool:
    """Whether every member is text, or, for statements, a list of texts."""
    return all(
        isinstance(value, str) or (name == "statements" and isinstance(value, list) and _all_texts(value))
        for name, value in leaf.items()
    )


def _all_texts(values: list[Any]) -> bool:
    return all(isinstance(value, str) for value in values)
