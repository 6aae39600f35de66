"""Step 10, nodes: what is held against each, and whether it may be.

A node stands accused by its own signature alone: it differed from an attested result, or signed two results of one
query. That it came late or not at all is the operator's word; here it is only checked not to contradict the log itself.
Who of those that differ is right is told in step 11, from the ciphertexts.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from crypto.bls_batch import Claim
from marketplace.auditor.documents.store import Documents
from marketplace.auditor.findings import Report
from marketplace.auditor.usage.attestations import Attestations
from marketplace.documents import unix_seconds
from marketplace.queries.protocol.panels import is_over

Leaf = Mapping[str, Any]
# type of leaf -> its members besides type and at
PANEL_LEAVES: dict[str, frozenset[str]] = {
    "panel.divergence": frozenset({"query", "node", "statement", "result", "attested"}),
    "panel.equivocation": frozenset({"query", "node", "statement", "result", "otherStatement", "otherResult"}),
    "panel.late": frozenset({"query", "node", "statement", "result"}),
    "panel.absence": frozenset({"query", "node"}),
}


@dataclass(frozen=True)
class _Attested:
    """What a panel attested: the result, who signed it, and the signature to verify."""

    result: str
    signers: frozenset[str]
    claim: Claim


@dataclass
class Contest:
    """A query of which two results or more are signed.

    Args:
        subject: a leaf that says so. attested: the result that counted; None where none did.
        results: result digest -> the nodes that signed it.
    """

    subject: str
    attested: str | None = None
    results: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))


class Panels:
    """Follows what nodes signed, leaf by leaf; `finish` names those that signed two results."""

    def __init__(self, documents: Documents, attestations: Attestations, report: Report) -> None:
        self._documents, self._attestations, self._report = documents, attestations, report
        self._deadlines: dict[str, int] = {}
        self._attested: dict[str, _Attested] = {}
        self._signed: dict[str, dict[str, dict[str, str]]] = defaultdict(lambda: defaultdict(dict))
        self._counted: dict[str, tuple[str, str]] = {}
        self._named: set[tuple[str, str]] = set()
        self._late_by: dict[tuple[str, str], str] = {}
        self._absent_by: dict[tuple[str, str], str] = {}

    def accept(self, leaf: Leaf) -> None:
        """A query was taken, with a deadline for its panel if there were deadlines then."""
        if "deadline" in leaf:
            self._deadlines[leaf["query"]] = unix_seconds(leaf["deadline"])

    def attest(self, leaf: Leaf, attestation: Leaf, terms: Leaf, subject: str) -> None:
        """A released answer's attestation; whether its signature holds is told at the end."""
        claim = self._attestations.add(attestation, leaf["result"], terms, subject)
        if claim is not None and attestation["result"] == leaf["result"]:
            self._attested[leaf["query"]] = _Attested(leaf["result"], frozenset(attestation["signers"]), claim)

    def check(self, leaf: Leaf, terms: Leaf, subject: str) -> None:
        """A leaf that holds something against a node."""
        {
            "panel.divergence": self._diverge,
            "panel.equivocation": self._equivocate,
            "panel.late": self._late,
            "panel.absence": self._absent,
        }[leaf["type"]](leaf, terms, subject)

    def fail(self, leaf: Leaf, terms: Leaf | None, subject: str) -> None:
        """The panel came to no result: its nodes' signed statements are kept."""
        for name in leaf["statements"]:
            statement = self._documents.get(name, "statement", subject)
            result = self._documents.get(statement["result"], "result", subject) if statement else None
            if statement and result and terms:
                self._sign(leaf["query"], statement, result, terms, subject)

    def finish(self) -> None:
        """What can be told only after the last leaf; the attestations are verified by now."""
        for query, nodes in self._signed.items():
            for node, results in nodes.items():
                self._compare(query, node, results)
        for code, unheard in (("node_late", self._late_by), ("node_absent", self._absent_by)):
            for (query, node), subject in unheard.items():
                if node in self.signers(query):
                    self._report.find("absence_contradicted", subject, expected="a node that did not attest", got=node)
                elif code == "node_late" or (query, node) not in self._late_by:
                    self._report.name(code, node, query, subject)
        for query, (result, subject) in self._counted.items():
            if query in self._attested:
                self._report.same("reference", f"{subject} attested", self._attested[query].result, result)

    def contests(self) -> list[tuple[str, Contest]]:
        """Queries of which two results or more are signed, in the order of the log; for after `finish`."""
        found = []
        for query, nodes in self._signed.items():
            contest = Contest(next(iter(next(iter(nodes.values())).values())))
            for node, results in nodes.items():
                for result in results:
                    contest.results[result].add(node)
            contest.attested = self._counted.get(query, (None, ""))[0]
            if signers := self.signers(query):
                contest.attested = self._attested[query].result
                contest.results[contest.attested] |= signers
            if len({*contest.results, contest.attested} - {None}) > 1:
                found.append((query, contest))
        return found

    def signers(self, query: str) -> frozenset[str]:
        """Who really attested a query's result; for after `finish`."""
        attested = self._attested.get(query)
        return attested.signers if attested and not self._attestations.is_refuted(attested.claim) else frozenset()

    def _compare(self, query: str, node: str, signed: Mapping[str, str]) -> None:
        results = set(signed) | ({self._attested[query].result} if node in self.signers(query) else set())
        if len(results) < 2:
            return
        subject = next(iter(signed.values()))
        self._report.name("node_equivocated", node, query, subject)
        if (query, node) not in self._named:
            self._report.find("equivocation_unnamed", subject, expected="panel.equivocation", got=node)

    def _sign(self, query: str, statement: Leaf, result: Leaf, terms: Leaf, subject: str) -> bool:
        """Note a statement about a query, if it is one and its node signed it."""
        about = self._report.same("reference", f"{subject} result.query", query, result["query"])
        holds = self._attestations.check_statement(statement, terms, subject)
        if about and holds:
            self._signed[query][statement["node"]].setdefault(statement["result"], subject)
        return about and holds

    def _said(self, leaf: Leaf, terms: Leaf, subject: str, names: tuple[str, str] = ("statement", "result")) -> bool:
        """Check that the leaf's node signed the leaf's result of the leaf's query."""
        statement = self._documents.get(leaf[names[0]], "statement", subject)
        result = self._documents.get(leaf[names[1]], "result", subject)
        if statement is None or result is None:
            return False
        same = self._report.same
        same("reference", f"{subject} {names[0]}.result", leaf[names[1]], statement["result"])
        if not same("reference", f"{subject} {names[0]}.node", leaf["node"], statement["node"]):
            self._attestations.check_statement(statement, terms, subject)
            return False
        return self._sign(leaf["query"], statement, result, terms, subject)

    def _diverge(self, leaf: Leaf, terms: Leaf, subject: str) -> None:
        self._report.count("divergences")
        self._said(leaf, terms, subject)
        self._counted[leaf["query"]] = (leaf["attested"], subject)
        if leaf["result"] == leaf["attested"]:
            self._report.find("divergence_unproven", subject, expected="another result than the attested one")

    def _equivocate(self, leaf: Leaf, terms: Leaf, subject: str) -> None:
        self._report.count("equivocations")
        self._named.add((leaf["query"], leaf["node"]))
        self._said(leaf, terms, subject)
        self._said(leaf, terms, subject, ("otherStatement", "otherResult"))
        if leaf["result"] == leaf["otherResult"]:
            self._report.find("equivocation_unproven", subject, expected="two results", got=leaf["result"])

    def _late(self, leaf: Leaf, terms: Leaf, subject: str) -> None:
        self._report.count("late statements")
        if self._said(leaf, terms, subject) and self._is_over(leaf, subject):
            self._late_by[leaf["query"], leaf["node"]] = subject

    def _absent(self, leaf: Leaf, terms: Leaf, subject: str) -> None:
        self._report.count("absences")
        if leaf["node"] not in [node["address"] for node in terms["panel"]["nodes"]]:
            self._report.find("reference", subject, expected="a node of the panel", got=leaf["node"])
        elif leaf["node"] in self._signed.get(leaf["query"], {}):
            self._report.find("absence_contradicted", subject, expected="a node that was not heard", got=leaf["node"])
        elif self._is_over(leaf, subject):
            self._absent_by[leaf["query"], leaf["node"]] = subject

    def _is_over(self, leaf: Leaf, subject: str) -> bool:
        deadline = self._deadlines.get(leaf["query"])
        if is_over(unix_seconds(leaf["at"]), deadline):
            return True
        self._report.find("deadline_not_over", subject, expected=f"> {deadline}", got=leaf["at"])
        return False
