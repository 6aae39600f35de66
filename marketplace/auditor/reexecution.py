"""Step 11: the panel's numbers are what the sealed data gives. Computed again on the ciphertexts; no value is seen."""

import secrets

from crypto.canonical import to_hex
from crypto.errors import CryptoError
from marketplace.errors import MarketplaceError
from marketplace.queries.evaluation import SealedColumns, evaluate_plan

from .bundle import Bundle
from .documents import MAX_BLOB, blob_name
from .findings import Report
from .queries import Leaf, Released


class Reexecution:
    """Evaluates released queries from the bundle's blobs; a question that was asked before is not evaluated again."""

    def __init__(self, bundle: Bundle, report: Report) -> None:
        self._columns = SealedColumns(lambda blob: bundle.read(blob_name(blob), MAX_BLOB))
        self._report = report
        self._numbers: dict[str, list[tuple[str, str]]] = {}

    def check(self, answer: Released) -> None:
        """A finding for each number of the result that the blobs do not give."""
        self._report.count("queries")
        try:
            numbers = self._evaluate(answer)
        except (CryptoError, MarketplaceError) as error:
            self._report.find("reexecution_failed", answer.subject, got=error)
            return
        for index, ((c0, c1), stated) in enumerate(zip(numbers, answer.result["numbers"], strict=False)):
            self._report.count("numbers")
            self._report.same("result_differs", f"{answer.subject} number {index} c0", c0, stated["c0"])
            self._report.same("result_differs", f"{answer.subject} number {index} c1", c1, stated["c1"])

    def _evaluate(self, answer: Released) -> list[tuple[str, str]]:
        """c0 and the digest of c1 for each number of the plan, as a result document writes them."""
        if answer.plan.digest not in self._numbers:
            numbers = evaluate_plan(answer.standing.manifest, answer.plan, self._columns)
            self._numbers[answer.plan.digest] = [(f"0x{item.c0:064x}", to_hex(item.c1_digest())) for item in numbers]
        return self._numbers[answer.plan.digest]


def sample(released: list[tuple[str, Leaf]], size: int | None) -> list[tuple[str, Leaf]]:
    """`size` released answers that nobody could foresee, in the order of the log; all of them for None."""
    if size is None or size >= len(released):
        return released
    chosen = set(secrets.SystemRandom().sample(range(len(released)), size))
    return [answer for index, answer in enumerate(released) if index in chosen]
