"""What an operator may say about a node and what it may not, and who the auditor names from the ciphertexts."""

from typing import Any

import pytest

from crypto import bls
from crypto.canonical import to_hex
from marketplace.auditor.findings import Report
from marketplace.documents import digest
from marketplace.queries.protocol.statements import attested_message, sign_result
from tests.bundles import Made, keys
from tests.unit.auditor.forger import Forger

Json = dict[str, Any]
EARLY, LATE = "2020-01-01T00:00:00Z", "2090-01-01T00:00:00Z"


class Slander(Forger):
    """An operator that writes more into its log."""

    def append(self, kind: str, **members: Any) -> None:
        """One more leaf, of the log's last moment."""
        self.edit_log(lambda leaves: leaves.append({"type": kind, "at": leaves[-1]["at"], **members}))

    def deadline(self, query: str, moment: str) -> None:
        """Say that a query was accepted with a deadline."""

        def change(leaves: list[Json]) -> None:
            next(leaf for leaf in leaves if leaf["type"] == "query.accepted" and leaf["query"] == query).update(
                deadline=moment
            )

        self.edit_log(change)

    def signed(self, number: int, result: Json) -> Json:
        """A node's statement about a result, both kept; members of a leaf about it."""
        node = keys(f"node{number}")
        statement = sign_result(result, node.address, node.bls_secret)
        return {"node": node.address, "statement": self.store(statement), "result": self.store(result)}

    def released(self, number: int = 0) -> tuple[Json, Json, list[str]]:
        """A released leaf, its result and the addresses that attested it."""
        leaf = self.leaf("query.released", number)
        return leaf, self.document(leaf["result"]), self.document(leaf["attestation"])["signers"]

    def quiet(self) -> tuple[Json, int, int]:
        """A released leaf that no node differed about and that one did not attest; the numbers of one that did, and of
        the one."""
        about = self.leaf("panel.divergence")["query"]
        for number in range(8):
            leaf, _, signers = self.released(number)
            attested = [keys(f"node{index}").address in signers for index in range(3)]
            if leaf["query"] != about and not all(attested):
                return leaf, attested.index(True), attested.index(False)
        raise AssertionError("every answer was attested by all")


def found(report: Report) -> set[str]:
    """Codes of the findings, but for that of anchors, which a log that is signed again in its middle always has."""
    return {finding.code for finding in report.findings} - {"log_root"}


def named(report: Report) -> dict[str, set[str]]:
    """code -> the nodes that it is held against."""
    by_code: dict[str, set[str]] = {}
    for held in report.nodes():
        by_code.setdefault(held["code"], set()).add(held["node"])
    return by_code


def false(result: Json, byte: str = "55") -> Json:
    return {**result, "numbers": [{**result["numbers"][0], "c0": "0x" + byte * 32}, *result["numbers"][1:]]}


def test_an_outvoted_liar_is_named_and_the_evidence_holds(made: Made) -> None:
    report = Slander(made).report()
    assert report.passed
    assert named(report) == {"node_lied": {keys("node2").address}}
    assert report.counts[11]["contested queries"] == 1


def test_a_hidden_equivocation_is_found(made: Made) -> None:
    """The operator logs a divergence of a node whose signature is in the attestation too, and calls it no more."""
    forger = Slander(made)
    leaf, result, signers = forger.released(1)
    number = next(index for index in range(3) if keys(f"node{index}").address in signers)
    forger.append(
        "panel.divergence", query=leaf["query"], attested=leaf["result"], **forger.signed(number, false(result))
    )
    report = forger.report()
    assert found(report) == {"equivocation_unnamed"}
    assert keys(f"node{number}").address in named(report)["node_equivocated"]


def test_a_named_equivocation_holds_and_the_false_half_is_a_lie(made: Made) -> None:
    forger = Slander(made)
    leaf, result, _ = forger.released(1)
    first, second = forger.signed(0, false(result)), forger.signed(0, result)
    other = {"otherStatement": second["statement"], "otherResult": second["result"]}
    forger.append("panel.equivocation", query=leaf["query"], **first, **other)
    report = forger.report()
    assert report.passed
    assert keys("node0").address in named(report)["node_lied"] & named(report)["node_equivocated"]


def test_an_equivocation_of_one_result_is_none(made: Made) -> None:
    forger = Slander(made)
    leaf, result, _ = forger.released(1)
    first = forger.signed(0, result)
    other = {"otherStatement": first["statement"], "otherResult": first["result"]}
    forger.append("panel.equivocation", query=leaf["query"], **first, **other)
    assert forger.codes() == {"equivocation_unproven"}


def test_another_nodes_signature_accuses_nobody(made: Made) -> None:
    forger = Slander(made)
    leaf, result, _ = forger.released(1)
    lie = false(result)
    forged = sign_result(lie, keys("node1").address, keys("node0").bls_secret)
    members = {"node": keys("node1").address, "statement": forger.store(forged), "result": forger.store(lie)}
    forger.append("panel.divergence", query=leaf["query"], attested=leaf["result"], **members)
    report = forger.report()
    assert found(report) == {"statement_signature"}
    assert named(report) == {"node_lied": {keys("node2").address}}


def test_an_attestation_that_does_not_verify_accuses_nobody(made: Made) -> None:
    """Else whoever writes a node into a false attestation would have it sign two results."""
    forger = Slander(made)
    leaf, _, signers = forger.released(1)
    lie = false(forger.document(leaf["result"]))
    number = next(index for index in range(3) if keys(f"node{index}").address in signers)
    forger.append("panel.divergence", query=leaf["query"], attested=leaf["result"], **forger.signed(number, lie))
    garbage = to_hex(bls.sign(keys("buyer").bls_secret, attested_message(leaf["result"])))
    forger.replace(leaf["attestation"], lambda attestation: attestation.update(signature=garbage))
    report = forger.report()
    assert found(report) == {"attestation_signature"}
    assert "node_equivocated" not in named(report)


def test_a_false_majority_is_named_and_the_node_that_differed_is_not(made: Made) -> None:
    forger = Slander(made)
    leaf, result, _ = forger.released(1)
    right, lie = forger.signed(2, result), false(result)
    name = forger.replace(leaf["result"], lambda document: document.update(lie))
    liars = [keys("node0"), keys("node1")]
    joint = bls.aggregate([bls.sign(node.bls_secret, attested_message(name)) for node in liars])
    attestation = {"result": name, "signers": [node.address for node in liars], "signature": to_hex(joint)}
    forger.replace(leaf["attestation"], lambda document: document.update(attestation))
    right["result"] = forger.store(result)  # `replace` took the true one away
    forger.append("panel.divergence", query=leaf["query"], attested=name, **right)
    report = forger.report()
    assert "attested_false" in found(report)
    accused = {held["node"] for held in report.nodes() if held["code"] == "node_lied"}
    assert accused >= set(attestation["signers"])
    said = next(held for held in report.nodes() if held["node"] == keys("node2").address)
    assert said["count"] == 1  # its one true lie, elsewhere


@pytest.mark.parametrize("kind", ["panel.late", "panel.absence"])
def test_a_node_that_attested_is_neither_late_nor_absent(made: Made, kind: str) -> None:
    forger = Slander(made)
    leaf, attested, _ = forger.quiet()
    forger.deadline(leaf["query"], EARLY)
    result = forger.document(leaf["result"])
    members = forger.signed(attested, result) if kind == "panel.late" else {"node": keys(f"node{attested}").address}
    forger.append(kind, query=leaf["query"], **members)
    report = forger.report()
    assert found(report) == {"absence_contradicted"}
    assert named(report) == {"node_lied": {keys("node2").address}}


@pytest.mark.parametrize(
    ("moment", "codes"), [(EARLY, set()), (LATE, {"deadline_not_over"}), ("", {"deadline_not_over"})]
)
def test_nobody_is_absent_before_the_deadline_that_was_set(made: Made, moment: str, codes: set[str]) -> None:
    forger = Slander(made)
    leaf, _, silent = forger.quiet()
    if moment:
        forger.deadline(leaf["query"], moment)
    forger.append("panel.absence", query=leaf["query"], node=keys(f"node{silent}").address)
    report = forger.report()
    assert found(report) == codes
    assert ("node_absent" in named(report)) == (not codes)


def test_a_node_that_was_heard_is_not_absent(made: Made) -> None:
    forger = Slander(made)
    leaf = forger.leaf("panel.divergence")
    forger.deadline(leaf["query"], EARLY)
    forger.append("panel.absence", query=leaf["query"], node=leaf["node"])
    assert found(forger.report()) == {"absence_contradicted"}


def test_a_late_node_is_not_absent_as_well(made: Made) -> None:
    forger = Slander(made)
    leaf, _, silent = forger.quiet()
    result = forger.document(leaf["result"])
    forger.deadline(leaf["query"], EARLY)
    forger.append("panel.absence", query=leaf["query"], node=keys(f"node{silent}").address)
    forger.append("panel.late", query=leaf["query"], **forger.signed(silent, result))
    report = forger.report()
    assert found(report) == set()
    assert named(report)["node_late"] == {keys(f"node{silent}").address}
    assert "node_absent" not in named(report)


def test_a_divergence_names_the_result_that_was_attested(made: Made) -> None:
    forger = Slander(made)
    leaf = forger.leaf("panel.divergence")
    forger.edit_log(
        lambda leaves: next(one for one in leaves if one["type"] == leaf["type"]).update(attested="0x" + "44" * 32)
    )
    assert "reference" in forger.codes()
    assert digest(forger.document(leaf["result"])) == leaf["result"]
