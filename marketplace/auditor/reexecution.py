"""Step 11: the panel's numbers are what the sealed data gives. Computed again on the ciphertexts; no value is seen."""

import secrets

from crypto.errors import CryptoError
from crypto.seal.confined import confined_loader
from marketplace.auditor.bundle import Bundle
from marketplace.auditor.documents import MAX_BLOB, blob_name
from marketplace.auditor.findings import Report
from marketplace.auditor.queries import Leaf, Released
from marketplace.errors import MarketplaceError
from marketplace.queries.evaluation import SealedColumns, evaluate_plan, number_entry


class Reexecution:
    """Evaluates released queries from the bundle's blobs; a question that was asked before is not evaluated again."""

    def __init__(self, bundle: Bundle, report: Report) -> None:
        self._columns = SealedColumns(
            lambda blob: bundle.read(blob_name(blob), MAX_BLOB), probe=confined_loader().check
        )
        self._report = report
        self._numbers: dict[str, list[dict[str, str]]] = {}

    def check(self, answer: Released) -> None:
        """A finding for each number of the result that the blobs do not give."""
        self._report.count("queries")
        try:
            numbers = self._evaluate(answer)
        except (CryptoError, MarketplaceError) as error:
            self._report.find("reexecution_failed", answer.subject, got=error)
            return
        for index, (number, stated) in enumerate(zip(numbers, answer.result["numbers"], strict=False)):
            self._report.count("numbers")
            for part in ("c0", "c1"):
                self._report.same(
                    "result_differs", f"{answer.subject} number {index} {part}", number[part], stated[part]
                )

    def _evaluate(self, answer: Released) -> list[dict[str, str]]:
        if answer.plan.digest not in self._numbers:
            numbers = evaluate_plan(answer.standing.manifest, answer.plan, self._columns)
            self._numbers[answer.plan.digest] = [number_entry(number) for number in numbers]
        return self._numbers[answer.plan.digest]


def sample(released: list[tuple[str, Leaf]], size: int | None) -> list[tuple[str, Leaf]]:
    """`size` released answers that nobody could foresee, in the order of the log; all of them for None."""
    if size is None or size >= len(released):
        return released
    chosen = set(secrets.SystemRandom().sample(range(len(released)), size))
    return [answer for index, answer in enumerate(released) if index in chosen]
