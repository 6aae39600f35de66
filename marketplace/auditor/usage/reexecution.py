"""Step 11: the panel's numbers are what the sealed data gives. Computed again on the ciphertexts; no value is seen.

Where nodes signed different results of one query, this tells who signed a false one.
"""

import secrets

from crypto.errors import CryptoError
from crypto.seal.confined import confined_loader
from marketplace.auditor.bundle import Bundle
from marketplace.auditor.documents.store import MAX_BLOB, blob_name
from marketplace.auditor.findings import Report
from marketplace.auditor.usage.orders import Standing
from marketplace.auditor.usage.queries import Contested, Leaf, Released
from marketplace.documents import digest
from marketplace.errors import MarketplaceError
from marketplace.queries.evaluation import SealedColumns, evaluate_plan, number_entry, result_document
from marketplace.queries.planning.plan import Plan


class Reexecution:
    """Evaluates released queries from the bundle's blobs; a question that was asked before is not evaluated again."""

    def __init__(self, bundle: Bundle, report: Report) -> None:
        self._columns = SealedColumns(
            lambda blob: bundle.read(blob_name(blob), MAX_BLOB), probe=confined_loader().check
        )
        self._report = report
        self._numbers: dict[str, list[dict[str, str | None]]] = {}

    def check(self, answer: Released) -> None:
        """A finding for each number of the result that the blobs do not give."""
        self._report.count("queries")
        try:
            numbers = self._evaluate(answer.standing, answer.plan)
        except (CryptoError, MarketplaceError) as error:
            self._report.find("reexecution_failed", answer.subject, got=error)
            return
        holds = True
        for index, (number, stated) in enumerate(zip(numbers, answer.result["numbers"], strict=False)):
            self._report.count("numbers")
            for part in ("c0", "c1"):
                subject = f"{answer.subject} number {index} {part}"
                holds &= self._report.same("result_differs", subject, number[part], stated[part])
        for node in sorted(answer.signers if not holds else ()):
            self._report.name("node_lied", node, answer.query, answer.subject)

    def judge(self, contested: Contested) -> None:
        """Name every node that signed a result which the blobs do not give; a finding where that one was attested."""
        self._report.count("contested queries")
        contest = contested.contest
        try:
            numbers = self._evaluate(contested.standing, contested.plan)
        except (CryptoError, MarketplaceError) as error:
            self._report.find("reexecution_failed", contest.subject, got=error)
            return
        query, true = digest(contested.query), digest(result_document(contested.query, contested.plan, numbers))
        for result, nodes in contest.results.items():
            for node in sorted(nodes if result != true else ()):
                self._report.name("node_lied", node, query, contest.subject)
        if contest.attested not in (None, true):
            self._report.find("attested_false", contest.subject, expected=true, got=contest.attested)

    def _evaluate(self, standing: Standing, plan: Plan) -> list[dict[str, str | None]]:
        name = f"{standing.asset['assetId']} {plan.digest}"
        if name not in self._numbers:
            numbers = evaluate_plan(standing.manifest, plan, self._columns)
            self._numbers[name] = [number_entry(number) for number in numbers]
        return self._numbers[name]


def sample(released: list[tuple[str, Leaf]], size: int | None) -> list[tuple[str, Leaf]]:
    """`size` released answers that nobody could foresee, in the order of the log; all of them for None."""
    if size is None or size >= len(released):
        return released
    chosen = set(secrets.SystemRandom().sample(range(len(released)), size))
    return [answer for index, answer in enumerate(released) if index in chosen]
