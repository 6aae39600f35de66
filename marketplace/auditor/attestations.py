"""Step 10, the panel: enough nodes of the terms' own panel signed each result. Signatures are verified in batches."""

from collections.abc import Mapping
from typing import Any

from crypto import bls
from crypto.bls_batch import Claim, refuted
from crypto.canonical import from_hex
from crypto.errors import CryptoError
from marketplace.auditor.findings import Report
from marketplace.queries.statements import attested_message


class Attestations:
    """Collects what the panels signed; `finish` verifies it."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._claims: dict[Claim, str] = {}
        self._proven: dict[tuple[str, str], bool] = {}

    def add(self, attestation: Mapping[str, Any], result: str, terms: Mapping[str, Any], subject: str) -> None:
        """Check members, threshold and proofs of possession now, and remember the signature."""
        panel = terms["panel"]
        nodes = {node["address"]: node for node in panel["nodes"]}
        signers = attestation["signers"]
        self._report.count("attestations")
        self._report.same("attestation_result", f"{subject} attestation.result", result, attestation["result"])
        if strangers := [signer for signer in signers if signer not in nodes]:
            self._report.find("attestation_members", subject, expected=", ".join(nodes), got=", ".join(strangers))
            return
        if len(signers) < panel["threshold"]:
            self._report.find("attestation_members", subject, expected=f">= {panel['threshold']}", got=len(signers))
        keys = tuple(sorted(from_hex(nodes[signer]["bls"]) for signer in signers if self._has_key(nodes[signer])))
        claim = Claim(keys, attested_message(attestation["result"]), from_hex(attestation["signature"]))
        self._claims.setdefault(claim, subject)

    def check_statement(self, statement: Mapping[str, Any], terms: Mapping[str, Any], subject: str) -> None:
        """A node that is said to have signed a statement really signed it."""
        node = next((node for node in terms["panel"]["nodes"] if node["address"] == statement["node"]), None)
        if node is None or not self._has_key(node):
            self._report.find("statement_signature", subject, expected="a node of the panel", got=statement["node"])
            return
        message = attested_message(statement["result"])
        try:
            bls.verify(from_hex(node["bls"]), message, from_hex(statement["signature"]))
        except CryptoError as error:
            self._report.find("statement_signature", subject, expected=statement["node"], got=error)

    def finish(self) -> None:
        """Verify all signatures."""
        claims = list(self._claims)
        for index in refuted(claims):
            self._report.find("attestation_signature", self._claims[claims[index]])

    def _has_key(self, node: Mapping[str, Any]) -> bool:
        pair = (node["bls"], node["possession"])
        if pair not in self._proven:
            try:
                bls.verify_possession(from_hex(node["bls"]), from_hex(node["possession"]))
                self._proven[pair] = True
            except CryptoError as error:
                self._report.find("panel_key", f"node {node['address']}", got=error)
                self._proven[pair] = False
        return self._proven[pair]
