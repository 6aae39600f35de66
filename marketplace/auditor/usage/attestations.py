"""Step 10, the panel: enough nodes of the terms' own panel signed each result. Signatures are verified in batches."""

from collections.abc import Iterator, Mapping
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any

from crypto import bls
from crypto.bls_batch import MAX_BATCH, Claim, refuted
from crypto.canonical import from_hex
from crypto.errors import CryptoError
from marketplace.auditor.findings import Report
from marketplace.queries.protocol.statements import attested_message


@contextmanager
def verifiers(processes: int) -> Iterator[Executor | None]:
    """Processes that verify batches; they are started when the first batch is full, and none for one process."""
    if processes <= 1:
        yield None
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield pool


class Attestations:
    """Collects what the panels signed; full batches are verified beside the reading of the log, the rest by `finish`.

    Args:
        pool: where batches are verified; None for here, at the end.
    """

    def __init__(self, report: Report, pool: Executor | None = None) -> None:
        self.report, self._pool = report, pool
        self._seen: set[Claim] = set()
        self._refuted: set[Claim] = set()
        self._batch: list[tuple[Claim, str]] = []
        self._running: list[tuple[list[tuple[Claim, str]], Future[list[int]]]] = []
        self._proven: dict[tuple[str, str], bool] = {}

    def add(self, attestation: Mapping[str, Any], result: str, terms: Mapping[str, Any], subject: str) -> Claim | None:
        """Check members, threshold and proofs of possession now, and remember the signature; returns what is claimed,
        None where it names strangers."""
        panel = terms["panel"]
        nodes = {node["address"]: node for node in panel["nodes"]}
        signers = attestation["signers"]
        self.report.count("attestations")
        self.report.same("attestation_result", f"{subject} attestation.result", result, attestation["result"])
        if strangers := [signer for signer in signers if signer not in nodes]:
            self.report.find("attestation_members", subject, expected=", ".join(nodes), got=", ".join(strangers))
            return None
        if len(signers) < panel["threshold"]:
            self.report.find("attestation_members", subject, expected=f">= {panel['threshold']}", got=len(signers))
        keys = tuple(sorted(from_hex(nodes[signer]["bls"]) for signer in signers if self._has_key(nodes[signer])))
        claim = Claim(keys, attested_message(attestation["result"]), from_hex(attestation["signature"]))
        if claim not in self._seen:
            self._seen.add(claim)
            self._batch.append((claim, subject))
        if self._pool is not None and len(self._batch) == MAX_BATCH:
            claims = [claim for claim, _ in self._batch]
            self._running.append((self._batch, self._pool.submit(refuted, claims)))
            self._batch = []
        return claim

    def check_statement(self, statement: Mapping[str, Any], terms: Mapping[str, Any], subject: str) -> bool:
        """A node that is said to have signed a statement really signed it."""
        node = next((node for node in terms["panel"]["nodes"] if node["address"] == statement["node"]), None)
        if node is None or not self._has_key(node):
            self.report.find("statement_signature", subject, expected="a node of the panel", got=statement["node"])
            return False
        message = attested_message(statement["result"])
        try:
            bls.verify(from_hex(node["bls"]), message, from_hex(statement["signature"]))
        except CryptoError as error:
            self.report.find("statement_signature", subject, expected=statement["node"], got=error)
            return False
        return True

    def is_refuted(self, claim: Claim) -> bool:
        """Whether a claim did not verify; to be asked after `finish`."""
        return claim in self._refuted

    def finish(self) -> None:
        """Verify what is left and collect all verdicts."""
        for batch, verdict in self._running:
            self._name(batch, verdict.result())
        self._name(self._batch, refuted([claim for claim, _ in self._batch]))

    def _name(self, batch: list[tuple[Claim, str]], wrong: list[int]) -> None:
        for index in wrong:
            self._refuted.add(batch[index][0])
            self.report.find("attestation_signature", batch[index][1])

    def _has_key(self, node: Mapping[str, Any]) -> bool:
        pair = (node["bls"], node["possession"])
        if pair not in self._proven:
            try:
                bls.verify_possession(from_hex(node["bls"]), from_hex(node["possession"]))
                self._proven[pair] = True
            except CryptoError as error:
                self.report.find("panel_key", f"node {node['address']}", got=error)
                self._proven[pair] = False
        return self._proven[pair]
